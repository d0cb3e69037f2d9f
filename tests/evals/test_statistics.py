"""Intervals: known cases, and that pairing sees what separate intervals do not."""

import pytest

from evals.statistics import difference, interval


def test_the_interval_holds_the_mean_and_narrows_with_tasks():
    few, many = interval([1.0, 0.0] * 10), interval([1.0, 0.0] * 200)
    assert few.mean == many.mean == 0.5
    assert few.low < many.low < 0.5 < many.high < few.high
    # the normal approximation: 0.5 +- 1.96 * 0.5 / sqrt(400)
    assert (many.low, many.high) == (pytest.approx(0.451, abs=0.006), pytest.approx(0.549, abs=0.006))


def test_the_same_scores_give_the_same_interval():
    assert interval([1.0, 0.0, 0.0]) == interval([1.0, 0.0, 0.0])


def test_where_all_tasks_agree_there_is_no_width():
    assert (interval([1.0] * 5).low, interval([1.0] * 5).high) == (1.0, 1.0)


def test_pairing_cancels_what_both_find_hard():
    one = [1.0] * 40 + [1.0] * 8 + [0.0] * 52
    other = [1.0] * 40 + [0.0] * 8 + [0.0] * 52
    paired = difference(one, other)
    assert paired.mean == pytest.approx(0.08)
    assert paired.low > 0  # though the two intervals overlap
    assert interval(other).high > interval(one).low


def test_other_tasks_cannot_be_paired():
    with pytest.raises(ValueError, match="cannot be paired"):
        difference([1.0], [1.0, 0.0])
    with pytest.raises(ValueError, match="no task"):
        interval([])
