"""How messages come in and go out: standard input and output, or TCP.

Not covered: authentication. A TCP server answers whoever reaches its port; bind it to this machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, NoReturn, cast

from pygls.io_ import StdinAsyncReader, StdoutWriter, run_async

from cert_lsp.errors import ConfigError
from cert_lsp.protocol import CertServer

if TYPE_CHECKING:
    from pygls.io_ import AsyncReader, Writer

WATCH_SECONDS = 2.0

_CONTENT_LENGTH = re.compile(rb"content-length:[ \t]*(\d+)[ \t]*\r\n", re.IGNORECASE)


def serve_stdio(server: CertServer) -> NoReturn:
    """Serve one client until it says ``exit``, closes the stream or dies; then end the process.

    The exit code is 0 after an orderly shutdown, else 1.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the thread that reads input could not be interrupted otherwise
    # Whatever a library prints must not get between the messages.
    stdout = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    async def serve() -> None:
        watcher = asyncio.create_task(_watch_parent(server))
        server.protocol.set_writer(_Writer(stdout, server))
        await read_messages(server, StdinAsyncReader(sys.stdin.buffer, server.thread_pool))
        watcher.cancel()

    asyncio.run(serve())
    sys.stderr.flush()
    os._exit(
        server.exit_code
    )  # a model that is just being loaded would hold the process up, and nothing is left to save


def serve_tcp(build: Callable[[], CertServer], host: str, port: int) -> int:
    """Serve any number of clients, each with a session of its own, until the process is interrupted.

    Args:
        build: Makes the server for one connection.
        host: Address to listen on.
        port: Port; 0 takes a free one. The one in use is told on standard error.

    Raises:
        ConfigError: The address cannot be listened on.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = build()
        server.protocol.set_writer(cast("Writer", writer))
        await read_messages(server, reader)
        writer.close()

    async def listen() -> None:
        try:
            listener = await asyncio.start_server(connection, host, port)
        except (OSError, OverflowError) as error:
            raise ConfigError(
                f"Cannot listen on {host}:{port} ({error})", "the server did not start", "choose another port"
            ) from error
        async with listener:
            name, bound = listener.sockets[0].getsockname()[:2]
            sys.stderr.write(f"cert-lsp: listening on {name}:{bound}\n")
            sys.stderr.flush()
            await listener.serve_forever()

    asyncio.run(listen())
    return 0


class _Writer(StdoutWriter):
    """Standard output that ends the server when its reader is gone."""

    def __init__(self, stdout: BinaryIO, server: CertServer) -> None:
        super().__init__(stdout)
        self._server = server

    def write(self, data: bytes) -> None:
        try:
            super().write(data)
        except BrokenPipeError:
            self._server.stop(1)


class _AnySpelling:
    """Spells ``Content-Length`` as pygls wants it: in the protocol, as in HTTP (RFC 9110, 5.1), case means nothing."""

    def __init__(self, reader: AsyncReader) -> None:
        self._reader = reader

    async def readline(self) -> bytes:
        line = await self._reader.readline()
        length = _CONTENT_LENGTH.fullmatch(line)
        return b"Content-Length: %b\r\n" % length[1] if length else line

    async def readexactly(self, n: int) -> bytes:
        return await self._reader.readexactly(n)


async def read_messages(server: CertServer, reader: AsyncReader) -> None:
    """Run pygls' message loop until ``exit`` or the end of input, then stop the server's work.

    Input ends also where the client has gone in the middle of a message, or sends a header line without end.
    """
    try:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ValueError):
            await run_async(
                stop_event=server.stopped,
                reader=_AnySpelling(reader),
                protocol=server.protocol,
                logger=logging.getLogger("pygls"),
                error_handler=server.report_server_error,
            )
    finally:
        server.stop(server.exit_code)


async def _watch_parent(server: CertServer) -> None:
    """End the process when the editor that started it has died without closing our input.

    A process that was not there at the first look lives in another process namespace (a container) and is not watched;
    nor is any on Windows, where signal 0 would interrupt it.
    """
    parent: int | None = None
    while sys.platform != "win32":
        await asyncio.sleep(WATCH_SECONDS)
        if parent is None:
            if server.process_id is None:
                continue
            if not _alive(server.process_id):
                return
            parent = server.process_id
        elif not _alive(parent):
            os._exit(1)  # the thread that waits for input cannot be woken


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # it lives, as somebody else's process
    return True
