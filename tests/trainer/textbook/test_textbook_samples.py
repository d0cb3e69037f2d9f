"""Samples: the same for the same seed, no two alike, run and checked, shaped as the prompt's contract wants."""

import ast
import itertools
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cert_lsp.contract.prompt import split_cursor
from cert_lsp.errors import CorpusError
from trainer.textbook import build
from trainer.textbook.build import Report, samples
from trainer.textbook.operations import Operation, load, load_all
from trainer.textbook.render import Sample, render

pytest.importorskip("pandas")
HERE = [Path(sys.executable)]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "BATCH", 30)


def take(operations: list[Operation], count: int, seed: int = 3) -> tuple[list[tuple[Sample, str]], Report]:
    report = Report()
    source = samples(operations, HERE, seed, lambda texts, code: False, report)
    return list(itertools.islice(source, count)), report


@pytest.fixture
def some() -> list[tuple[Sample, str]]:
    return take(random.Random(0).sample(load_all(), 40), 40)[0]


def test_the_same_seed_gives_the_same_samples() -> None:
    operations = load_all()

    def draw(seed: int) -> list[tuple[str, str]]:
        rng = random.Random(seed)
        drawn = [render(operation, rng) for operation in operations[:40]]
        return [(sample.head, sample.code) for sample in drawn]

    assert draw(5) == draw(5)
    assert draw(5) != draw(6)


def test_no_two_are_alike(some: list[tuple[Sample, str]]) -> None:
    assert len({(sample.head, sample.code) for sample, _ in some}) == len(some)


def test_head_and_code_make_a_module_and_meet_at_the_cursor(some: list[tuple[Sample, str]]) -> None:
    for sample, wire in some:
        ast.parse(sample.head + sample.code)
        assert "\0" not in sample.head
        assert wire.strip()
        # What the model reads ends where the server would cut it; `return` and a blank are the exception it types on.
        head, _ = split_cursor(sample.head + sample.code[:1])
        assert head == sample.head


def write(folder: Path, code: str, extra: str) -> list[Operation]:
    path = folder / "own.toml"
    say = "! compute the sum of <arr>\n= the sum of <arr>"
    path.write_text(f"[[operation]]\nname = 'total'\ncode = [{code!r}]\n{extra}\nsay = '''\n{say}\n'''\n", "utf-8")
    return load(path)


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ("same = ['sum(<arr>) + 1']", "answers differ"),
        ("holds = 'result < 0'", "check fails"),
        ("old = '<arr>.min() - 1'\nholds = 'True'", "older code differs"),
        ("same = ['<arr>.no_such_method()']", "AttributeError"),
    ],
)
def test_a_wrong_answer_is_dropped_and_counted(tmp_path: Path, extra: str, reason: str) -> None:
    report = Report()
    source = samples(write(tmp_path, "<arr>.sum()", extra), HERE, 1, lambda texts, code: False, report)
    with pytest.raises(Exception, match="no new samples"):
        next(source)
    assert report.dropped[reason] > 0
    assert not report.kept


def test_a_right_answer_is_kept(tmp_path: Path) -> None:
    kept, report = take(write(tmp_path, "<arr>.sum()", "same = ['sum(<arr>)']"), 5)
    assert len(kept) == 5
    assert report.kept["own/total"] >= 5


def test_what_the_evaluation_asks_is_dropped(tmp_path: Path) -> None:
    report = Report()
    source = samples(write(tmp_path, "<arr>.sum()", "same = ['sum(<arr>)']"), HERE, 1, lambda texts, code: True, report)
    with pytest.raises(Exception, match="no new samples"):
        next(source)
    assert set(report.dropped) <= {"in the evaluation", "seen before"}


def test_a_catalogue_that_runs_dry_loses_nothing(
    some: list[tuple[Sample, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def dry(*_: object) -> Iterator[tuple[Sample, str]]:
        yield from some[:3]
        raise CorpusError("no new samples")

    monkeypatch.setattr(build, "samples", dry)
    build.write(tmp_path, [], HERE, 10, 0, lambda texts, code: False)
    assert "no new samples" in capsys.readouterr().err
    sizes = json.loads((tmp_path / "report.json").read_text())["samples"]
    assert sum(sizes.values()) == 3
