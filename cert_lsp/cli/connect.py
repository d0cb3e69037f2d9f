"""``cert-lsp connect``: standard input and output for an editor, the shared server behind them.

Kept small, because it runs once for each window: the standard library and what finds the socket.
"""

import contextlib
import os
import selectors
import socket
import subprocess
import sys
import time
from argparse import Namespace
from typing import NoReturn

from cert_lsp.errors import ConfigError
from cert_lsp.place import DISORDERLY, ORDERLY, Place, locked, place_of

_PATIENCE = 60.0  # seconds for a server to start: a cold disk is slow
_WATCH_SECONDS = 2.0


def run(arguments: Namespace) -> NoReturn:
    """Pass messages on until either side has left; the exit code is that of ``cert-lsp serve``.

    Raises:
        ConfigError: There is no shared server, and none can be started.
    """
    place = place_of(arguments.model)
    _bridge(_connected(place, arguments), place)


def _connected(place: Place, arguments: Namespace) -> socket.socket:
    """Connect; start the server if it is not there. The lock keeps windows that open at once from starting two."""
    with locked(place.lock):
        if connection := _try(place):
            return connection
        started = _start(place, arguments)
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline and started.poll() is None:
            if connection := _try(place):
                return connection
            time.sleep(0.02)
    said = place.log.read_text(errors="replace").strip()
    raise ConfigError(
        f"The shared server did not start ({said or 'it said nothing'})",
        "there will be no completions",
        "run `cert-lsp doctor`, or use `cert-lsp serve`",
    )


def _try(place: Place) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(place.socket))
    except OSError:
        connection.close()
        return None
    return connection


def _start(place: Place, arguments: Namespace) -> subprocess.Popen[bytes]:
    """Start the server as a process of its own, which no window takes with it."""
    command = [sys.executable, "-m", "cert_lsp", "serve", "--daemon", "--idle", str(arguments.idle)]
    if arguments.model:
        command += ["--model", str(arguments.model.resolve())]
    with os.fdopen(os.open(place.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            cwd=place.socket.parent,
            start_new_session=True,
        )


def _bridge(connection: socket.socket, place: Place) -> NoReturn:
    """Copy bytes in both directions; end without ceremony, as nothing is held back."""
    parent = os.getppid()
    stdin, stdout = sys.stdin.fileno(), sys.stdout.fileno()
    with selectors.PollSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        selector.register(stdin, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select(_WATCH_SECONDS):
                if key.fileobj is connection:
                    data = _received(connection)
                    if not data:
                        sys.stderr.write(
                            f"cert-lsp: The shared server has died (its last words are in {place.log}); "
                            "this window has no completions until its language server is started anew.\n"
                        )
                        sys.stderr.flush()
                    code = {ORDERLY: 0, DISORDERLY: 1, b"": 1}.get(data[-1:])
                    _write(stdout, data if code is None else data[:-1])
                    if code is not None:
                        os._exit(code)
                elif data := os.read(stdin, 65536):
                    with contextlib.suppress(ConnectionError):  # the next that is received tells
                        connection.sendall(data)
                else:
                    selector.unregister(stdin)
                    connection.shutdown(socket.SHUT_WR)
            if os.getppid() != parent:  # the editor died without closing our input
                os._exit(1)


def _received(connection: socket.socket) -> bytes:
    """What came; nothing from a server that died, also where it had not read all that was sent."""
    try:
        return connection.recv(65536)
    except ConnectionError:
        return b""


def _write(stdout: int, data: bytes) -> None:
    while data:
        data = data[os.write(stdout, data) :]
