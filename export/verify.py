"""Does a bundle compute what its checkpoint computes? Names and shapes, then logits, then greedy tokens, against torch.

Torch answers each prompt greedily; the bundle then reads prompt and answer and gives its logits at every place of the
answer. So one early difference does not make all later tokens count as different: *equal tokens* is the share of places
where both would go on alike. *Equal answers* is what a user sees: the bundle answers by itself, through its cache.
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
"""Greatest difference that cutting a prompt into two calls may make to a logit. It is 0 on the CPU."""


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
        cut_difference: Greatest difference of a logit when the prompt is read in two calls.
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
    equal, answers, places, cut = 0, 0, 0, 0.0
    greatest, means = 0.0, list[float]()
    for head, sketch in tqdm(prompts, desc=f"verify {role}", file=sys.stderr, leave=False, disable=None):
        ids = encoder.encode(render(role, head, sketch if role is Role.GENERATOR else None, None)).ids
        ids = ids[-(runtime.new_cache().capacity - _ANSWER_TOKENS) :]  # a tiny model's window may be short
        answer, expected = _torch_answer(model, ids, end)
        read = [*ids, *answer[:-1]]
        found = runtime.forward(runtime.new_cache(), read, keep=len(answer))
        difference = np.abs(found - expected)
        greatest = max(greatest, float(difference.max()))
        means.append(float(difference.mean() / expected.std()))
        equal += int((found.argmax(-1) == expected.argmax(-1)).sum())
        places += len(answer)
        alone, in_two = _own_answer(runtime, ids, end)
        answers += alone == answer
        cut = max(cut, float(np.abs(in_two - runtime.forward(runtime.new_cache(), ids)).max()))
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
        faults.append(f"cutting a prompt changes logits by {report.cut_difference:.3g}, {_CUT} allowed")
    if faults:
        raise ExportError(
            f"the exported {report.role} model is not the checkpoint's: {'; '.join(faults)}",
            "no bundle is written",
            "export with more bits (--bits 8, --bits 32); if that fails too, look for the fault in the checkpoint",
        )


def _torch_answer(model: PreTrainedModel, ids: list[int], end: int) -> tuple[list[int], NDArray[np.float32]]:
    """Greedy answer, the end marker included, and the logits (tokens, vocabulary) that chose each token."""
    import torch

    tokens: list[int] = []
    rows: list[NDArray[np.float32]] = []
    with torch.inference_mode():
        state = model(torch.tensor([ids]), use_cache=True)
        while True:
            rows.append(state.logits[0, -1].float().numpy())
            tokens.append(int(rows[-1].argmax()))
            if tokens[-1] == end or len(tokens) == _ANSWER_TOKENS:
                return tokens, np.stack(rows)
            state = model(torch.tensor([tokens[-1:]]), past_key_values=state.past_key_values, use_cache=True)


def _own_answer(runtime: Runtime, ids: list[int], end: int) -> tuple[list[int], NDArray[np.float32]]:
    """Greedy answer of the bundle through its cache, and the logits behind the prompt, read in two calls."""
    cache = runtime.new_cache()
    runtime.forward(cache, ids[: len(ids) // 2])
    logits = first = runtime.forward(cache, ids[len(ids) // 2 :])
    tokens: list[int] = []
    while True:
        tokens.append(int(logits[0].argmax()))
        if tokens[-1] == end or len(tokens) == _ANSWER_TOKENS:
            return tokens, first
        logits = runtime.forward(cache, tokens[-1:])
