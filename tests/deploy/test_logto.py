"""Logto's database, made by Logto's own command line, and how Logto is set up: deploy/logto/.

key.sh and setup.mjs run with exactly the command, environment, user, secrets and folders of compose.yaml; Logto itself is
logto.mjs here, which asks that database.
"""

import http.client
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from containers import TOOLS, environment_of, once, secrets_of
from processes import PATIENCE, Running

HERE = Path(__file__).parent
NODE = shutil.which("node")
CONNECTOR = {"connectorId": "http-sms", "type": "Sms"}
TOKEN, CONNECTORS, EXPERIENCE, APPLICATIONS = "/oidc/token", "/api/connectors", "/api/sign-in-exp", "/api/applications"


def psql(role, password, query, database="logto"):
    address = f"postgres://{role}:{password}@postgres/{database}"
    return subprocess.run([TOOLS / "psql", "--no-psqlrc", "--tuples-only", "--no-align", address, f"--command={query}"],
                          capture_output=True, text=True, timeout=PATIENCE)


@pytest.fixture(scope="session")
def password(tree, postgres):
    return (tree / "secrets/logto_db_password").read_text().strip()


@pytest.fixture(scope="session")
def start_logto(compose, tree, place, postgres):
    """Logto's container as far as its database, with the command line of Logto's version, from its package."""
    npm = place / "bin/npm"
    npm.parent.mkdir()
    logto = f"exec {NODE} {HERE}/node_modules/@logto/cli/bin/logto.js"
    # The scripts of Logto's package.json.
    npm.write_text(f"""#!/bin/sh
        case "$*" in
        'run cli db seed -- --swe') {logto} db seed --swe ;;
        'run alteration deploy latest') {logto} db alteration deploy latest ;;
        start) echo 'it starts' ;;
        esac""")
    npm.chmod(0o755)
    secrets = secrets_of(compose, tree, "logto")
    mounted = "mount -t tmpfs none /run && mkdir /run/secrets && cp {} /run/secrets && exec \"$@\"".format(
        " ".join(str(file) for file in secrets.values()))
    service = compose["services"]["logto"]
    command = ["unshare", "--mount", "sh", "-c", mounted, "sh", *service["entrypoint"], *service["command"]]
    environment = {"PATH": f"{npm.parent}:{os.environ['PATH']}", **service["environment"]}
    return lambda: subprocess.run(command, capture_output=True, text=True, env=environment, timeout=2 * PATIENCE)


@pytest.fixture(scope="session")
def database(start_logto):
    started = start_logto()
    assert started.returncode == 0 and "Seed data" in started.stdout + started.stderr, started
    return started


class Logto:
    """The stand-in."""

    def __init__(self):
        self.first = self.state()

    def ask(self, method, body=None):
        connection = http.client.HTTPConnection("localhost", 3001, timeout=PATIENCE)
        connection.request(method, "/state", body and json.dumps(body), {"Content-Type": "application/json"})
        return json.loads(connection.getresponse().read())

    def state(self):
        return self.ask("GET")

    def holds(self, **content):
        return self.ask("PUT", content)

    def misbehaves(self, *faults):
        self.holds(faults=[{"at": at, "does": does} for at, does in faults])

    def requests(self):
        """Those since the last call."""
        seen = self.state()["requests"]
        self.holds(requests=[])
        return seen


@pytest.fixture(scope="session")
def stand_in(database, password):
    role = psql("logto", password, "select db_user || ' ' || db_user_password from tenants where id = 'admin'").stdout.split()
    command = [NODE, HERE / "logto.mjs", TOOLS / "psql", "postgres://{}:{}@postgres/logto".format(*role)]
    with Running(command) as running:
        running.line_with("listens")
        yield Logto()


@pytest.fixture
def run(compose, tree):
    def run(name, **more):
        command, environment = once(compose, tree, name, **{"PATIENCE_SECONDS": "20", **more})
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE)
        for secret in secrets_of(compose, tree, name).values():
            for value in secret.read_text().split()[-1:]:
                assert value not in done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def logto(stand_in, tree, run):
    """A Logto as it is seeded, with the key given."""
    stand_in.holds(**stand_in.first)
    for file in (tree / "secrets/logto_app").iterdir():
        file.unlink()
    assert run("logto-key").returncode == 0
    return stand_in


