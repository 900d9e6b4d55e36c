"""A small OpenID provider that behaves as Logto does towards an app: its endpoints, its sign-in page, its ES384 tokens."""

import base64
import hashlib
import html
import json
import secrets
import threading
import time
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

CLIENT_ID, CLIENT_SECRET = "app-of-the-test", "secret-of-the-test"
KEY, ANOTHER_KEY = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP384R1())
KEY_ID = "key-of-the-test"


class Provider:
    def __init__(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.provider = self
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"
        self.redirect_uris, self.post_logout_redirect_uris = [], []
        self.reset()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def reset(self):
        """As if nobody had ever come by."""
        self.requests = []  # the parameters of each authentication request
        self.ended = []  # those of each sign-out
        self.interactions, self.codes, self.sessions = {}, {}, {}
        self.sent = []  # the codes that the connector was asked to send
        self.connector = lambda to, type, code: self.sent.append((to, type, code))
        self.claims = {"name": None}  # over the usual ones; None leaves a claim out
        self.key, self.key_id, self.algorithm = KEY, KEY_ID, "ES384"
        self.with_id_token = True

    def id_token(self, phone):
        now = int(time.time())
        claims = {
            "iss": f"{self.endpoint}/oidc",
            "sub": "user1",
            "aud": CLIENT_ID,
            "exp": now + 3600,
            "iat": now,
            "phone_number": phone,
            "phone_number_verified": True,
            # As large as real ones can be: together with the other tokens more than a cookie holds.
            "custom": "x" * 3000,
        } | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, self.key, self.algorithm, headers={"kid": self.key_id})


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    @property
    def provider(self):
        return self.server.provider

    def do_GET(self):
        url = urlsplit(self.path)
        asked = dict(parse_qsl(url.query))
        routes = {
            "/oidc/.well-known/openid-configuration": self.configuration,
            "/oidc/jwks": self.jwks,
            "/oidc/auth": lambda: self.authorize(asked),
            "/oidc/session/end": lambda: self.end_session(asked),
            "/sign-in": lambda: self.ask("phone", asked["interaction"]),
        }
        routes.get(url.path, self.not_found)()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = dict(parse_qsl(body, keep_blank_values=True))
        routes = {
            "/oidc/token": lambda: self.token(form),
            "/sign-in/phone": lambda: self.send_code(form),
            "/sign-in/code": lambda: self.check_code(form),
            "/sign-in/cancel": lambda: self.back(form["interaction"], error="access_denied"),
        }
        routes.get(self.path, self.not_found)()

    def configuration(self):
        oidc = f"{self.provider.endpoint}/oidc"
        self.json({
            "issuer": oidc,
            "authorization_endpoint": f"{oidc}/auth",
            "token_endpoint": f"{oidc}/token",
            "userinfo_endpoint": f"{oidc}/me",
            "jwks_uri": f"{oidc}/jwks",
            "end_session_endpoint": f"{oidc}/session/end",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES384"],
        })

    def jwks(self):
        key = json.loads(ECAlgorithm.to_jwk(KEY.public_key()))
        self.json({"keys": [key | {"kid": KEY_ID, "use": "sig", "alg": "ES384"}]})

    def authorize(self, asked):
        provider = self.provider
        provider.requests.append(asked)
        if asked["client_id"] != CLIENT_ID or asked["redirect_uri"] not in provider.redirect_uris:
            return self.page("invalid_redirect_uri", 400)
        interaction = secrets.token_hex(8)
        provider.interactions[interaction] = {"request": asked}
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get("provider_session")
        if cookie and cookie.value in provider.sessions:
            return self.back(interaction, phone=provider.sessions[cookie.value])
        self.redirect(f"/sign-in?interaction={interaction}")

    def ask(self, what, interaction):
        self.page(
            f'<form method="post" action="/sign-in/{what}"><input type="hidden" name="interaction" value="{interaction}">'
            f'<label>Your {what} <input name="{what}"></label><button>Continue</button></form>'
        )

    def send_code(self, form):
        interaction = self.provider.interactions[form["interaction"]]
        code = f"{secrets.randbelow(10**6):06}"
        interaction |= {"phone": form["phone"].lstrip("+"), "code": code}
        usage_type = "Register" if interaction["request"].get("interaction_mode") == "signUp" else "SignIn"
        if refusal := self.provider.connector(interaction["phone"], usage_type, code):
            return self.page(f"<p>{html.escape(refusal)}</p>", 400)
        self.ask("code", form["interaction"])

    def check_code(self, form):
        interaction = self.provider.interactions[form["interaction"]]
        if form["code"] != interaction["code"]:
            return self.page("<p>The code is wrong.</p>", 400)
        session = secrets.token_hex(8)
        self.provider.sessions[session] = interaction["phone"]
        self.back(form["interaction"], phone=interaction["phone"], session=session)

    def back(self, interaction, phone=None, session=None, error=None):
        asked = self.provider.interactions.pop(interaction)["request"]
        answer = {"state": asked["state"], "iss": f"{self.provider.endpoint}/oidc"}
        if error:
            answer["error"] = error
        else:
            answer["code"] = secrets.token_hex(16)
            self.provider.codes[answer["code"]] = (asked, phone)
        cookie = {"Set-Cookie": f"provider_session={session}; Path=/; HttpOnly"} if session else {}
        self.redirect(f"{asked['redirect_uri']}?{urlencode(answer)}", cookie)

    def token(self, form):
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return self.json({"error": "invalid_client", "error_description": f"not {form.get('client_secret')}"}, 401)
        # A code is good once.
        asked, phone = self.provider.codes.pop(form.get("code"), ({}, None))
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if not (
            form.get("grant_type") == "authorization_code"
            and asked
            and asked.get("redirect_uri") == form.get("redirect_uri")
            and asked.get("code_challenge_method") == "S256"
            and asked.get("code_challenge") == base64.urlsafe_b64encode(challenge).decode().rstrip("=")
        ):
            return self.json({"error": "invalid_grant"}, 400)
        tokens = {"access_token": "access-" + "a" * 1500, "refresh_token": "refresh-" + "r" * 1500}
        tokens |= {"token_type": "Bearer", "expires_in": 3600, "scope": asked["scope"]}
        if self.provider.with_id_token:
            tokens["id_token"] = self.provider.id_token(phone if "phone" in asked["scope"].split() else None)
        self.json(tokens)

    def end_session(self, asked):
        self.provider.ended.append(asked)
        if asked.get("client_id") != CLIENT_ID or (
            asked.get("post_logout_redirect_uri") not in self.provider.post_logout_redirect_uris
        ):
            return self.page("invalid_request", 400)
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get("provider_session")
        if cookie:
            self.provider.sessions.pop(cookie.value, None)
        self.redirect(asked["post_logout_redirect_uri"])

    def not_found(self):
        self.page("not found", 404)

    def redirect(self, location, headers=None):
        self.answer(303, b"", {"Location": location} | (headers or {}))

    def page(self, body, status=200):
        self.answer(status, body.encode(), {"Content-Type": "text/html; charset=utf-8"})

    def json(self, value, status=200):
        self.answer(status, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def answer(self, status, body, headers):
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
