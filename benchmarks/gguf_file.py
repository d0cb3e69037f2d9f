"""Write a bundle's 8-bit weights as a GGUF file, so that llama.cpp computes with the very same numbers.

ONNX Runtime's symmetric 8-bit blocks and llama.cpp's Q8_0 agree in all but three things: the integers' offset; the
scale, float32 here and float16 there; and the blocks' length, 32 there: longer blocks are cut and their scale repeated.
Query and key rows are put in the order that llama.cpp's rotary embedding expects. The tokenizer comes along for
completeness; the benchmark passes token ids.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np
import onnx
from onnx import numpy_helper

from cert_lsp.contract.bundle import load_manifest
from cert_lsp.errors import BenchmarkError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BLOCK = 32
_PARTS = {
    "output": "attn_output",
    "gate": "ffn_gate",
    "up": "ffn_up",
    "down": "ffn_down",
    "input_norm": "attn_norm",
    "post_norm": "ffn_norm",
}
"""Part of a layer in our graph -> in GGUF."""


def write_gguf(bundle: Path, out: Path) -> None:
    """Write `bundle`, which holds one 8-bit model around GroupQueryAttention, as `out`.

    Raises:
        BenchmarkError: If the bundle's weights are of another kind.
    """
    manifest = load_manifest(bundle)
    [spec] = manifest.models.values()
    if manifest.quantization != "int8" or spec.cache != "shared":
        raise BenchmarkError(f"{bundle.name} is not an 8-bit bundle with a shared cache", "llama.cpp is left out")
    model = onnx.load(bundle / spec.file)
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    attributes = {node.name: _attributes(node) for node in model.graph.node}
    heads = attributes["layers.0.attention"]["num_heads"]
    matrices = {name.removesuffix("_Q8"): name for name in tensors if name.endswith(".weight_Q8")}
    hidden = tensors["final_norm.weight"].shape[0]

    writer = gguf.GGUFWriter(out, "llama")
    writer.add_name(manifest.name)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_context_length(spec.context)
    writer.add_embedding_length(hidden)
    writer.add_block_count(spec.layers)
    writer.add_feed_forward_length(tensors[matrices["layers.0.gate.weight"]].shape[0])
    writer.add_head_count(heads)
    writer.add_head_count_kv(spec.kv_heads)
    writer.add_rope_dimension_count(spec.head_dim)
    writer.add_rope_freq_base(_rope_base(tensors["cos"], spec.head_dim))
    writer.add_layer_norm_rms_eps(attributes["layers.0.input_norm"]["epsilon"])
    writer.add_vocab_size(spec.vocab_size)
    _add_tokenizer(writer, json.loads((bundle / manifest.tokenizer).read_text(encoding="utf-8")), spec.vocab_size)

    for name in matrices:
        width = attributes[f"{name.removesuffix('.weight')}_Q8"]["K"]
        blocks = _q8_0(tensors[f"{name}_Q8"], tensors[f"{name}_scales"], width)
        if name == "lm_head.weight":  # tied: llama.cpp takes the embedding for it
            _add(writer, "token_embd.weight", blocks)
        elif match := re.fullmatch(r"layers\.(\d+)\.qkv\.weight", name):
            rows = np.split(blocks, np.cumsum([heads, spec.kv_heads]) * spec.head_dim)
            for part, values, count in zip("qkv", rows, (heads, spec.kv_heads, 0), strict=True):
                _add(writer, f"blk.{match[1]}.attn_{part}.weight", _interleaved(values, count) if count else values)
        else:
            _, layer, part, _ = name.split(".")
            _add(writer, f"blk.{layer}.{_PARTS[part]}.weight", blocks)
    for name, values in tensors.items():
        if match := re.fullmatch(r"layers\.(\d+)\.(input_norm|post_norm)\.weight", name):
            writer.add_tensor(f"blk.{match[1]}.{_PARTS[match[2]]}.weight", values.astype(np.float32))
    writer.add_tensor("output_norm.weight", tensors["final_norm.weight"].astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _q8_0(values: NDArray[np.uint8], scales: NDArray[np.float32], width: int) -> NDArray[np.uint8]:
    """Turn blocks (rows, blocks, block) around 128 and their scales (rows, blocks) into rows of `width` weights."""
    rows, count, block = values.shape
    if block % _BLOCK or width % _BLOCK:
        raise BenchmarkError(
            f"blocks of {block} in rows of {width} are not Q8_0's of {_BLOCK}", "llama.cpp is left out"
        )
    cut = values.reshape(rows, -1, _BLOCK)[:, : width // _BLOCK]
    repeated = scales.reshape(rows, count).repeat(block // _BLOCK, axis=1)[:, : width // _BLOCK]
    scale = repeated.astype("<f2")[..., np.newaxis].view(np.uint8)
    return np.concatenate([scale, cut ^ np.uint8(0x80)], axis=2).reshape(rows, -1)


def _interleaved(rows: NDArray[np.uint8], heads: int) -> NDArray[np.uint8]:
    """Bring each head's halves, which rotate together, side by side."""
    return rows.reshape(heads, 2, -1, rows.shape[1]).swapaxes(1, 2).reshape(rows.shape)


def _add(writer: gguf.GGUFWriter, name: str, blocks: NDArray[np.uint8]) -> None:
    writer.add_tensor(name, np.ascontiguousarray(blocks), raw_dtype=gguf.GGMLQuantizationType.Q8_0)


def _rope_base(cosines: NDArray[np.float32], head_dim: int) -> float:
    """Read the base of the rotary frequencies from the table of cosines (positions, head_dim / 2)."""
    step = np.arccos(np.float64(cosines[1, 1]))  # the first is 1 for every base, late ones are lost to rounding
    return float(np.round(step ** (-head_dim / 2), -2))


def _add_tokenizer(writer: gguf.GGUFWriter, tokenizer: dict[str, Any], vocab_size: int) -> None:
    added = {token["id"]: token["content"] for token in tokenizer["added_tokens"]}
    words = {index: token for token, index in tokenizer["model"]["vocab"].items()} | added
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in tokenizer["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list([words.get(index, f"<unused {index}>") for index in range(vocab_size)])
    writer.add_token_types([control if index in added else normal for index in range(vocab_size)])
    writer.add_token_merges(merges)
    writer.add_eos_token_id(next((index for index, token in added.items() if token == "<|endoftext|>"), 0))
    writer.add_add_bos_token(False)


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
