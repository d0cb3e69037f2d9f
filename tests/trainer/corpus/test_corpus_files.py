"""Whole files: filters drop what they name, weights are the paper's, near-duplicates are found, pieces lose nothing."""

import ast
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.trainer.retrain.team import run
from trainer.__main__ import main
from trainer.corpus import quality
from trainer.corpus.quality import File, clean, pieces, weight

ROOT = Path(__file__).parents[3]
GOOD = "import os\n\n\ndef first(path):\n    names = os.listdir(path)\n    return names[0]\n\n\nprint(first('.'))\n"


def test_a_good_file_is_kept_as_it_is() -> None:
    assert clean("tool.py", GOOD) == File("tool.py", GOOD, ast.parse(GOOD))


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        ("package/__init__.py", GOOD, "generated or meaningless name"),
        ("setup.py", GOOD, "generated or meaningless name"),
        ("a/message_pb2.py", GOOD, "generated or meaningless name"),
        ("a.py", GOOD + "x = 1\n" * 200_000, "over 1 MB"),
        ("a.py", "a = 1\nb = 2\n", "under 5 lines"),
        ("a.py", "\n".join(f"{name} = {'1' * 120}" for name in "abcdef"), "lines over 100 characters on average"),
        ("a.py", GOOD + "x = 1\n" * 50 + f"x = '{'a' * 1001}'\n", "a line over 1,000 characters"),
        ("a.py", GOOD + f"x = '{'表' * 20}'\n", "under 98 % ASCII"),
        ("a.py", GOOD + "print 'Python 2'\n", "does not parse"),
        ("a.py", GOOD + "if (\n", "does not parse"),
    ],
)
def test_each_filter_drops_what_it_names(path: str, text: str, reason: str) -> None:
    assert clean(path, text) == reason


def test_every_filter_is_tried() -> None:
    tried = {mark.args[1][n][2] for mark in test_each_filter_drops_what_it_names.pytestmark for n in range(10)}
    assert tried == {*quality.REASONS, "does not parse"}


def test_licence_and_ornaments_go_and_other_comments_stay() -> None:
    head = "#!/usr/bin/env python\n# Copyright 2020 Somebody. All rights reserved.\n# See the licence.\n\n"
    text = GOOD.replace("    return", "    # ------ * ------\n    # the first\n    return") + "x = 1  # ====\n"
    found = clean("a.py", head + text)
    assert isinstance(found, File)
    assert found.text == text.replace("    # ------ * ------\n", "").replace("  # ====", "")
    assert clean("a.py", "# What it is for.\n" + GOOD).text.startswith("# What it is for.")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("stars", "tests", "functions", "expected"),
    [(0, 0, 1, 1.0), (99, 0, 1, 1.4), (10**7, 0, 1, 2.0), (0, 1, 1, 0.5), (0, 0.25, 1, 1.0), (99, 1, 0.5, 0.35)],
)
def test_weights_are_the_papers(stars: float, tests: float, functions: float, expected: float) -> None:
    assert weight(stars, tests, functions) == pytest.approx(expected)


def test_scores_count_tests_and_functions() -> None:
    half = ast.parse("def test_a():\n    pass\n\ndef b():\n    pass\n\n\nx = 1\ny = 2\nz = 3\nw = 4\n")
    assert (quality.test_score(half), quality.function_score(half)) == (0.5, 0.5)
    whole = ast.parse("class A:\n    def b(self):\n        return 1\n")
    assert quality.test_score(whole) == 0
    assert quality.function_score(whole) == pytest.approx(2 / 3)
    assert quality.function_score(ast.parse("x = 1\n")) == 0.5


def test_pieces_are_cut_before_statements_and_lose_nothing() -> None:
    text = (ROOT / "trainer/corpus/extract.py").read_text(encoding="utf-8")
    file = clean("extract.py", text)
    assert isinstance(file, File)
    cut = list(pieces(file, 2_000))
    assert "".join(cut) == file.text
    assert len(cut) > 4
    assert max(map(len, cut)) <= 2_000
    assert sum(piece[0].isspace() for piece in cut) < len(cut) / 3


def test_command_counts_what_it_drops_whoever_does_the_work(tmp_path: Path) -> None:
    code, out = tmp_path / "code", tmp_path / "out"
    shutil.copytree(ROOT / "trainer/corpus", code, ignore=shutil.ignore_patterns("*.blake2b8", "*.toml", "__pycache__"))
    (code / "copied.py").write_text((code / "extract.py").read_text(encoding="utf-8") + "\n# and a word more\n")
    (code / "short.py").write_text("x = 1\n")
    (tmp_path / "stars").write_text("code\t99\n")
    options = ["--folder", str(code), str(ROOT / "cert_lsp/contract"), "--stars", str(tmp_path / "stars")]
    assert main(["files", *options, "--workers", "1", "--out", str(out)]) == 0
    run("trainer", "files", *options, "--workers", 2, "--out", tmp_path / "two")
    for name in ("train.parquet", "heldout.parquet", "report.json"):
        assert (tmp_path / "two" / name).read_bytes() == (out / name).read_bytes()
    report = json.loads((out / "report.json").read_text())
    assert report["drops"]["near-duplicate"] == report["drops"]["under 5 lines"] == 1
    assert report["kept"] == report["files"] - sum(report["drops"].values()) > 10
    rows = [row for split in ("train", "heldout") for row in pq.read_table(out / f"{split}.parquet").to_pylist()]
    assert {row["head"] for row in rows} == {""}
    assert len({row["path"] for row in rows}) == report["kept"]
    assert ("extract.py" in {row["path"] for row in rows}) != ("copied.py" in {row["path"] for row in rows})
    weights = {name: [row["weight"] for row in rows if row["source"] == name] for name in ("code", "contract")}
    assert 0.7 <= min(weights["code"]) <= max(weights["code"]) <= 1.4
    assert 0.5 <= min(weights["contract"]) <= max(weights["contract"]) <= 1
