"""The data stream: what is learned, how batches are made, and that any batch can be returned to."""

from collections import Counter
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from cert_lsp.contract.prompt import Marker, Role
from cert_lsp.contract.sketch import Variant, sketch
from cert_lsp.contract.tokens import Encoder
from cert_lsp.errors import CorpusError
from trainer.base import SMOLLM2_MARKERS
from trainer.config import Data
from trainer.data import CODE, SKETCH, UNLEARNED, Batch, Position, Stream, encode_record, make_batches
from trainer.trees import Example

datasets = pytest.importorskip("datasets")

RECORD = {"head": "import pandas\n# mean\nx =", "code": " df.mean(1)", "sketch": " df.mean($number)"}
ROOMY = Data(window=400, no_sketch_share=0.0, shuffle=16)


@pytest.fixture(scope="module")
def encoder(tiny_base: Path) -> Encoder:
    return Encoder.load(tiny_base / "tokenizer.json", SMOLLM2_MARKERS)


@pytest.fixture(scope="module")
def records(tiny_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> "datasets.Dataset":
    from trainer.data import open_records

    return open_records([tiny_corpus], "train", tmp_path_factory.mktemp("cache"))


def stream(records: "datasets.Dataset", encoder: Encoder, data: Data = ROOMY, **options: object) -> Stream:
    settings = {"batch_tokens": 800, "seed": 1, **options}
    return Stream(records, Role.JOINT, encoder, data, **settings)  # type: ignore[arg-type]


def rows(batch: Batch) -> list[tuple[int, ...]]:
    """The examples of a batch without padding (its id 0 is <|sketch|>'s here and occurs inside: cut at the END)."""
    return [
        tuple(row[: int(part.nonzero()[0][-1]) + 1]) for row, part in zip(batch.ids.tolist(), batch.parts, strict=True)
    ]


def text_of(example: Example, encoder: Encoder, part: int) -> str:
    return encoder.decode([token for token, of in zip(example.ids, example.parts, strict=True) if of == part])


def test_sketches_may_leave_out_something_else(tiny_corpus: Path, tmp_path: Path) -> None:
    from trainer.data import open_records

    constants = open_records([tiny_corpus], "train", tmp_path)
    both = open_records([tiny_corpus], "train", tmp_path, variant=Variant.BOTH)
    names = open_records([tiny_corpus], "train", tmp_path, variant=Variant.NAMES)
    assert both["code"] == constants["code"] == names["code"]
    for record in names:
        before = record["head"].rpartition("\n")[2]
        assert record["sketch"] == sketch(record["code"], before=before, variant=Variant.NAMES).wire
    assert sum(map(len, both["sketch"])) <= sum(map(len, constants["sketch"]))
    assert any("$string" in each for each in constants["sketch"])
    assert not any("$string" in each for each in names["sketch"])


@pytest.mark.parametrize("role", list(Role))
def test_only_what_the_role_writes_is_learned(role: Role, encoder: Encoder) -> None:
    example = encode_record(RECORD, role, encoder, 400)
    assert example is not None
    sketch = RECORD["sketch"] if role in (Role.JOINT, Role.SKETCHER) else ""
    code = RECORD["code"] if role is not Role.SKETCHER else ""
    assert text_of(example, encoder, SKETCH) == sketch
    assert text_of(example, encoder, CODE) == code
    assert RECORD["head"] in text_of(example, encoder, UNLEARNED)
    assert example.ids[-1] == encoder.marker_id(Marker.END)
    assert example.parts[-1] != UNLEARNED


def test_the_marker_that_ends_the_sketch_is_learned_with_it(encoder: Encoder) -> None:
    example = encode_record(RECORD, Role.JOINT, encoder, 400)
    assert example is not None
    assert example.parts[example.ids.index(encoder.marker_id(Marker.CODE))] == SKETCH
    assert example.parts[example.ids.index(encoder.marker_id(Marker.SKETCH))] == UNLEARNED


def test_without_a_sketch_a_joint_model_learns_the_code_alone(encoder: Encoder) -> None:
    example = encode_record(RECORD, Role.JOINT, encoder, 400, with_sketch=False)
    assert example is not None
    assert encoder.marker_id(Marker.SKETCH) not in example.ids
    assert SKETCH not in example.parts
    assert text_of(example, encoder, CODE) == RECORD["code"]


@pytest.mark.parametrize("window", range(46, 110, 3))
def test_long_heads_lose_whole_lines_from_the_left(window: int, encoder: Encoder) -> None:
    head = "".join(f"line_{number}\n" for number in range(9)) + "# mean\nx ="
    example = encode_record({**RECORD, "head": head}, Role.JOINT, encoder, window)
    assert example is not None
    assert len(example.ids) <= window
    kept = text_of(example, encoder, UNLEARNED)
    assert head.endswith(kept)
    assert kept == head or head[: -len(kept)].endswith("\n")
    assert kept.endswith("x =")


def test_what_does_not_fit_even_so_is_left_out(encoder: Encoder) -> None:
    assert encode_record(RECORD, Role.JOINT, encoder, 30) is None


def test_batches_stay_within_their_tokens_and_hold_every_example() -> None:
    examples = [
        Example([number] * length, [0] * (length - 1) + [2]) for number, length in enumerate([3, 90, 40, 7, 38, 2])
    ]
    batches = make_batches(examples, 80)
    assert sum(batch.tokens for batch in batches) == sum(len(example.ids) for example in examples)
    assert all(batch.ids.size <= 80 or len(batch.ids) == 1 for batch in batches)
    assert sorted(length for batch in batches for length in (batch.parts.argmax(1) + 1).tolist()) == [
        2,
        3,
        7,
        38,
        40,
        90,
    ]


def test_an_epoch_reads_each_record_once(records: "datasets.Dataset", encoder: Encoder) -> None:
    source, seen = stream(records, encoder), Counter[tuple[int, ...]]()
    for batch in source:
        if source.position.epoch:
            break
        seen.update(rows(batch))
    assert len(seen) == len(records)
    assert set(seen.values()) == {1}


def test_any_position_can_be_returned_to(records: "datasets.Dataset", encoder: Encoder) -> None:
    whole, places = [], []
    source = stream(records, encoder)
    for batch in islice(source, 60):
        whole.append(rows(batch))
        places.append(source.position)
    assert places[-1].epoch > 0
    for start in (0, 7, 23, 41):
        again = stream(records, encoder, position=places[start])
        assert [rows(batch) for batch in islice(again, 15)] == whole[start + 1 : start + 16]


def test_seeds_differ_and_repeat(records: "datasets.Dataset", encoder: Encoder) -> None:
    first, same, other = ([rows(b) for b in islice(stream(records, encoder, seed=seed), 6)] for seed in (1, 1, 2))
    assert first == same != other


def test_two_processes_share_an_epoch_between_them(records: "datasets.Dataset", encoder: Encoder) -> None:
    seen: list[set[tuple[int, ...]]] = [set(), set()]
    for rank in (0, 1):
        source = stream(records, encoder, rank=rank, world=2)
        for batch in source:
            if source.position.epoch:
                break
            seen[rank].update(rows(batch))
    assert not seen[0] & seen[1]
    assert len(seen[0] | seen[1]) == len(records)


def test_weights_repeat_and_drop_records(records: "datasets.Dataset", encoder: Encoder) -> None:
    data = replace(ROOMY, kinds={"doctest": 2.0}, sources={"alpha": 0.0})
    source, seen = stream(records, encoder, data), Counter[tuple[int, ...]]()
    for batch in source:
        if source.position.epoch:
            break
        seen.update(rows(batch))
    kinds = Counter((record["kind"], record["source"]) for record in records)
    doctests = sum(count for (kind, origin), count in kinds.items() if kind == "doctest" and origin != "alpha")
    comments = sum(count for (kind, origin), count in kinds.items() if kind == "comment" and origin != "alpha")
    assert Counter(seen.values()) == {2: doctests, 1: comments}


def test_a_share_is_read_without_sketches(records: "datasets.Dataset", encoder: Encoder) -> None:
    source = stream(records, encoder, replace(ROOMY, no_sketch_share=0.3))
    marker = encoder.marker_id(Marker.SKETCH)
    examples = [row for batch in islice(source, 150) for row in rows(batch)]
    share = sum(marker not in row for row in examples) / len(examples)
    assert 0.2 < share < 0.4


def test_too_many_processes_and_no_weight_are_told(records: "datasets.Dataset", encoder: Encoder) -> None:
    with pytest.raises(CorpusError, match="fewer processes"):
        next(iter(stream(records, encoder, rank=99, world=100)))
    with pytest.raises(CorpusError, match="weight 0"):
        stream(records, encoder, replace(ROOMY, kinds={"comment": 0.0, "doctest": 0.0}))


def test_a_missing_corpus_is_told(tmp_path: Path) -> None:
    from trainer.data import open_records

    with pytest.raises(CorpusError, match="python -m trainer corpus"):
        open_records([tmp_path], "train", tmp_path / "cache")


def test_a_stream_starts_at_the_beginning(records: "datasets.Dataset", encoder: Encoder) -> None:
    assert stream(records, encoder).position == Position(0, 0, 0)


def test_a_record_is_read_as_often_as_its_weight_says(tiny_corpus: Path, tmp_path: Path, encoder: Encoder) -> None:
    import pyarrow.parquet as pq

    from trainer.data import open_records

    table = pq.read_table(tiny_corpus / "train.parquet")
    weights = [float(number % 3) for number in range(len(table))]
    pq.write_table(table.append_column("weight", [weights]), tmp_path / "train.parquet")
    records = open_records([tmp_path], "train", tmp_path / "cache", weights=True)
    once = stream(records, encoder, replace(ROOMY, resample=True), world=1)
    times = Counter(once._order(0).tolist())
    assert [times[number] for number in range(len(table))] == weights
    with pytest.raises(CorpusError, match="weight"):
        open_records([tiny_corpus], "train", tmp_path / "other", weights=True)
