"""The adapter in the repository is the one that the embedded bundle was exported from."""

import json
from pathlib import Path

from cert_lsp.contract.bundle import EMBEDDED, load_manifest
from trainer.checkpoint import read_start
from trainer.config import Lora, TrainConfig

ADAPTER = Path(__file__).parents[2] / "trainer" / "adapters" / "default"


def test_adapter_and_bundle_belong_together() -> None:
    cert = json.loads((ADAPTER / "cert.json").read_text(encoding="utf-8"))
    manifest = load_manifest(EMBEDDED)
    assert cert["base"] == manifest.base
    assert cert["training"] == manifest.training
    assert cert["layout"] == manifest.layout
    assert (ADAPTER / "adapter_model.safetensors").stat().st_size < 40e6


def test_the_model_has_seen_a_million_tokens() -> None:
    training, tokens = load_manifest(EMBEDDED).training, 0
    while training:
        tokens += training["tokens"]
        training = training.get("start")
    assert tokens >= 1_000_000


def test_the_campaign_goes_on_from_it() -> None:
    manifest = load_manifest(EMBEDDED)
    told = read_start(ADAPTER.with_name("campaign"), {"base": manifest.base}, TrainConfig(lora=Lora()))
    assert told["start"] == manifest.training
    assert "path" not in json.loads((ADAPTER.with_name("campaign") / "cert.json").read_text())["base"]
    further = read_start(ADAPTER.with_name("campaign-4"), {"base": manifest.base}, TrainConfig(lora=Lora()))
    assert further["start"] == told
    assert "path" not in json.loads((ADAPTER.with_name("campaign-4") / "cert.json").read_text())["base"]


def test_training_can_start_from_it() -> None:
    manifest = load_manifest(EMBEDDED)
    assert read_start(ADAPTER, {"base": manifest.base}, TrainConfig(lora=Lora())) == manifest.training
