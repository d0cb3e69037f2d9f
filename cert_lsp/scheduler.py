"""Which request gets the model: one at a time, and the latest of its kind.

A model runs in a thread of its own (see `loading`), reading a buffer in another, so that the event loop stays free to
take the next message. A request claims a key (feature and document); a newer claim of that key ends the older one. Work
that waits in a queue is dropped, and work that runs sees its `Job.cancelled` event between two tokens. Editors differ
in whether they cancel what they no longer want (Neovim does not), so this never depends on them.

All methods belong to the event loop's thread.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Generator, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Superseded(Exception):
    """A newer request of the same kind for the same document took this one's place."""


class Job:
    """One request's claim. `cancelled` is set as soon as nobody waits for the answer."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self._superseded = False
        self._future: asyncio.Future[object] | None = None

    async def run(self, executor: ThreadPoolExecutor, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Await `call` in the executor's thread; else as `wait`."""
        if self._superseded:
            raise Superseded
        return await self.wait(asyncio.get_running_loop().run_in_executor(executor, lambda: call(*args, **kwargs)))

    async def wait(self, awaitable: Awaitable[T]) -> T:
        """Await something.

        Raises:
            Superseded: A newer request claimed the key.
            asyncio.CancelledError: The client cancelled the request.
        """
        future = asyncio.ensure_future(awaitable)
        self._future = future  # pyright: ignore[reportAttributeAccessIssue] - Future is invariant
        if self._superseded:
            future.cancel()
        try:
            return await future
        except asyncio.CancelledError:
            if self._superseded:
                raise Superseded from None
            raise

    def supersede(self) -> None:
        """End the job in favour of a newer one."""
        self._superseded = True
        self.cancelled.set()
        if self._future is not None:
            self._future.cancel()


class Scheduler:
    """Hands out claims, and the thread in which buffers are read."""

    def __init__(self) -> None:
        self.reader = ThreadPoolExecutor(1, thread_name_prefix="cert-reader")
        self._jobs: dict[Hashable, Job] = {}

    @contextmanager
    def claim(self, key: Hashable) -> Generator[Job]:
        """Take `key` from whoever holds it, until the end of the block."""
        self.release(key)
        job = self._jobs[key] = Job()
        try:
            yield job
        finally:
            job.cancelled.set()
            if self._jobs.get(key) is job:
                del self._jobs[key]

    def release(self, key: Hashable) -> None:
        """End the job that holds `key`, if any."""
        if older := self._jobs.pop(key, None):
            older.supersede()

    def close(self) -> None:
        """End every job, and take no more work."""
        self.stop()
        self.reader.shutdown(wait=False, cancel_futures=True)

    def stop(self) -> None:
        """End every job; one that runs stops at the next token."""
        for key in list(self._jobs):
            self.release(key)
