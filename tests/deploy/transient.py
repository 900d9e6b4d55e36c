"""systemd-run for a machine on which systemd is not the first process:

    python3 transient.py SYSTEMD_RUN INSTALLED BINARY ARGUMENTS...

Options are those that the real systemd-run knows, properties those that systemd understands in a unit; and then BINARY runs, in
the place of INSTALLED, with just what they say.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path


def parsed(systemd_run, arguments):
    """The options with their values, and the command after them."""
    told = subprocess.run([systemd_run, "--help"], check=True, capture_output=True, text=True).stdout
    known = dict(re.findall(r"--([a-z-]+)(=?)", told))
    options = []
    while arguments and arguments[0].startswith("-"):
        name, separator, value = arguments.pop(0).removeprefix("--").partition("=")
        if known.get(name) != separator:
            sys.exit(f"systemd-run: unrecognized option '--{name}{separator}'")
        options.append((name, value))
    return options, arguments


def verify(lines, binary):
    """By systemd itself."""
    with tempfile.TemporaryDirectory() as folder:
        unit = Path(folder) / "transient.service"
        unit.write_text("\n".join(["[Service]", f"ExecStart={binary}", *lines, ""]))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit],
                              capture_output=True, text=True)
    if done.returncode or done.stderr:
        sys.exit(f"systemd: {done.stderr}")


def variables(file):
    """Values without quotes go to the end of the line, and nothing in them is replaced."""
    lines = [line for line in Path(file).read_text().splitlines() if line and line[0] not in "#;"]
    assert not any(set("\\\"'") & set(line) for line in lines), f"{file}: quotes are not known here"
    return {name: value.strip() for name, value in (line.split("=", 1) for line in lines)}


def main(systemd_run, installed, binary, *arguments):
    options, (program, *rest) = parsed(systemd_run, list(arguments))
    assert program == installed, f"{program} is not what deploy/README.md installs"
    environment, files, folder, lines = {"PATH": os.environ["PATH"]}, [], "/", []
    for name, value in options:
        match name:
            case "quiet" | "pipe" | "wait" | "collect":
                pass
            case "setenv":
                lines.append(f'Environment="{value}"')
                environment |= [value.split("=", 1)]
            case "working-directory":
                lines.append(f"WorkingDirectory={value}")
                folder = value
            case "property":
                lines.append(value)
                assert value.startswith("EnvironmentFile="), f"{value} is not known here"
                files.append(value.removeprefix("EnvironmentFile="))
            case _:
                sys.exit(f"--{name} is not known here")
    assert {"pipe", "wait"} <= {name for name, _ in options}, "nothing would be seen of it"
    verify(lines, binary)
    # They win over what is set one by one.
    for file in files:
        environment |= variables(file)
    os.chdir(folder)
    os.execve(binary, [program, *rest], environment)


if __name__ == "__main__":
    main(*sys.argv[1:])
