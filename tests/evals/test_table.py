"""The table: rows run once, figures put together, Markdown written between markers; and the learning curve."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import ClassVar

import pytest

from cert_lsp.engine.knowledge import KNOWLEDGE
from cert_lsp.errors import EvalError
from evals.__main__ import main
from evals.curve import read_losses, read_scores, smoothed
from evals.pairs import Judged, Pair
from evals.report import BEGIN, END, write_between_markers
from evals.rows import read_rows
from tests.evals.test_generate import Candidate, Manifest

README = Path(__file__).parents[2] / "README.md"
ROWS = """
suites = ["Toy.jsonl", "Absent.jsonl"]

[[columns]]
name = "all"
suites = ["Toy"]

[[columns]]
name = "unseen"
suites = ["Toy"]
unseen = true

[[columns]]
name = "absent"
suites = ["Absent"]

[[rows]]
name = "Model, no sketch"
mode = "nosketch"

[[rows]]
name = "Model"
mode = "sketch"

[[differences]]
one = "Model"
other = "Model, no sketch"

[[published]]
name = "Others"
all = 12.75
"""


class FakeEngine:
    """Solves all with a sketch, and without one only the first task; counts its calls."""

    manifest = Manifest()
    calls = 0
    knew: ClassVar[list[frozenset[str]]] = []

    @classmethod
    def open(cls, bundle=None, *, threads=None, knows):
        cls.knew.append(knows)
        return cls()

    def complete_text(self, before, *, mode, **options):
        type(self).calls += 1
        type(self).options = options
        return [Candidate("1" if mode == "sketch" or "zero" in before else "np.missing(1)", "number")]


@pytest.fixture
def rows(tmp_path, monkeypatch):
    """A rows file with its suite, and an engine that needs no model."""
    monkeypatch.setattr("cert_lsp.engine.pipeline.Engine", FakeEngine)
    monkeypatch.setattr("evals.table.stubs_version", lambda: "")
    monkeypatch.setattr(FakeEngine, "calls", 0)
    monkeypatch.setattr(FakeEngine, "knew", [])
    tasks = [
        {
            "task_id": f"Toy/{name}",
            "prompt": f"import numpy as np\n# {name}\nx = ",
            "entry_point": "none",
            "canonical_solution": ["1"],
            "test": "def check():\n    assert x == 1",
            "unseen": name != "zero",
        }
        for name in ("zero", "one", "two")
    ]
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "Toy.jsonl").write_text("".join(json.dumps(task) + "\n" for task in tasks))
    path = tmp_path / "rows.toml"
    path.write_text(ROWS)
    return path


def command(rows: Path, *extra: str) -> list[str]:
    where = ["--rows", str(rows), "--suites", str(rows.parent / "suites"), "--out", str(rows.parent / "out")]
    return ["table", *where, "--python", sys.executable, *extra]


def test_the_table_tells_scores_differences_and_missing_names(rows, capsys):
    readme = rows.parent / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    assert main(command(rows, "--readme", str(readme))) == 0
    told = json.loads((rows.parent / "out" / "table.json").read_text())
    (versions,) = told["versions"]
    bare = told["rows"]["Model, no sketch"]["columns"]
    assert bare["all"]["versions"][versions]["pass@1"]["mean"] == pytest.approx(1 / 3)
    assert bare["all"]["versions"][versions]["missing_api"] == pytest.approx(2 / 3)
    assert bare["unseen"]["versions"][versions]["passed"] == 0
    assert told["rows"]["Model"]["columns"]["unseen"]["versions"][versions]["passed"] == 2
    assert told["differences"][0]["columns"]["unseen"] == {"mean": 1.0, "low": 1.0, "high": 1.0}
    assert (told["missing"], list(told["tasks"])) == (["Absent.jsonl"], ["all", "unseen"])
    assert "Absent.jsonl" in capsys.readouterr().err
    content = readme.read_text()
    assert content.startswith(f"before\n{BEGIN}\n| ")
    assert content.endswith(f"{END}\nafter\n")
    assert "old" not in content
    assert "| Others | 12.75 |  |" in content
    assert "| Model | 100.0 [100.0, 100.0] | 100.0 [100.0, 100.0] |" in content


def test_a_second_table_runs_nothing_and_says_the_same(rows, capsys, monkeypatch):
    assert main(command(rows, "--json")) == 0
    first = capsys.readouterr().out
    assert FakeEngine.calls == 6
    monkeypatch.setattr("evals.table.judge", None)  # would fail if it were called
    assert main(command(rows, "--json")) == 0
    assert FakeEngine.calls == 6
    assert capsys.readouterr().out == first


def test_samples_of_another_suite_are_not_mixed_in(rows, capsys):
    assert main(command(rows)) == 0
    suite = rows.parent / "suites" / "Toy.jsonl"
    suite.write_text(suite.read_text().replace("x == 1", "x in (1, 2)"))
    assert main(command(rows)) == 1
    assert "not mixed" in capsys.readouterr().err


def test_a_sampled_row_tells_pass_at_10(rows):
    rows.write_text(ROWS.replace('mode = "sketch"', 'mode = "sketch"\nsamples = 10\ntemperature = 0.8'))
    assert main(command(rows)) == 0
    told = json.loads((rows.parent / "out" / "table.json").read_text())
    figures = told["rows"]["Model"]["columns"]["all"]["versions"][told["versions"][0]]
    assert figures["pass@10"] == 1.0
    assert "; @10 100.0" in (rows.parent / "out" / "table.md").read_text()


def test_a_row_tells_how_many_are_written_for_an_answer(rows, capsys):
    rows.write_text(ROWS.replace('mode = "sketch"', 'mode = "sketch"\ncandidates = 3'))
    assert main(command(rows)) == 0
    settings = json.loads((rows.parent / "out" / "model" / "Toy" / "settings.json").read_text())
    assert settings["decoding"]["candidates"] == FakeEngine.options["candidates"] == 3
    other = json.loads((rows.parent / "out" / "model-no-sketch" / "Toy" / "settings.json").read_text())
    assert "candidates" not in other["decoding"]
    rows.write_text(ROWS)
    assert main(command(rows)) == 1
    assert "drawn otherwise" in capsys.readouterr().err


def test_a_row_has_the_helps_that_it_names(rows, capsys):
    rows.write_text(ROWS.replace('mode = "sketch"', 'mode = "sketch"\nknows = ["api_filter"]'))
    assert main(command(rows)) == 0
    assert FakeEngine.knew == [KNOWLEDGE, {"api_filter"}]
    settings = json.loads((rows.parent / "out" / "model" / "Toy" / "settings.json").read_text())
    assert set(settings["without"]) == KNOWLEDGE - {"api_filter"}
    rows.write_text(ROWS)
    assert main(command(rows)) == 1
    assert "drawn otherwise" in capsys.readouterr().err
    rows.write_text(ROWS.replace('mode = "sketch"', 'mode = "sketch"\nknows = ["guessing"]'))
    assert main(command(rows)) == 1
    assert "guessing" in capsys.readouterr().err


def test_a_row_is_told_the_versions_that_it_names(rows, capsys):
    rows.write_text(ROWS.replace('mode = "sketch"', 'mode = "sketch"\npandas = "1.5.3"'))
    assert main(command(rows)) == 0
    settings = json.loads((rows.parent / "out" / "model" / "Toy" / "settings.json").read_text())
    assert settings["versions"] == {"pandas": "1.5.3", "numpy": None}
    rows.write_text(ROWS)
    assert main(command(rows)) == 1
    assert "drawn otherwise" in capsys.readouterr().err


def test_pairs_are_judged_as_the_row_asks_and_kept_without_their_file(rows, monkeypatch):
    asked = []

    def judge_pairs(engine, bundle, pairs, folder, *, mode):
        asked.append((pairs, mode))
        folder.mkdir(parents=True)
        judged = [Judged("1", "x", "x", 0.0, 1.0, 0.5, 2.0)]
        (folder / "pairs.jsonl").write_text(json.dumps(asdict(judged[0])) + "\n")
        return judged

    monkeypatch.setattr("evals.table.judge_pairs", judge_pairs)
    pair = {"id": "1", "head": "x =", "code": " 1", "sketch": " $number"}
    (rows.parent / "pairs.jsonl").write_text(json.dumps(pair) + "\n")
    bare = '\n[[rows]]\nname = "Bare"\nmode = "sketch"\nknows = []\n'
    rows.write_text('pairs = "pairs.jsonl"\n' + ROWS.replace("\n[[differences]]", bare + "\n[[differences]]"))
    assert main(command(rows)) == 0
    assert asked == [([Pair(**pair)], "nosketch"), ([Pair(**pair)], "sketch")]
    told = json.loads((rows.parent / "out" / "table.json").read_text())["rows"]
    assert told["Model"]["pairs"] == {"pairs": 1, "sketch_exact": 0, "code_exact": 1, "edit_similarity": 0.5, "loss": 2}
    assert told["Bare"]["pairs"] is None
    (rows.parent / "pairs.jsonl").unlink()
    assert main(command(rows)) == 0
    assert json.loads((rows.parent / "out" / "table.json").read_text())["rows"] == told


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('mode = "sketch"', 'mood = "sketch"'), "the keys of \\[\\[rows\\]\\] are name, mode"),
        (('one = "Model"', 'one = "Another"'), "cannot be used"),
        (("suites = [", "sweets = ["), "sweets is no key"),
        (("[[rows]]", "[[rows"), "cannot be read"),
    ],
)
def test_a_wrong_rows_file_is_told(rows, change, message):
    rows.write_text(ROWS.replace(*change))
    with pytest.raises(EvalError, match=message):
        read_rows(rows, rows.parent / "suites")


def test_the_projects_own_rows_file_and_readme_fit():
    rows = read_rows(README.parent / "evals" / "table.toml", None)
    assert {"everyday.jsonl", "documentation.jsonl"} <= {path.name for path in rows.suites}
    content = README.read_text(encoding="utf-8")
    assert content.index(BEGIN) < content.index(END)


def test_a_file_without_markers_is_left_alone(tmp_path):
    path = tmp_path / "notes.md"
    path.write_text("nothing")
    with pytest.raises(EvalError, match="has no lines"):
        write_between_markers(path, "text")
    assert path.read_text() == "nothing"


def test_runs_are_laid_end_to_end(tmp_path):
    for name, steps in (("a", 2), ("b", 3)):
        (tmp_path / name).mkdir()
        lines = [{"step": n, "loss": 1.0 / n, "tokens": 100 * n} for n in range(1, steps + 1)]
        lines.append({"step": steps, "eval_loss": 0.5})
        (tmp_path / name / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    one, two = read_losses([tmp_path / "a", tmp_path / "b"])
    assert (one.tokens, two.start, two.tokens) == ([100, 200], 200, [300, 400, 500])
    assert two.held_out == [(500, 0.5)]
    assert read_losses([tmp_path / "a"], before=1000)[0].tokens == [1100, 1200]
    assert smoothed([1.0, 2.0, 3.0, 4.0], over=2) == [1.0, 1.5, 2.5, 3.5]
    scores = tmp_path / "curve.csv"
    scores.write_text("tokens,everyday,other\n200,30,\n500,40,12.5\n")
    assert [one.points for one in read_scores(scores)] == [[(200, 30.0), (500, 40.0)], [(500, 12.5)]]
    out = tmp_path / "pictures" / "curve.svg"
    assert main(["curve", str(tmp_path / "a"), str(tmp_path / "b"), "--scores", str(scores), "--out", str(out)]) == 0
    assert out.read_text().startswith("<?xml")


def test_a_run_without_metrics_is_told(tmp_path):
    with pytest.raises(EvalError, match=r"metrics\.jsonl cannot be read"):
        read_losses([tmp_path])
    (tmp_path / "metrics.jsonl").write_text("")
    with pytest.raises(EvalError, match="holds no step"):
        read_losses([tmp_path])
