"""The gate: is the new model better on the team's code, and no worse in general?

Each metric is compared pair by pair, as both models answered the same ones; the interval of the mean difference comes
from a paired bootstrap (10,000 resamples, percentiles 2.5 and 97.5, fixed seed). The gate opens only if the intervals
of the fall in loss and of the rise in edit similarity both lie above 0, and the general suite's pass rate has not
fallen by more than the margin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
JUDGED_BY = ("loss", "edit_similarity")
LOWER_IS_BETTER = ("loss",)


@dataclass(frozen=True)
class Interval:
    """A mean with the 95 % interval of its bootstrap."""

    mean: float
    low: float
    high: float


def interval(values: Sequence[float]) -> Interval:
    """The mean of `values` and its interval; the same values give the same interval.

    Raises:
        ValueError: There are none.
    """
    if not values:
        raise ValueError("nothing to average")
    array: NDArray[np.float64] = np.asarray(values, np.float64)
    rng = np.random.default_rng(0)
    means = np.concatenate(
        [array[rng.integers(0, len(array), (500, len(array)))].mean(axis=1) for _ in range(RESAMPLES // 500)]
    )
    low, high = np.percentile(means, (2.5, 97.5))
    return Interval(float(array.mean()), float(low), float(high))


def difference(before: Sequence[float], after: Sequence[float]) -> Interval:
    """How much greater `after` is than `before`, pair by pair."""
    return interval([new - old for old, new in zip(before, after, strict=True)])


def judge(
    team: tuple[Mapping[str, Sequence[float]], Mapping[str, Sequence[float]]],
    general: tuple[Sequence[float], Sequence[float]],
    margin: float,
) -> dict[str, Any]:
    """Judge the new model.

    Args:
        team: Values of each metric on the team's held-out pairs, of the old model and of the new.
        general: 1 for each task of the general suite that is solved, else 0, of the old model and of the new.
        margin: By how much the share of solved tasks may fall.

    Returns:
        What report.json says under `gate`. A difference is positive where the new model is better.
    """
    before, after = team
    better: dict[str, Interval] = {}
    for name in before:
        sign = -1.0 if name in LOWER_IS_BETTER else 1.0
        better[name] = difference([sign * each for each in before[name]], [sign * each for each in after[name]])
    reasons = [
        f"{name}: the interval of the improvement, {better[name].low:+.4f} to {better[name].high:+.4f}, "
        "does not lie above 0"
        for name in JUDGED_BY
        if not better[name].low > 0
    ]
    change = difference(*general)
    if change.mean < -margin:
        reasons.append(f"general suite: {change.mean:+.1%}, more than the margin of {margin:.1%}")
    return {
        "passed": not reasons,
        "reasons": reasons,
        "margin": margin,
        "team_before": {name: asdict(interval(values)) for name, values in before.items()},
        "team_after": {name: asdict(interval(values)) for name, values in after.items()},
        "team_difference": {name: asdict(value) for name, value in better.items()},
        "general_before": asdict(interval(general[0])),
        "general_after": asdict(interval(general[1])),
        "general_difference": asdict(change),
    }