def handed_over(tree):
    return {file.name: file.read_text().strip() for file in (tree / "secrets/logto_app").iterdir()}


def changes(requests):
    return [request for request in requests if not request.startswith("GET") and TOKEN not in request]


def is_set_up(logto, tree):
    """Everything is there, once, and the web app has what it needs."""
    state = logto.state()
    (connector,), (app,), (secret,) = state["connectors"], state["applications"], state["secrets"]
    assert connector["config"] == {"endpoint": "http://sms:8080/send",
                                   "authorization": (tree / "secrets/logto_authorization").read_text().strip()}
    assert state["experience"]["signUp"] == {"identifiers": ["phone"], "password": False, "verify": True}
    assert state["experience"]["signIn"]["methods"] == [
        {"identifier": "phone", "password": False, "verificationCode": True, "isPasswordPrimary": False}]
    assert app["type"] == "Traditional" and app["oidcClientMetadata"] == {
        "redirectUris": ["http://localhost:5000/callback"], "postLogoutRedirectUris": ["http://localhost:5000/"]}
    assert handed_over(tree) == {"id": app["id"], "secret": secret["value"]}
    return True


def test_logto_gets_its_database(database, start_logto, password):
    assert database.stdout.endswith("it starts\n")
    again = start_logto()
    assert again.returncode == 0 and "Seeding skipped" in again.stdout + again.stderr
    # Its role does not get at the service's database.
    assert "permission denied for database" in psql("logto", password, "select 1", "sms").stderr


def test_the_key_is_valid_for_a_while(run, database, password, tree):
    key = (tree / "secrets/logto_setup_key").read_text().strip()
    query = "select value, expires_at - now() between '14 min' and '15 min' from application_secrets where application_id = 'm-default'"
    for _ in range(2):
        assert run("logto-key").returncode == 0
        assert psql("logto", password, query).stdout == f"{key}|t\n"


@pytest.mark.parametrize("key", [None, "", "\n", "0123456789abcdef\n", "g" * 64, "a" * 64 + "\n" + "b" * 64])
def test_a_key_that_is_none_is_told(run, database, tree, key):
    file = tree / "secrets/logto_setup_key"
    made = file.read_text()
    file.chmod(0o644)
    try:
        file.write_text(key or "")
        done = run("logto-key", **({} if key is not None else {"LOGTO_SETUP_KEY_FILE": "/run/secrets/none"}))
    finally:
        file.write_text(made)
        file.chmod(0o444)
    assert done.returncode == 1 and "deploy/secrets/logto_setup_key holds no key: delete it, and run deploy/up.sh" in done.stderr
    assert done.stdout == ""


def logged_until_now(postgres, password):
    psql("logto", password, "select * from now_here")
    return postgres.wait_for(r"(?s).*STATEMENT:  select \* from now_here\n")[0]


def test_a_database_that_refuses_the_key_does_not_log_it(run, database, password, postgres, tree):
    rename = "alter table application_secrets{} rename to application_secrets{}"
    psql("logto", password, rename.format("", "_away"))
    try:
        done = run("logto-key")
    finally:
        psql("logto", password, rename.format("_away", ""))
    logged = logged_until_now(postgres, password)
    assert done.returncode != 0 and "insert into application_secrets" in logged
    assert (tree / "secrets/logto_setup_key").read_text().strip() not in logged


def test_a_database_that_refuses_a_role_does_not_log_its_password(compose, tree, place, database, postgres, password):
    environment = {"PATH": f"{TOOLS}:{os.environ['PATH']}", "PGHOST": str(place / "postgres")}
    environment |= environment_of(compose, tree, "postgres")
    done = subprocess.run([tree / "postgres/init.sh"], env=environment, cwd="/", capture_output=True, text=True)
    assert done.returncode != 0 and 'role "logto" already exists' in done.stderr
    logged = logged_until_now(postgres, password)
    assert 'role "logto" already exists' in logged
    assert password not in logged + done.stderr


