"""The app with a small OpenID provider in Logto's place."""

import base64
import hashlib
import json
import logging
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from app import PROBLEMS, UNREACHABLE, create_app
from cachelib import FileSystemCache
from provider import ANOTHER_KEY, CLIENT_ID, CLIENT_SECRET

REPOSITORY = Path(__file__).parents[3]
APP = Path(__file__).parents[1]
SIGNED_IN, SIGNED_OUT = "You are signed in", "You are not signed in"


def log_of_the_app(caplog):
    """Without the addresses that the server of the tests logs; gunicorn, as it is set up, logs none."""
    return "\n".join(record.getMessage() for record in caplog.records if record.name == "app")


def test_home_says_that_nobody_is_signed_in(browser, provider):
    home = browser.get("/")
    assert home.status_code == 200 and SIGNED_OUT in home.text
    assert "Set-Cookie" not in home.headers
    assert provider.requests == []


@pytest.mark.parametrize(("path", "mode"), [
    ("/sign-in", "signIn"), ("/sign-in?mode=sign-up", "signUp"), ("/sign-in?mode=nonsense", "signIn"),
])
def test_sign_in_asks_logto(app, browser, provider, path, mode):
    page = browser.get(path)
    assert str(page.url).startswith(f"{provider.endpoint}/sign-in")
    [asked] = provider.requests
    assert asked["client_id"] == CLIENT_ID and asked["redirect_uri"] == f"{app.base_url}/callback"
    assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
    assert set(asked["scope"].split()) == {"openid", "offline_access", "profile", "phone"}
    assert asked["prompt"] == "consent" and asked["interaction_mode"] == mode
    assert len(asked["state"]) >= 43 and len(asked["code_challenge"]) == 43
    assert "code_verifier" not in asked and "client_secret" not in asked


def test_each_sign_in_has_a_state_and_a_challenge_of_its_own(browser, provider):
    browser.get("/sign-in")
    browser.get("/sign-in")
    first, second = provider.requests
    assert first["state"] != second["state"] and first["code_challenge"] != second["code_challenge"]


def test_a_sign_in_ends_at_home(app, browser, provider):
    home = browser.sign_in(provider)
    assert str(home.url) == f"{app.base_url}/"
    assert SIGNED_IN in home.text and "+4526091045" in home.text
    assert provider.sent[0][:2] == ("4526091045", "SignIn")
    assert SIGNED_IN in browser.get("/").text
    # A second browser is another person.
    assert SIGNED_OUT in app.browser().get("/").text


def test_a_sign_up_too(browser, provider):
    assert SIGNED_IN in browser.sign_in(provider, path="/sign-in?mode=sign-up").text
    assert provider.sent[0][1] == "Register"


def test_who_is_signed_in_is_not_asked_again(app, browser, provider):
    browser.sign_in(provider)
    assert str(browser.get("/sign-in").url) == f"{app.base_url}/"
    assert len(provider.requests) == 1


def test_a_cancelled_sign_in_is_said_plainly(browser, provider):
    page = browser.get("/sign-in")
    interaction = parse_qs(urlsplit(str(page.url)).query)["interaction"][0]
    page = browser.post(page.url.join("/sign-in/cancel"), data={"interaction": interaction})
    assert page.status_code == 400 and "The sign-in was cancelled." in page.text
    assert SIGNED_OUT in browser.get("/").text


@pytest.mark.parametrize("query", [
    "error=%3Cscript%3Ealert(1)%3C/script%3E", "error=server_error&error_description=look-here", "code=x", "state=x", "",
    "code=x&state=", "state[]=x", "error=%00%ff", "code=" + "x" * 5000,
])
def test_a_callback_that_nobody_asked_for_is_refused(browser, caplog, query):
    page = browser.get(f"/callback?{query}")
    assert page.status_code == 400 and "That did not work" in page.text
    browser.get("/sign-in")
    page = browser.get(f"/callback?{query}")
    assert page.status_code == 400 and "That did not work" in page.text
    for text in (page.text, log_of_the_app(caplog)):
        assert "<script" not in text and "look-here" not in text and "Traceback" not in text
    assert SIGNED_OUT in browser.get("/").text


def test_a_wrong_state_is_refused(browser, provider):
    answer = browser.answer_of_logto(provider)
    state = parse_qs(urlsplit(answer).query)["state"][0]
    page = browser.get(answer.replace(state, "A" * len(state)))
    assert page.status_code == 400 and "not the answer to the sign-in" in page.text
    assert len(provider.codes) == 1, "the code was not shown to the token endpoint"
    # Nor may one guess again.
    assert browser.get(answer).status_code == 400
    assert SIGNED_OUT in browser.get("/").text


