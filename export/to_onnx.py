"""Choose and write a model's graph: our GroupQueryAttention graph where it fits, Optimum's exporter for the rest.

Files are split so that none grows beyond what Git hosts take, and large weights begin on page borders, so that ONNX
Runtime maps them into memory instead of reading them.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import onnx
import onnx_ir

from cert_lsp.contract.bundle import ModelSpec
from cert_lsp.errors import ExportError
from export import gqa
from export.quantize import quantize, share_embedding
from export.smooth import smooth

if TYPE_CHECKING:
    from transformers import PreTrainedModel

MAX_FILE_BYTES = 90_000_000
_PAGE_BYTES = 65_536  # Windows maps files at multiples of this, others at 4,096

_SHARED_INPUTS = {
    "ids": "input_ids",
    "length": "length",
    "keep": "keep",
    "past_key": "past.{layer}.key",
    "past_value": "past.{layer}.value",
}
_SHARED_OUTPUTS = {"logits": "logits", "present_key": "present.{layer}.key", "present_value": "present.{layer}.value"}
_GROWING_INPUTS = {
    "ids": "input_ids",
    "mask": "attention_mask",
    "positions": "position_ids",
    "past_key": "past_key_values.{layer}.key",
    "past_value": "past_key_values.{layer}.value",
}


@dataclass(frozen=True)
class Precision:
    """How weights are kept.

    Attributes:
        target: ``cpu``: float32 arithmetic around quantized weights; ``cuda``: float16 throughout.
        bits: 8 or 4 for quantized weights on the CPU, 32 to leave them as they are.
    """

    target: Literal["cpu", "cuda"] = "cpu"
    bits: Literal[4, 8, 32] = 8

    @property
    def label(self) -> Literal["int4", "int8", "float16", "float32"]:
        """Format of the weights, as the manifest names it."""
        if self.target == "cuda":
            return "float16"
        return {4: "int4", 8: "int8", 32: "float32"}[self.bits]


def write_graph(
    model: PreTrainedModel, file: Path, precision: Precision, *, context: int, texts: Sequence[Sequence[int]]
) -> ModelSpec:
    """Export `model` to `file` and data files beside it.

    Args:
        model: Causal language model in float32. Used up: it may come back smoothed or in float16.
        file: Graph file to write; its data files share its stem.
        precision: Format of the weights.
        context: Longest sequence in tokens; the model's own limit may be smaller.
        texts: Token ids of texts like those that it will read.

    Raises:
        ExportError: If no exporter knows the architecture.
    """
    config = model.config
    context = min(context, getattr(config, "max_position_embeddings", context))
    shared = gqa.supports(config)
    quantized = precision.target == "cpu" and precision.bits != 32
    if shared:
        if quantized:
            smooth(model, [text[:context] for text in texts])
        graph = gqa.build_graph(model, context=context, dtype=np.float16 if precision.target == "cuda" else np.float32)
    else:
        graph = _trace(model, half=precision.target == "cuda")
    if quantized:
        graph = quantize(graph, precision.bits)
        if shared and config.tie_word_embeddings:
            share_embedding(graph)
    _save(graph, file)

    inputs = {value.name: value for value in graph.graph.input}
    past = inputs["past.0.key" if shared else "past_key_values.0.key"].type.tensor_type
    names = _SHARED_INPUTS if shared else _GROWING_INPUTS
    return ModelSpec(
        file=file.name,
        layers=config.num_hidden_layers,
        kv_heads=past.shape.dim[1].dim_value,
        head_dim=past.shape.dim[3].dim_value or config.hidden_size // config.num_attention_heads,
        vocab_size=config.vocab_size,
        context=context,
        cache="shared" if shared else "growing",
        cache_dtype="float16" if past.elem_type == onnx.TensorProto.FLOAT16 else "float32",
        inputs={role: name for role, name in names.items() if name.format(layer=0) in inputs},
        outputs=_SHARED_OUTPUTS,
    )


def _trace(model: PreTrainedModel, *, half: bool) -> onnx.ModelProto:
    """Let Optimum trace the model: GPT-Neo, CodeGen, GPT-2, StarCoder2 and whatever else it knows the inputs of."""
    from optimum.exporters.onnx import onnx_export_from_model

    _register_starcoder2()
    logging.getLogger("optimum").setLevel(logging.ERROR)  # it warns of every tied weight

    if half:
        model = model.half()
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns of every Python branch that it fixes
        try:
            onnx_export_from_model(model, Path(scratch), task="text-generation-with-past", do_validation=False)
        except (ValueError, KeyError, NotImplementedError) as error:
            raise ExportError(
                f"no exporter knows the architecture '{model.config.model_type}' ({error})",
                "nothing is exported",
                "take a Llama, Qwen2, GPT-Neo, CodeGen, StarCoder2 or GPT-2 model",
            ) from error
        return onnx.load(Path(scratch) / "model.onnx")


def _register_starcoder2() -> None:
    """Tell Optimum what goes in and out of a StarCoder2: the same as of a Mistral, with shared keys and values."""
    from optimum.exporters.onnx.model_configs import COMMON_TEXT_GENERATION_TASKS, MistralOnnxConfig
    from optimum.exporters.tasks import TasksManager

    register = TasksManager.create_register("onnx")
    register("starcoder2", *COMMON_TEXT_GENERATION_TASKS)(MistralOnnxConfig)


def _save(graph: onnx.ModelProto, file: Path) -> None:
    options: dict[str, Any] = {"max_shard_size_bytes": MAX_FILE_BYTES, "alignment": _PAGE_BYTES}
    onnx_ir.save(onnx_ir.from_proto(graph), file, external_data=f"{file.stem}.data", **options)
