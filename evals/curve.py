"""The learning curve: loss and accuracy against the tokens that a model has been trained on.

Runs that went on from one another are laid end to end. Losses come from each run's `metrics.jsonl`; accuracy from a
small CSV file that is kept by hand, one line an evaluated stretch: `tokens`, then a column a suite, in percent.
"""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cert_lsp.errors import EvalError

SMOOTHED_OVER = 25  # steps: the loss of one batch says little


@dataclass(frozen=True)
class Losses:
    """One run's losses; `start` is the number of tokens before it.

    Attributes:
        start: Tokens of the runs before it.
        tokens: After each step, counted from the first run's beginning.
        loss: Of each step's batch, nats a token.
        held_out: (tokens, loss) of each evaluation.
    """

    start: int
    tokens: list[int]
    loss: list[float]
    held_out: list[tuple[int, float]]


@dataclass(frozen=True)
class Scores:
    """One suite's accuracy: (tokens, percent), in order."""

    suite: str
    points: list[tuple[int, float]]


def read_losses(runs: Sequence[Path], before: int = 0) -> list[Losses]:
    """Read the runs' curves, each laid behind the one before; `before` tokens were read before the first.

    Raises:
        EvalError: A run has no metrics.jsonl, or none that can be read.
    """
    found: list[Losses] = []
    start = before
    for run in runs:
        figures = read_metrics(run)
        trained = {step: told for step, told in figures.items() if "loss" in told}
        at = {step: int(start + told["tokens"]) for step, told in trained.items()}
        held_out = [(at[step], told["eval_loss"]) for step, told in trained.items() if "eval_loss" in told]
        one = Losses(start, list(at.values()), [told["loss"] for told in trained.values()], held_out)
        if not one.tokens:
            raise EvalError(f"{run} holds no step", "There is no curve", "Leave that run out")
        start = one.tokens[-1]
        found.append(one)
    return found


def read_metrics(run: Path) -> dict[int, dict[str, float]]:
    """Read the figures of each step of a run, in order; what was measured after a step stands with it.

    Raises:
        EvalError: It has no metrics.jsonl, or none that can be read.
    """
    path = run / "metrics.jsonl"
    figures: dict[int, dict[str, float]] = {}
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                told = json.loads(line)
                if "loss" in told and "tokens" not in told:
                    raise KeyError("tokens")
                figures.setdefault(told["step"], {}).update(told)
    except (OSError, ValueError, KeyError) as error:
        raise EvalError(
            f"{path} cannot be read: {error!r}",
            "Its losses are not known",
            "Name folders that `python -m trainer train` wrote",
        ) from error
    return figures


def read_scores(path: Path) -> list[Scores]:
    """Read the CSV file of evaluated stretches; an empty cell is no point.

    Raises:
        EvalError: It cannot be read, or a cell is no number.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        suites = [name for name in rows[0] if name != "tokens"]
        return [Scores(name, [(int(row["tokens"]), float(row[name])) for row in rows if row[name]]) for name in suites]
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise EvalError(
            f"{path} cannot be read: {error!r}",
            "There is no curve",
            "Its first line is: tokens,SUITE,SUITE; then a line an evaluated stretch",
        ) from error


def smoothed(values: Sequence[float], over: int = SMOOTHED_OVER) -> list[float]:
    """The mean of each value and the ones before it, `over` at most."""
    sums = np.cumsum([0.0, *values])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - over)
    return [float(v) for v in (sums[ends] - sums[starts]) / (ends - starts)]


def draw(losses: Sequence[Losses], scores: Sequence[Scores], out: Path) -> None:
    """Draw both panels.

    Raises:
        EvalError: matplotlib is missing, or the picture cannot be written.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise EvalError(
            "matplotlib is missing", "Nothing can be drawn", "Install it: pip install '.[evals]'"
        ) from error
    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "cert"  # the same picture from the same figures
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2 if scores else 1, 1, sharex=True, figsize=(7, 6 if scores else 3.5), squeeze=False)
    top = axes[0][0]
    for number, run in enumerate(losses):
        label = "training, mean of 25 steps" if number == 0 else None
        top.plot([t / 1e6 for t in run.tokens], smoothed(run.loss), color="tab:blue", linewidth=1, label=label)
        if number:
            top.axvline(run.start / 1e6, color="0.8", linewidth=0.8)
    held_out = [point for run in losses for point in run.held_out]
    if held_out:
        top.plot(
            [t / 1e6 for t, _ in held_out],
            [y for _, y in held_out],
            "o-",
            color="tab:red",
            markersize=3,
            label="held out",
        )
    top.set_ylabel("loss (nats a token)")
    top.legend(frameon=False)
    for one in scores:
        axes[1][0].plot(
            [t / 1e6 for t, _ in one.points], [y for _, y in one.points], "o-", markersize=4, label=one.suite
        )
    if scores:
        axes[1][0].set_ylabel("pass@1 (%)")
        axes[1][0].set_ylim(bottom=0)
        axes[1][0].legend(frameon=False)
    axes[-1][0].set_xlabel("million tokens")
    figure.tight_layout()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(out, metadata={"Date": None} if out.suffix == ".svg" else None)
    except (OSError, ValueError) as error:
        raise EvalError(f"{out} cannot be written: {error}", "The curve is lost", "Name a .svg or .png file") from error
    finally:
        pyplot.close(figure)
