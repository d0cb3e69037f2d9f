"""Drafts to tasks, in the sandbox: what is kept has a value that only a right answer gives."""

import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from cert_lsp.errors import CorpusError
from evals.sandbox import Sandbox
from evals.suite import load_suite
from trainer.suite import build as building
from trainer.suite.build import build, read_left_out
from trainer.suite.draft import Draft
from trainer.suite.guest import test_source as source_of_test

SUITE = Path(__file__).parents[3] / "evals" / "documentation.jsonl"
HEAD = "import pandas as pd\n\ns = pd.Series([3, 1, 2])\n\n"
DRAFT = Draft(
    prompt=HEAD + "# Sort the prices from the largest to the smallest one\nresult = ",
    solution="s.sort_values(ascending=False)",
    entry_point="none",
    setup=(),
    probes=("result",),
    wrong=("None", "s"),
    intent="Sort the prices from the largest to the smallest one",
    source="demo 1.0",
    path="demo/guide.rst",
    unseen=True,
)
FUNCTION = Draft(
    prompt='import numpy as np\n\n\ndef spread(x):\n    """Return the largest less the smallest value."""\n',
    solution="    return np.max(x) - np.min(x)",
    entry_point="spread",
    setup=(),
    probes=(),
    wrong=("    return None", "    return x"),
    intent="Return the largest less the smallest value",
    source="demo 1.0",
    path="demo/module.py",
    unseen=True,
    searched=(("x", ("text", "floats")),),
)


def test_a_task_knows_right_from_wrong(tmp_path: Path):
    drops: Counter[str] = Counter()
    records = build([DRAFT, FUNCTION], [Path(sys.executable)], drops)
    assert [record["intent"] for record in records] == [DRAFT.intent, FUNCTION.intent], drops
    assert all(len(record["holds"]) == 1 for record in records)
    file = tmp_path / "demo.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    example, function = load_suite(file).tasks
    assert "spread(np.array([3.2, 1.5, 4.8, 2.1, 5.0, 0.7]))" in function.test  # no text is an array
    answers = {
        example.program(example.canonical_solution[0]): True,
        example.program("s.iloc[[0, 2, 1]]"): True,
        example.program("s.sort_values()"): False,
        function.program("    return np.ptp(x)"): True,
        function.program("    return np.max(x)"): False,
    }
    with Sandbox(Path(sys.executable)) as sandbox:
        outcomes = [outcome.passed for outcome in sandbox.run(answers)]
    assert outcomes == list(answers.values())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"solution": "s.sort_values(reverse=True)"}, "run: TypeError"),
        ({"solution": "s.sample(40, replace=True)"}, "run: another value each time"),
        ({"solution": "s.rename('price')"}, "check: a trivial answer passes"),
        ({"solution": "object()"}, "run: the value is an object without a plain form"),
        ({"solution": "None"}, "run: the value is nothing"),
    ],
)
def test_what_cannot_be_checked_is_dropped(changes: dict[str, str], reason: str):
    drops: Counter[str] = Counter()
    assert build([replace(DRAFT, **changes)], [Path(sys.executable)], drops) == []
    assert drops == {reason: 1}


def test_repetitions_are_dropped():
    drops: Counter[str] = Counter()
    again = replace(DRAFT, intent="Other words", prompt=HEAD + "# Other words\nresult = ")
    assert len(build([DRAFT, again], [Path(sys.executable)], drops)) == 1
    assert drops["repeats another task"] == 1


def test_tests_are_the_same_whatever_the_version():
    text = source_of_test("none", (), ("x",), [["frame", ["a"], [0.0], [[None, 2.5]]]])
    program = f"import pandas as pd\nx = pd.DataFrame({{'a': [None, 2.5]}}, index=[0, 1])\n{text}\n"
    assert "[None, 2.5]" in program


def test_what_is_left_out_has_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert all(reason for reason in read_left_out().values())
    bad = tmp_path / "left_out.txt"
    bad.write_text("# a comment\n12345678\n", encoding="utf-8")
    monkeypatch.setattr(building, "LEFT_OUT", bad)
    with pytest.raises(CorpusError, match="line 2"):
        read_left_out()


def test_the_suite_is_what_its_readme_says():
    suite = load_suite(SUITE)
    assert len(suite.tasks) >= 500
    assert sum(task.unseen for task in suite.tasks) >= 200
    assert all(task.intent and task.source and task.holds for task in suite.tasks)
    trained_on = (Path(building.__file__).parents[1] / "corpus" / "packages.txt").read_text(encoding="utf-8")
    unseen = {task.source.split()[0] for task in suite.tasks if task.unseen}
    assert not unseen & {line.split("==")[0] for line in trained_on.splitlines()}
    assert not {task.task_id.rpartition("/")[2] for task in suite.tasks} & set(read_left_out())
    notice = (SUITE.parents[1] / "NOTICE").read_text(encoding="utf-8")
    assert all(task.source in notice for task in suite.tasks)
