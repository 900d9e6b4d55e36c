"""Processes that stand for containers and units."""

import queue
import subprocess
import threading

PATIENCE = 60


class Running:
    """A process whose output is read line by line, and which ends with the test."""

    def __init__(self, command, **options):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
        self.lines, self.seen = queue.SimpleQueue(), []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def line_with(self, *texts):
        """The next line that holds the texts."""
        while (line := self.lines.get(timeout=PATIENCE)) is not None:
            self.seen.append(line)
            if all(text in line for text in texts):
                return line
        raise AssertionError(f"it ended before it said {texts}:\n" + "".join(self.seen))

    def end(self, patience=PATIENCE):
        """By SIGTERM, which is what engines and systemd send; the exit code."""
        self.process.terminate()
        return self.process.wait(patience)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