def test_a_logto_without_its_application_is_told(run, database, password):
    rename = "update applications set id = '{}' where id = '{}'"
    psql("logto", password, rename.format("m-renamed", "m-default"))
    try:
        done = run("logto-key")
        assert done.returncode == 1 and "no application m-default" in done.stderr
    finally:
        psql("logto", password, rename.format("m-default", "m-renamed"))


def test_a_first_start(logto, run, tree):
    done = run("logto-setup")
    assert (done.returncode, done.stderr) == (0, ""), done
    assert done.stdout.splitlines() == [
        "connector: HTTP SMS, to http://sms:8080/send", "sign-in: phone number and code",
        "application: First sign-in, for http://localhost:5000",
        "ready: sign in at http://localhost:5000, with a phone number and a code"]
    assert is_set_up(logto, tree)
    for file in (tree / "secrets/logto_app").iterdir():
        assert file.stat().st_mode & 0o777 == 0o444


def test_a_second_start_changes_nothing(logto, run, tree):
    run("logto-setup")
    before, written = logto.state(), handed_over(tree)
    logto.requests()
    done = run("logto-setup")
    assert done.returncode == 0 and done.stdout.count("already") == 3 and "ready: " in done.stdout, done
    assert changes(logto.requests()) == []
    assert logto.state() == before | {"requests": []} and handed_over(tree) == written


def test_logto_publishes_what_is_asked(logto, run):
    """The routes, in the types of the client that Logto publishes with each version."""
    types = (HERE / "node_modules/@logto/api/lib/generated-types/management.d.ts").read_text()
    logto.requests()
    run("logto-setup")
    logto.holds(secrets=[])
    run("logto-setup")
    asked = {tuple(request.split()[:2]) for request in logto.requests()} - {("POST", TOKEN)}
    assert len(asked) == 9
    for method, path in asked:
        path = re.sub("(?<=applications/)[^/]+", "{id}", path)
        (route,) = re.findall(rf'\n    "{re.escape(path)}": \{{\n(.*?)\n    \}};', types, re.DOTALL)
        assert re.search(rf'\b{method.lower()}: operations\["', route), (method, path)


EACH_CHANGE = [f"POST {CONNECTORS}", f"PATCH {EXPERIENCE}", f"POST {APPLICATIONS}"]
EACH_LOOK = [f"GET {CONNECTORS}", f"GET {EXPERIENCE}", "GET /api/users", f"GET {APPLICATIONS}"]


# Before it was done; done, with no answer, with half of one, or with something else.
@pytest.mark.parametrize("at, does", [
    *[(at, "busy") for at in [f"POST {TOKEN}", *EACH_LOOK]],
    *[(at, does) for at in EACH_CHANGE for does in ("busy", "lose", "cut", "half")],
])
def test_what_got_no_answer_is_settled(logto, run, tree, at, does):
    logto.misbehaves((at, does), (at, does))
    done = run("logto-setup")
    assert done.returncode == 0 and "trying again" in done.stdout, done
    assert is_set_up(logto, tree)


@pytest.mark.parametrize("at", EACH_CHANGE)
def test_it_goes_on_where_it_was_killed(logto, run, compose, tree, at):
    logto.misbehaves((at, "hang"))
    command, environment = once(compose, tree, "logto-setup")
    with Running(command, env=environment) as running:
        # Everything before has been said; this one gets no answer.
        for _ in range(EACH_CHANGE.index(at)):
            running.line_with(": ")
        deadline = time.monotonic() + PATIENCE
        while f"{at} hang" not in logto.state()["requests"]:
            assert running.process.poll() is None and time.monotonic() < deadline, f"it did not come to {at}"
    assert run("logto-setup").returncode == 0
    assert is_set_up(logto, tree)


@pytest.mark.parametrize("at", [*EACH_LOOK, *EACH_CHANGE])
def test_a_refusal_is_told_without_what_was_sent(logto, run, tree, at):
    logto.misbehaves((at, "refuse"))
    done = run("logto-setup")
    path = at.replace("/api", "")
    assert (done.returncode, done.stderr) == (1, f"Logto refuses {path}: 422, entity.refused\n")
    assert "ready" not in done.stdout
    assert handed_over(tree) == {}
    assert run("logto-setup").returncode == 0
    assert is_set_up(logto, tree)