def test_the_answer_for_one_browser_is_refused_in_another(app, browser, provider):
    """Or somebody could sign a person in to an account of their own."""
    answer = browser.answer_of_logto(provider)
    stranger = app.browser()
    assert stranger.get(answer).status_code == 400
    stranger.get("/sign-in")
    assert stranger.get(answer).status_code == 400
    assert SIGNED_OUT in stranger.get("/").text
    assert SIGNED_IN in browser.get(answer).text


def test_a_replayed_answer_is_refused_and_signs_nobody_out(app, browser, provider):
    answer = browser.answer_of_logto(provider)
    assert SIGNED_IN in browser.get(answer).text
    page = browser.get(answer)
    assert page.status_code == 400 and "This sign-in is over" in page.text
    assert SIGNED_IN in browser.get("/").text


def test_a_used_code_is_said_plainly(browser, provider):
    answer = browser.answer_of_logto(provider)
    provider.codes.clear()
    page = browser.get(answer)
    assert page.status_code == 400 and "The sign-in took too long" in page.text


@pytest.mark.parametrize("forged", [
    {"claims": {"aud": "another-app"}},
    {"claims": {"aud": None}},
    {"claims": {"iss": "https://logto.example.com/oidc"}},
    {"claims": {"iss": None}},
    {"claims": {"exp": int(time.time()) - 60}},
    {"claims": {"exp": None}},
    {"claims": {"iat": int(time.time()) + 600}},
    {"claims": {"sub": None}},
    {"key": ANOTHER_KEY},
    {"key_id": "unknown-key"},
    {"key": "", "algorithm": "none"},
    {"key": "an-hmac-secret-that-is-long-enough-for-hs256", "algorithm": "HS256"},
    {"with_id_token": False},
], ids=str)
def test_an_id_token_that_is_not_logtos_is_refused(browser, provider, forged):
    for name, value in forged.items():
        setattr(provider, name, value)
    page = browser.sign_in(provider)
    assert page.status_code == 400 and "Logto&#39;s answer could not be accepted" in page.text
    assert SIGNED_OUT in browser.get("/").text
    # It holds no one up.
    provider.reset()
    assert SIGNED_IN in browser.sign_in(provider).text


def test_a_wrong_secret_is_said_without_it(serve, provider, caplog):
    browser = serve(LOGTO_APP_SECRET="mistyped-secret").browser()
    page = browser.sign_in(provider)
    assert page.status_code == 400 and "Are LOGTO_APP_ID and LOGTO_APP_SECRET" in page.text
    assert "sign-in refused: invalid_client" in caplog.text
    assert "mistyped-secret" not in page.text + caplog.text


@pytest.mark.parametrize("path", ["/oidc/.well-known/nothing", "/nothing"])
def test_logto_out_of_reach_is_said_plainly(serve, caplog, path):
    browser = serve(LOGTO_ENDPOINT="http://127.0.0.1:1" + path).browser()
    assert SIGNED_OUT in browser.get("/").text
    page = browser.get("/sign-in")
    assert page.status_code == 502 and "Logto can&#39;t be reached" in page.text
    assert "no answer from Logto at http://127.0.0.1:1" in caplog.text and "Traceback" not in caplog.text


def test_a_sign_out_ends_both_sessions(app, browser, provider):
    browser.sign_in(provider)
    cookie = browser.cookies["session"]
    home = browser.submit(browser.get("/"))
    assert str(home.url) == f"{app.base_url}/" and SIGNED_OUT in home.text
    assert provider.ended == [{"client_id": CLIENT_ID, "post_logout_redirect_uri": f"{app.base_url}/"}]
    assert provider.sessions == {}
    # Who kept the cookie has nothing.
    thief = app.browser()
    thief.cookies.set("session", cookie, "127.0.0.1")
    assert SIGNED_OUT in thief.get("/").text
    # The next sign-in needs a code again.
    browser.ask_for_code()
    assert len(provider.sent) == 2


def test_another_site_signs_nobody_out(browser, provider):
    browser.sign_in(provider)
    assert browser.get("/sign-out").status_code == 405
    for origin in ("https://evil.example.com", "null"):
        assert browser.post("/sign-out", headers={"Origin": origin}).status_code == 403
    assert SIGNED_IN in browser.get("/").text and provider.ended == []


