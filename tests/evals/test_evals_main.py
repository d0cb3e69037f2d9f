"""The commands, end to end, with a fake engine; one test makes and uses the pinned environment."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from evals import environment
from evals.__main__ import main
from tests.evals.test_generate import Candidate, Manifest

EVERYDAY = Path(environment.__file__).with_name("everyday.jsonl")
CHECK = "def check():\n    import numpy\n    assert x == numpy.int64(1)"


class FakeEngine:
    """Solves the first toy task, goes on too long in the second, and fails in the third."""

    manifest = Manifest()

    @classmethod
    def open(cls, bundle=None, knows=frozenset()):
        return cls()

    def complete_text(self, before, **options):
        return [Candidate({"x = ": "1", "x  = ": "1\nprint(undefined)", "x   = ": "x.y"}[before], "number")]


@pytest.fixture
def suite(tmp_path):
    path = tmp_path / "Toy.jsonl"
    tasks = [
        {
            "task_id": f"Toy/{n}",
            "prompt": prompt,
            "entry_point": "none",
            "canonical_solution": ["2", "1"],
            "test": CHECK,
        }
        for n, prompt in enumerate(["x = ", "x  = ", "x   = "])
    ]
    tasks[2] |= {"satisfiable": False, "canonical_solution": ["2"]}
    path.write_text("".join(json.dumps(task) + "\n" for task in tasks))
    return path


@pytest.fixture
def here():
    """Options that run samples with the current interpreter."""
    return ["--python", sys.executable]


def test_run_writes_samples_results_and_score_and_prints_the_table(suite, tmp_path, capsys, monkeypatch, here):
    monkeypatch.setattr("cert_lsp.engine.pipeline.Engine", FakeEngine)
    out = tmp_path / "out"
    assert main(["run", "--suite", str(suite), "--mode", "sketch", "--out", str(out), *here]) == 0
    score = json.loads((out / "score.json").read_text())
    toy = score["suites"]["Toy"]
    assert (toy["tasks"], toy["passed"], toy["pass@1"]) == (3, 2, pytest.approx(2 / 3))
    assert toy["failures"] == {"NameError": 1}
    assert (toy["satisfiable"]["tasks"], toy["satisfiable"]["passed"], toy["satisfiable"]["pass@1"]) == (2, 2, 1.0)
    assert "66.67%" in capsys.readouterr().out
    results = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    assert [(one["task_id"], one["passed"]) for one in results] == [("Toy/0", True), ("Toy/1", True), ("Toy/2", False)]

    again = ["score", "--suite", str(suite), "--samples", str(out / "samples.jsonl"), "--out", str(tmp_path / "again")]
    assert main([*again, "--json", *here]) == 0
    assert json.loads(capsys.readouterr().out) == score
    assert json.loads((tmp_path / "again" / "score.json").read_text()) == score


def test_check_tells_which_tasks_no_listed_solution_solves(suite, capsys, here):
    assert main(["check", "--suite", str(suite), *here]) == 0
    assert capsys.readouterr().out == (
        "Toy: 2 of 3 tasks have a listed solution that passes\n  Toy/2: AssertionError\n"
    )


def test_greedy_samples_are_drawn_once(suite, tmp_path, capsys):
    command = ["run", "--suite", str(suite), "--mode", "sketch", "--samples", "5", "--out", str(tmp_path / "out")]
    assert main(command) == 1
    assert "all alike" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "extra", [["--samples", "0"], ["--temperature", "-1"], ["--temperature", "nan"], ["--top-p", "0"]]
)
def test_numbers_out_of_range_are_a_wrong_command_line(suite, tmp_path, extra, capsys):
    with pytest.raises(SystemExit) as raised:
        main(["run", "--suite", str(suite), "--mode", "sketch", "--out", str(tmp_path), *extra])
    assert raised.value.code == 2
    assert extra[0] in capsys.readouterr().err


def test_an_error_is_one_message(tmp_path, capsys):
    assert main(["check", "--suite", str(tmp_path / "none.jsonl")]) == 1
    assert capsys.readouterr().err.startswith("error: Suite ")


def test_a_system_that_cannot_fork_is_told(monkeypatch, capsys):
    monkeypatch.delattr("os.fork")
    assert main(["env"]) == 1
    assert "WSL" in capsys.readouterr().err


def test_an_interrupted_command_says_that_it_can_go_on(suite, tmp_path, capsys, monkeypatch, here):
    def interrupt(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("cert_lsp.engine.pipeline.Engine", FakeEngine)
    monkeypatch.setattr(FakeEngine, "complete_text", interrupt)
    assert main(["run", "--suite", str(suite), "--mode", "sketch", "--out", str(tmp_path / "out"), *here]) == 130
    assert "goes on" in capsys.readouterr().err


def test_help_needs_no_engine_and_names_every_command():
    code = (
        "import sys; sys.modules['onnxruntime'] = sys.modules['torch'] = None; from evals.__main__ import main; main()"
    )
    shown = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True).stdout
    assert all(f"python -m evals {command}" in shown for command in ("env", "check", "run", "score"))


def test_a_missing_python_3_11_is_told_with_its_remedy(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "executable", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert main(["env"]) == 1
    assert "python3.11-venv" in capsys.readouterr().err


def test_the_pinned_environment_is_made_once_and_solves_every_everyday_task(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert main(["check", "--suite", str(EVERYDAY), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["suites"]["everyday"] == {"tasks": 40, "passed": 40, "unsolved": {}}
    assert report["sandbox"]["pandas"] == "1.5.3"
    assert report["sandbox"]["numpy"] == "1.23.5"
    assert report["sandbox"]["python"].startswith("3.11.")
    monkeypatch.setenv("PATH", str(tmp_path))  # nothing to make another one with
    assert main(["env"]) == 0
    python = Path(capsys.readouterr().out.strip())
    assert python.is_relative_to(tmp_path / "cache")
    assert python.exists()
