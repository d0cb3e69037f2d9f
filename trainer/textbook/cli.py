r"""Write our own intent and code pairs, each one run and checked under every interpreter given.

    python -m trainer textbook --out corpus/textbook --samples 8000 --seed 1 --python env-old/bin/python \
        --python env-new/bin/python

Give one --python per pair of pandas and NumPy that the answers must work with; without it this interpreter's is used.
With `--book phrasebook` people ask in the words of what the data is about, not of its columns; with `--book steps` they
do so for what takes two or three steps. With `--families` most draws are three to six samples that ask of the same
data, and training with `data.branches = 8` reads that data once.
A team adds its own operations with --operations FILE (format: trainer/textbook/operations.py).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cert_lsp.errors import CorpusError
from trainer.textbook.operations import BOOKS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the Parquet files and report go")
    parser.add_argument("--samples", type=int, default=8000, metavar="N", help="how many samples (default 8000)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="the same seed gives the same samples")
    parser.add_argument("--book", choices=[*BOOKS], default="textbook", help="which catalogue (default textbook)")
    parser.add_argument("--families", action="store_true", help="ask several things of the same data, each by itself")
    parser.add_argument("--operations", type=Path, metavar="FILE", help="a TOML file with operations of your own")
    parser.add_argument("--only", action="store_true", help="nothing but the operations of your own file")
    parser.add_argument(
        "--python",
        type=Path,
        action="append",
        metavar="PYTHON",
        help="an interpreter with pandas and NumPy under which answers must work; may be repeated",
    )


def run(args: argparse.Namespace) -> int:
    """Make the samples; returns the exit status."""
    from trainer.corpus.decontaminate import is_contaminated
    from trainer.textbook.build import write
    from trainer.textbook.families import Families
    from trainer.textbook.operations import load, load_all

    if args.only and not args.operations:
        raise CorpusError("--only without --operations leaves nothing", remedy="Name your file by --operations")
    operations = load(args.operations, args.book) if args.only else load_all(args.operations, args.book)
    pythons, families = args.python or [Path(sys.executable)], Families(operations) if args.families else None
    report = write(args.out, operations, pythons, args.samples, args.seed, is_contaminated, families)
    sys.stdout.write(f"{sum(report.kept.values())} samples, {sum(report.dropped.values())} dropped: {args.out}\n")
    return 0