def test_a_sign_out_without_logto_still_signs_out_here(serve, provider):
    app = serve()
    browser = app.browser()
    browser.sign_in(provider)
    cookie = browser.cookies["session"]
    without_logto = serve(LOGTO_ENDPOINT="http://127.0.0.1:1", APP_SESSIONS=str(app.sessions), APP_SECRET_KEY="k")
    without_logto.app.secret_key = app.app.secret_key
    browser = without_logto.browser()
    browser.cookies.set("session", cookie, "127.0.0.1")
    assert browser.submit(browser.get("/")).status_code == 502
    browser.cookies.clear()
    browser.cookies.set("session", cookie, "127.0.0.1")
    assert SIGNED_OUT in browser.get("/").text


def test_after_the_sign_in_the_cookie_holds_an_id_and_nothing_else(app, browser, provider):
    answer = browser.answer_of_logto(provider)
    browser.follow_redirects = False
    header = browser.get(answer).headers["Set-Cookie"]
    assert "HttpOnly" in header and "SameSite=Lax" in header and "Secure" not in header
    assert len(header) < 300
    value = re.match(r"session=([^.;]+)", header)[1]
    cookie = json.loads(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
    assert list(cookie) == ["id"] and len(cookie["id"]) == 43
    # The tokens are where only the app's user reads.
    files = list(app.sessions.iterdir())
    assert any(b"refresh-rrr" in file.read_bytes() for file in files)
    assert app.sessions.stat().st_mode & 0o077 == 0
    assert [file for file in files if file.stat().st_mode & 0o077] == []
    assert [file for file in files if cookie["id"] in file.name] == []


def test_visitors_who_start_sign_ins_end_nobodys_session(serve, provider, monkeypatch):
    monkeypatch.setattr("app.FileSystemCache", lambda *where, **how: FileSystemCache(*where, **how | {"threshold": 5}))
    app = serve()
    person, visitor = app.browser(), app.browser()
    person.sign_in(provider)
    files = sorted(app.sessions.iterdir())
    visitor.follow_redirects = False
    for _ in range(50):
        assert visitor.get("/sign-in").status_code == 302
        visitor.cookies.clear()
    assert SIGNED_IN in person.get("/").text
    assert sorted(app.sessions.iterdir()) == files, "a visitor leaves nothing on the server"


@pytest.mark.parametrize("ended_session", [False, True])
def test_a_cookie_from_before_the_sign_in_is_worth_nothing_after_it(app, browser, provider, ended_session):
    """The attacker's own: of a sign-in on its way, or of a session that is over."""
    attacker = app.browser()
    if ended_session:
        attacker.sign_in(provider)
    else:
        attacker.get("/sign-in")
    planted = attacker.cookies["session"]
    if ended_session:
        attacker.submit(attacker.get("/"))
    browser.cookies.set("session", planted, "127.0.0.1")
    browser.sign_in(provider)
    assert SIGNED_IN in browser.get("/").text and browser.cookies["session"] != planted
    attacker.cookies.clear()
    attacker.cookies.set("session", planted, "127.0.0.1")
    assert SIGNED_OUT in attacker.get("/").text


def test_a_made_up_cookie_is_nobody(app):
    browser = app.browser()
    payload = base64.urlsafe_b64encode(json.dumps({"id": "../../etc/passwd"}).encode()).decode().rstrip("=")
    browser.cookies.set("session", f"{payload}.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb", "127.0.0.1")
    assert SIGNED_OUT in browser.get("/").text


def test_a_name_is_text(browser, provider):
    provider.claims = {"name": "<script>alert(1)</script>", "phone_number": '"><img src=x onerror=alert(1)>'}
    home = browser.sign_in(provider)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in home.text
    assert "<script" not in home.text and "<img" not in home.text


@pytest.mark.parametrize("path", ["/", "/callback", "/nothing", "/sign-in", "/static/style.css"])
def test_every_answer_is_protected(browser, provider, path):
    browser.follow_redirects = False
    headers = browser.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self'; ") and "unsafe" not in policy
    assert f"form-action 'self' {provider.endpoint};" in policy
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == ("no-cache" if path.startswith("/static") else "no-store")


def test_nothing_secret_is_logged(app, browser, provider, caplog):
    caplog.set_level(logging.DEBUG)
    answer = browser.answer_of_logto(provider)
    browser.get(answer)
    browser.get(answer)
    assert log_of_the_app(caplog) == "sign-in refused: session not found"


def test_the_walk_through_quotes_what_people_read():
    text = (REPOSITORY / "docs/first-sign-in.md").read_text()
    templates = "".join(file.read_text() for file in (REPOSITORY / "examples/python-flask/templates").iterdir())
    of_the_app = templates + "".join([*PROBLEMS.values(), UNREACHABLE])
    of_the_service = (REPOSITORY / "README.md").read_text()
    quoted = re.findall(r"the app: \*([^*]+)\*", text)
    assert len(quoted) >= 3 and [quote for quote in quoted if quote not in of_the_app] == []
    quoted = re.findall(r"(?:Logto: | or )\*([^*]+\.)\*", text)
    assert len(quoted) >= 5 and [quote for quote in quoted if quote not in of_the_service] == []


class TestConfiguration:
    def home(self, tmp_path, **environ):
        return create_app({"APP_SESSIONS": str(tmp_path)} | environ).test_client()

    def test_with_https_the_cookie_is_secure(self, provider, tmp_path):
        client = self.home(
            tmp_path, APP_BASE_URL="https://app.example.com", LOGTO_ENDPOINT=provider.endpoint, LOGTO_APP_ID=CLIENT_ID,
            LOGTO_APP_SECRET=CLIENT_SECRET,
        )
        answer = client.get("/sign-in")
        assert "Secure" in answer.headers["Set-Cookie"]
        assert "redirect_uri=https%3A%2F%2Fapp.example.com%2Fcallback" in answer.headers["Location"]

    @pytest.mark.parametrize("base_url, origin, written", [
        ("https://app.example.com/first/", "https://app.example.com", "https://app.example.com/first"),
        ("HTTPS://App.Example.com", "https://app.example.com", "https://app.example.com"),
        ("https://app.example.com:443", "https://app.example.com", "https://app.example.com"),
        ("http://app.example.com:80/", "http://app.example.com", "http://app.example.com"),
        ("http://localhost:443", "http://localhost:443", "http://localhost:443"),
        ("http://[::1]:5000", "http://[::1]:5000", "http://[::1]:5000"),
    ])
    def test_its_address_is_compared_as_browsers_write_it(self, provider, tmp_path, base_url, origin, written):
        client = self.home(tmp_path, APP_BASE_URL=base_url, LOGTO_ENDPOINT=provider.endpoint)
        assert client.get("/sign-in").headers["Location"] == f"{written}/"
        assert client.post("/sign-out", headers={"Origin": origin}).status_code == 303
        assert client.post("/sign-out", headers={"Origin": "https://evil.example.com"}).status_code == 403

    @pytest.mark.parametrize("base_url", ["app.example.com", "ftp://app.example.com", "https://app.example.com/?a", "https:///x",
                                          "https://app.example.com#", "https://app.example.com:port", "localhost:5000"])
    def test_an_address_that_is_none_is_told(self, tmp_path, base_url):
        with pytest.raises(SystemExit, match="APP_BASE_URL has to be an address"):
            self.home(tmp_path, APP_BASE_URL=base_url)

    @pytest.mark.parametrize("environ", [{}, {"LOGTO_APP_ID": "x"}, {"LOGTO_APP_ID": "", "LOGTO_APP_SECRET": ""}])
    def test_without_an_application_it_says_what_to_do(self, tmp_path, environ):
        client = self.home(tmp_path, **environ)
        assert "Logto does not know this app yet" in client.get("/").text
        assert client.get("/sign-in").headers["Location"] == "http://localhost:5000/"
        assert client.get("/callback?code=x&state=y").status_code == 400

    def test_each_setting_may_be_in_a_file(self, provider, tmp_path):
        (tmp_path / "secret").write_text(f"{CLIENT_SECRET}\n")
        (tmp_path / "id").write_text(CLIENT_ID)
        client = self.home(
            tmp_path, LOGTO_ENDPOINT=provider.endpoint, LOGTO_APP_ID_FILE=str(tmp_path / "id"),
            LOGTO_APP_SECRET_FILE=str(tmp_path / "secret"),
        )
        assert SIGNED_OUT in client.get("/").text
        assert f"client_id={CLIENT_ID}" in client.get("/sign-in").headers["Location"]

    def test_but_not_in_both(self, tmp_path):
        with pytest.raises(SystemExit, match="both LOGTO_APP_ID and LOGTO_APP_ID_FILE are set"):
            self.home(tmp_path, LOGTO_APP_ID="x", LOGTO_APP_ID_FILE="/dev/null")


def test_it_is_open_to_others_only_where_the_container_says_so():
    def bind(**environment):
        command = [sys.executable, "-m", "gunicorn", "--print-config", "app:create_app()"]
        shown = subprocess.run(command, cwd=APP, capture_output=True, text=True, check=True, env=os.environ | environment)
        return re.search(r"^bind += (.*)$", shown.stdout, re.M)[1]

    assert bind() == "['127.0.0.1:5000']"
    [arguments] = re.findall(r'^ENV GUNICORN_CMD_ARGS="(.*)"$', (APP / "Dockerfile").read_text(), re.M)
    assert bind(GUNICORN_CMD_ARGS=arguments) == "['0.0.0.0:5000']"
