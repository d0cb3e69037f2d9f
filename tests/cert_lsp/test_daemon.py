"""One server for many windows: started once, shared, left alone, and safe from others."""

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cert_lsp.errors import ConfigError
from cert_lsp.place import Place, locked, place_of
from tests.cert_lsp.raw_client import RawClient

# The true command line, with a fake engine in the shared server.
PROGRAM = """
import sys
from cert_lsp import server
from tests.cert_lsp.fakes import FakeEngine

def open_engine(settings):
    with open("loaded", "a") as file:
        file.write("x")
    return FakeEngine(decoding, settings.model.name if settings.model else "fake")

server.open_engine = open_engine
decoding = float(sys.argv.pop(1))
from cert_lsp.__main__ import main
sys.exit(main())
"""


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime folder of this test's own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setenv("CERT_LSP_STORE", str(tmp_path / "store"))
    monkeypatch.delenv("CERT_LSP_MODEL", raising=False)
    return tmp_path / "cert-lsp"


def start(runtime: Path, idle: float = 2.0, decoding: float = 0.0) -> subprocess.Popen[bytes]:
    """Start the shared server with a fake engine, and wait until it listens."""
    place = place_of(None)
    arguments = [sys.executable, "-c", PROGRAM, str(decoding), "serve", "--daemon", "--idle", str(idle)]
    process = subprocess.Popen(arguments, stderr=subprocess.DEVNULL, cwd=runtime)
    deadline = time.monotonic() + 20
    while True:
        with contextlib.suppress(FileNotFoundError, ConnectionRefusedError), reach(place):  # a killed one left a socket
            return process
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


