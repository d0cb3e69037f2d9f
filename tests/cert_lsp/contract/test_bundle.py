"""Bundles describe themselves, and what does not fit is refused with cause and remedy."""

import json
from pathlib import Path

import pytest

from cert_lsp.contract.bundle import MANIFEST, Manifest, ModelSpec, check_sizes, load_manifest, verify, write_manifest
from cert_lsp.contract.prompt import Layout, Marker, Role
from cert_lsp.errors import BundleError

SPEC = ModelSpec("model.onnx", 2, 1, 8, 100, 64, "shared", "float32", {"ids": "input_ids"}, {"logits": "logits"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.onnx").write_bytes(b"graph")
    (tmp_path / "tokenizer.json").write_text("{}")
    write_manifest(
        tmp_path,
        Manifest("tiny", Layout.JOINT, {Role.JOINT: SPEC}, {Marker.END: "<end>"}, "none", {"name": "b"}, {"tokens": 1}),
    )
    return tmp_path


def edit(folder: Path, **changes: object) -> None:
    path = folder / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_round_trip(folder: Path) -> None:
    manifest = verify(folder)
    assert manifest == load_manifest(folder)
    assert manifest.models == {Role.JOINT: SPEC}
    assert manifest.markers == {Marker.END: "<end>"}
    assert set(manifest.files) == {"model.onnx", "tokenizer.json"}
    check_sizes(folder, manifest)


@pytest.mark.parametrize("key", ["format", "sketch_version", "prompt_version"])
def test_other_versions_are_refused(folder: Path, key: str) -> None:
    edit(folder, **{key: 999})
    with pytest.raises(BundleError, match=f"{key} 999 instead of"):
        load_manifest(folder)


@pytest.mark.parametrize(
    "changes", [{"layout": "paper"}, {"layout": "?"}, {"models": {}}, {"surplus": 1}, {"models": 3}, {"files": [1]}]
)
def test_nonsense_is_damage(folder: Path, changes: dict[str, object]) -> None:
    edit(folder, **changes)
    with pytest.raises(BundleError, match="is damaged"):
        load_manifest(folder)


def test_missing_or_unreadable(folder: Path, tmp_path: Path) -> None:
    (folder / MANIFEST).write_text("not JSON")
    with pytest.raises(BundleError, match="is damaged"):
        load_manifest(folder)
    with pytest.raises(BundleError, match="holds no model"):
        load_manifest(tmp_path / "nowhere")


def test_changed_files_are_found(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"grapH")
    check_sizes(folder, load_manifest(folder))
    with pytest.raises(BundleError, match=r"model\.onnx is damaged"):
        verify(folder)
    (folder / "model.onnx").unlink()
    for check in (lambda: verify(folder), lambda: check_sizes(folder, load_manifest(folder))):
        with pytest.raises(BundleError, match=r"model\.onnx is damaged"):
            check()
