import errno
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from cert_lsp.contract.bundle import load_manifest, verify
from cert_lsp.contract.prompt import Layout, Role
from cert_lsp.engine.golden import GOLDEN, read_golden, replay
from cert_lsp.engine.runtime import open_runtime
from cert_lsp.errors import BundleError, ExportError
from export import bundle as bundle_module
from export.bundle import export_bundle, verify_bundle
from export.checkpoint import load_model, read_checkpoint, save_adapter
from export.to_onnx import Precision
from tests.export.tiny import CONTEXT, make_adapter, make_checkpoint

IDS = list(range(40, 60))


def bundle_logits(bundle: Path, role: Role = Role.JOINT) -> np.ndarray:
    runtime = open_runtime(bundle, role, provider="cpu")
    return runtime.forward(runtime.new_cache(), IDS, keep=len(IDS))


def torch_logits(checkpoint: Path) -> np.ndarray:
    with torch.inference_mode():
        return load_model(read_checkpoint(checkpoint))(torch.tensor([IDS])).logits[0].numpy()


@pytest.mark.parametrize("kind", ["llama", "untied", "qwen2", "gpt_neo"])
def test_float32_bundle_gives_torchs_logits_and_answers(kind: str, tmp_path: Path) -> None:
    checkpoint = make_checkpoint(tmp_path / "checkpoint", kind)
    (report,) = export_bundle([checkpoint], tmp_path / "out", precision=Precision(bits=32))
    assert np.abs(bundle_logits(tmp_path / "out") - torch_logits(checkpoint)).max() < 1e-4
    assert report.equal_tokens == report.equal_answers == 1
    spec = verify(tmp_path / "out").models[Role.JOINT]
    assert spec.cache == ("growing" if kind == "gpt_neo" else "shared")
    assert (spec.layers, spec.context) == (2, CONTEXT)


@pytest.mark.parametrize("kind", ["llama", "gpt_neo"])
def test_quantized_weights_stay_near_torch(kind: str, tmp_path: Path) -> None:
    checkpoint = make_checkpoint(tmp_path / "checkpoint", kind)
    found = {}
    for bits in (8, 4):
        out = tmp_path / str(bits)
        export_bundle([checkpoint], out, precision=Precision(bits=bits))
        assert load_manifest(out).quantization == f"int{bits}"
        expected = torch_logits(checkpoint)
        found[bits] = np.abs(bundle_logits(out) - expected).mean() / expected.std()
    assert found[8] < 0.06 < found[4] < 0.5


def test_tied_embedding_is_in_the_file_once(quantized: Path) -> None:
    graph = onnx.load(quantized / "joint.onnx", load_external_data=False).graph
    vocabulary = [tensor for tensor in graph.initializer if 259 in tensor.dims and np.prod(tensor.dims) >= 259 * 64]
    assert [tensor.data_type for tensor in vocabulary] == [onnx.TensorProto.UINT8]
    readers = [node.op_type for node in graph.node if vocabulary[0].name in node.input]
    assert sorted(readers) == ["GatherBlockQuantized", "MatMulNBits"]


@pytest.mark.parametrize("kind", ["llama", "gpt_neo"])
def test_cuda_bundle_is_float16_with_float16_cache(kind: str, tmp_path: Path) -> None:
    checkpoint = make_checkpoint(tmp_path / "checkpoint", kind)
    export_bundle([checkpoint], tmp_path / "out", precision=Precision(target="cuda"))
    manifest = load_manifest(tmp_path / "out")
    assert (manifest.quantization, manifest.models[Role.JOINT].cache_dtype) == ("float16", "float16")
    graph = onnx.load(tmp_path / "out" / "joint.onnx").graph
    matrices = [tensor for tensor in graph.initializer if tensor.name.endswith("weight")]
    assert matrices
    assert {tensor.data_type for tensor in matrices} == {onnx.TensorProto.FLOAT16}


