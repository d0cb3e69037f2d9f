"""The path over CUDA, on the CPU: an ONNX Runtime that says it has a card, and keeps its memory in the computer's.

No card takes part, so this tells that buffers, bindings and the ways back are right, not what a card computes.
"""

import importlib
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest

from cert_lsp.contract.prompt import Role
from cert_lsp.engine.runtime import OnnxRuntime, open_runtime
from cert_lsp.errors import BundleError, RuntimeUnavailableError

pytest.importorskip("torch")

from export.bundle import export_bundle
from export.to_onnx import Precision
from tests.export.tiny import VOCABULARY, make_checkpoint

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
IDS = [int(token) for token in np.random.default_rng(0).integers(0, VOCABULARY, 60)]


class CardSession:
    """A session on the CPU that says which providers it was given, as far as they work."""

    def __init__(self, ort: "Card", file: str, options: Any, providers: list[str]) -> None:
        if CUDA in providers and ort.broken == "raises":
            raise RuntimeError("CUDA failure 35: driver is too old\nmore")
        self._providers = [CPU] if ort.broken == "absent" else providers
        self._session = onnxruntime.InferenceSession(file, options, providers=[CPU])

    def get_providers(self) -> list[str]:
        return self._providers

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


class Card:
    """What stands for the package `onnxruntime`."""

    __version__ = onnxruntime.__version__
    SessionOptions = onnxruntime.SessionOptions

    def __init__(self, broken: str = "") -> None:
        self.broken = broken
        self.on_device: list[tuple[int, ...]] = []
        self.OrtValue = SimpleNamespace(
            ortvalue_from_numpy=onnxruntime.OrtValue.ortvalue_from_numpy, ortvalue_from_shape_and_type=self._allocate
        )

    def get_available_providers(self) -> list[str]:
        return [CPU] if self.broken == "not built" else [CUDA, CPU]

    def InferenceSession(self, file: str, options: Any, providers: list[str]) -> CardSession:
        return CardSession(self, file, options, providers)

    def _allocate(self, shape: tuple[int, ...], dtype: Any, device: str, _: int) -> Any:
        assert device == "cuda"
        self.on_device.append(shape)
        return onnxruntime.OrtValue.ortvalue_from_shape_and_type(shape, dtype, "cpu", 0)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cuda")
    export_bundle([make_checkpoint(folder / "checkpoint")], folder / "bundle", precision=Precision(target="cuda"))
    return folder / "bundle"


def opened(bundle: Path, card: Card, monkeypatch: pytest.MonkeyPatch, provider: str = "auto") -> OnnxRuntime:
    real = importlib.import_module
    monkeypatch.setattr(importlib, "import_module", lambda name, *rest: card if name == "onnxruntime" else real(name))
    return open_runtime(bundle, Role.JOINT, threads=1, provider=provider)


@pytest.mark.parametrize("provider", ["auto", "cuda"])
def test_the_cache_lies_on_the_device_and_gives_the_same_logits(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    expected = open_runtime(bundle, Role.JOINT, threads=1, provider="cpu")
    card = Card()
    runtime = opened(bundle, card, monkeypatch, provider)
    assert runtime.describe().provider == CUDA
    one, other = runtime.new_cache(), expected.new_cache()
    assert len(card.on_device) == 4  # keys and values of two layers
    for cut in (IDS[:30], IDS[30:31], IDS[31:]):
        found, wanted = (each.forward(cache, cut, keep=1) for each, cache in ((runtime, one), (expected, other)))
        np.testing.assert_array_equal(found, wanted)
    one.rewind(20)
    other.rewind(20)
    np.testing.assert_array_equal(runtime.forward(one, IDS[:7]), expected.forward(other, IDS[:7]))


@pytest.mark.parametrize(
    ("broken", "reason"),
    [("absent", "no card"), ("raises", "driver is too old"), ("not built", "not built for it")],
)
def test_without_a_usable_card_it_runs_on_the_cpu_and_says_so_once(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: str, reason: str
) -> None:
    with caplog.at_level(logging.WARNING):
        runtime = opened(bundle, Card(broken), monkeypatch)
    assert runtime.describe().provider == CPU
    assert runtime.forward(runtime.new_cache(), IDS).shape == (1, VOCABULARY)
    [line] = caplog.messages
    assert reason in line
    assert "on the CPU" in line
    with pytest.raises(RuntimeUnavailableError, match=reason):
        opened(bundle, Card(broken), monkeypatch, "cuda")


def test_a_bundle_for_the_cpu_stays_there_in_silence(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert opened(bundle, Card("absent"), monkeypatch, "cpu").describe().provider == CPU
    assert not caplog.messages


def test_a_damaged_graph_is_told_as_such(bundle: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    folder.mkdir()
    for file in bundle.iterdir():
        (folder / file.name).write_bytes(file.read_bytes() if file.suffix != ".onnx" else b"not a graph")
    with pytest.raises(BundleError, match=r"joint\.onnx"):
        opened(folder, Card(), monkeypatch)
