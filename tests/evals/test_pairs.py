"""Held-out pairs: what counts as equal, how the loss is summed, and how a run goes on."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from cert_lsp.contract.bundle import Manifest, ModelSpec, write_manifest
from cert_lsp.contract.neighbours import Neighbour, write_neighbours
from cert_lsp.contract.prompt import Layout, Marker, Role
from cert_lsp.contract.sketch import sketch
from cert_lsp.contract.tokens import Encoder
from cert_lsp.errors import EvalError, NeighboursError
from evals.pairs import Pair, edit_similarity, judge_pairs, loss_of, mean_figures, read_pairs

MARKERS = {Marker.SKETCH: "<s>", Marker.CODE: "<c>", Marker.END: "<e>"}
SPEC = ModelSpec("m.onnx", 1, 1, 8, 259, 64, "shared", "float32", {}, {})


def pair(number: int) -> Pair:
    code = f" df['k{number}'].sum()"
    return Pair(str(number), "x =", code, sketch(code, before="x =").wire)


class FakeRuntime:
    """Every token is as likely as any other, but for the one that it is told to like."""

    def __init__(self, likes: int | None = None) -> None:
        self.likes = likes

    def new_cache(self) -> None:
        return None

    def forward(self, cache: None, ids: list[int], *, keep: int = 1) -> np.ndarray:
        assert 1 <= keep <= len(ids)
        logits = np.zeros((keep, 259), np.float32)
        if self.likes is not None:
            logits[:, self.likes] = 3
        return logits


class FakeEngine:
    """Knows the answer to the pair 0, and breaks off after `patience` answers."""

    def __init__(self, patience: int = 99) -> None:
        self.runtimes = {Role.JOINT: FakeRuntime()}
        self.patience = patience

    def complete_text(self, before: str, *, candidates: int, mode: str) -> list[SimpleNamespace]:
        self.mode = mode
        if not self.patience:
            raise KeyboardInterrupt
        self.patience -= 1
        return [SimpleNamespace(code=" df['k0'].sum() \n", sketch="df[string].sum()")]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle with a real tokenizer and no model."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    folder = tmp_path / "bundle"
    folder.mkdir()
    words = [*MARKERS.values(), *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE({word: number for number, word in enumerate(words)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(MARKERS.values()))
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "m.onnx").write_bytes(b"")
    write_manifest(folder, Manifest("tiny", Layout.JOINT, {Role.JOINT: SPEC}, MARKERS, "none", {"name": "b"}, {}))
    return folder


def test_equal_code_and_sketch_are_found_and_spaces_do_not_count(bundle: Path, tmp_path: Path) -> None:
    one, other = judge_pairs(FakeEngine(), bundle, [pair(0), pair(1)], tmp_path / "out")
    assert (one.code_exact, one.edit_similarity, one.sketch_exact) == (1, 1, 1)
    assert (other.code_exact, other.sketch_exact) == (0, 1)
    assert other.edit_similarity == pytest.approx(1 - 2 / 28)
    assert mean_figures([one, other])["code_exact"] == 0.5


def test_the_loss_counts_sketch_code_and_their_markers_alone(bundle: Path) -> None:
    encoder = Encoder.load(bundle / "tokenizer.json", MARKERS)
    assert loss_of({Role.JOINT: FakeRuntime()}, encoder, pair(0)) == pytest.approx(math.log(259))
    learned = len(encoder.encode_text(pair(0).sketch)) + len(pair(0).code) + 2
    likes_end = loss_of({Role.JOINT: FakeRuntime(encoder.marker_id(Marker.END))}, encoder, pair(0))
    assert likes_end == pytest.approx(math.log(258 + math.exp(3)) - 3 / learned)
    both = loss_of({Role.SKETCHER: FakeRuntime(), Role.GENERATOR: FakeRuntime()}, encoder, pair(0))
    assert both == pytest.approx(math.log(259))


def test_without_a_sketch_the_loss_is_that_of_the_code_alone(bundle: Path, tmp_path: Path) -> None:
    encoder = Encoder.load(bundle / "tokenizer.json", MARKERS)
    likes_end = {Role.JOINT: FakeRuntime(encoder.marker_id(Marker.END))}
    learned = len(pair(0).code) + 1
    wanted = pytest.approx(math.log(258 + math.exp(3)) - 3 / learned)
    assert loss_of(likes_end, encoder, pair(0), "nosketch") == wanted
    likes_sketches = {Role.SKETCHER: FakeRuntime(0), Role.GENERATOR: FakeRuntime()}
    assert loss_of(likes_sketches, encoder, pair(0), "nosketch") == pytest.approx(math.log(259))
    engine = FakeEngine()
    judge_pairs(engine, bundle, [pair(0)], tmp_path / "out", mode="nosketch")
    assert engine.mode == "nosketch"
    with pytest.raises(EvalError, match="another mode"):
        judge_pairs(engine, bundle, [pair(0)], tmp_path / "out")


def test_an_interrupted_run_goes_on(bundle: Path, tmp_path: Path) -> None:
    pairs = [pair(number) for number in range(4)]
    whole = judge_pairs(FakeEngine(), bundle, pairs, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        judge_pairs(FakeEngine(2), bundle, pairs, tmp_path / "out")
    with (tmp_path / "out" / "pairs.jsonl").open("a") as file:
        file.write('{"id": "2", "compl')
    assert judge_pairs(FakeEngine(2), bundle, pairs, tmp_path / "out") == whole
    assert judge_pairs(FakeEngine(0), bundle, pairs, tmp_path / "out") == whole
    with pytest.raises(EvalError, match="another pairs"):
        judge_pairs(FakeEngine(), bundle, pairs[:1], tmp_path / "out")


def test_what_is_no_pairs_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    for text in ("", '{"id": 1}', "["):
        path.write_text(text)
        with pytest.raises(EvalError):
            read_pairs(path)
    path.write_text(json.dumps(asdict(pair(3))) + "\n")
    assert read_pairs(path) == [pair(3)]


def test_edit_similarity_is_a_share() -> None:
    assert edit_similarity("", "") == 1
    assert edit_similarity("abc", "") == 0
    assert edit_similarity("abc", "abd") == pytest.approx(2 / 3)


def test_what_is_looked_up_belongs_to_the_run(bundle: Path, tmp_path: Path) -> None:
    neighbours = tmp_path / "neighbours.jsonl.gz"
    write_neighbours(neighbours, [Neighbour("sum of it", "df[$string].sum()", body=False)])
    judge_pairs(FakeEngine(), bundle, [pair(0)], tmp_path / "out")
    with pytest.raises(EvalError, match="neighbours"):
        judge_pairs(FakeEngine(), bundle, [pair(0)], tmp_path / "out", neighbours=neighbours)
    neighbours.unlink()
    with pytest.raises(NeighboursError):
        judge_pairs(FakeEngine(), bundle, [pair(0)], tmp_path / "none", neighbours=neighbours)
    assert not (tmp_path / "none").exists()
