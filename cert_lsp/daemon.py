"""One server for all of a user's windows: its own accept loop, a session for each connection, the models shared.

It leaves when nobody was connected for a while. Whoever connects holds the lock meanwhile (see `place`), and so does
the server while it makes sure that nobody is waiting and takes its socket away: no connection gets lost in between.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from cert_lsp.errors import ConfigError
from cert_lsp.place import DISORDERLY, ORDERLY, Place, locked
from cert_lsp.transport import read_messages

if TYPE_CHECKING:
    from pygls.io_ import Writer

    from cert_lsp.protocol import CertServer


def serve_daemon(build: Callable[[], CertServer], place: Place, idle: float) -> int:
    """Serve whoever connects, until nobody was connected for `idle` seconds.

    Args:
        build: Makes the server for one connection.
        place: Where to listen.
        idle: Seconds; counted from the start and from each leaving of the last client.

    Raises:
        ConfigError: Another server is there, or the socket cannot be made.
    """
    with locked(place.owner, wait=False) as mine:
        if not mine:
            raise ConfigError("The shared server is running already", remedy="connect to it with `cert-lsp connect`")
        place.owner.write_text(str(os.getpid()))
        place.socket.unlink(missing_ok=True)  # of a server that was killed
        try:
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(str(place.socket))
        except OSError as error:
            raise ConfigError(
                f"Cannot listen at {place.socket} ({error})",
                "the shared server did not start",
                "set XDG_RUNTIME_DIR to a folder with a short name",
            ) from error
        place.socket.chmod(0o600)
        listener.listen(64)
        asyncio.run(_Daemon(build, place, idle, listener).serve())
    os._exit(0)  # a model that is just being loaded would hold the process up


class _Daemon:
    """The accept loop and what it knows of its connections."""

    def __init__(self, build: Callable[[], CertServer], place: Place, idle: float, listener: socket.socket) -> None:
        self._build = build
        self._place = place
        self._idle = idle
        self._listener = listener
        self._connections = 0
        self._used = asyncio.Event()

    async def serve(self) -> None:
        async with await asyncio.start_unix_server(self._connection, sock=self._listener):
            while True:
                self._used.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._used.wait(), self._idle)
                    continue
                if not self._connections and self._may_leave():
                    return

    def _may_leave(self) -> bool:
        """Take the socket away, unless somebody connects or has connected and was not accepted yet."""
        with locked(self._place.lock, wait=False) as mine:
            waiting = select.select([self._listener], [], [], 0)[0]
            if mine and not waiting:
                self._place.socket.unlink(missing_ok=True)
                return True
        return False

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        self._used.set()
        try:
            server = self._build()
            server.protocol.set_writer(cast("Writer", writer))
            await read_messages(server, reader)
            with contextlib.suppress(ConnectionError):
                writer.write(DISORDERLY if server.exit_code else ORDERLY)
                await writer.drain()
        finally:
            writer.close()
            self._connections -= 1
            self._used.set()
