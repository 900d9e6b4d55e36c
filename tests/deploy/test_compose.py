"""deploy/compose.yaml: valid, and as closed as it says."""

import json
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from compose_file import resolve, seconds
from conftest import DEPLOY, ROOT, SHORTEST_PATIENCE

FILE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES = FILE["services"]
EACH = pytest.mark.parametrize("name", SERVICES)
# Named as secrets are: an address, and files in another folder.
NO_SECRETS = {("app", "APP_BASE_URL"), ("app", "LOGTO_APP_SECRET_FILE"), ("logto-setup", "APP_BASE_URL")}


def test_it_follows_the_specification():
    schema = json.loads((ROOT / "tests/deploy/node_modules/dclint/schemas/compose.schema.json").read_text())
    validator = jsonschema.Draft7Validator(schema)
    validator.validate(FILE)
    # And it would see a typing error.
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({**FILE, "services": {"sms": {**SERVICES["sms"], "read_onyl": True}}})


def test_a_linter_finds_nothing_grave(tree):
    linter = Path(sys.executable).parent / "compose-lint"
    subprocess.run([linter, "check", "--fail-on", "high", tree / "compose.yaml"], check=True)


def test_docker_compose_reads_it_where_it_is_installed(tree):
    if not shutil.which("docker") or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        pytest.skip("docker compose is not installed: compose_file.py and the schema stand for it")
    config = ["docker", "compose", "-f", tree / "compose.yaml", "config", "--format", "json"]
    theirs = json.loads(subprocess.run(config, check=True, capture_output=True).stdout)["services"]
    ours = resolve(tree)["services"]
    for name in ("sms", "gatewayapi", "logto", "logto-key", "logto-setup"):
        assert theirs[name]["environment"] == ours[name].get("environment")
        assert theirs[name].get("command") == ours[name].get("command")


def test_each_image_is_built_once():
    """Two builds of one name fail on a new machine: https://github.com/docker/buildx/issues/3576."""
    builders = {service["image"]: name for name, service in SERVICES.items() if "build" in service}
    assert len(builders) == len([name for name in SERVICES if "build" in SERVICES[name]])
    for name, service in SERVICES.items():
        if service["image"].endswith(":local") and "build" not in service:
            # Nobody else has it, and whoever is named brings it along: it is built before anything starts.
            assert service["pull_policy"] == "never"
            assert builders[service["image"]] in service["depends_on"]


@EACH
def test_a_service_can_do_little(name):
    service = SERVICES[name]
    # Logto's image is not known to run on a read-only file system.
    assert service["read_only"] is (name != "logto")
    assert service["cap_drop"] == ["ALL"] and "cap_add" not in service and "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"].split(":")[0] not in ("root", "0")
    assert service["mem_limit"] and service["pids_limit"]
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    assert not any("docker.sock" in volume for volume in service.get("volumes", []))


@EACH
def test_ports_are_published_on_the_loopback_only(compose, name):
    for port in compose["services"][name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)


def test_the_database_is_reached_by_logto_and_the_service_only():
    assert SERVICES["postgres"]["networks"] == ["database"]
    assert FILE["networks"]["database"] == {"internal": True}
    assert [name for name in SERVICES if "database" in SERVICES[name].get("networks", [])] == [
        "postgres", "logto", "logto-key", "sms"]
    assert "ports" not in SERVICES["postgres"] and "ports" not in SERVICES["gatewayapi"]


def test_the_readme_names_who_reaches_the_operators_listener():
    def networks(name):
        shared = SERVICES[name].get("network_mode", "").removeprefix("service:")
        return set(SERVICES[shared or name]["networks"])

    assert SERVICES["sms"]["environment"]["SMS_OPERATOR__LISTEN"] == "0.0.0.0:9090"
    neighbours = {name for name in SERVICES if name != "sms" and networks(name) & networks("sms")}
    told = re.search(r"\*\*Networks:\*\* `sms:9090`(.*?)can read `/metrics`", (DEPLOY / "README.md").read_text(), re.DOTALL)
    assert told and set(re.findall("`(.+?)`", told[1])) == neighbours


def test_accepted_calls_can_finish():
    assert seconds(SERVICES["sms"]["stop_grace_period"]) >= SHORTEST_PATIENCE
    for file in ("Dockerfile", "README.md"):
        assert int(re.search(r"docker run .*--stop-timeout (\d+)", (ROOT / file).read_text())[1]) >= SHORTEST_PATIENCE, file


