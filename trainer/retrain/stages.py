"""Stages that are done once: each in a folder that appears when it is complete, with a note of what it was made from.

A stage with the same input as its note is not done again; with another input its folder is thrown away first. A kill at
any moment leaves a folder called `NAME.partial`, which a stage that can go on (`keeps`) is given again. Programs that a
stage starts hold the run's lock as well, so that no second run works beside what a killed one left behind.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cert_lsp.errors import CertError, ConfigError
from trainer.checkpoint import write_atomically


class Stopped(Exception):
    """A signal ended a program that a stage had started; the status is what the run exits with."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Run:
    """The stages of one retraining, in `out`."""

    def __init__(self, out: Path, stages: Sequence[str]) -> None:
        """Work in `out` through `stages`, whose names are for people to count by."""
        self.out, self._stages = out, list(stages)
        self._chain = ""
        self._lock: int | None = None

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs out of the folder.

        Raises:
            ConfigError: Another one works there.
        """
        import fcntl

        self.out.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self.out / ".lock", os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            raise ConfigError(
                f"another run, or a program that a killed run had started, works in {self.out}",
                "two would write the same files",
                "wait for it or end it, then run the same command again",
            ) from error
        try:
            yield
        finally:
            os.close(self._lock)

    def stage(
        self,
        name: str,
        inputs: Mapping[str, Any],
        work: Callable[[Path], None],
        *,
        keeps: bool = False,
        feeds: bool = True,
    ) -> Path:
        """Do a stage, unless it is done; returns its folder.

        Args:
            name: The stage's, and its folder's.
            inputs: What its outcome depends on, beside the stages before it.
            work: Does it, in the folder given.
            keeps: Whether `work` goes on with what an interrupted run left in the folder.
            feeds: Whether later stages are made from it: if it changes, they are done anew.

        Raises:
            CertError: It failed, or could not write.
        """
        folder, partial, note = self.out / name, self.out / f"{name}.partial", self.out / "notes" / f"{name}.json"
        inputs = json.loads(json.dumps({**inputs, "after": self._chain}))
        if feeds:
            self._chain = hashlib.sha256(json.dumps([name, inputs], sort_keys=True).encode()).hexdigest()
        place = f"[{self._stages.index(name) + 1}/{len(self._stages)}] {name}"
        known = _read(note)
        if known.get("inputs") == inputs and known.get("seconds") is not None and folder.is_dir():
            sys.stderr.write(f"{place}: done before\n")
            return folder
        sys.stderr.write(f"{place}\n")
        started, worked, spent = time.monotonic(), _cpu_seconds(), 0.0
        try:
            if known.get("inputs") == inputs and keeps:
                spent = _spent(known, note, partial)
            else:
                shutil.rmtree(partial, ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)
            partial.mkdir(parents=True, exist_ok=True)
            note.parent.mkdir(exist_ok=True)

            write_atomically(note, json.dumps({"inputs": inputs, "spent": spent}) + "\n")
            work(partial)
            partial.rename(folder)
            usage = {
                "seconds": round(spent + time.monotonic() - started, 1),
                "cpu_seconds": round(_cpu_seconds() - worked, 1),
                "peak_mb": round(max(map(_peak_mb, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))),
            }
            write_atomically(note, json.dumps({"inputs": inputs, **usage}) + "\n")
        except OSError as error:
            raise self._unwritable(name, error) from error
        return folder

    def program(self, module: str, *arguments: object) -> None:
        """Run `python -m module arguments` to its successful end; its progress and messages are the user's to see.

        Raises:
            Stopped: A signal ended it.
            CertError: It failed; what it wrote on standard error said why.
        """
        command = [sys.executable, "-m", module, *map(str, arguments)]
        kept = [self._lock] if self._lock is not None else []
        process = subprocess.Popen(command, stdout=sys.stderr, pass_fds=kept)
        previous = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        try:
            status = process.wait()
        except KeyboardInterrupt:  # the terminal has told the program as well; it may save something first
            process.wait()
            raise
        finally:
            signal.signal(signal.SIGTERM, previous)
        if status < 0 or status > 128:
            raise Stopped(128 - status if status < 0 else status)
        if status:
            raise CertError(
                f"`python -m {module} {arguments[0] if arguments else ''}` failed (see its message above)",
                "the model in service stays",
                "mend the cause, then run the same command again: it goes on from here",
            )

    def remember(self, request: str, begun_with: Mapping[str, str] | None = None) -> dict[str, str] | None:
        """What a request was begun with, so that the same request goes on with it even where the world has moved on.

        Args:
            request: A hash of all that is asked for.
            begun_with: To be noted; None only asks.
        """
        note = self.out / "notes" / "request.json"
        if begun_with is not None:
            note.parent.mkdir(exist_ok=True)
            write_atomically(note, json.dumps({"request": request, "begun_with": begun_with}) + "\n")
            return dict(begun_with)
        known = _read(note)
        return known["begun_with"] if known.get("request") == request else None

    def usage(self) -> dict[str, dict[str, float]]:
        """Seconds, those of processors, and peak memory (MB; of the largest program so far) of each stage done.

        What interrupted runs did before is in the seconds alone, as far as the files tell that they left.
        """
        notes = {name: _read(self.out / "notes" / f"{name}.json") for name in self._stages}
        return {
            name: {key: note[key] for key in ("seconds", "cpu_seconds", "peak_mb")}
            for name, note in notes.items()
            if "seconds" in note
        }

    def _unwritable(self, name: str, error: OSError) -> CertError:
        free = shutil.disk_usage(self.out if self.out.exists() else Path.cwd()).free
        return CertError(
            f"the stage {name} could not write: {error}",
            "the model in service stays",
            f"{free / 1e9:.1f} GB are free on the disk of {self.out}: make room, then run the same command again",
        )


def _read(note: Path) -> dict[str, Any]:
    try:
        return json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _spent(known: Mapping[str, Any], note: Path, partial: Path) -> float:
    """Seconds that interrupted runs worked on a stage: from the note that they began with to their last file."""
    written = [path.stat().st_mtime for path in partial.rglob("*")]
    return float(known.get("spent", 0.0)) + max(0.0, max(written, default=0.0) - note.stat().st_mtime)


def _cpu_seconds() -> float:
    """Of this process and of those that it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _peak_mb(who: int) -> float:
    peak = resource.getrusage(who).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3
