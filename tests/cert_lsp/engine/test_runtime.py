"""The runtime over real graphs: tiny random models, exported here."""

import importlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from cert_lsp.contract.prompt import Role
from cert_lsp.engine.runtime import OnnxRuntime, open_runtime
from cert_lsp.errors import BundleError, PromptError, RuntimeUnavailableError

pytest.importorskip("torch")
pytest.importorskip("optimum")

from export.bundle import export_bundle
from export.to_onnx import Precision
from tests.export.tiny import CONTEXT, VOCABULARY, make_checkpoint

IDS = [int(token) for token in np.random.default_rng(0).integers(0, VOCABULARY, 60)]


@pytest.fixture(scope="module", params=["llama-8", "llama-4", "llama-32", "gpt_neo-8", "gpt_neo-32"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    kind, bits = request.param.split("-")
    folder = tmp_path_factory.mktemp(request.param)
    checkpoint = make_checkpoint(folder / "checkpoint", kind)
    export_bundle([checkpoint], folder / "bundle", precision=Precision(bits=int(bits)))
    return folder / "bundle"


@pytest.fixture
def runtime(bundle: Path) -> OnnxRuntime:
    return open_runtime(bundle, Role.JOINT, threads=1, provider="cpu")


def fresh(runtime: OnnxRuntime, ids: list[int], keep: int = 1) -> np.ndarray:
    return runtime.forward(runtime.new_cache(), ids, keep=keep)


def test_cached_equals_fresh_however_the_prompt_is_cut(runtime: OnnxRuntime) -> None:
    expected = fresh(runtime, IDS)
    # 27 and 33 leave a row alone in a block of attention.
    for cuts in ([30], [1], [59], [27], [33], [7, 8, 9, 40], list(range(1, 60))):
        cache = runtime.new_cache()
        for begin, end in zip([0, *cuts], [*cuts, 60], strict=True):
            logits = runtime.forward(cache, IDS[begin:end])
        assert cache.length == 60
        np.testing.assert_array_equal(logits, expected)


def test_rewound_equals_fresh(runtime: OnnxRuntime) -> None:
    cache = runtime.new_cache()
    runtime.forward(cache, IDS)
    for length in (45, 20, 1, 0):
        cache.rewind(length)
        assert cache.length == length
        other = [*IDS[:length], *IDS[:20]]
        np.testing.assert_array_equal(runtime.forward(cache, other[length:]), fresh(runtime, other))


def test_keep_gives_what_single_steps_give(runtime: OnnxRuntime) -> None:
    cache = runtime.new_cache()
    runtime.forward(cache, IDS[:50])
    steps = [runtime.forward(cache, [token])[0].copy() for token in IDS[50:]]
    cache.rewind(50)
    draft = runtime.forward(cache, IDS[50:], keep=10)
    assert draft.shape == (10, runtime.vocab_size)
    assert draft.dtype == np.float32
    np.testing.assert_array_equal(draft, np.stack(steps))


def test_caches_do_not_disturb_each_other(runtime: OnnxRuntime) -> None:
    one, other = runtime.new_cache(), runtime.new_cache()
    for token, its_token in zip(IDS[:20], IDS[20:40], strict=True):
        logits = runtime.forward(one, [token])
        runtime.forward(other, [its_token])
    np.testing.assert_array_equal(logits, fresh(runtime, IDS[:20]))


def test_full_cache_is_refused_before_anything_is_lost(runtime: OnnxRuntime) -> None:
    cache = runtime.new_cache()
    assert cache.capacity == CONTEXT - 1
    ids = (IDS * 5)[: cache.capacity]
    runtime.forward(cache, ids[:-1])
    with pytest.raises(PromptError, match="window"):
        runtime.forward(cache, [1, 2])
    np.testing.assert_array_equal(runtime.forward(cache, ids[-1:]), fresh(runtime, ids))
    with pytest.raises(PromptError):
        runtime.forward(cache, [1])


def test_misuse_is_an_error(runtime: OnnxRuntime, bundle: Path) -> None:
    cache = runtime.new_cache()
    runtime.forward(cache, IDS[:5])
    for ids, keep in (([], 1), ([1], 0), ([1, 2], 3)):
        with pytest.raises(ValueError, match="keep"):
            runtime.forward(cache, ids, keep=keep)
    for length in (-1, 6):
        with pytest.raises(ValueError, match="rewind"):
            cache.rewind(length)
    with pytest.raises(ValueError, match="provider"):
        open_runtime(bundle, Role.JOINT, provider="tpu")
    with pytest.raises(BundleError, match="sketcher"):
        open_runtime(bundle, Role.SKETCHER)


def test_describe_tells_the_thread_setting(bundle: Path) -> None:
    info = open_runtime(bundle, Role.JOINT, threads=2, provider="cpu").describe()
    assert (info.provider, info.threads, info.file.name) == ("CPUExecutionProvider", 2, "joint.onnx")
    assert 1 <= open_runtime(bundle, Role.JOINT).describe().threads <= 4


@pytest.mark.parametrize("damage", ["graph", "weights", "cut", "names"])
def test_damaged_bundle_is_refused(bundle: Path, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(bundle, folder)
    weights = next(folder.glob("*.data"))
    if damage == "graph":
        (folder / "joint.onnx").write_bytes(b"not a graph")
    elif damage == "weights":
        weights.unlink()
    elif damage == "cut":
        weights.write_bytes(weights.read_bytes()[:100])
    else:
        manifest = folder / "bundle.json"
        manifest.write_text(manifest.read_text().replace('"input_ids"', '"tokens"'))
    with pytest.raises(BundleError, match=r"joint\.onnx"):
        open_runtime(folder, Role.JOINT)


def test_missing_onnxruntime_names_the_remedy(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def without(name: str, package: str | None = None) -> object:
        if name == "onnxruntime":
            raise ImportError("No module named 'onnxruntime'")
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(RuntimeUnavailableError, match=r"cert-lsp\[cpu\]"):
        open_runtime(bundle, Role.JOINT)


def test_cuda_where_there_is_none(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime is built for CUDA")
    assert open_runtime(bundle, Role.JOINT, provider="auto").describe().provider == "CPUExecutionProvider"
    with pytest.raises(RuntimeUnavailableError, match="CUDA"):
        open_runtime(bundle, Role.JOINT, provider="cuda")
