"""Runs a command under what a unit file says about system calls, as systemd's own filters do:

    python3 confined.py UNIT COMMAND...

SystemCallFilter=, MemoryDenyWriteExecute=, RestrictAddressFamilies=, RestrictNamespaces=, NoNewPrivileges=; as nobody.
"""

import ctypes
import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

ALLOW, ERRNO = 0x7FFF0000, 0x00050000
EQUAL, GREATER, MASKED = 4, 6, 7
PROT_WRITE, PROT_EXEC, SHM_EXEC = 2, 4, 0o100000
NAMESPACES = [0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000]
NO_NEW_PRIVILEGES = 38
NOBODY = 65534


class Comparison(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("how", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


class Filter:
    def __init__(self, otherwise):
        self.library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
        self.library.seccomp_init.restype = ctypes.c_void_p
        self.context = ctypes.c_void_p(self.library.seccomp_init(ctypes.c_uint32(otherwise)))

    def rule(self, action, call, *comparisons):
        number = self.library.seccomp_syscall_resolve_name(call.encode())
        if number < 0:
            return  # Not a call of this architecture.
        array = (Comparison * len(comparisons))(*comparisons)
        if self.library.seccomp_rule_add_array(self.context, ctypes.c_uint32(action), number, len(array), array):
            raise OSError(f"no rule for {call}")

    def load(self):
        if self.library.seccomp_load(self.context):
            raise OSError("the filter can't be loaded")


def settings(unit):
    """The values of each key; a key may come several times."""
    found = {}
    for line in Path(unit).read_text().splitlines():
        key, separator, value = line.partition("=")
        if separator and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def calls(name):
    """The system calls of a group, by systemd's own word."""
    if not name.startswith("@"):
        return {name}
    printed = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", name], check=True, capture_output=True, text=True)
    members = [line.strip() for line in printed.stdout.splitlines()[1:]]
    return set().union(*(calls(member) for member in members if member and not member.startswith("#")))


def allowed(filters):
    found = set()
    for line in filters:
        named = set().union(*(calls(name) for name in line.removeprefix("~").split()))
        found = found - named if line.startswith("~") else found | named
    # systemd always allows what starts a process.
    return found | {"execve", "exit", "exit_group", "rt_sigreturn", "brk", "mmap", "mprotect"}


def confine(unit):
    unit = settings(unit)
    permitted = allowed(unit["SystemCallFilter"])
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    libc = ctypes.CDLL(None, use_errno=True)
    if unit["NoNewPrivileges"] == ["yes"]:
        libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    refuse = ERRNO | getattr(errno, unit["SystemCallErrorNumber"][0])

    only = Filter(refuse)
    for call in permitted:
        only.rule(ALLOW, call)

    more = Filter(ALLOW)
    if unit["MemoryDenyWriteExecute"] == ["yes"]:
        more.rule(refuse, "mmap", Comparison(2, MASKED, PROT_EXEC | PROT_WRITE, PROT_EXEC | PROT_WRITE))
        for call in ("mprotect", "pkey_mprotect"):
            more.rule(refuse, call, Comparison(2, MASKED, PROT_EXEC, PROT_EXEC))
        more.rule(refuse, "shmat", Comparison(2, MASKED, SHM_EXEC, SHM_EXEC))
    families = sorted(getattr(socket, name) for name in unit["RestrictAddressFamilies"][0].split())
    for family in range(families[-1]):
        if family not in families:
            more.rule(refuse, "socket", Comparison(0, EQUAL, family))
    more.rule(refuse, "socket", Comparison(0, GREATER, families[-1]))
    if unit["RestrictNamespaces"] == ["yes"]:
        for flag in NAMESPACES:
            for call in ("unshare", "clone"):
                more.rule(refuse, call, Comparison(0, MASKED, flag, flag))
        more.rule(refuse, "setns")
    more.load()
    only.load()


if __name__ == "__main__":
    # mprotect(PROT_EXEC) is refused from here on; the loader of the next program maps its code with mmap.
    confine(sys.argv[1])
    os.execv(sys.argv[2], sys.argv[2:])
