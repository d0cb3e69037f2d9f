"""The everyday suite: its checks accept what is right under today's pandas, and nothing else."""

import ast
import sys
from pathlib import Path

import pytest

from evals.sandbox import Sandbox
from evals.suite import cut, load_suite

SUITE = load_suite(Path(__file__).parents[2] / "evals" / "everyday.jsonl")


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(Path(sys.executable)) as pool:
        yield pool


def test_every_listed_solution_passes_and_survives_the_cut(sandbox):
    pairs = [(task, solution) for task in SUITE.tasks for solution in task.canonical_solution]
    outcomes = sandbox.run(task.program(cut(solution)) for task, solution in pairs)
    failed = [(task.task_id, s, o) for (task, s), o in zip(pairs, outcomes, strict=True) if not o.passed]
    assert failed == []


@pytest.mark.parametrize("completion", ["", "None", "pass"])
def test_an_idle_completion_solves_no_task(sandbox, completion):
    outcomes = sandbox.run(task.program(completion) for task in SUITE.tasks)
    assert [task.task_id for task, o in zip(SUITE.tasks, outcomes, strict=True) if o.passed] == []


def test_prompts_differ_and_state_an_intent_in_words():
    assert len({task.prompt for task in SUITE.tasks}) == len(SUITE.tasks) == 40
    assert all("# " in task.prompt or '"""' in task.prompt for task in SUITE.tasks)


def test_tests_are_code():
    for task in SUITE.tasks:
        ast.parse(task.test)
