"""Make the documentation suite: tasks with value checks, from the documentation of real packages.

Reads source distributions (pinned, hash checked, none of their build code is run): those of trainer/suite/packages.txt,
which no training text comes from, then pandas, NumPy and the packages that the corpus holds out. An example becomes a
task where its prose settles its code and the code gives the same value each time; so does a short documented function
that stands alone. Their code is run, in the sandbox of `evals`, under each interpreter named; the first one decides.

  python -m trainer suite --python old/bin/python --python new/bin/python --out evals/documentation.jsonl

Look at the tasks (--show N prints N of them) and name those that are no good in trainer/suite/left_out.txt.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `python -m trainer suite`."""
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the JSON Lines file to write")
    parser.add_argument(
        "--sdists",
        type=Path,
        default=Path("runs/sdists"),
        metavar="DIR",
        help="where the distributions are kept; what is missing is fetched (default: runs/sdists; about 400 MB)",
    )
    parser.add_argument(
        "--python",
        type=Path,
        action="append",
        metavar="PYTHON",
        help="an interpreter with pandas and NumPy; may be repeated (default: the pinned environment of evals)",
    )
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print N random tasks")


def run(args: argparse.Namespace) -> int:
    """Make the suite; returns the exit status."""
    from evals.environment import pinned_python
    from trainer.corpus.fetch import fetch, read_packages
    from trainer.corpus.readers import Source, licence
    from trainer.suite.build import build, drafts, in_mixed_order

    here = Path(__file__).parent
    unseen = read_packages(here / "packages.txt")
    seen = [package for package in read_packages() if package.heldout or package.name in {"pandas", "numpy"}]
    fetched = [(p, path, True) for p, path in fetch(unseen, args.sdists, lock=here / "packages.lock")]
    fetched += [(p, path, False) for p, path in fetch(seen, args.sdists)]
    sources = [(Source(p.name, path, p.heldout), f"{p.name} {p.version}", fresh) for p, path, fresh in fetched]
    drops: Counter[str] = Counter()
    found = in_mixed_order(list(drafts(sources, drops)))
    records = build(found, args.python or [pinned_python()], drops)
    args.out.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    for record in random.Random(0).sample(records, min(args.show, len(records))):
        sys.stdout.write(f"--- {record['task_id']} {record['source']}\n{record['prompt']}")
        sys.stdout.write(f"⟦{record['canonical_solution'][0]}⟧\n{record['test'].partition('def check')[2]}\n")
    for reason, count in drops.most_common():
        sys.stdout.write(f"dropped {count:6,}  {reason}\n")
    by_source = Counter(record["source"] for record in records)
    licences = {pin: licence(source) for source, pin, _ in sources}
    for pin, count in sorted(by_source.items()):
        sys.stdout.write(f"{count:4}  {pin}  {licences[pin]}\n")
    fresh = sum(record["unseen"] for record in records)
    sys.stdout.write(f"{len(records)} tasks, {fresh} of them from packages that training never reads: {args.out}\n")
    return 0
