"""Write a Llama-shaped checkpoint as one ONNX graph around ONNX Runtime's fused GroupQueryAttention.

Why our own graph: attention, rotary embedding and cache update are one kernel here, which is about twice as fast as the
graph a tracing exporter writes, and the cache is one preallocated buffer that is bound as past *and* present: to forget
tokens, the next call just passes a smaller `length`. onnxruntime-genai's builder writes such graphs too, but with
logits for the last position alone (a draft needs several), a mask to be made on every call, and an untied embedding.

In: a `transformers` Llama or Qwen2 model in memory. Out: an `onnx.ModelProto` for a batch of one with

    input_ids                int64  [1, n]          tokens to append
    length                   int32  [1]             tokens in the cache after this call
    keep                     int64  [1]             how many of the last positions get logits
    past.{layer}.key|value   float  [1, kv_heads, context, head_dim]
    logits                   float32 [1, keep, vocab]
    present.{layer}.key|value                       the same buffers, n tokens longer

Not covered: batches, sliding windows, quantized caches. Other architectures go through `to_onnx.export_growing`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import PreTrainedModel

MODEL_TYPES = frozenset({"llama", "qwen2"})
"""Architectures whose arithmetic this graph has."""

CONTRIB = "com.microsoft"
LM_HEAD = "lm_head"
"""Name of the output projection's node and, with the suffix `.weight`, of its initializer."""
EMBEDDING = "embed_tokens"
"""Name of the node that looks tokens up."""
INT64_MAX = np.iinfo(np.int64).max


def supports(config: Any) -> bool:
    """Whether a `transformers` config describes a model that `build_graph` can write."""
    rope = (getattr(config, "rope_scaling", None) or {}).get("rope_type", "default")
    sliding = getattr(config, "use_sliding_window", False) and config.sliding_window
    return (
        config.model_type in MODEL_TYPES
        and config.hidden_act == "silu"
        and not getattr(config, "mlp_bias", False)
        and not sliding
        and rope in {"default", "linear", "llama3"}
    )


class _Graph:
    """Collects nodes and weights; every method returns the name of the value that it adds."""

    def __init__(self, dtype: type[np.floating[Any]]) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.dtype = dtype

    def weight(self, name: str, values: NDArray[Any]) -> str:
        values = values.astype(self.dtype) if np.issubdtype(values.dtype, np.floating) else values
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def op(
        self, kind: str, *inputs: str, name: str, outputs: tuple[str, ...] = (), domain: str = "", **attrs: Any
    ) -> str:
        outputs = outputs or (name,)
        self.nodes.append(helper.make_node(kind, list(inputs), list(outputs), name=name, domain=domain, **attrs))
        return outputs[0]

    def linear(self, x: str, weight: NDArray[Any], bias: NDArray[Any] | None, name: str) -> str:
        """`x @ weight.T + bias`; `weight` is (out, in), as torch keeps it."""
        y = self.op("MatMul", x, self.weight(f"{name}.weight", weight.T), name=name)
        return y if bias is None else self.op("Add", y, self.weight(f"{name}.bias", bias), name=f"{name}.sum")


