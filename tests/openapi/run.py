"""Runs schemathesis on a sandbox: does the service do as its OpenAPI document says, whatever it is asked?"""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import tomllib
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from openapi_spec_validator import OpenAPIV31SpecValidator

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from processes import PATIENCE, Running, surroundings

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent.parent / "target")).resolve()
BINARY = str(Path(os.environ.get("SMS_TEST_BINARY", TARGET / "debug" / "gatewayapi-sms-connector")).resolve())
WORK = TARGET / "openapi"
CONFIGURATION = HERE / "schemathesis.toml"
SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"

# For one run of schemathesis, in seconds; the longest takes half a minute.
LONGEST = 600

# The sandbox's own.
LOGTO = "Authorization: Bearer sandbox"
OPERATOR = "Authorization: Bearer sandbox-operator-token"
REPORT_SECRET = b"sandbox-report-secret"

PUBLIC_PATHS = "^/(send|delivery-reports|health/.*)$"
# The limits only watch: else most calls would be 429, and nothing behind them would be tried.
NO_LIMITS = {"SMS_LIMITS__NUMBER__MODE": "monitor", "SMS_LIMITS__IP__MODE": "monitor"}


def signature() -> str:
    """A delivery report of a message that nobody knows."""

    def encoded(part: bytes) -> bytes:
        return base64.urlsafe_b64encode(part).rstrip(b"=")

    claims = {"id": 1, "status": "DELIVERED", "time": 1790000000, "userref": "0199aaaa-0000-7000-8000-000000000000"}
    signed = encoded(b'{"alg":"HS256"}') + b"." + encoded(json.dumps(claims).encode())
    return (signed + b"." + encoded(hmac.digest(REPORT_SECRET, signed, hashlib.sha256))).decode()


@contextmanager
def sandbox(settings: dict[str, str]):
    """The addresses of its public and its operator's listener."""
    ports = {"SMS_SERVER__LISTEN": "127.0.0.1:0", "SMS_OPERATOR__LISTEN": "127.0.0.1:0"}
    with (
        (WORK / "sandbox.log").open("a") as log,
        Running([BINARY, "sandbox", "--latency", "1ms"], surroundings(ports | settings), stderr=log, cwd=WORK) as running,
    ):
        yield running.wait_for(r"(http://\S+)/send ")[1], running.wait_for(r"(http://\S+)/api/messages ")[1]


def schemathesis(name: str, url: str, *arguments: str) -> None:
    print(f"\n--- schemathesis: {name}", flush=True)
    command = [str(SCHEMATHESIS), "--config-file", str(CONFIGURATION), "run", "openapi.json", "--url", url]
    if subprocess.run([*command, *arguments], cwd=WORK, stdin=subprocess.DEVNULL, timeout=LONGEST).returncode != 0:
        seed = tomllib.loads(CONFIGURATION.read_text())["seed"]
        raise SystemExit(f"schemathesis found something: {name}, with the seed {seed}")


def main() -> None:
    WORK.mkdir(parents=True, exist_ok=True)
    document = subprocess.run([BINARY, "openapi"], check=True, capture_output=True, timeout=PATIENCE).stdout
    (WORK / "openapi.json").write_bytes(document)
    OpenAPIV31SpecValidator(json.loads(document)).validate()

    print(f"the sandbox's log: {WORK / 'sandbox.log'}")
    public, operators = ("--include-path-regex", PUBLIC_PATHS), ("--exclude-path-regex", PUBLIC_PATHS)
    # Links lead from one operation to another on the operator's listener only.
    unlinked = ("--phases", "examples,coverage,fuzzing")
    as_json = ("--header", "Accept: application/json")
    known = ("--header", LOGTO, "--header", f"X-Gwapi-Signature: {signature()}")
    nobody = ("--phases", "examples,coverage", "--warnings", "off")
    with sandbox(NO_LIMITS) as (public_url, operator_url):
        with urllib.request.urlopen(f"{operator_url}/openapi.json", timeout=PATIENCE) as answer:
            assert answer.read() == document, "/openapi.json and the command `openapi` differ"
        schemathesis("operators", operator_url, *operators, "--header", OPERATOR)
        schemathesis("Logto, GatewayAPI and probes", public_url, *public, *unlinked, *known)
        schemathesis("callers that want JSON", public_url, *public, *unlinked, *known, *as_json)
        schemathesis("nobody at the operators' door", operator_url, *operators, *nobody)
        schemathesis("nobody at the public door", public_url, *public, *nobody)
    with sandbox({}) as (public_url, operator_url):
        limited = ("--warnings", "off")
        tests = ("--include-operation-id", "sendTestMessage", "--header", OPERATOR)
        schemathesis("operators, with limits", operator_url, *tests, *unlinked, *limited)
        schemathesis("Logto, with limits", public_url, "--include-operation-id", "send", *unlinked, *limited, *known)


if __name__ == "__main__":
    main()
