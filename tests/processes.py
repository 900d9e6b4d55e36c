"""Processes that the Python tests start, here and in examples/python-flask."""

import os
import queue
import re
import subprocess
import threading
import time

PATIENCE = 60
READ_BY_OUR_PROGRAMS = ("SMS_", "APP_", "LOGTO_")


def surroundings(settings=None):
    """The settings, over this process' environment without what our programs read: the tests are told by SMS_TEST_*, and
    the service refuses variables that it does not know."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(READ_BY_OUR_PROGRAMS)}
    return inherited | (settings or {})


class Running:
    """A process whose output is waited for, and which ends with the test. Its environment is `surroundings` or `env`."""

    def __init__(self, command, env=None, **options):
        usual = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        env = surroundings() if env is None else env
        self.process = subprocess.Popen(command, env=env, text=True, **usual | options)
        self._lines, self._before, self._since = queue.SimpleQueue(), "", ""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def wait_for(self, pattern):
        """The first match in what it has said since the last one."""
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self._since)):
            try:
                line = self._lines.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            assert line is not None, f"it ended or fell silent before it said {pattern}:\n{self._before}{self._since}"
            self._since += line
        self._before += self._since[:found.end()]
        self._since = self._since[found.end():]
        return found

    def line_with(self, text):
        """The next line that holds the text."""
        return self.wait_for(f".*{re.escape(text)}.*")[0]

    def end(self, patience=PATIENCE):
        """By SIGTERM, which is what engines and systemd send; the exit code."""
        self.process.terminate()
        return self.process.wait(patience)

    def said(self):
        """All that it said, once it has ended."""
        for line in iter(lambda: self._lines.get(timeout=PATIENCE), None):
            self._since += line
        return self._before + self._since

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