def test_a_key_whose_time_is_over_is_refused(logto, run, password, tree):
    psql("logto", password, "update application_secrets set expires_at = now()")
    done = run("logto-setup")
    assert (done.returncode, done.stderr) == (1, "Logto refuses the key of deploy/logto/key.sh: 400, invalid_request\n")
    psql("logto", password, "delete from application_secrets")
    done = run("logto-setup")
    assert (done.returncode, done.stderr) == (1, "Logto refuses the key of deploy/logto/key.sh: 401, invalid_client\n")
    # Each start gives it anew.
    assert run("logto-key").returncode == 0 and run("logto-setup").returncode == 0
    assert is_set_up(logto, tree)


def test_patience_ends(logto, run, tree):
    logto.misbehaves(*[(f"POST {TOKEN}", "busy")] * 100)
    done = run("logto-setup", PATIENCE_SECONDS="1")
    assert (done.returncode, done.stderr) == (
        1, "Logto answered 503 to the key of deploy/logto/key.sh, for 1 s\n")
    assert done.stdout.count("trying again") == 1


def test_a_logto_that_is_away_is_told(compose, tree):
    command, environment = once(compose, tree, "logto-setup", PATIENCE_SECONDS="1")
    done = subprocess.run(["unshare", "--net", *command], env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (1, "Logto does not answer at http://localhost:3002, for 1 s\n")


@pytest.mark.parametrize("there, told", [
    (CONNECTOR | {"connectorId": "twilio-short-message-service", "config": {}}, "another SMS connector, which stays"),
    (CONNECTOR | {"config": {"endpoint": "https://sms.example.com/send"}}, "another SMS connector, which stays"),
    (CONNECTOR | {"config": {"endpoint": "http://sms:8080/send", "authorization": "Bearer mine"}},
     "its authorization is not in deploy/secrets/logto_authorization"),
])
def test_an_sms_connector_stays(logto, run, there, told):
    # The guard of the answer asks for all of it.
    run("logto-setup")
    (ours,) = logto.state()["connectors"]
    logto.holds(**logto.first | {"connectors": [ours | there]})
    done = run("logto-setup")
    assert done.returncode == 0 and told in done.stdout, done
    assert logto.state()["connectors"] == [ours | there]


def test_an_authorization_that_is_being_replaced_is_valid(logto, run, tree):
    run("logto-setup")
    file = tree / "secrets/logto_authorization"
    before = file.read_text()
    file.chmod(0o644)
    try:
        file.write_text(f"{before}Bearer 5be1b2c7a9\n")
        done = run("logto-setup")
        assert "connector: HTTP SMS is there already" in done.stdout, done
        logto.holds(**logto.first)
        run("logto-setup")
        (connector,) = logto.state()["connectors"]
        assert connector["config"]["authorization"] == "Bearer 5be1b2c7a9"
    finally:
        file.write_text(before)


def changed(experience, sign_up=None, sign_in=None):
    method = experience["signIn"]["methods"][0] | (sign_in or {})
    return experience | {"signUp": experience["signUp"] | (sign_up or {}), "signIn": {"methods": [method]}}


@pytest.mark.parametrize("sign_up, sign_in, told", [
    ({"identifiers": ["email"], "verify": True}, {"identifier": "email"}, "it was changed in the Console, and stays"),
    ({"identifiers": []}, {}, "it was changed in the Console, and stays"),
    ({"secondaryIdentifiers": [{"identifier": "email"}]}, {}, "it was changed in the Console, and stays"),
    ({}, {"identifier": "phone", "verificationCode": True}, "phone number and code are there already"),
])
def test_what_the_console_says_of_sign_in_stays(logto, run, sign_up, sign_in, told):
    theirs = changed(logto.first["experience"], sign_up, sign_in)
    logto.holds(experience=theirs)
    done = run("logto-setup")
    assert done.returncode == 0 and f"sign-in: {told}" in done.stdout, done
    assert done.stdout.splitlines()[-1].startswith("ready: " if "already" in told else "not ready: ")
    assert logto.state()["experience"] == theirs


def test_people_with_passwords_are_not_locked_out(logto, run):
    logto.holds(users=[{"id": "somebody"}])
    done = run("logto-setup")
    assert done.returncode == 0 and "sign-in: Logto has users, who sign in with a password, so it stays" in done.stdout
    assert "not ready: nobody signs in with phone number and code: docs/first-sign-in.md, By hand" in done.stdout
    assert logto.state()["experience"] == logto.first["experience"]


def test_an_application_made_by_hand_is_taken(logto, run, tree):
    """As by those who have followed an earlier version of docs/first-sign-in.md."""
    run("logto-setup")
    (app,), (secret,) = logto.state()["applications"], logto.state()["secrets"]
    theirs = app | {"id": "byhand", "name": "My app", "oidcClientMetadata": {
        "redirectUris": ["https://example.com/", "http://localhost:5000/callback"], "postLogoutRedirectUris": []}}
    secret |= {"applicationId": "byhand"}
    secrets = [secret | {"name": "old", "value": "over", "expiresAt": 1}, secret | {"name": "soon", "expiresAt": 4e12},
               secret | {"name": "mine", "value": "theirs"}]
    logto.holds(applications=[app | {"oidcClientMetadata": {"redirectUris": [], "postLogoutRedirectUris": []}}, theirs],
                secrets=secrets, requests=[])
    assert "application: one is there already" in run("logto-setup").stdout
    assert changes(logto.requests()) == []
    assert handed_over(tree) == {"id": "byhand", "secret": "theirs"}


def test_an_application_without_a_valid_secret_gets_one(logto, run, tree):
    run("logto-setup")
    (secret,) = logto.state()["secrets"]
    logto.holds(secrets=[secret | {"expiresAt": 1}])
    assert run("logto-setup").returncode == 0
    _, added = logto.state()["secrets"]
    assert added["name"].startswith("First sign-in, 20") and handed_over(tree)["secret"] == added["value"]


def test_an_application_that_was_deleted_is_made_again(logto, run, tree):
    run("logto-setup")
    before = handed_over(tree)
    logto.holds(applications=[], secrets=[])
    assert run("logto-setup").returncode == 0
    assert is_set_up(logto, tree) and handed_over(tree)["id"] != before["id"]


@pytest.mark.parametrize("address", ["https://app.example.com/", "HTTPS://App.example.com:443"])
def test_the_address_of_the_app_may_be_another(logto, run, address):
    run("logto-setup", APP_BASE_URL=address)
    (app,) = logto.state()["applications"]
    assert app["oidcClientMetadata"] == {
        "redirectUris": ["https://app.example.com/callback"], "postLogoutRedirectUris": ["https://app.example.com/"]}


@pytest.mark.parametrize("address", ["app.example.com", "ftp://app.example.com", "https://app.example.com/?", "https://x:port",
                                     "localhost:5000"])
def test_an_address_that_is_none_is_told_before_anything_is_made(logto, run, address):
    logto.requests()
    done = run("logto-setup", APP_BASE_URL=address)
    assert (done.returncode, done.stderr) == (
        1, f"APP_BASE_URL is {address}: it has to be an address, http://… or https://…, without ? and #\n")
    assert logto.requests() == []


def test_a_folder_that_is_not_writable_is_told(logto, run, tree):
    folder = tree / "secrets/logto_app"
    folder.chmod(0o755)
    done = run("logto-setup")
    folder.chmod(0o777)
    assert done.returncode == 1 and "can't be written to deploy/secrets/logto_app: EACCES; run deploy/secrets.sh" in done.stderr


def test_the_connector_sends_through_the_service(logto, run, running):
    """Logto's own connector, with what was stored: the test message of the Console."""
    run("logto-setup")
    (connector,) = logto.state()["connectors"]
    script = """
        import createHttpSms from '@logto/connector-http-sms';
        const { config, ...message } = JSON.parse(process.argv[1]);
        const { sendMessage } = await createHttpSms({ getConfig: async () => config });
        const answer = await sendMessage(message);
        console.log(answer.statusCode);
    """
    message = {"config": connector["config"], "to": "4526091047", "type": "Test", "payload": {"code": "000000"}}
    sent = subprocess.run([NODE, "--input-type=module", "--eval", script, json.dumps(message)], cwd=HERE,
                          capture_output=True, text=True, timeout=PATIENCE)
    assert sent.stdout == "200\n", sent
    running["gatewayapi"].line_with("SMS to +4526091047")
