"""The sandbox: one test for each property that `evals.sandbox_worker` promises.

Runs with the current interpreter and no libraries: the confinement is the same for any.
"""

import os
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from cert_lsp.errors import EvalError
from evals import sandbox_worker
from evals.sandbox import Limits, Sandbox

LIMITS = Limits(cpu_seconds=1, wall_seconds=5.0, memory_mb=512, file_mb=1)


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(Path(sys.executable), limits=LIMITS, workers=1, preload=()) as pool:
        yield pool


@pytest.fixture
def run(sandbox):
    def run_one(program):
        [outcome] = sandbox.run([textwrap.dedent(program)])
        return outcome

    return run_one


def test_a_program_without_an_exception_passes(run):
    assert run("assert 1 + 1 == 2").passed


@pytest.mark.parametrize(
    ("program", "kind"),
    [
        ("assert False, 'no'", "AssertionError"),
        ("None.append", "AttributeError"),
        ("x = (", "SyntaxError"),
        ("if x:\npass", "SyntaxError"),
        ("x = '\\ud800'; raise ValueError(x)", "ValueError"),
        ("import sys; sys.exit(0)", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("import os; os._exit(0)", "killed"),
        ("import ctypes; ctypes.string_at(0)", "killed"),
        ("f = lambda: f()\nf()", "RecursionError"),
        ("class E(Exception):\n    def __str__(self): return 1 / 0\nraise E", "E"),
    ],
)
def test_a_failure_is_told_by_its_kind(run, program, kind):
    outcome = run(program)
    assert (outcome.passed, outcome.kind) == (False, kind)


def test_cpu_time_ends_a_busy_program(run):
    outcome = run("while True: pass")
    assert outcome.kind == "timeout"
    assert "CPU" in outcome.message


def test_wall_clock_ends_a_sleeping_program(run):
    start = time.monotonic()
    assert run("import time; time.sleep(60)").kind == "timeout"
    assert time.monotonic() - start < 30


def test_a_program_that_catches_everything_still_ends(run):
    assert run("while True:\n    try:\n        while True: pass\n    except BaseException: pass").kind == "timeout"


def test_memory_is_limited(run):
    assert run("x = bytearray(1 << 30)").kind == "MemoryError"
    assert run("x = bytearray(1 << 26)").passed


def test_file_size_is_limited(run):
    assert run("open('x', 'wb').write(bytes(2 << 20))").kind == "OSError"
    assert run("open('x', 'wb').write(bytes(1 << 19))").passed


@pytest.mark.parametrize(
    ("program", "kind"),
    [
        ("import os; os.fork()", "BlockingIOError"),
        ("import subprocess; subprocess.run(['true'])", "BlockingIOError"),
        ("import threading; threading.Thread(target=print).start()", "RuntimeError"),
    ],
)
def test_no_process_and_no_thread_can_be_started(run, program, kind):
    assert run(program).kind == kind


def test_open_files_are_limited(run):
    assert run("files = [open('/dev/null') for _ in range(1000)]").kind == "OSError"


def test_the_working_folder_is_fresh_home_and_temporary_folder(run):
    program = """
        import os, pathlib, tempfile
        assert os.listdir() == []
        assert os.getcwd() == str(pathlib.Path.home()) == tempfile.gettempdir()
        pathlib.Path("left.txt").write_text("x")
        tempfile.TemporaryFile().write(b"x")
    """
    assert run(program).passed
    assert run(program).passed, "the second run found what the first left"


def test_the_working_folder_is_removed(run):
    place = run("import os; raise RuntimeError(os.getcwd())").message
    assert not Path(place).exists()


@pytest.mark.skipif(not sandbox_worker.landlock_version(), reason="this kernel has no Landlock")
def test_no_file_outside_is_written_made_moved_or_removed(run, tmp_path):
    victim = tmp_path / "victim.txt"
    victim.write_text("kept")
    for program in (
        f"open({str(victim)!r}, 'w')",
        f"open({str(victim)!r}, 'a')",
        f"open({str(tmp_path / 'new.txt')!r}, 'w')",
        f"import os; os.remove({str(victim)!r})",
        f"import os; os.truncate({str(victim)!r}, 0)",
        f"import os; os.mkdir({str(tmp_path / 'folder')!r})",
        f"import os; os.rename({str(victim)!r}, 'mine')",
    ):
        assert run(program).kind in {"PermissionError", "OSError"}, program
    assert [path.name for path in tmp_path.iterdir()] == ["victim.txt"]
    assert victim.read_text() == "kept"


def test_no_network_not_even_this_machine(run):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        with socket.create_connection(address, timeout=5):  # it can be reached, only not from the sandbox
            pass
        assert run(f"import socket; socket.create_connection({address!r}, timeout=1)").kind in {
            "OSError",
            "PermissionError",
        }


def test_without_a_namespace_sockets_are_taken_away():
    code = """
        import socket, urllib.request
        from evals.sandbox_worker import forbid_sockets
        forbid_sockets()
        for attempt in (socket.socket, lambda: urllib.request.urlopen("http://127.0.0.1:9")):
            try:
                attempt()
            except OSError as error:
                assert "sandbox" in str(error), error
            else:
                raise AssertionError("a socket was made")
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


def test_programs_do_not_see_each_other_or_the_users_environment(run, monkeypatch):
    assert run("import json; json.mark = 1; import os; os.environ['MARK'] = '1'").passed
    assert run("import json, os; assert not hasattr(json, 'mark') and 'MARK' not in os.environ").passed
    monkeypatch.setenv("SECRET", "1")
    with Sandbox(Path(sys.executable), limits=LIMITS, workers=1, preload=()) as pool:
        [outcome] = pool.run(["import os; assert 'SECRET' not in os.environ"])
    assert outcome.passed


def test_noise_does_not_disturb_the_answers(run):
    assert run("import sys, os; print('x' * 100_000); sys.stderr.write('y'); os.write(1, b'{}\\n')").passed
    assert run("assert input() == ''").kind == "EOFError"
    assert run("pass").passed


def test_outcomes_come_in_the_programs_order():
    with Sandbox(Path(sys.executable), limits=LIMITS, workers=2, preload=()) as pool:
        programs = [f"import time; time.sleep({0.3 if n == 0 else 0}); raise RuntimeError({n})" for n in range(8)]
        assert [outcome.message for outcome in pool.run(programs)] == [str(n) for n in range(8)]


def test_the_sandbox_says_what_it_gives(sandbox):
    assert sandbox.facts["python"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")
    assert sandbox.facts["network"] in {"namespace", "patched"}
    assert sandbox.facts["files"] in {"landlock", "unrestricted"}


def test_an_interpreter_that_cannot_start_or_lacks_a_library_is_told(tmp_path):
    with pytest.raises(EvalError, match="cannot be started"):
        Sandbox(tmp_path / "python", workers=1)
    with pytest.raises(EvalError, match="no_such_library"):
        Sandbox(Path(sys.executable), workers=1, preload=("no_such_library",))


def test_a_worker_that_died_is_told():
    with Sandbox(Path(sys.executable), limits=LIMITS, workers=1, preload=()) as pool:
        [outcome] = pool.run(["import os; raise RuntimeError(os.getppid())"])
        os.kill(int(outcome.message), 9)
        with pytest.raises(EvalError, match="interpreter ended"):
            list(pool.run(["pass"]))


def test_a_program_that_cannot_be_confined_is_not_run():
    impossible = Limits(cpu_seconds=1, wall_seconds=3.0, memory_mb=512, file_mb=1 << 80)
    with (
        Sandbox(Path(sys.executable), limits=impossible, workers=1, preload=()) as pool,
        pytest.raises(EvalError, match="cannot be confined"),
    ):
        list(pool.run(["pass"]))
