import sys
import threading
from pathlib import Path

import pytest
from werkzeug.serving import make_server

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.append(str(Path(__file__).parents[3] / "tests"))  # processes.py

from app import create_app
from browser import Browser
from provider import CLIENT_ID, CLIENT_SECRET, Provider


@pytest.fixture(scope="session")
def a_provider():
    return Provider()


@pytest.fixture
def provider(a_provider):
    a_provider.reset()
    return a_provider


class Served:
    """The app on a port of its own, known to the provider."""

    def __init__(self, provider, folder, **environ):
        self.sessions = folder / "sessions"
        # The port is known before the app is, which has to know it.
        self.server = make_server("127.0.0.1", 0, lambda *call: self.app(*call), threaded=True)
        self.base_url = f"http://127.0.0.1:{self.server.server_port}"
        self.app = create_app({
            "LOGTO_ENDPOINT": provider.endpoint,
            "LOGTO_APP_ID": CLIENT_ID,
            "LOGTO_APP_SECRET": CLIENT_SECRET,
            "APP_BASE_URL": self.base_url,
            "APP_SESSIONS": str(self.sessions),
        } | environ)
        provider.redirect_uris.append(f"{self.base_url}/callback")
        provider.post_logout_redirect_uris.append(f"{self.base_url}/")
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def browser(self):
        return Browser(self.base_url)


@pytest.fixture
def serve(provider, tmp_path):
    """Serves the app with the given environment, over the usual one."""
    served = []

    def start(**environ):
        served.append(Served(provider, tmp_path / str(len(served)), **environ))
        return served[-1]

    yield start
    for each in served:
        each.server.shutdown()
        each.server.server_close()


@pytest.fixture
def app(serve):
    return serve()


@pytest.fixture
def browser(app):
    return app.browser()
