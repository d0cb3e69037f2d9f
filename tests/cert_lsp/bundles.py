"""Bundles that verify, without a model in them."""

from pathlib import Path

from cert_lsp.contract.bundle import Manifest, ModelSpec, write_manifest
from cert_lsp.contract.prompt import Layout, Marker, Role

SPEC = ModelSpec("model.onnx", 2, 1, 8, 100, 64, "shared", "float32", {"ids": "input_ids"}, {"logits": "logits"})


def make_bundle(folder: Path, name: str, graph: bytes = b"graph") -> Path:
    """Write a bundle called `name`, with a file in a subfolder; returns its folder."""
    (folder / "adapter").mkdir(parents=True)
    (folder / "model.onnx").write_bytes(graph)
    (folder / "tokenizer.json").write_text("{}")
    (folder / "adapter" / "weights").write_bytes(b"adapter")
    markers = {Marker.END: "<end>"}
    write_manifest(folder, Manifest(name, Layout.JOINT, {Role.JOINT: SPEC}, markers, "none", {"name": "b"}, {}))
    return folder
