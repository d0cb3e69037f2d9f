"""Shrink a graph's weights to 8 or 4 bits with ONNX Runtime's block-wise MatMulNBits.

Every block of weights along a row has a scale; activations stay float32 at the graph's seams and are rounded to int8
row by row inside the kernel (accuracy level 4). Since no scale is taken over several rows, logits don't depend on how a
prompt was cut into calls, which ONNX Runtime's dynamic int8 quantization gets wrong: there a cached prefix and a
verified draft differ from a plain decode.

The token embedding is the same matrix as the output projection in small models. `share_embedding` makes the lookup read
the projection's 8-bit blocks, so that the matrix is in the file and in memory once.
"""

from __future__ import annotations

import logging

import numpy as np
import onnx
from onnx import helper, numpy_helper

from cert_lsp.errors import ExportError
from export.gqa import CONTRIB, EMBEDDING, LM_HEAD

BLOCK = 128
"""Weights that share a scale. Measured against 32 and 64 in docs/log.md."""
INT8_COMPUTE = 4
"""MatMulNBits' accuracy level for int8 arithmetic (VNNI or AVX2), the fastest on a CPU."""


def quantize(model: onnx.ModelProto, bits: int, *, block: int = BLOCK) -> onnx.ModelProto:
    """Quantize every constant MatMul to `bits`, the output projection always to 8 bits.

    8 bits are symmetric, 4 bits have zero points. The graph that is passed in is used up.

    Raises:
        ExportError: If `bits` is neither 4 nor 8.
    """
    if bits not in (4, 8):
        raise ExportError(f"weights cannot be quantized to {bits} bits", remedy="choose --bits 8 or --bits 4")
    logging.getLogger("onnxruntime.quantization").setLevel(logging.WARNING)
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    for width, excluded in ((bits, [LM_HEAD]), (8, [])):  # the second pass finds the output projection alone
        quantizer = MatMulNBitsQuantizer(
            model,
            bits=width,
            block_size=block,
            is_symmetric=width == 8,
            accuracy_level=INT8_COMPUTE,
            nodes_to_exclude=excluded,
        )
        quantizer.process()
        model = quantizer.model.model
    return model


def share_embedding(model: onnx.ModelProto) -> None:
    """Let the token lookup of a `gqa` graph read the 8-bit blocks of the output projection, in place.

    For tied embeddings only: the float matrix is dropped from the graph.
    """
    graph = model.graph
    head = next(node for node in graph.node if node.op_type == "MatMulNBits" and node.name.startswith(LM_HEAD))
    position, lookup = next((i, node) for i, node in enumerate(graph.node) if node.name == EMBEDDING)
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in head.attribute}
    vocabulary, width, block = attributes["N"], attributes["K"], attributes["block_size"]
    blocks = -(-width // block)
    blocks_of, padded, scales = (f"{EMBEDDING}.{name}" for name in ("blocks", "padded", "scales"))

    constants = {
        "scale_shape": [vocabulary, blocks, 1],
        "row_shape": [1, -1, blocks * block],
        "start": [0],
        "end": [width],
        "axis": [2],
    }
    graph.initializer.extend(
        numpy_helper.from_array(np.array(values, np.int64), f"{EMBEDDING}.{name}") for name, values in constants.items()
    )
    bounds = [f"{EMBEDDING}.{name}" for name in ("start", "end", "axis")]
    nodes = [
        helper.make_node("Reshape", [head.input[2], f"{EMBEDDING}.scale_shape"], [scales], name=scales),
        helper.make_node(
            "GatherBlockQuantized",
            [head.input[1], lookup.input[1], scales],
            [blocks_of],
            name=blocks_of,
            domain=CONTRIB,
            bits=8,
            block_size=block,
            gather_axis=0,
            quantize_axis=2,
        ),
        helper.make_node("Reshape", [blocks_of, f"{EMBEDDING}.row_shape"], [padded], name=padded),
        helper.make_node("Slice", [padded, *bounds], [lookup.output[0]], name=EMBEDDING),  # blocks are filled up
    ]
    unused = next(tensor for tensor in graph.initializer if tensor.name == lookup.input[0])
    graph.initializer.remove(unused)
    graph.node.remove(lookup)
    for offset, node in enumerate(nodes):
        graph.node.insert(position + offset, node)
