"""The whole story: the app as its container runs it, and this project's service, which sends the code to a simulated phone."""

import json
import os
import re
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from browser import Browser
from processes import Running, surroundings
from provider import CLIENT_ID, CLIENT_SECRET

FOLDER = Path(__file__).parent.parent
DEADLINE = 30


@pytest.fixture
def start():
    with ExitStack() as running:
        yield lambda command, folder, **settings: running.enter_context(Running(command, surroundings(settings), cwd=folder))


@pytest.fixture
def sandbox(start, tmp_path):
    binary = os.environ.get("SMS_TEST_BINARY")
    assert binary, "SMS_TEST_BINARY must name the service's binary"
    any_port = "127.0.0.1:0"
    return start([str(Path(binary).resolve()), "sandbox"], tmp_path, SMS_SERVER__LISTEN=any_port, SMS_OPERATOR__LISTEN=any_port)


@pytest.fixture
def app(start, provider, tmp_path):
    """What the Dockerfile runs, on another port: in the image's folder, which is read-only there."""
    command = json.loads(re.search(r"^CMD (\[.*\])$", (FOLDER / "Dockerfile").read_text(), re.MULTILINE)[1])
    command[0] = str(Path(sys.executable).parent / command[0])
    (tmp_path / "secret").write_text(CLIENT_SECRET + "\n")
    # The port has to be known before, as the app has to know its own address.
    port = httpx.URL(provider.endpoint).port
    for port in range(port + 1, port + 50):
        app = start(
            command, FOLDER,
            GUNICORN_CMD_ARGS=f"--bind 127.0.0.1:{port}",
            LOGTO_ENDPOINT=provider.endpoint,
            LOGTO_APP_ID=CLIENT_ID,
            LOGTO_APP_SECRET_FILE=str(tmp_path / "secret"),
            APP_BASE_URL=f"http://127.0.0.1:{port}",
            APP_SESSIONS=str(tmp_path / "sessions"),
        )
        if app.wait_for(r"Booting worker|Connection in use")[0] == "Booting worker":
            app.base_url = f"http://127.0.0.1:{port}"
            provider.redirect_uris.append(f"{app.base_url}/callback")
            provider.post_logout_redirect_uris.append(f"{app.base_url}/")
            return app
    pytest.fail("no port is free")


def test_a_phone_signs_in_with_the_code_that_the_service_sent(app, sandbox, provider):
    endpoint, authorization = sandbox.wait_for(r"curl -i (\S+/send) -H 'Authorization: ([^']+)'").groups()

    def connector(to, usage_type, code):
        """As Logto's HTTP SMS connector does, and as Logto shows what it was answered."""
        body = {"to": to, "type": usage_type, "payload": {"code": code, "locale": "de"}, "ip": "203.0.113.7"}
        answer = httpx.post(endpoint, json=body, headers={"Authorization": authorization}, timeout=DEADLINE)
        return None if answer.is_success else f"Error occurred in connector: {answer.text}"

    def phone():
        """The code of the SMS that arrives next; the phone's owner reads German."""
        sms = sandbox.wait_for(r"┌ SMS to \+(\d+) from .*\n│ .*?\b(\d{6}) ist Ihr Code.*\n└")
        return {"phone": sms[1], "code": sms[2]}

    provider.connector = connector
    browser = Browser(app.base_url)
    assert "You are not signed in" in browser.get("/").text

    page = browser.ask_for_code("+4526091045", "/sign-in?mode=sign-up")
    arrived = phone()
    assert arrived["phone"] == "4526091045"
    home = browser.submit(page, code=arrived["code"])
    assert "You are signed in" in home.text and "+4526091045" in home.text

    home = browser.submit(home)
    assert "You are not signed in" in home.text

    # A second code so soon is refused by one of the service's limits, and the person reads why.
    page = browser.ask_for_code("+4526091045")
    assert page.status_code == 400 and "An diese Nummer wurde gerade ein Code gesendet." in page.text

    # A number to which GatewayAPI refuses to send.
    page = browser.ask_for_code("+4526020533")
    assert page.status_code == 400 and "An diese Nummer kann keine SMS gesendet werden." in page.text

    # The app's log tells no code, number or address.
    app.end()
    shown = app.said()
    assert arrived["code"] not in shown and "4526091045" not in shown and "callback" not in shown
