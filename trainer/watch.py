"""Keep a team's corpus current while its repositories are edited.

    python -m trainer watch --repo ~/code/reports --out runs/team
    python -m trainer watch --repo ~/code/reports --out runs/team --once

Watches the folders, and when nothing was edited for a moment reads again what was. A switched branch is one such
moment, however many files it touches. `python -m trainer retrain` with the same --out finds everything read already. It
is started by the schedule that you have: docs/retraining.md shows units for systemd and a line for cron.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from cert_lsp.errors import CertError, ConfigError

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent

    from trainer.retrain.repository import Rules


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``python -m trainer watch``."""
    parser.add_argument(
        "--repo", nargs="+", action="extend", required=True, metavar="DIR", help="folders, as for retrain"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the retraining")
    parser.add_argument("--once", action="store_true", help="bring the corpus up to date and leave")
    parser.add_argument("--quiet", type=float, default=2.0, metavar="S", help="seconds without an edit to wait for (2)")
    parser.add_argument(
        "--latest", type=float, default=60.0, metavar="S", help="seconds from the first edit to wait at most (60)"
    )
    parser.add_argument("--exclude", action="append", default=[], metavar="PATTERN", help="leave out, as in .gitignore")
    parser.add_argument("--deny-licence", action="append", default=[], metavar="SPDX", help="as for retrain")


def run(args: argparse.Namespace) -> int:
    """Watch until SIGTERM or Ctrl-C; returns the exit status."""
    from trainer.retrain.repository import Rules, find

    folders = [find(each, args.out / "clones") for each in dict.fromkeys(args.repo)]
    rules = Rules(tuple(args.exclude), tuple(args.deny_licence))
    if args.once:
        update(folders, rules, args.out)
        return 0
    edits = Edits(args.quiet, args.latest)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: edits.stop())
    observer = _observe(folders, edits)
    try:
        edits.note()  # what was edited while nobody watched
        while edits.wait():
            try:
                update(folders, rules, args.out)
            except CertError as error:  # half an edit may hold nothing to learn; the next may
                sys.stderr.write(f"{error}\n")
    finally:
        observer.stop()
        observer.join()
    return 0


def update(folders: list[Path], rules: Rules, out: Path) -> None:
    """Read again what was edited, and exchange `out`/current for the new corpus.

    Raises:
        CertError: There is nothing to learn, or no room.
    """
    from trainer.retrain.corpus import build
    from trainer.retrain.repository import look_over

    started = time.monotonic()
    drops: Counter[str] = Counter()
    repositories = [look_over(folder, rules, drops) for folder in folders]
    partial, current = out / "current.partial", out / "current"
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        report = build(repositories, drops, partial, out / "shards")
        shutil.rmtree(current, ignore_errors=True)
        partial.rename(current)
    except OSError as error:
        raise CertError(f"{out} cannot be written: {error}", "the corpus is not current", "make room") from error
    seconds = time.monotonic() - started
    sys.stdout.write(f"{report['records']:,} records of {report['files']:,} files, {seconds:.1f} s\n")
    sys.stdout.flush()


class Edits:
    """Edits as they come in from another thread, gathered until there is a pause.

    Args:
        quiet: Seconds without an edit that make a pause.
        latest: Seconds from the first edit after which no pause is waited for.
    """

    def __init__(self, quiet: float, latest: float) -> None:
        self._quiet, self._latest = quiet, latest
        self._changed = threading.Condition()
        self._first = self._last = 0.0
        self._stopped = False

    def note(self) -> None:
        """Take note of an edit."""
        with self._changed:
            self._last = time.monotonic()
            if not self._first:
                self._first = self._last
                self._changed.notify()

    def stop(self) -> None:
        """End the waiting; a signal's handler may call it while the main thread waits."""
        self._stopped = True

    def wait(self) -> bool:
        """Wait for edits and the pause after them; False when it was ended."""
        with self._changed:
            while not self._stopped:
                now = time.monotonic()
                if self._first and (now - self._last >= self._quiet or now - self._first >= self._latest):
                    self._first = 0.0
                    return True
                self._changed.wait(0.1 if self._first else 0.5)
            return False


def _observe(folders: list[Path], edits: Edits):
    """Start to watch the folders.

    Raises:
        ConfigError: The system watches as many folders as it can.
    """
    from watchdog.events import FileSystemEventHandler
    from watchdog.observers import Observer

    from trainer.retrain.repository import SUFFIXES

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            # Reading is an event too, and what no corpus reads need not be looked at.
            if event.event_type not in ("created", "modified", "moved", "deleted"):
                return
            paths = [Path(str(path)) for path in (event.src_path, event.dest_path) if path]
            if any(path.suffix in SUFFIXES or path.name == ".gitignore" for path in paths) or (
                event.is_directory and event.event_type in ("moved", "deleted")
            ):
                edits.note()

    observer = Observer()
    for folder in folders:
        observer.schedule(Handler(), str(folder), recursive=True)
    try:
        observer.start()
    except OSError as error:
        raise ConfigError(
            f"the folders cannot be watched: {error}",
            "the corpus would not stay current",
            "raise fs.inotify.max_user_watches, or run `python -m trainer watch --once` by a schedule",
        ) from error
    return observer
