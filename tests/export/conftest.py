"""Tiny checkpoints and bundles, made once for all tests of the exporter."""

from pathlib import Path

import pytest

from export.bundle import export_bundle
from export.to_onnx import Precision
from tests.export.tiny import make_checkpoint


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of two layers with tied embeddings."""
    return make_checkpoint(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="session")
def exact(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its bundle with float32 weights."""
    out = tmp_path_factory.mktemp("bundles") / "exact"
    export_bundle([checkpoint], out, precision=Precision(bits=32))
    return out


@pytest.fixture(scope="session")
def quantized(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its bundle with 8-bit weights."""
    out = tmp_path_factory.mktemp("bundles") / "quantized"
    export_bundle([checkpoint], out)
    return out
