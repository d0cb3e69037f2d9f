"""How sure a score is: bootstrap intervals over tasks (Efron 1979), the percentile method.

Tasks are drawn with replacement. The difference of two models is judged on the same draws of the same tasks (paired),
so that what both find hard or easy cancels. Seeded: the same scores give the same interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DRAWS = 10_000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean over tasks and its interval, all as fractions."""

    mean: float
    low: float
    high: float


def interval(scores: Sequence[float]) -> Estimate:
    """The mean of the tasks' scores with its 95 % interval.

    Args:
        scores: One figure a task, 0 to 1 (or -1 to 1 for a difference).

    Raises:
        ValueError: There is no score.
    """
    if not scores:
        raise ValueError("no task, no interval")
    values = np.asarray(scores, np.float64)
    drawn = np.random.default_rng(0).integers(0, len(values), (DRAWS, len(values)))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(values[drawn].mean(axis=1), (tail, 1 - tail))
    return Estimate(float(values.mean()), float(low), float(high))


def difference(one: Sequence[float], other: Sequence[float]) -> Estimate:
    """`one` less `other`, task by task; raises ValueError if they are not scores of the same tasks."""
    if len(one) != len(other):
        raise ValueError(f"{len(one)} scores cannot be paired with {len(other)}")
    return interval([a - b for a, b in zip(one, other, strict=True)])
