"""What can be retrained: told before anything is begun."""

from dataclasses import replace
from pathlib import Path

import pytest

from cert_lsp.contract.bundle import load_manifest, write_manifest
from cert_lsp.contract.prompt import Layout, Role
from cert_lsp.errors import ConfigError
from tests.cert_lsp.bundles import SPEC, make_bundle
from trainer.retrain.served import CARRIED, carry, in_service


def test_a_bundle_that_carries_its_adapter_is_trained_on_from_it(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle", "mine")
    assert in_service(bundle, None).adapter == bundle / CARRIED
    other = tmp_path / "other"
    assert in_service(bundle, other).adapter == other


def test_weights_that_are_rounded_cannot_be_trained_on(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle", "mine")
    (bundle / "adapter").rename(tmp_path / "adapter")
    write_manifest(bundle, load_manifest(bundle))
    with pytest.raises(ConfigError, match="carries neither adapter nor weights") as refused:
        in_service(bundle, None)
    assert "--start" in str(refused.value)
    carry(bundle, adapter=tmp_path / "adapter")
    assert in_service(bundle, None).adapter == bundle / CARRIED


def test_a_model_of_two_parts_is_refused_with_what_to_do(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle", "paper")
    models = {Role.SKETCHER: SPEC, Role.GENERATOR: replace(SPEC, file="generator.onnx")}
    (bundle / "generator.onnx").write_bytes(b"graph")
    write_manifest(bundle, replace(load_manifest(bundle), layout=Layout.PAPER, models=models))
    with pytest.raises(ConfigError, match="paper consists of two models") as refused:
        in_service(bundle, None)
    assert "put a joint model in service" in str(refused.value)
