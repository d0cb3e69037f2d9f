"""Samples and their outcomes -> pass@k by the unbiased estimator, score.json and a table.

Samples are joined to tasks by task id. A suite is scored over all its tasks, as published figures are, and once more
over the satisfiable ones.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from tqdm import tqdm

from cert_lsp.errors import EvalError
from evals.generate import Sample
from evals.sandbox import Outcome, Sandbox
from evals.suite import Suite, Task, cut

KS = (1, 10, 100)


@dataclass(frozen=True)
class Result:
    """A sample and how it went."""

    sample: Sample
    outcome: Outcome


def run_programs(programs: Iterable[str], sandbox: Sandbox) -> dict[str, Outcome]:
    """Runs each different program once and maps it to its outcome: samples of one task are often alike."""
    different = list(dict.fromkeys(programs))
    bar = tqdm(sandbox.run(different), "run", total=len(different), unit="program", disable=None)
    return dict(zip(different, bar, strict=True))


def judge(suites: Sequence[Suite], samples: Iterable[Sample], sandbox: Sandbox) -> list[Result]:
    """Cuts every sample, joins it to its task and runs it; samples of other suites' tasks are left out."""
    tasks: dict[str, Task] = {task.task_id: task for suite in suites for task in suite.tasks}
    pairs = [
        (sample, tasks[sample.task_id].program(cut(sample.completion))) for sample in samples if sample.task_id in tasks
    ]
    outcomes = run_programs((program for _, program in pairs), sandbox)
    return [Result(sample, outcomes[program]) for sample, program in pairs]


def pass_at_k(samples: int, passed: int, k: int) -> float:
    """The unbiased estimate that at least one of `k` samples passes (Chen et al. 2021, equation 1).

    Args:
        samples: How many samples were drawn, at least `k`.
        passed: How many of them passed.
        k: The number of tries asked about.

    Raises:
        ValueError: `k` is greater than `samples`, or `passed` is.
    """
    if not (0 <= passed <= samples and 1 <= k <= samples):
        raise ValueError(f"pass@{k} cannot be estimated from {passed} of {samples} samples")
    return 1.0 - math.comb(samples - passed, k) / math.comb(samples, k)


def score_suite(suite: Suite, results: Sequence[Result]) -> dict[str, Any]:
    """One suite's figures, as score.json holds them.

    Returns:
        `tasks`, `samples` (of a task, the fewest), `passed` (tasks that at least one sample solves), `pass@k` (a
        fraction, for each k of 1, 10, 100 up to `samples`), `failures` (kind -> samples) and the same again under
        `satisfiable`.

    Raises:
        EvalError: A task has no sample.
    """
    outcomes: dict[str, list[Outcome]] = {task.task_id: [] for task in suite.tasks}
    for result in results:
        if result.sample.task_id in outcomes:
            outcomes[result.sample.task_id].append(result.outcome)
    if missing := [task_id for task_id, found in outcomes.items() if not found]:
        raise EvalError(
            f"{len(missing)} of the {len(outcomes)} tasks of {suite.name} have no sample (the first: {missing[0]})",
            "The suite cannot be scored",
            "Generate the rest by running the same 'python -m evals run' again",
        )
    satisfiable = [outcomes[task.task_id] for task in suite.tasks if task.satisfiable]
    return _figures(list(outcomes.values())) | {"satisfiable": _figures(satisfiable)}


def _figures(tasks: list[list[Outcome]]) -> dict[str, Any]:
    counts = [(len(outcomes), sum(outcome.passed for outcome in outcomes)) for outcomes in tasks]
    fewest = min((samples for samples, _ in counts), default=0)
    failures = Counter(outcome.kind for outcomes in tasks for outcome in outcomes if not outcome.passed)
    return {
        "tasks": len(tasks),
        "samples": fewest,
        "passed": sum(passed > 0 for _, passed in counts),
        **{f"pass@{k}": fmean(pass_at_k(*count, k) for count in counts) for k in KS if k <= fewest},
        "failures": dict(failures.most_common()),
    }


def table(score: dict[str, Any]) -> str:
    """The score as lines for a terminal: one row for all tasks of a suite, one for the satisfiable, then failures."""
    rates = [f"pass@{k}" for k in KS if any(f"pass@{k}" in suite for suite in score["suites"].values())]
    rows = [["suite", "tasks", "passed", *rates]]
    for name, suite in score["suites"].items():
        for label, part in ((name, suite), ("  satisfiable", suite["satisfiable"])):
            shown = [f"{part[rate]:.2%}" if rate in part else "-" for rate in rates]
            rows.append([label, str(part["tasks"]), str(part["passed"]), *shown])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join([first.ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(rest, widths[1:], strict=True))])
        for first, *rest in rows
    ]
    for name, suite in score["suites"].items():
        if suite["failures"]:
            lines.append(f"{name} failures: " + ", ".join(f"{kind} {n}" for kind, n in suite["failures"].items()))
    return "\n".join(lines)