def reach(place: Place) -> socket.socket:
    """A connection to the shared server, without ``connect``."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(place.socket))
    except OSError:
        connection.close()
        raise
    return connection


def window() -> RawClient:
    return RawClient.spawn("-m", "cert_lsp", "connect", "--idle", "1")


def leave(client: RawClient) -> int:
    client.response(client.request("shutdown"))
    client.notify("exit", None)
    return client.exit_code()


def test_windows_share_one_model_and_nothing_else(runtime: Path) -> None:
    daemon = start(runtime)
    with window() as first, window() as second:
        for client, candidates in ((first, 2), (second, 4)):
            client.initialize(options={"candidates": candidates})
            client.open(uri="file:///same.py")
        for client, candidates in ((first, 2), (second, 4)):
            found = client.response(client.inline(kind=1, uri="file:///same.py"))["result"]["items"]
            assert len(found) == candidates
        assert first.command("cert.pause")["state"] == "paused"
        assert second.command("cert.status")["state"] == "ready"
        assert leave(first) == 0
        assert second.response(second.inline(uri="file:///same.py"))["result"]["items"]
        assert (runtime / "loaded").read_text() == "x"
        second.notify("exit", None)
        assert second.exit_code() == 1
    assert daemon.wait(20) == 0
    assert not place_of(None).socket.exists()


def test_windows_that_open_at_once_start_one_server_which_leaves_when_idle(runtime: Path) -> None:
    killed = start(runtime)
    killed.kill()
    killed.wait()
    assert place_of(None).socket.exists()  # which nobody listens at
    clients = [window() for _ in range(4)]
    try:
        requests = [
            client.request("initialize", {"processId": None, "rootUri": None, "capabilities": {}}) for client in clients
        ]
        for client, request in zip(clients, requests, strict=True):
            assert client.response(request, timeout=60)["result"]["serverInfo"]["name"] == "cert-lsp"
        assert [each.suffix for each in sorted(runtime.glob("*.*"))] == [".lock", ".log", ".owner", ".sock"]
        with locked(place_of(None).owner, wait=False) as mine:
            assert not mine
    finally:
        for client in clients:
            client.__exit__()
    deadline = time.monotonic() + 20
    while place_of(None).socket.exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_window_of_a_killed_server_fails_and_the_next_gets_a_new_one(runtime: Path) -> None:
    daemon = start(runtime, decoding=5.0)
    with window() as client:
        client.initialize()
        client.open()
        client.inline()
        time.sleep(0.3)
        daemon.kill()
        daemon.wait()
        assert client.exit_code() == 1
        assert "The shared server has died" in client.stderr()
    assert place_of(None).socket.exists()
    daemon = start(runtime)
    with window() as client:
        client.initialize()
        assert leave(client) == 0
    assert daemon.wait(20) == 0


def test_window_that_sends_to_a_killed_server_ends_in_order(runtime: Path) -> None:
    daemon = start(runtime)
    with window() as client:
        client.initialize()
        daemon.send_signal(signal.SIGSTOP)

        def send() -> None:
            with contextlib.suppress(BrokenPipeError):  # `connect` has left
                client.open("x" * 5_000_000)  # more than all buffers hold: `connect` waits for the server

        sending = threading.Thread(target=send)
        sending.start()
        daemon.kill()
        daemon.wait()
        assert client.exit_code() == 1
        sending.join()
        assert "Traceback" not in client.stderr()


def test_server_that_hangs_is_stopped(runtime: Path) -> None:
    daemon = start(runtime, idle=600)
    daemon.send_signal(signal.SIGSTOP)
    for told in ("has been stopped", "is not running"):
        run = subprocess.run([sys.executable, "-m", "cert_lsp", "stop"], capture_output=True, text=True, timeout=60)
        assert (run.returncode, told in run.stdout) == (0, True)
    assert daemon.wait(0) == -signal.SIGKILL
    with window() as client:
        client.initialize()
        assert leave(client) == 0


def test_second_server_is_refused(runtime: Path) -> None:
    daemon = start(runtime, idle=600)
    command = [sys.executable, "-m", "cert_lsp", "serve", "--daemon", "--idle", "1"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    daemon.kill()
    daemon.wait()
    assert run.returncode == 1
    assert "running already" in run.stderr


def test_window_that_is_killed_leaves_no_session_behind(runtime: Path) -> None:
    daemon = start(runtime, idle=1)
    with window() as client:
        client.initialize()
        assert client.process
        client.process.kill()
    assert daemon.wait(20) == 0


def test_window_ends_when_its_editor_dies(runtime: Path) -> None:
    daemon = start(runtime, idle=1)
    editor = (
        "import subprocess, sys, time\n"
        "read, write = __import__('os').pipe()\n"
        "child = subprocess.Popen([sys.executable, '-m', 'cert_lsp', 'connect'], stdin=read, pass_fds=[write])\n"
        "print(child.pid, flush=True); time.sleep(1)"
    )
    with subprocess.Popen([sys.executable, "-c", editor], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        pid = int(process.stdout.readline())
    deadline = time.monotonic() + 15
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert daemon.wait(20) == 0


def test_window_whose_input_ends_leaves(runtime: Path) -> None:
    daemon = start(runtime, idle=1)
    command = [sys.executable, "-m", "cert_lsp", "connect"]
    for stdin in (subprocess.DEVNULL, subprocess.PIPE):
        with subprocess.Popen(command, stdin=stdin) as process:
            process.communicate(timeout=20)
        assert process.returncode == 1
    assert daemon.wait(20) == 0


def test_client_that_dies_in_the_middle_of_a_message_harms_nobody(runtime: Path) -> None:
    daemon = start(runtime)
    with window() as client:
        client.initialize()
        client.open()
        for sent in (b"Conte", b"Content-Length: 500\r\n", b'Content-Length: 500\r\n\r\n{"jsonrpc"', b"X" * 200_000):
            with reach(place_of(None)) as dying:
                dying.sendall(sent)
        assert client.response(client.inline())["result"]["items"]
        assert leave(client) == 0
    assert daemon.wait(20) == 0


def test_files_are_the_users_alone(runtime: Path) -> None:
    daemon = start(runtime, idle=1)
    assert stat.S_IMODE(runtime.stat().st_mode) == 0o700
    assert stat.S_IMODE(place_of(None).socket.stat().st_mode) == 0o600
    assert daemon.wait(20) == 0
    runtime.chmod(0o755)
    with pytest.raises(ConfigError, match="open to others"):
        place_of(None)


def test_another_model_has_another_place(runtime: Path) -> None:
    assert place_of(Path("/models/a")) != place_of(None)
    assert place_of(Path("/models/a")) == place_of(Path("/models/b/../a"))


def test_windows_users_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(ConfigError, match="cert-lsp serve"):
        place_of(None)


def test_server_that_cannot_start_is_told(runtime: Path, capsys: pytest.CaptureFixture[str]) -> None:
    long = runtime.parent / ("x" * 120)
    long.mkdir(mode=0o700)
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(long)}
    run = subprocess.run(
        [sys.executable, "-m", "cert_lsp", "connect"],
        capture_output=True,
        text=True,
        env=environment,
        input="",
        timeout=60,
    )
    assert run.returncode == 1
    assert "did not start" in run.stderr
    assert "short name" in run.stderr
    assert json.dumps(run.stdout) == '""'
