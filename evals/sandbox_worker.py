"""Runs untrusted programs, each in a confined child of a process that has pandas loaded already.

Started by `evals.sandbox` as a script, under the interpreter whose libraries the programs are meant for: standard
library only, nothing of this repository. Importing pandas takes a second and a fork some milliseconds, so the libraries
are imported once and every program gets a fork of that state: none sees what another did.

Reads one JSON object a line from standard input, `{"program": str}`, and answers each with one line,
`{"passed": bool, "kind": str, "message": str}`, where `kind` is the exception's class, `timeout`, `killed`, or
`unconfined`: the program was not run, since a limit could not be set. The first line it writes describes it: versions,
and how files and network are kept away on this machine.

What holds for a program, and where:

- wall-clock and CPU time, address space, size of a file written, number of open files: always;
- no new process and no thread: always (a root user gives up its privileges first, since Linux exempts it otherwise);
- its working folder, `HOME` and `TMPDIR` are one fresh folder, removed afterwards: always;
- it writes nowhere but in that folder: by Landlock, on Linux 5.13 and newer (`"files": "landlock"`), else not held;
- no network: by an empty network namespace, on Linux that allows one (`"network": "namespace"`), else by taking
  `socket` away (`"network": "patched"`), which stops ordinary code and not code that goes round it.

Not held: reading files, the number of files in its folder, the clock, and a program that sets out to forge its own
pass or, as root, to take its user id back. It is built for a language model's mistakes, not for an attacker.
"""

import argparse
import contextlib
import ctypes
import importlib
import json
import os
import resource
import select
import shutil
import signal
import socket
import struct
import sys
import tempfile
import time
import warnings

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
LINUX_CAPABILITY_VERSION_3 = 0x20080522
# The same numbers on every architecture.
SYS_LANDLOCK_CREATE_RULESET, SYS_LANDLOCK_ADD_RULE, SYS_LANDLOCK_RESTRICT_SELF = 444, 445, 446
LANDLOCK_CREATE_RULESET_VERSION, LANDLOCK_RULE_PATH_BENEATH = 1, 1
WRITE_FILE = 1 << 1
REMOVE_AND_MAKE = sum(1 << bit for bit in range(4, 13))
REFER, TRUNCATE = 1 << 13, 1 << 14
NOBODY = 65534
OPEN_FILES = 64
LINUX = sys.platform == "linux"


def libc():
    """The C library, with errno kept: most of what follows has no wrapper in the standard library."""
    return ctypes.CDLL(None, use_errno=True)


def isolate_network():
    """Puts this process and its children into an empty network namespace.

    Returns:
        `namespace`, or `patched` where the system allows none and each child must lose `socket` instead.
    """
    if LINUX and (libc().unshare(CLONE_NEWNET) == 0 or libc().unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0):
        return "namespace"
    return "patched"


def forbid_sockets():
    """Makes every new socket of this process fail with `PermissionError`."""

    def refuse(*args, **kwargs):
        raise PermissionError("the sandbox has no network")

    socket.socket.__init__ = refuse
    socket.getaddrinfo = socket.gethostbyname = refuse


def landlock_version():
    """The version of Landlock that the kernel offers, 0 for none."""
    if not LINUX:
        return 0
    answer = libc().syscall(SYS_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), LANDLOCK_CREATE_RULESET_VERSION)
    return max(answer, 0)


