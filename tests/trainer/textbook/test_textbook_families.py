"""Families: several operations asked of the same data, each sample whole by itself, heads that begin alike."""

import ast
import itertools
import json
import random
import sys
from os.path import commonprefix
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from trainer.textbook import build
from trainer.textbook.families import Families
from trainer.textbook.operations import Operation, load_all
from trainer.textbook.render import render_family
from trainer.textbook.scene import INPUTS
from trainer.textbook.writer import without_example
from trainer.trees import group


@pytest.fixture(scope="module")
def operations() -> list[Operation]:
    return load_all(book="phrasebook")


def test_a_family_can_be_asked_of_the_same_data(operations: list[Operation]) -> None:
    families, rng = Families(operations), random.Random(1)
    sizes = set()
    for operation in operations:
        family = families.draw(operation, rng)
        sizes.add(len(family))
        assert family[0] is operation
        assert len({each.key for each in family}) == len(family)
        assert {(frozenset(each.slots & INPUTS), each.traits) for each in family} == {
            (frozenset(operation.slots & INPUTS), operation.traits)
        }
    assert {1, 3, 4, 5, 6} <= sizes


def test_half_of_them_are_neighbours_in_their_file(operations: list[Operation]) -> None:
    families, rng = Families(operations), random.Random(2)
    first = next(each for each in operations if each.name == "mark_more_than")
    drawn = [families.draw(first, rng) for _ in range(100)]
    after = [family for family in drawn if family[1].name == "mark_less_than"]
    assert 30 < len(after) < 70


def test_their_heads_begin_with_the_same_data(operations: list[Operation]) -> None:
    families, rng = Families(operations), random.Random(3)
    for operation in operations[::20]:
        samples = render_family(families.draw(operation, rng), rng)
        shared = commonprefix([sample.head for sample in samples])  # noqa: RUF071 - no paths
        for sample in samples:
            ast.parse(without_example(sample.head) + sample.code)
            name = next((name for name in ("read_csv(", "DataFrame(", "Series(", "array(") if name in sample.head), "")
            assert len(samples) == 1 or name in shared


def test_they_are_proven_and_stay_together_in_the_split(
    operations: list[Operation], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "_HELD_OUT", 0.4)
    some = operations[:40]
    here, innocent = [Path(sys.executable)], lambda texts, code: False
    report = build.write(tmp_path, some, here, 120, 5, innocent, Families(some))
    assert sum(report.kept.values()) >= 120
    heads = {part: pq.read_table(tmp_path / f"{part}.parquet")["head"].to_pylist() for part in ("train", "heldout")}
    assert min(map(len, heads.values())) > 20
    assert json.loads((tmp_path / "report.json").read_text())["samples"]["train"] == len(heads["train"])
    groups = group([*heads["train"], *heads["heldout"]], 8)
    assert len(groups) < 0.6 * sum(map(len, heads.values()))
    for members in (groups[index] for index in range(len(groups))):
        sides = {bool(member < len(heads["train"])) for member in members}
        assert len(sides) == 1
    assert not any("\0" in head for head in itertools.chain(*heads.values()))
