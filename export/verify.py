"""Does a bundle compute what its checkpoint computes? Names and shapes, then logits, then greedy tokens, against torch.

The bundle answers each prompt greedily, token by token through its cache. Torch then reads prompt and answer in one
pass and says at every place which token it would have gone on with: *equal tokens* is the share of places with the same
one, so that one early difference doesn't make all later tokens count as different. Where all are the same, torch's own
greedy answer is this one: *equal answers*.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from cert_lsp.contract.bundle import ModelSpec
from cert_lsp.contract.prompt import Marker, Role, render
from cert_lsp.contract.tokens import Encoder
from cert_lsp.engine.runtime import Runtime
from cert_lsp.errors import ExportError
from export.prompts import PROMPTS

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import PreTrainedModel

_ANSWER_TOKENS = 32
_CUT = 1e-3
"""Greatest difference that cutting a text into calls may make to a logit. It is 0 on the CPU."""


@dataclass(frozen=True)
class Tolerance:
    """What a precision must keep to.

    Attributes:
        difference: Greatest mean difference of logits, in their standard deviations.
        equal_tokens: Least share of equal greedy tokens.
    """

    difference: float
    equal_tokens: float


# For quantized weights these hold with random models too, whose logits lie close together; a faulty graph has hardly an
# equal token. How much of a trained model is lost is told by the report, not by the tolerance.
TOLERANCES = {
    "float32": Tolerance(difference=1e-3, equal_tokens=0.995),
    "float16": Tolerance(difference=0.02, equal_tokens=0.97),
    "int8": Tolerance(difference=0.1, equal_tokens=0.85),
    "int4": Tolerance(difference=0.5, equal_tokens=0.4),
}


@dataclass(frozen=True)
class Report:
    """How one model of a bundle compares with its checkpoint.

    Attributes:
        role: The model.
        quantization: Format of its weights.
        prompts: Prompts asked.
        tokens: Places compared.
        equal_tokens: Share of places with the same likeliest token.
        equal_answers: Share of prompts whose whole greedy answer is the same.
        max_difference: Greatest difference of a logit.
        mean_difference: Mean difference of logits, in standard deviations of torch's.
        cut_difference: Greatest difference of a logit between reading token by token and at once.
    """

    role: Role
    quantization: str
    prompts: int
    tokens: int
    equal_tokens: float
    equal_answers: float
    max_difference: float
    mean_difference: float
    cut_difference: float

    def row(self) -> str:
        """One line of `TABLE`."""
        return (
            f"{self.role:10} {self.quantization:8} {self.prompts:7} {self.tokens:7} {self.equal_tokens:7.1%} "
            f"{self.equal_answers:8.1%} {self.max_difference:9.2e} {self.mean_difference:9.2e} "
            f"{self.cut_difference:8.1e}"
        )

    def as_json(self) -> dict[str, Any]:
        """The fields, for scripts."""
        return asdict(self)


TABLE = (
    f"{'model':10} {'weights':8} {'prompts':>7} {'tokens':>7} {'equal':>7} {'answers':>8} {'max diff':>9} "
    f"{'mean diff':>9} {'cut diff':>8}"
)


def check_shapes(spec: ModelSpec, graph: Path) -> None:
    """Compare the graph's inputs and outputs, their axes and types, with what the manifest will say.

    Raises:
        ExportError: If any differs.
    """
    import onnx

    loaded = onnx.load(graph, load_external_data=False).graph
    cache = spec.context if spec.cache == "shared" else None  # a growing cache has no fixed length
    expected: dict[str, tuple[int | None, ...]] = {spec.outputs["logits"]: (None, None, spec.vocab_size)}
    for layer in range(spec.layers):
        for part in ("key", "value"):
            axes = (None, spec.kv_heads, cache, spec.head_dim)
            expected[spec.inputs[f"past_{part}"].format(layer=layer)] = axes
            expected[spec.outputs[f"present_{part}"].format(layer=layer)] = axes
    found = {value.name: value.type.tensor_type.shape.dim for value in [*loaded.input, *loaded.output]}
    for name, axes in expected.items():
        if name not in found:
            raise ExportError(f"{graph.name} has no input or output '{name}'", "no bundle is written")
        sizes = [dim.dim_value or None for dim in found[name]]  # a symbolic axis has no value
        if len(sizes) != len(axes) or any(
            size and wanted and size != wanted for size, wanted in zip(sizes, axes, strict=True)
        ):
            raise ExportError(f"'{name}' of {graph.name} is {sizes}, {list(axes)} expected", "no bundle is written")


def compare(
    model: PreTrainedModel,
    runtime: Runtime,
    encoder: Encoder,
    role: Role,
    quantization: str,
    prompts: Sequence[tuple[str, str]] = PROMPTS,
) -> Report:
    """Ask torch and the bundle the same prompts.

    Args:
        model: The checkpoint's model in float32.
        runtime: The bundle's model of the same role.
        encoder: The bundle's tokenizer.
        role: What the model does.
        quantization: Format of the bundle's weights.
        prompts: (head, sketch in wire form) pairs.
    """
    end = encoder.marker_id(Marker.END)
    equal, answers, places = 0, 0, 0
    greatest, cut, means = 0.0, 0.0, list[float]()
    for head, sketch in tqdm(prompts, desc=f"verify {role}", file=sys.stderr, leave=False, disable=None):
        ids = encoder.encode(render(role, head, sketch if role is Role.GENERATOR else None, None)).ids
        ids = ids[-(runtime.new_cache().capacity - _ANSWER_TOKENS) :]  # a tiny model's window may be short
        answer, found = _answer(runtime, ids, end)
        read = [*ids, *answer[:-1]]
        at_once = runtime.forward(runtime.new_cache(), read, keep=len(answer))
        cut = max(cut, float(np.abs(found - at_once).max()))
        expected = _torch_logits(model, read)[-len(answer) :]
        difference = np.abs(found - expected)
        greatest = max(greatest, float(difference.max()))
        means.append(float(difference.mean() / expected.std()))
        same = expected.argmax(-1) == answer
        equal += int(same.sum())
        answers += bool(same.all())
        places += len(answer)
    return Report(
        role=role,
        quantization=quantization,
        prompts=len(prompts),
        tokens=places,
        equal_tokens=equal / places,
        equal_answers=answers / len(prompts),
        max_difference=greatest,
        mean_difference=float(np.mean(means)),
        cut_difference=cut,
    )


def judge(report: Report) -> None:
    """Hold a report against the tolerance of its precision.

    Raises:
        ExportError: If it keeps not to it.
    """
    tolerance = TOLERANCES[report.quantization]
    faults: list[str] = []
    if not report.mean_difference <= tolerance.difference:  # not a number is a fault too
        faults.append(f"logits differ by {report.mean_difference:.3g} deviations, {tolerance.difference} allowed")
    if report.equal_tokens < tolerance.equal_tokens:
        faults.append(f"{report.equal_tokens:.1%} of tokens are equal, {tolerance.equal_tokens:.1%} asked for")
    if not report.cut_difference <= _CUT:
        faults.append(f"cutting a text changes logits by {report.cut_difference:.3g}, {_CUT} allowed")
    if faults:
        raise ExportError(
            f"the exported {report.role} model is not the checkpoint's: {'; '.join(faults)}",
            "no bundle is written",
            "export with more bits (--bits 8, --bits 32); if that fails too, look for the fault in the checkpoint",
        )


def _answer(runtime: Runtime, ids: list[int], end: int) -> tuple[list[int], NDArray[np.float32]]:
    """Greedy answer, the end marker included, and the logits (tokens, vocabulary) that chose each token."""
    cache = runtime.new_cache()
    rows = [runtime.forward(cache, ids)[0].copy()]
    while True:
        tokens = [int(row.argmax()) for row in rows]
        if tokens[-1] == end or len(tokens) == _ANSWER_TOKENS:
            return tokens, np.stack(rows)
        rows.append(runtime.forward(cache, tokens[-1:])[0].copy())


def _torch_logits(model: PreTrainedModel, ids: list[int]) -> NDArray[np.float32]:
    import torch

    with torch.inference_mode():
        return model(torch.tensor([ids])).logits[0].numpy()