def test_nobody_waits_for_what_has_no_health_and_no_end():
    for service in SERVICES.values():
        for name, how in service.get("depends_on", {}).items():
            match how["condition"]:
                case "service_healthy":
                    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
                case "service_completed_successfully":
                    assert SERVICES[name]["restart"] == "no"
                case condition:
                    assert condition == "service_started"


def test_what_runs_once_is_waited_for():
    """Otherwise `up --wait`, which wants everything else to run on, takes its end for a fault."""
    waited_for = {name for service in SERVICES.values() for name, how in service.get("depends_on", {}).items()
                  if how["condition"] == "service_completed_successfully"}
    assert waited_for == {name for name in SERVICES if SERVICES[name]["restart"] == "no"} == {"logto-key", "logto-setup"}


@EACH
def test_no_health_check_is_disabled(name):
    """`up --wait` takes that for a fault: https://github.com/docker/compose/issues/13522."""
    assert "disable" not in SERVICES[name].get("healthcheck", {})


def test_who_wants_no_set_up_names_the_others():
    """Nothing else depends on what sets Logto up, and on the app."""
    set_up = {"logto-key", "logto-setup", "app"}
    for name in SERVICES.keys() - set_up:
        assert not set_up & SERVICES[name].get("depends_on", {}).keys()


def test_the_app_reads_what_the_set_up_writes(compose):
    setup, app = compose["services"]["logto-setup"], compose["services"]["app"]
    folder = setup["environment"]["APP_FOLDER"]
    assert f"./secrets/logto_app:{folder}" in setup["volumes"] and f"./secrets/logto_app:{folder}:ro" in app["volumes"]
    assert app["environment"]["LOGTO_APP_ID_FILE"] == f"{folder}/id"
    assert app["environment"]["LOGTO_APP_SECRET_FILE"] == f"{folder}/secret"
    assert app["environment"]["APP_BASE_URL"] == setup["environment"]["APP_BASE_URL"]
    assert [name for name in SERVICES if "./secrets/" in str(SERVICES[name].get("volumes"))] == ["logto-setup", "app"]


@pytest.mark.parametrize("settings, port, address", [
    ("", 5000, "http://localhost:5000"), ("APP_PORT=5050\n", 5050, "http://localhost:5050"),
    ("APP_PORT=5050\nAPP_BASE_URL=https://app.example.com\n", 5050, "https://app.example.com"),
])
def test_the_port_of_the_app_may_be_another(tmp_path, settings, port, address):
    shutil.copy(DEPLOY / "compose.yaml", tmp_path)
    (tmp_path / ".env").write_text(settings)
    services = resolve(tmp_path)["services"]
    assert f"127.0.0.1:{port}:5000" in services["logto"]["ports"]
    assert services["app"]["environment"]["APP_BASE_URL"] == services["logto-setup"]["environment"]["APP_BASE_URL"] == address


@pytest.mark.parametrize("ports, healthy", [("5000 3001", True), ("5000", False), ("3001", False)])
def test_the_app_is_well_while_logto_is_in_its_network(ports, healthy):
    """What has joined the network of a container that was started again is alone in it."""
    server = """if True:
        import http.server, subprocess, sys, threading
        *ports, code = sys.argv[1:]
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if self.path in ("/", "/api/status") else 404)
                self.end_headers()
        for port in ports:
            server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
            threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.exit(subprocess.run([sys.executable, "-c", code]).returncode)"""
    kind, python, option, code = SERVICES["app"]["healthcheck"]["test"]
    assert (kind, python, option) == ("CMD", "python", "-c")
    alone = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", sys.executable, "-c", server, *ports.split(), code]
    assert (subprocess.run(alone, capture_output=True).returncode == 0) is healthy


def test_the_set_up_gives_the_key_of_the_very_logto():
    assert SERVICES["logto-setup"]["image"] == SERVICES["logto"]["image"]
    assert SERVICES["logto-key"]["image"] == SERVICES["postgres"]["image"]
    packages = json.loads((ROOT / "tests/deploy/package.json").read_text())["dependencies"]
    assert {f"svhd/logto:{packages[name]}" for name in ("@logto/api", "@logto/cli", "@logto/schemas")} == {SERVICES["logto"]["image"]}