def build_graph(model: PreTrainedModel, *, context: int, dtype: type[np.floating[Any]] = np.float32) -> onnx.ModelProto:
    """The graph of `model`, for up to `context` tokens, with weights, activations and cache in `dtype`."""
    config = model.config
    state = {key: value.detach().float().numpy() for key, value in model.state_dict().items()}
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    g = _Graph(dtype)

    g.weight("one", np.array([1], np.int32))
    seqlens = g.op("Sub", "length", "one", name="seqlens_k")
    cos_table, sin_table = _rotary_tables(model, context)
    cos, sin = g.weight("cos", cos_table), g.weight("sin", sin_table)
    epsilon = {"epsilon": config.rms_norm_eps}

    embedding = g.weight(f"{EMBEDDING}.weight", state["model.embed_tokens.weight"])
    residual = g.op("Gather", embedding, "input_ids", name=EMBEDDING)
    norm = g.weight("layers.0.input_norm.weight", state["model.layers.0.input_layernorm.weight"])
    x = g.op("SimplifiedLayerNormalization", residual, norm, name="layers.0.input_norm", axis=-1, **epsilon)
    past: list[onnx.ValueInfoProto] = []
    present: list[onnx.ValueInfoProto] = []

    def add_and_norm(delta: str, name: str, weight: NDArray[Any]) -> str:
        nonlocal residual
        outputs = (name, "", "", f"{name}.residual")
        scale = g.weight(f"{name}.weight", weight)
        op = "SkipSimplifiedLayerNormalization"
        y = g.op(op, residual, delta, scale, name=name, outputs=outputs, domain=CONTRIB, **epsilon)
        residual = outputs[3]
        return y

    for layer in range(config.num_hidden_layers):
        here, torch_here = f"layers.{layer}", f"model.layers.{layer}"
        names = [f"{torch_here}.self_attn.{part}_proj" for part in "qkv"]
        biases = [state[f"{name}.bias"] for name in names if f"{name}.bias" in state]
        weight = np.concatenate([state[f"{name}.weight"] for name in names])
        qkv = g.linear(x, weight, np.concatenate(biases) if biases else None, f"{here}.qkv")
        cache = [(f"past.{layer}.{part}", f"present.{layer}.{part}") for part in ("key", "value")]
        for (source, target), shapes in ((pair, [1, config.num_key_value_heads, context, head_dim]) for pair in cache):
            past.append(helper.make_tensor_value_info(source, element, shapes))
            present.append(helper.make_tensor_value_info(target, element, shapes))
        attended = g.op(
            "GroupQueryAttention",
            *(qkv, "", "", cache[0][0], cache[1][0], seqlens, "length", cos, sin),
            name=f"{here}.attention",
            outputs=(f"{here}.attention", cache[0][1], cache[1][1]),
            domain=CONTRIB,
            num_heads=config.num_attention_heads,
            kv_num_heads=config.num_key_value_heads,
            do_rotary=1,
        )
        output = f"{torch_here}.self_attn.o_proj"
        attended = g.linear(attended, state[f"{output}.weight"], state.get(f"{output}.bias"), f"{here}.output")
        x = add_and_norm(attended, f"{here}.post_norm", state[f"{torch_here}.post_attention_layernorm.weight"])
        gate = g.linear(x, state[f"{torch_here}.mlp.gate_proj.weight"], None, f"{here}.gate")
        up = g.linear(x, state[f"{torch_here}.mlp.up_proj.weight"], None, f"{here}.up")
        silu = g.op("QuickGelu", gate, name=f"{here}.silu", domain=CONTRIB, alpha=1.0)
        gated = g.op("Mul", silu, up, name=f"{here}.gated")
        down = g.linear(gated, state[f"{torch_here}.mlp.down_proj.weight"], None, f"{here}.down")
        last = layer + 1 == config.num_hidden_layers
        following = "model.norm" if last else f"model.layers.{layer + 1}.input_layernorm"
        x = add_and_norm(down, "final_norm" if last else f"layers.{layer + 1}.input_norm", state[f"{following}.weight"])

    for name, value in (("zero", 0), ("end", INT64_MAX), ("axis", 1)):
        g.weight(name, np.array([value], np.int64))
    start = g.op("Sub", "zero", "keep", name="keep_from")
    x = g.op("Slice", x, start, "end", "axis", name="kept")
    logits = g.linear(x, state["lm_head.weight"], state.get("lm_head.bias"), LM_HEAD)
    g.op("Cast", logits, name="logits", to=TensorProto.FLOAT)

    inputs = [
        helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "n"]),
        helper.make_tensor_value_info("length", TensorProto.INT32, [1]),
        helper.make_tensor_value_info("keep", TensorProto.INT64, [1]),
        *past,
    ]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, "keep", config.vocab_size]), *present]
    graph = helper.make_graph(g.nodes, config.model_type, inputs, outputs, g.weights)
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid(CONTRIB, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="cert-lsp")


def _rotary_tables(model: PreTrainedModel, context: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cosines and sines, each (context, head_dim / 2), from the frequencies that torch itself uses."""
    rotary = model.model.rotary_emb
    angles = np.outer(np.arange(context, dtype=np.float32), rotary.inv_freq.float().numpy())
    return (np.cos(angles) * rotary.attention_scaling, np.sin(angles) * rotary.attention_scaling)
