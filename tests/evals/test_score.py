"""pass@k and what is counted."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cert_lsp.errors import EvalError
from evals.generate import Sample
from evals.sandbox import Outcome
from evals.score import Result, pass_at_k, score_suite, table
from evals.suite import Suite, Task

PASSED = Outcome(True, "passed", "")
WRONG = Outcome(False, "AssertionError", "")
SLOW = Outcome(False, "timeout", "")


def suite(*ids, unsatisfiable=()):
    return Suite("Toy", "0", tuple(Task(i, "", "none", (), "", i not in unsatisfiable) for i in ids))


def results(**outcomes):
    return [Result(Sample(i, n, ""), one) for i, several in outcomes.items() for n, one in enumerate(several)]


@given(st.integers(1, 8).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_pass_at_k_is_the_share_of_all_choices_that_hold_a_pass(case):
    n, passed, k = case
    draws = list(itertools.combinations([True] * passed + [False] * (n - passed), k))
    assert math.isclose(pass_at_k(n, passed, k), sum(map(any, draws)) / len(draws), abs_tol=1e-12)


def test_pass_at_k_of_known_values():
    assert pass_at_k(200, 31, 1) == pytest.approx(31 / 200)
    assert pass_at_k(5, 1, 2) == pytest.approx(0.4)
    assert pass_at_k(3, 2, 2) == 1.0


@pytest.mark.parametrize("case", [(5, 1, 6), (5, 6, 1), (5, 1, 0), (5, -1, 1)])
def test_pass_at_k_refuses_what_it_cannot_estimate(case):
    with pytest.raises(ValueError, match="cannot be estimated"):
        pass_at_k(*case)


def test_a_greedy_score_counts_tasks_over_all_and_the_satisfiable():
    score = score_suite(suite("a", "b", "c", unsatisfiable={"c"}), results(b=[WRONG], c=[SLOW], a=[PASSED], d=[PASSED]))
    satisfiable = score.pop("satisfiable")
    assert score == {
        "tasks": 3,
        "samples": 1,
        "passed": 1,
        "pass@1": pytest.approx(1 / 3),
        "failures": {"AssertionError": 1, "timeout": 1},
    }
    assert (satisfiable["tasks"], satisfiable["passed"], satisfiable["pass@1"]) == (2, 1, 0.5)


def test_several_samples_give_pass_at_1_and_10():
    score = score_suite(suite("a", "b"), results(a=[PASSED] * 5 + [WRONG] * 5, b=[WRONG] * 10))
    assert (score["passed"], score["pass@1"], score["pass@10"]) == (1, 0.25, 0.5)
    assert "pass@100" not in score


def test_a_task_without_a_sample_is_told_and_not_counted_as_failed():
    with pytest.raises(EvalError, match=r"1 of the 2 tasks of Toy .*: b\)"):
        score_suite(suite("a", "b"), results(a=[PASSED]))


def test_the_table_shows_both_rows_and_the_failures():
    shown = table({"suites": {"Toy": score_suite(suite("a", "b"), results(a=[PASSED], b=[WRONG]))}})
    assert [line.split() for line in shown.splitlines()] == [
        ["suite", "tasks", "passed", "pass@1"],
        ["Toy", "2", "1", "50.00%"],
        ["satisfiable", "2", "1", "50.00%"],
        ["Toy", "failures:", "AssertionError", "1"],
    ]


def test_a_suite_without_satisfiable_tasks_has_no_rate_for_them():
    score = score_suite(suite("a", unsatisfiable={"a"}), results(a=[WRONG]))
    assert score["satisfiable"] == {"tasks": 0, "samples": 0, "passed": 0, "failures": {}}
    assert "-" in table({"suites": {"Toy": score}}).splitlines()[2]
