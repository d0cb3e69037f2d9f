"""The suites of daily work: their checks accept what is right under today's pandas, and nothing else."""

import ast
import sys
from pathlib import Path

import pytest

from evals.sandbox import Sandbox
from evals.suite import Suite, cut, load_suite

EVALS = Path(__file__).parents[2] / "evals"


@pytest.fixture(scope="module", params=["everyday", "daily"])
def suite(request: pytest.FixtureRequest) -> Suite:
    return load_suite(EVALS / f"{request.param}.jsonl")


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(Path(sys.executable)) as pool:
        yield pool


def test_every_listed_solution_passes_and_survives_the_cut(sandbox, suite):
    pairs = [(task, solution) for task in suite.tasks for solution in task.canonical_solution]
    outcomes = sandbox.run(task.program(cut(solution)) for task, solution in pairs)
    failed = [(task.task_id, s, o) for (task, s), o in zip(pairs, outcomes, strict=True) if not o.passed]
    assert failed == []


@pytest.mark.parametrize("completion", ["", "None", "pass"])
def test_an_idle_completion_solves_no_task(sandbox, suite, completion):
    outcomes = sandbox.run(task.program(completion) for task in suite.tasks)
    assert [task.task_id for task, o in zip(suite.tasks, outcomes, strict=True) if o.passed] == []


def test_prompts_differ_and_state_an_intent_in_words(suite):
    assert len({task.prompt for task in suite.tasks}) == len(suite.tasks) == {"everyday": 40, "daily": 80}[suite.name]
    assert all(any(mark in task.prompt for mark in ("# ", '"""', "'''")) for task in suite.tasks)


def test_tests_are_code(suite):
    for task in suite.tasks:
        ast.parse(task.test)
