"""Make training records (head, code, sketch) from source distributions and folders.

Reads Python files, notebooks, reStructuredText and Markdown; finds where prose speaks of code that uses pandas or
NumPy (examples in docstrings, user guides, notebooks, comments, documented functions); drops what is unclear, repeated
or part of an evaluation suite; writes DIR/train.parquet, DIR/heldout.parquet, DIR/pairs.jsonl (what is held out, for
`python -m evals`), DIR/report.md and DIR/report.json. Nothing that is read is ever run. Run it again after an
interruption: finished sources are not read twice.

  python -m trainer corpus --out corpus                          the pinned packages; about 500 MB to fetch
  python -m trainer corpus --out corpus --packages pandas numpy  some of them
  python -m trainer corpus --out team --folder ~/code/reports    your own code instead
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.corpus import place

if TYPE_CHECKING:
    from trainer.corpus.readers import Source


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `python -m trainer corpus`."""
    add_sources(parser)
    place.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the counts as JSON on standard output")


def add_sources(parser: argparse.ArgumentParser) -> None:
    """Declare the options that say what is read, and where the result goes."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the records and reports go")
    parser.add_argument(
        "--sdists",
        type=Path,
        metavar="DIR",
        help="where the pinned distributions are kept; what is missing is fetched (default: OUT/sdists)",
    )
    parser.add_argument(
        "--packages",
        nargs="+",
        metavar="NAME",
        help="take only these of the pinned packages (see trainer/corpus/packages.txt)",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        nargs="+",
        default=[],
        metavar="DIR",
        help="read these folders; without --sdists or --packages, read nothing else",
    )


def sources_of(args: argparse.Namespace) -> list[Source]:
    """The sources that the options name; pinned packages that are missing are fetched.

    Raises:
        CorpusError: A package is not among the pinned ones, or cannot be fetched.
    """
    from trainer.corpus.fetch import choose, fetch
    from trainer.corpus.readers import Source

    sources = [Source(folder.resolve().name, folder.resolve()) for folder in args.folder]
    if args.packages or args.sdists or not sources:
        packages = choose(args.packages)
        found = fetch(packages, args.sdists or args.out / "sdists")
        sources = [Source(package.name, path, package.heldout) for package, path in found] + sources
    return sources


def run(args: argparse.Namespace) -> int:
    """Build the corpus; returns the exit status. Raises CorpusError for input that cannot be used."""
    from trainer.corpus.build import build

    if not build(sources_of(args), args.out, place.place_of(args)):
        sys.stdout.write(f"queued; {args.out / 'report.md'} is written when the job corpus-merge ends\n")
        return 0
    built = json.loads((args.out / "report.json").read_text(encoding="utf-8"))
    if args.json:
        sys.stdout.write(json.dumps({name: value for name, value in built.items() if name != "samples"}) + "\n")
    else:
        counts = ", ".join(f"{count:,} {kind}" for kind, count in built["kinds"].items())
        train, heldout = (built["splits"].get(split, 0) for split in ("train", "heldout"))
        sys.stdout.write(f"{train:,} records to train on, {heldout:,} held out: {counts}\n")
        sys.stdout.write(f"read {args.out / 'report.md'} for what was dropped, and look at the samples in it\n")
    return 0
