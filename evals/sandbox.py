"""Runs programs of unknown quality, each in its own confined process; the host side of `sandbox_worker`.

What the confinement covers, and what not, is told in `sandbox_worker`; `Sandbox.facts` says which of it this machine
gives. Needs an operating system that can fork (Linux or macOS).
"""

import contextlib
import json
import os
import queue
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from cert_lsp.errors import EvalError

WORKER = Path(__file__).with_name("sandbox_worker.py")
LIBRARIES = ("numpy", "pandas")


@dataclass(frozen=True)
class Limits:
    """What one program may use: seconds of CPU and of the clock, MiB of address space, MiB of one file.

    The clock's limit is the wider one: on a busy machine only CPU time treats samples alike. Of an exception's message
    `message_characters` are told.
    """

    cpu_seconds: int = 10
    wall_seconds: float = 30.0
    memory_mb: int = 2048
    file_mb: int = 16
    message_characters: int = 300


@dataclass(frozen=True)
class Outcome:
    """How one program went; `kind` is `passed`, `timeout`, `killed` or the name of the exception's class."""

    passed: bool
    kind: str
    message: str


class Sandbox:
    """A pool of worker processes; use it as a context manager.

    Args:
        python: The interpreter that runs the programs.
        limits: What each program may use.
        workers: How many programs run at a time.
        preload: Libraries imported once, before the first program.

    Raises:
        EvalError: The interpreter cannot start or lacks a library.
    """

    def __init__(
        self, python: Path, *, limits: Limits = Limits(), workers: int = 2, preload: tuple[str, ...] = LIBRARIES
    ) -> None:
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._executor = ThreadPoolExecutor(workers)
        with contextlib.ExitStack() as starting:
            for _ in range(workers):
                worker = _Worker(python, limits, preload)
                starting.callback(worker.close)
                self._idle.put(worker)
                self.facts: dict[str, str] = worker.facts
            self._stack = starting.pop_all()

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(wait=True, cancel_futures=True)
        self._stack.close()

    def run(self, programs: Iterable[str]) -> Iterator[Outcome]:
        """Runs the programs in parallel and yields their outcomes in the programs' order.

        Raises:
            EvalError: A worker ended, or cannot confine a program.
        """
        return self._executor.map(self._run_one, programs)

    def _run_one(self, program: str) -> Outcome:
        worker = self._idle.get()
        try:
            return worker.run(program)
        finally:
            self._idle.put(worker)


class _Worker:
    """One interpreter with the libraries loaded; forks a child for each program."""

    def __init__(self, python: Path, limits: Limits, preload: tuple[str, ...]) -> None:
        self._stack = contextlib.ExitStack()
        home = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="evals-home-"))
        self._errors = self._stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - closed by the stack
        command = [
            python,
            WORKER,
            f"--cpu-seconds={limits.cpu_seconds}",
            f"--wall-seconds={limits.wall_seconds}",
            f"--memory-mb={limits.memory_mb}",
            f"--file-mb={limits.file_mb}",
            f"--message-characters={limits.message_characters}",
            "--preload",
            *preload,
        ]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                cwd=home,
                env=_environment(home),
                text=True,
                encoding="utf-8",
            )
        except OSError as error:
            self._stack.close()
            raise EvalError(
                f"{python} cannot be started: {error}", "Nothing can be scored", "Name a Python interpreter"
            ) from error
        try:
            self.facts: dict[str, str] = self._receive()
        except EvalError:
            self.close()
            raise

    def run(self, program: str) -> Outcome:
        """Runs one program; raises EvalError if the worker is gone or cannot confine it."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # told by the missing answer
            self._process.stdin.write(json.dumps({"program": program}) + "\n")
            self._process.stdin.flush()
        outcome = Outcome(**self._receive())
        if outcome.kind == "unconfined":
            raise EvalError(
                f"A program cannot be confined on this machine: {outcome.message}",
                "Nothing was run, and nothing is scored",
                "Score on a Linux machine without that restriction",
            )
        return outcome

    def _receive(self) -> dict:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line:
            return json.loads(line)
        self._errors.seek(0)
        last_line = self._errors.read().decode(errors="replace").strip().rpartition("\n")[2]
        raise EvalError(
            f"The sandbox's interpreter ended: {last_line or 'no message'}",
            "Nothing more can be scored",
            "Make the pinned environment anew with 'python -m evals env --force', or check the one you named",
        )

    def close(self) -> None:
        """Ends the process and removes its home folder."""
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate()
        self._stack.close()


def _environment(home: str) -> dict[str, str]:
    """A bare environment: nothing of the user's reaches a program; one thread, and the same hashes each time."""
    kept = {name: os.environ[name] for name in ("PATH", "OPENBLAS_CORETYPE") if name in os.environ}
    return kept | {
        "HOME": home,
        "TMPDIR": home,
        "LANG": "C.UTF-8",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MPLBACKEND": "Agg",
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
