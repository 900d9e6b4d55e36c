"""deploy/systemd: valid, closed, and not too closed for the binary."""

import json
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from confined import allowed, settings
from conftest import BINARY, DEPLOY, SHORTEST_PATIENCE
from processes import PATIENCE, Running

UNIT = DEPLOY / "systemd/gatewayapi-sms-connector.service"
INSTALLED = "/usr/local/bin/gatewayapi-sms-connector"
CONFINED = Path(__file__).with_name("confined.py")
SECRET = "0123456789abcdef"
CREDENTIALS = "/etc/gatewayapi-sms-connector/secrets"


def test_systemd_understands_it(tmp_path):
    there = tmp_path / UNIT.name
    there.write_text(UNIT.read_text().replace(INSTALLED, str(BINARY)))
    verify = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no"]
    done = subprocess.run([*verify, there], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    # And a typing error would be seen.
    there.write_text(there.read_text().replace("ProtectHome=yes", "ProtectHomes=yes"))
    assert "Unknown key" in subprocess.run([*verify, there], capture_output=True, text=True).stderr


def test_its_exposure_is_small():
    # In tenths; 0 is a unit that can do nothing. A service with a network is at 7 at least.
    subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", UNIT], check=True,
                   stdout=subprocess.DEVNULL)


def test_accepted_calls_can_finish():
    assert int(settings(UNIT)["TimeoutStopSec"][0]) >= SHORTEST_PATIENCE


def test_secrets_are_credentials():
    unit = settings(UNIT)
    loaded = dict(each.split(":") for each in unit["LoadCredential"])
    assert all(path == f"{CREDENTIALS}/{name}" for name, path in loaded.items())
    used = {value.split("=")[1].removeprefix("%d/") for value in unit["Environment"] if "%d/" in value}
    assert used == set(loaded)
    told = (DEPLOY / "README.md").read_text()
    assert all(re.search(rf"\b{name}\b", told) for name in loaded)


def test_the_binary_runs_under_its_filters(place, rootfs, loopback):
    """With the unit's environment, as nobody, and with no more of /proc than its own processes."""
    unit = settings(UNIT)
    binary, credentials, state = rootfs / INSTALLED[1:], place / "credentials", place / "state"
    credentials.mkdir()
    for each in unit["LoadCredential"]:
        (credentials / each.split(":")[0]).write_text(f"{SECRET}\n")
    state.mkdir()
    shutil.chown(state, 65534, 65534)
    environment = dict(each.replace("%d", str(credentials)).split("=", 1) for each in unit["Environment"])
    environment |= {"SMS_GATEWAYAPI__SENDER": "ExampleShop", "SMS_GATEWAYAPI__ENDPOINT": "http://localhost:8081/rest/mtsms"}
    simulator = Running([binary, "simulator", f"--token={SECRET}", "--listen=127.0.0.1:8081"])
    closed = """mount -t proc -o hidepid=invisible proc /proc && mount --bind "$PWD" "$PWD" &&
        mount -o remount,bind,ro / && cd "$PWD" && exec "$@" """
    service = Running(
        ["unshare", "--mount", "sh", "-c", closed, "sh", sys.executable, CONFINED, UNIT, binary,
         *unit["ExecStart"][0].split()[1:]], cwd=state, env=environment)
    with simulator, service:
        simulator.line_with("listens at")
        service.line_with("the service is ready")
        assert send("+4526091045", "123456") == 200
        simulator.line_with("123456")
        with urllib.request.urlopen("http://127.0.0.1:9090/metrics", timeout=PATIENCE) as metrics:
            text = metrics.read().decode()
        assert 'sms_requests_total{outcome="accepted"' in text and "process_resident_memory_bytes" in text
        started = re.search(r"^process_start_time_seconds (\S+)$", text, re.MULTILINE)
        assert float(started[1]) > 1.7e9, "alert and dashboard tell restarts by it"
        assert (state / "ledger.db").exists()
        assert unit["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
        service.process.send_signal(signal.SIGHUP)
        service.line_with("the templates were loaded anew")
        assert service.end() == 0


def send(number, code):
    body = json.dumps({"to": number, "type": "SignIn", "payload": {"code": code}}).encode()
    headers = {"Authorization": SECRET, "Content-Type": "application/json"}
    request = urllib.request.Request("http://127.0.0.1:8080/send", body, headers)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return answer.status


def test_the_filters_refuse():
    """Otherwise the test above would say nothing."""
    attempts = {
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)": "PermissionError",
        "mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)": "PermissionError",
        "os.chroot('/')": "PermissionError",
        "os.setpriority(os.PRIO_PROCESS, 0, 5)": "PermissionError",
        "socket.socket(socket.AF_INET)": "",
    }
    for attempt, refusal in attempts.items():
        confined = f"import mmap, os, socket; import confined; confined.confine({str(UNIT)!r}); {attempt}"
        done = subprocess.run([sys.executable, "-c", confined], capture_output=True, text=True, cwd=CONFINED.parent)
        assert (refusal in done.stderr) if refusal else (done.returncode, done.stderr) == (0, ""), attempt + done.stderr
    assert "ptrace" not in allowed(settings(UNIT)["SystemCallFilter"])