def test_files_and_folders_that_it_names_are_there(tree):
    named = [volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])]
    for source in (source for source in named if source.startswith(".")):
        assert (tree / source).exists(), source
    for service in SERVICES.values():
        if "build" in service:
            assert (DEPLOY / service["build"]["context"] / "Dockerfile").exists()


def test_prometheus_and_grafana_find_each_other_and_their_files():
    def mounts(name):
        return dict(reversed(volume.removesuffix(":ro").split(":")) for volume in SERVICES[name]["volumes"])

    scraping = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    assert set(scraping["rule_files"]) <= set(mounts("prometheus"))
    provisioning = DEPLOY / "grafana/provisioning"
    assert mounts("grafana")["/etc/grafana/provisioning"] == "./grafana/provisioning"
    providers = [each for file in provisioning.glob("dashboards/*.y*ml") for each in yaml.safe_load(file.read_text())["providers"]]
    assert [f"{each['options']['path']}/dashboard.json" for each in providers] == [
        target for target, source in mounts("grafana").items() if source == "./grafana/dashboard.json"]
    sources = [each for file in provisioning.glob("datasources/*.y*ml") for each in yaml.safe_load(file.read_text())["datasources"]]
    assert [each["url"] for each in sources] == ["http://prometheus:9090"]
    assert SERVICES["grafana"]["networks"] == SERVICES["prometheus"]["networks"] == ["metrics"]


def test_secrets_are_files(tree):
    resolved = resolve(tree)
    declared = {name: tree / where["file"] for name, where in resolved["secrets"].items()}
    used = {name for service in SERVICES.values() for name in service.get("secrets", [])}
    assert used == set(declared)
    for name, service in resolved["services"].items():
        for variable, value in service.get("environment", {}).items():
            if value.startswith("/run/secrets/"):
                assert variable.endswith("_FILE") and value.removeprefix("/run/secrets/") in service["secrets"]
            else:
                assert not re.search("PASSWORD|TOKEN|SECRET|KEY|AUTHORIZATION|_URL$", variable) or (name, variable) in NO_SECRETS
    for file in declared.values():
        # Containers have users of their own; the folder keeps others out.
        assert stat.S_IMODE(file.stat().st_mode) == 0o444
    assert stat.S_IMODE((tree / "secrets").stat().st_mode) == 0o700
    assert len({file.read_text() for file in declared.values()}) == len(declared) - 2, \
        "no secret is used twice, but the simulator's two"


def test_a_changed_secret_is_a_changed_service():
    """Compose looks into no secret. PostgreSQL and Grafana take theirs at the first start only; the app is made anew each time."""
    told = {name: list(service["labels"].values()) for name, service in SERVICES.items() if "labels" in service}
    assert told == {"sms": ["${SECRETS_OF_SMS:-}"], "gatewayapi": ["${SECRETS_OF_GATEWAYAPI:-}"]}


def test_git_and_the_image_have_no_secrets():
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {"/deploy/secrets", "/deploy/.env", "sms.env"} <= set(ignored)
    assert "!deploy" not in (ROOT / ".dockerignore").read_text()


def test_secrets_are_made_once(tree):
    def content():
        return {file: file.read_text() for file in (tree / "secrets").rglob("*") if file.is_file()}

    before = content()
    made = subprocess.run([tree / "secrets.sh"], check=True, capture_output=True, text=True).stdout
    assert made == ""
    assert content() == before


def test_one_token_makes_it_real(tree, tmp_path):
    copy = tmp_path / "deploy"
    shutil.copytree(tree, copy)

    def shown():
        resolved = resolve(copy)
        token = (copy / resolved["secrets"]["gatewayapi_token"]["file"]).read_text().strip()
        return resolved["services"]["sms"]["environment"]["SMS_GATEWAYAPI__ENDPOINT"], token

    simulated = (copy / "secrets/simulator_token").read_text().strip()
    assert shown() == ("http://gatewayapi:8081/rest/mtsms", simulated)
    ask = [copy / "secrets.sh", "gatewayapi_token"]
    subprocess.run(ask, check=True, input="the real one\n", text=True, stdout=subprocess.DEVNULL)
    assert shown() == ("https://gatewayapi.eu/rest/mtsms", "the real one")
    again = subprocess.run(ask, input="another\n", text=True, capture_output=True)
    assert again.returncode == 1 and "is there already" in again.stderr
    assert shown() == ("https://gatewayapi.eu/rest/mtsms", "the real one")
