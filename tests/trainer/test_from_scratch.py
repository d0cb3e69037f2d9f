"""The paper end to end, small: files, tokenizer, a base from scratch, sketcher and generator, a bundle, the server."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from cert_lsp.contract.bundle import load_manifest
from tests.trainer.retrain.team import run
from tests.trainer.test_train_smoke import serve_once
from trainer.__main__ import main
from trainer.base import read_cert
from trainer.corpus import files

pytest.importorskip("deepspeed")
pytest.importorskip("onnxscript")

ROOT = Path(__file__).parents[2]
SMALL = ("steps=4", "micro_batch=1", "accumulation=1", "deepspeed=ds_cpu.json", "optimizer.warmup=1", "eval_records=4")


def command(*arguments: object) -> None:
    assert main([str(argument) for argument in arguments]) == 0


def train(config: str, base: Path, corpus: Path, out: Path, *settings: str) -> Path:
    sets = [f"--set={each}" for each in (*SMALL, *settings)]
    run("trainer", "train", "--config", config, "--base", base, "--corpus", corpus, "--out", out, *sets)
    return out / "model"


def test_from_files_to_answers(tiny_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer, whole, scratch, base, bundle = (tmp_path / name for name in ("words", "files", "scratch", "base", "out"))
    monkeypatch.setattr(files, "HELD_OUT_IN", 5)
    code = ROOT / "cert_lsp"
    command("tokenizer", "--folder", code, "--size", 2_000, "--out", tokenizer)
    command("files", "--folder", code, "--workers", 1, "--out", whole)
    assert pq.read_metadata(whole / "train.parquet").num_rows > 100
    command("base", "--scratch", tokenizer, "--shape", "tiny", "--out", scratch)

    trained = train("pycodegpt-110m", scratch, whole, tmp_path / "pycodegpt")
    losses = [json.loads(line).get("loss") for line in (trained.parent / "metrics.jsonl").read_text().splitlines()]
    assert losses
    assert read_cert(trained)["role"] == "plain"

    command("base", "--from", trained, "--out", base)
    assert read_cert(base)["markers"] == read_cert(scratch)["markers"]
    sketcher, generator = (
        train("v100", base, tiny_corpus, tmp_path / role, f"role={role}", "data.window=256")
        for role in ("sketcher", "generator")
    )
    run("export", sketcher, "--generator", generator, "--out", bundle)
    manifest = load_manifest(bundle)
    assert (manifest.layout, set(manifest.models)) == ("paper", {"sketcher", "generator"})
    serve_once(bundle)  # weights of four steps: there may be nothing valid to offer