def test_sketcher_and_generator_make_one_bundle(tmp_path: Path) -> None:
    sketcher = make_checkpoint(tmp_path / "sketcher", role=Role.SKETCHER)
    generator = make_checkpoint(tmp_path / "generator", role=Role.GENERATOR, seed=1)
    reports = export_bundle([sketcher, generator], tmp_path / "out", precision=Precision(bits=32))
    manifest = verify(tmp_path / "out")
    assert manifest.layout is Layout.PAPER
    assert {report.role for report in reports} == set(manifest.models) == {Role.SKETCHER, Role.GENERATOR}
    for role, checkpoint in ((Role.SKETCHER, sketcher), (Role.GENERATOR, generator)):
        assert np.abs(bundle_logits(tmp_path / "out", role) - torch_logits(checkpoint)).max() < 1e-4
    assert {golden.sketch is None for golden in read_golden(tmp_path / "out") if golden.role is Role.GENERATOR} == {
        False
    }


def test_half_a_pair_is_refused(tmp_path: Path) -> None:
    sketcher = make_checkpoint(tmp_path / "sketcher", role=Role.SKETCHER)
    with pytest.raises(ExportError, match="--generator"):
        export_bundle([sketcher], tmp_path / "out")


def test_adapter_is_merged_and_its_half_precision_copy_gives_the_bundles_logits(
    checkpoint: Path, tmp_path: Path
) -> None:
    adapter = make_adapter(tmp_path / "adapter", checkpoint)
    export_bundle([adapter], tmp_path / "out", precision=Precision(bits=32))
    save_adapter(read_checkpoint(adapter), tmp_path / "kept")
    shutil.rmtree(adapter)

    kept = read_checkpoint(tmp_path / "kept", base=checkpoint)
    with torch.inference_mode():
        logits = load_model(kept)(torch.tensor([IDS])).logits[0].numpy()
    assert np.abs(bundle_logits(tmp_path / "out") - logits).max() < 0.02  # what float16 rounds away
    assert np.abs(torch_logits(checkpoint) - logits).max() > 1
    text = "".join(path.read_text() for path in (tmp_path / "kept").glob("*.json"))
    assert str(tmp_path) not in text

    (report,) = verify_bundle(tmp_path / "out", [tmp_path / "kept"], base=checkpoint)
    assert report.equal_tokens > 0.97


def test_adapter_with_another_base_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    adapter = make_adapter(tmp_path / "adapter", checkpoint)
    other = make_checkpoint(tmp_path / "other", seed=5)
    with pytest.raises(ExportError, match="is not the base"):
        export_bundle([adapter], tmp_path / "out", base=other)
    with pytest.raises(ExportError, match="full weights"):
        save_adapter(read_checkpoint(checkpoint), tmp_path / "kept")


def test_checkpoint_of_transformers_5_or_of_another_contract_is_refused(tmp_path: Path) -> None:
    for file, key, value in (("config.json", "transformers_version", "5.1.0"), ("cert.json", "prompt_version", 99)):
        folder = make_checkpoint(tmp_path / key)
        content = json.loads((folder / file).read_text())
        (folder / file).write_text(json.dumps(content | {key: value}))
        with pytest.raises(ExportError, match=str(value)):
            read_checkpoint(folder)


def test_failed_verification_leaves_nothing(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def another_model(*_: object) -> torch.nn.Module:
        return load_model(read_checkpoint(make_checkpoint(tmp_path / "another", seed=9)))

    calls = iter([load_model, another_model])  # the graph is written of one model and compared with another
    monkeypatch.setattr(bundle_module, "load_model", lambda found: next(calls)(found))
    with pytest.raises(ExportError, match="is not the checkpoint's"):
        export_bundle([checkpoint], tmp_path / "bundles" / "out")
    assert list((tmp_path / "bundles").iterdir()) == []


def test_full_disk_leaves_nothing(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("onnx_ir.save", full)
    with pytest.raises(ExportError, match="No space left"):
        export_bundle([checkpoint], tmp_path / "bundles" / "out")
    assert list((tmp_path / "bundles").iterdir()) == []


def test_existing_folder_is_kept(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(ExportError, match="exists already"):
        export_bundle([checkpoint], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_golden_file_is_replayed_and_tells_another_model(quantized: Path, tmp_path: Path) -> None:
    assert replay(quantized) == len(read_golden(quantized)) == 4
    assert any(golden.tokens for golden in read_golden(quantized))
    changed = tmp_path / "changed"
    shutil.copytree(quantized, changed)
    goldens = json.loads((changed / GOLDEN).read_text())
    for golden in goldens:
        golden["tokens"] = [token ^ 1 for token in golden["tokens"]]
    (changed / GOLDEN).write_text(json.dumps(goldens))
    with pytest.raises(BundleError, match="computes differently"):
        replay(changed)
