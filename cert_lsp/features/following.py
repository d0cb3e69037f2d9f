"""Follows the model store: a version that is put in service there soon answers here, without a restart.

It is verified and loaded beside the old one and takes its place between two requests. One that is refused is told to
the user, once, and the old one goes on. A client that names a model itself keeps that one.
"""

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types

from cert_lsp.errors import CertError
from cert_lsp.features.status import show, tell_status
from cert_lsp.protocol import CertServer
from cert_lsp.store import POINTER, Store

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent

logger = logging.getLogger(__name__)


async def follow_store(ls: CertServer) -> None:
    """Exchange the model whenever another is put in service; runs until it is cancelled."""
    from watchdog.events import FileSystemEventHandler
    from watchdog.observers import Observer

    loop, changed, folder = asyncio.get_running_loop(), asyncio.Event(), Store().folder

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: "FileSystemEvent") -> None:
            # Reading is an event too; to answer it by reading again would never end.
            named = any(str(path).endswith(POINTER) for path in (event.src_path, event.dest_path))
            if named and event.event_type in ("created", "modified", "moved"):
                loop.call_soon_threadsafe(changed.set)

    observer = Observer()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        observer.schedule(Handler(), str(folder))
        observer.start()
    except OSError as error:  # no rights there, or the system watches as many folders as it can
        logger.warning("the model store is not watched (%s); another model counts from the next start", error)
        return
    try:
        if ls.session.model and not ls.session.model.failure:
            changed.set()  # a version may have come while the first model was loading
        answering = ls.session.model.folder if ls.session.model else None
        while True:
            await changed.wait()
            changed.clear()
            answering = await _exchange(ls, answering)
    finally:
        observer.stop()


async def _exchange(ls: CertServer, answering: Path | None) -> Path | None:
    """Exchange the model if it is to be another; returns the folder of the one that answers now.

    Whoever shares the model may have exchanged it already; what was offered is this connection's own to forget.
    """
    session = ls.session
    if session.model is None:
        return answering
    try:
        await session.model.follow()
    except CertError as error:
        remains = " The old model goes on answering." if session.model.engine else ""
        show(ls, types.MessageType.Warning, f"{error}{remains}")
    if session.model.folder != answering:
        session.offers.clear()
        tell_status(ls)
    return session.model.folder
