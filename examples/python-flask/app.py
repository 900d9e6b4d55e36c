"""A small web app whose users sign in with Logto: home, /sign-in, /callback, /sign-out."""

import asyncio
import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import jwt
import pydantic
from cachelib import FileSystemCache
from flask import Flask, abort, redirect, render_template, request, session
from logto import LogtoClient, LogtoConfig, LogtoException, Storage, UserInfoScope

SESSION_LIFE = 12 * 3600
PENDING = "signInSession"  # the name that Logto's client gives to the state and the PKCE verifier of a sign-in


class SessionStorage(Storage):
    """Keeps what Logto's client has to remember: a sign-in on its way in the cookie, tokens in files of the server.

    Anybody may start a sign-in, so that must cost the server nothing. Its browser could read the cookie, which is signed
    but not encrypted; without Logto's code and the app's secret that is worth nothing. Tokens don't fit into a cookie of
    4 KB, and don't belong there: each session has a file, and the cookie its random id.
    """

    def __init__(self, folder):
        self.files = FileSystemCache(str(folder), threshold=10_000, default_timeout=SESSION_LIFE, mode=0o600)

    def get(self, key):
        return session.get(PENDING) if key == PENDING else self._all().get(key)

    def set(self, key, value):
        if key == PENDING:
            session[PENDING] = value
            return
        if "id" not in session:
            session["id"] = secrets.token_urlsafe(32)
        self.files.set(session["id"], self._all() | {key: value})

    def delete(self, key):
        if key == PENDING:
            session.pop(PENDING, None)
        elif key in (kept := self._all()):
            del kept[key]
            self.files.set(session["id"], kept)

    def renew_id(self):
        """Someone who knew the id from before the sign-in knows nothing after it (session fixation)."""
        kept = self._all()
        self.forget()
        session["id"] = secrets.token_urlsafe(32)
        self.files.set(session["id"], kept)

    def forget(self):
        self.files.delete(session.get("id", ""))
        session.clear()

    def _all(self):
        return self.files.get(session.get("id", "")) or {}


# What the person reads, by what the log says. Nothing that came from outside is shown or logged.
PROBLEMS = {
    "access_denied": "The sign-in was cancelled.",
    "session not found": "This sign-in is over, or it was started in another browser.",
    "Invalid state": "This is not the answer to the sign-in that was started last in this browser.",
    "invalid_client": "Logto does not accept this app. Are LOGTO_APP_ID and LOGTO_APP_SECRET the ones of Logto's Console?",
    "invalid_grant": "The sign-in took too long, or its code was used before.",
}
UNREACHABLE = "Logto can't be reached at the moment."


def create_app(environ=os.environ):
    origin, base_url = address("APP_BASE_URL", setting(environ, "APP_BASE_URL", "http://localhost:5000"))
    endpoint = setting(environ, "LOGTO_ENDPOINT", "http://localhost:3001").rstrip("/")
    app_id, app_secret = setting(environ, "LOGTO_APP_ID", ""), setting(environ, "LOGTO_APP_SECRET", "")
    configured = bool(app_id and app_secret)

    app = Flask(__name__)
    app.config.update(
        # Without a key of its own, each start signs everybody out.
        SECRET_KEY=setting(environ, "APP_SECRET_KEY") or secrets.token_bytes(32),
        PERMANENT_SESSION_LIFETIME=SESSION_LIFE,  # an older cookie counts as none
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=base_url.startswith("https://"),
    )
    sessions = Path(setting(environ, "APP_SESSIONS") or Path(app.instance_path, "sessions"))
    sessions.mkdir(mode=0o700, parents=True, exist_ok=True)
    storage = SessionStorage(sessions)
    config = LogtoConfig(endpoint=endpoint, appId=app_id, appSecret=app_secret, scopes=[UserInfoScope.phone])
    logto = LogtoClient(config, storage)

    @app.get("/")
    def home():
        person = logto.getIdTokenClaims() if logto.isAuthenticated() else None
        return render_template("home.html", person=person, base_url=base_url, configured=configured)

    @app.get("/sign-in")
    async def sign_in():
        if logto.isAuthenticated() or not configured:
            return redirect(f"{base_url}/")
        mode = "signUp" if request.args.get("mode") == "sign-up" else "signIn"
        async with asyncio.timeout(10):
            return redirect(await logto.signIn(f"{base_url}/callback", mode))

    @app.get("/callback")
    async def callback():
        try:
            async with asyncio.timeout(10):
                # Checks the state, fetches the tokens, and verifies the ID token: key, issuer, audience, expiry.
                await logto.handleSignInCallback(f"{base_url}/callback?{request.query_string.decode()}")
        finally:
            storage.delete(PENDING)  # one answer for each sign-in, whatever it was
        try:
            logto.getIdTokenClaims()
        except Exception:  # no ID token, or not what a home page needs
            storage.forget()
            raise
        storage.renew_id()
        return redirect(f"{base_url}/")

    @app.post("/sign-out")
    async def sign_out():
        # A page of another site can't sign people out: browsers say where a form comes from.
        if request.headers.get("Origin", origin) != origin:
            abort(403)
        storage.forget()
        async with asyncio.timeout(10):
            return redirect(await logto.signOut(f"{base_url}/"), 303)

    @app.errorhandler(LogtoException)
    @app.errorhandler(jwt.PyJWTError)
    @app.errorhandler(pydantic.ValidationError)
    def refused(error):
        reason = next((known for known in PROBLEMS if known in str(error)), type(error).__name__)
        app.logger.warning("sign-in refused: %s", reason)
        text = PROBLEMS.get(reason, "Logto's answer could not be accepted.")
        return render_template("problem.html", text=text, base_url=base_url), 400

    @app.errorhandler(aiohttp.ClientError)
    @app.errorhandler(jwt.PyJWKClientConnectionError)
    @app.errorhandler(TimeoutError)
    def unreachable(error):
        app.logger.error("no answer from Logto at %s: %s", endpoint, type(error).__name__)
        return render_template("problem.html", text=UNREACHABLE, base_url=base_url), 502

    @app.errorhandler(500)
    def failed(_):
        return render_template("problem.html", text="Something went wrong here.", base_url=base_url), 500

    @app.after_request
    def protect(response):
        # The form of the sign-out ends at Logto, which counts as its action.
        logto_origin = "{0.scheme}://{0.netloc}".format(urlsplit(endpoint))
        response.headers["Content-Security-Policy"] = (
            f"default-src 'self'; form-action 'self' {logto_origin}; frame-ancestors 'none'; base-uri 'none'"
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"  # the address of /callback holds a code
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return app


def address(name, text):
    """Its origin, and all of it, as browsers write them: no capitals, and no port that is the scheme's own."""
    try:
        url = urlsplit(text)
        scheme, host, port = url.scheme, url.hostname, url.port
    except ValueError:
        scheme = None
    if scheme not in ("http", "https") or not host or "?" in text or "#" in text:
        raise SystemExit(f"{name} has to be an address, http://… or https://…, without ? and #")
    host = f"[{host}]" if ":" in host else host
    origin = f"{scheme}://{host}" if port in (None, {"http": 80, "https": 443}[scheme]) else f"{scheme}://{host}:{port}"
    return origin, origin + url.path.rstrip("/")


def setting(environ, name, default=None):
    """The environment variable, or the content of the file that NAME_FILE names; an empty one counts as none."""
    value, file = environ.get(name), environ.get(f"{name}_FILE")
    if value and file:
        raise SystemExit(f"both {name} and {name}_FILE are set")
    if file:
        value = Path(file).read_text().strip()
    return value or default
