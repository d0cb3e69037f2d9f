"""Suites: what is cut, what runs, and what a bad file says."""

import json

import pytest

from cert_lsp.errors import EvalError
from evals.suite import STOPS, Task, cut, load_suite, load_suites

TASK = {
    "task_id": "Toy/0",
    "prompt": "x = ",
    "entry_point": "none",
    "canonical_solution": ["1"],
    "test": "def check():\n    assert x == 1",
}


def write(path, *records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


@pytest.mark.parametrize("stop", STOPS)
def test_cut_ends_before_each_stop(stop):
    assert cut(f"a = 1\nb = 2{stop} rest") == "a = 1\nb = 2"


def test_cut_takes_the_first_of_several_stops_whatever_their_order():
    assert cut("a\nif b\nclass C") == "a"
    assert cut("a\nclass C\nif b") == "a"


def test_cut_keeps_what_only_resembles_a_stop():
    whole = "if a:\n    if b:\n        # c\n        print(d)"
    assert cut(whole) == whole


def test_program_calls_check_with_the_entry_point():
    function = Task("Toy/1", "def f(x):\n    return ", "f", (), "def check(candidate):\n    assert candidate(1) == 2")
    assert function.program("x + 1").endswith("\ncheck(f)\n")
    assert function.program("x + 1").startswith("def f(x):\n    return x + 1\ndef check(")
    assert Task("Toy/2", "", "none", (), "").program("x").endswith("\ncheck()\n")


def test_a_suite_is_named_after_its_file_and_satisfiable_is_true_if_absent(tmp_path):
    suite = load_suite(write(tmp_path / "Toy.dev.jsonl", TASK, TASK | {"task_id": "Toy/1", "satisfiable": False}))
    assert suite.name == "Toy.dev"
    assert [task.satisfiable for task in suite.tasks] == [True, False]
    assert suite.tasks[0].canonical_solution == ("1",)


def test_a_line_separator_inside_a_string_does_not_end_the_line(tmp_path):
    path = tmp_path / "Toy.jsonl"
    path.write_text(json.dumps(TASK | {"prompt": "x = '\u2028'"}, ensure_ascii=False) + "\n", encoding="utf-8")
    assert load_suite(path).tasks[0].prompt == "x = '\u2028'"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "line 1"),
        ("[]", "not a JSON object"),
        (json.dumps(TASK) + "\n" + json.dumps({"task_id": "Toy/1"}), "line 2: the field"),
        (json.dumps(TASK | {"prompt": 3}), "wrong type"),
        (json.dumps(TASK | {"canonical_solution": 3}), "line 1"),
        ("", "no task"),
    ],
)
def test_a_bad_suite_is_told_with_its_place(tmp_path, content, told):
    path = tmp_path / "Toy.jsonl"
    path.write_text(content)
    with pytest.raises(EvalError, match=told):
        load_suite(path)


def test_a_suite_that_is_not_there_or_not_text_is_told(tmp_path):
    with pytest.raises(EvalError, match="cannot be read"):
        load_suite(tmp_path / "none.jsonl")
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(EvalError, match="cannot be read"):
        load_suite(tmp_path / "binary.jsonl")


def test_task_ids_may_not_clash_between_suites(tmp_path):
    with pytest.raises(EvalError, match="Toy/0"):
        load_suites([write(tmp_path / "a.jsonl", TASK), write(tmp_path / "b.jsonl", TASK)])
