"""Who does the corpus's work, as the command line says it."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass

from cert_lsp.errors import ConfigError


@dataclass(frozen=True)
class Place:
    """Who does the work.

    Attributes:
        executor: local, ray or slurm.
        workers: Tasks done at the same time.
        partition: Slurm's queue.
        time: Slurm's limit for a task, HH:MM:SS.
    """

    executor: str = "local"
    workers: int = 1
    partition: str = ""
    time: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options that make a Place."""
    place = parser.add_argument_group("where the work is done; the result is the same everywhere")
    place.add_argument(
        "--executor",
        choices=("local", "ray", "slurm"),
        default="local",
        help="this machine (default); the Ray cluster that RAY_ADDRESS names, or one started here; Slurm, which queues "
        "the work and returns",
    )
    place.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="tasks at a time (default: %(default)s)"
    )
    place.add_argument("--partition", default="", metavar="NAME", help="Slurm's partition")
    place.add_argument("--time", default="12:00:00", metavar="H:M:S", help="Slurm's limit for a task (%(default)s)")


def place_of(args: argparse.Namespace) -> Place:
    """The Place that the options name."""
    if args.workers < 1:
        raise ConfigError(f"--workers {args.workers} is no number of workers", remedy="give 1 or more")
    if args.executor == "slurm" and not args.partition:
        raise ConfigError("Slurm needs a --partition", "nothing was queued", "`sinfo` names them")
    return Place(args.executor, args.workers, args.partition, args.time)
