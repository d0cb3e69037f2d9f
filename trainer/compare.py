"""Say whether a run repeats recorded losses: the same tokens at every step, and nearly the same loss.

    python -m trainer compare runs/table/cert docs/table/cert

A run that is not at its end yet is compared as far as it is; so the first steps tell before hours are spent. Tokens
must be equal, or the data is other data. Losses differ a little with the processor and the number of threads, because
sums of floats depend on their order; the exit status is 1 where their mean difference is above `--within`.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

from cert_lsp.errors import ConfigError
from evals.curve import read_metrics


@dataclass(frozen=True)
class Agreement:
    """How far two runs agree over the steps that both have.

    Attributes:
        steps: How many those are.
        same_tokens: Whether both had read as many tokens after each of them.
        mean_difference: Mean absolute difference of the batches' losses, nats a token.
        greatest_difference: The greatest of them.
        held_out_difference: The greatest of the held-out losses'; None if they have none at a common step.
    """

    steps: int
    same_tokens: bool
    mean_difference: float
    greatest_difference: float
    held_out_difference: float | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("run_dir", type=Path, metavar="RUN", help="folder of the run, with its metrics.jsonl")
    parser.add_argument("recorded", type=Path, metavar="RECORDED", help="folder with the metrics.jsonl to repeat")
    parser.add_argument(
        "--within", type=float, default=0.02, metavar="NATS", help="mean difference a token that is allowed (0.02)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Compare, print, and return 1 unless the losses are repeated."""
    found = compare(args.run_dir, args.recorded)
    if args.json:
        sys.stdout.write(json.dumps(asdict(found)) + "\n")
    else:
        tokens = "the same tokens at each" if found.same_tokens else "NOT the same tokens: the data differs"
        held_out = "" if found.held_out_difference is None else f"; held out {found.held_out_difference:.4f} at most"
        apart = f"{found.mean_difference:.4f} on average, {found.greatest_difference:.4f} at most{held_out}"
        sys.stdout.write(f"{found.steps} steps in both, {tokens}\nloss differs by {apart}\n")
    return 0 if found.same_tokens and found.mean_difference <= args.within else 1


def compare(run_dir: Path, recorded: Path) -> Agreement:
    """Compare the metrics of two runs.

    Raises:
        EvalError: A folder has no metrics that can be read.
        ConfigError: They have no step in common.
    """
    one, other = read_metrics(run_dir), read_metrics(recorded)
    steps = sorted(step for step in one.keys() & other.keys() if "loss" in one[step] and "loss" in other[step])
    if not steps:
        raise ConfigError(f"{run_dir} and {recorded} have no step in common", remedy="let the run make some steps")
    apart = [abs(one[step]["loss"] - other[step]["loss"]) for step in steps]
    held_out = [
        abs(one[step]["eval_loss"] - other[step]["eval_loss"])
        for step in steps
        if "eval_loss" in one[step] and "eval_loss" in other[step]
    ]
    same_tokens = all(one[step]["tokens"] == other[step]["tokens"] for step in steps)
    return Agreement(len(steps), same_tokens, fmean(apart), max(apart), max(held_out, default=None))