def write_only_beneath(folder):
    """Takes from this process the right to write, make, move or remove any file that is not beneath `folder`."""
    version = landlock_version()
    handled = WRITE_FILE | REMOVE_AND_MAKE | (REFER if version >= 2 else 0) | (TRUNCATE if version >= 3 else 0)
    attribute = struct.pack("=Q", handled)
    ruleset = libc().syscall(SYS_LANDLOCK_CREATE_RULESET, attribute, ctypes.c_size_t(len(attribute)), 0)
    check(ruleset)
    for path, rights in ((folder, handled), (os.devnull, WRITE_FILE)):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        rule = struct.pack("=Qi", rights, descriptor)
        check(libc().syscall(SYS_LANDLOCK_ADD_RULE, ruleset, LANDLOCK_RULE_PATH_BENEATH, rule, 0))
        os.close(descriptor)
    check(libc().syscall(SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)


def give_up_root():
    """Makes the process-count limit bind for root too: another real user id, and no capabilities.

    The effective user id stays, so that libraries in root's own folders can still be imported.
    """
    os.setresuid(NOBODY, 0, 0)
    check(libc().capset(struct.pack("=Ii", LINUX_CAPABILITY_VERSION_3, 0), bytes(24)))


def check(answer):
    """Raises `OSError` from errno if a C call answered with a negative number."""
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def limit(name, amount):
    """Lowers a resource's soft and hard limit to `amount`, as far as the platform knows the resource."""
    number = getattr(resource, name, None)
    if number is not None:
        _, hard = resource.getrlimit(number)
        amount = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
        resource.setrlimit(number, (amount, amount))


def confine(scratch, report, limits, network):
    """Locks this process in: `scratch` to write to, `report` the one open descriptor, the rest as the module says."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.closerange(3, report)
    os.closerange(report + 1, 1024)
    os.chdir(scratch)
    os.environ.update(HOME=scratch, TMPDIR=scratch)
    tempfile.tempdir = None
    limit("RLIMIT_CPU", limits.cpu_seconds)
    limit("RLIMIT_AS", limits.memory_mb << 20)
    limit("RLIMIT_FSIZE", limits.file_mb << 20)
    limit("RLIMIT_NOFILE", max(OPEN_FILES, report + 1))
    limit("RLIMIT_CORE", 0)
    if network == "patched":
        forbid_sockets()
    if LINUX:
        check(libc().prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))
        check(libc().prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        if landlock_version():
            write_only_beneath(scratch)
        if os.geteuid() == 0:
            give_up_root()
    limit("RLIMIT_NPROC", 0)


def execute(program, characters):
    """Runs the text of a program as a module and tells how it went, as (passed, kind, message up to `characters`)."""
    try:
        exec(compile(program, "<sample>", "exec"), {"__name__": "__main__"})
    except SyntaxError as error:
        return False, "SyntaxError", describe(error, characters)
    except BaseException as error:
        return False, type(error).__name__, describe(error, characters)
    return True, "passed", ""


def describe(error, characters):
    """The message of an exception, shortened; never raises, whatever the exception's own `__str__` does."""
    try:
        return str(error)[:characters]
    except BaseException:
        return ""


def run_confined(program, scratch, limits, network):
    """Runs `program` in a child and waits for its report until the time is over.

    Returns:
        `{"passed": bool, "kind": str, "message": str}`.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            try:
                confine(scratch, writing, limits, network)
            except Exception as error:
                passed, kind, message = False, "unconfined", describe(error, limits.message_characters)
            else:
                passed, kind, message = execute(program, limits.message_characters)
            os.write(writing, json.dumps({"passed": passed, "kind": kind, "message": message}).encode())
        finally:
            os._exit(0)
    os.close(writing)
    report = read_until(reading, time.monotonic() + limits.wall_seconds)
    os.close(reading)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if report is None:
        return {"passed": False, "kind": "timeout", "message": f"over {limits.wall_seconds:g} s"}
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL) and not report:
        return {"passed": False, "kind": "timeout", "message": f"over {limits.cpu_seconds} s of CPU time"}
    try:
        return json.loads(report)
    except ValueError:
        return {"passed": False, "kind": "killed", "message": f"ended without a report, status {status}"}


def read_until(descriptor, deadline):
    """All bytes up to the end of the stream, or None if the deadline (of `time.monotonic`) comes first."""
    received = b""
    while select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
        block = os.read(descriptor, 65536)
        if not block:
            return received
        received += block
    return None


def main():
    """Serves programs from standard input until it ends."""
    parser = argparse.ArgumentParser(description="Serves sandboxed runs over standard input and output.")
    parser.add_argument("--cpu-seconds", type=int, required=True, help="CPU time of one program")
    parser.add_argument("--wall-seconds", type=float, required=True, help="wall-clock time of one program")
    parser.add_argument("--memory-mb", type=int, required=True, help="address space of one program, MiB")
    parser.add_argument("--file-mb", type=int, required=True, help="greatest size of a file it writes, MiB")
    parser.add_argument("--message-characters", type=int, required=True, help="of an exception's message, told")
    parser.add_argument("--preload", nargs="*", default=[], help="libraries to import before the first fork")
    limits = parser.parse_args()

    sys.path.pop(0)  # this script's own folder: a program must not import it
    network = isolate_network()  # before the imports: a user namespace wants a process of one thread
    versions = {name: importlib.import_module(name).__version__ for name in limits.preload}
    warnings.simplefilter("ignore")

    def answer(reply):
        print(json.dumps(reply), flush=True)  # noqa: T201 - the protocol

    answer(
        {
            "python": sys.version.split()[0],
            **versions,
            "network": network,
            "files": "landlock" if landlock_version() else "unrestricted",
        }
    )
    for line in sys.stdin:
        scratch = tempfile.mkdtemp(prefix="evals-")
        try:
            outcome = run_confined(json.loads(line)["program"], scratch, limits, network)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        answer(outcome)


if __name__ == "__main__":
    main()
