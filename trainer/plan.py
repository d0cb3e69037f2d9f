r"""Plan a run before it is paid for: batch, ZeRO stage, memory and days.

    python -m trainer plan --params 110M --gpus 16 --gpu-memory 32
    python -m trainer plan --params 110M --gpus 16 --gpu-memory 32 --tokens 100B --batch-tokens 480K --json

An estimate from published formulas, nothing is run: weights, gradients and Adam's states as in ZeRO (Rajbhandari et
al., 2020), activations as in Korthikanti et al. (2022), operations as 6 per weight and token (Kaplan et al., 2020) and
those of attention. Memory errs on the side of too much; the days hang on the utilization, which is why two are told.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from cert_lsp.errors import ConfigError

# Hidden size and layers of GPT-Neo, OPT, Llama and their kin: widths grow with depth in all of them alike.
_SHAPES = ((256, 6), (512, 8), (768, 12), (1024, 24), (1536, 24), (2048, 24), (2560, 32), (4096, 32), (5120, 40))
_HEAD = 64
_RESERVED = 2.0e9
"""Bytes for the CUDA context, the communication buckets and what fragmentation wastes."""
_STAGES = {
    0: "no ZeRO",
    1: "ZeRO 1: optimizer states shared out",
    2: "ZeRO 2: gradients too",
    3: "ZeRO 3: weights too",
}
_GOOD_PASS = 8192
"""Tokens per pass from which a GPU is kept busy."""
_UTILIZATION = (0.2, 0.4)
"""Shares of the peak that well-kept code reaches on small models: fp16 without, and with fused attention."""


@dataclass(frozen=True)
class Run:
    """What is to be trained, on what.

    Attributes:
        params: Weights.
        hidden: Width of the residual stream.
        layers: Transformer blocks.
        vocab: Tokens of the vocabulary.
        window: Tokens of one sequence.
        tokens: Tokens to be seen in all.
        batch_tokens: Tokens of one optimizer step, all GPUs together.
        gpus: Number of GPUs.
        gpu_memory: Bytes of each.
        gpu_flops: Peak of each in half precision, operations per second.
    """

    params: float
    hidden: int
    layers: int
    vocab: int
    window: int
    tokens: float
    batch_tokens: float
    gpus: int
    gpu_memory: float
    gpu_flops: float

    @property
    def flops_per_token(self) -> float:
        """Operations to learn from one token: forward and backward, attention's products with themselves included."""
        return 6 * self.params + 6 * self.layers * self.hidden * self.window

    @property
    def windows(self) -> int:
        """Sequences of one optimizer step on one GPU."""
        return max(1, round(self.batch_tokens / self.window / self.gpus))


@dataclass(frozen=True)
class Option:
    """One way to lay the run out; sizes in bytes per GPU.

    Attributes:
        stage: ZeRO stage.
        checkpoint_activations: Whether activations are computed again in the backward pass.
        states: Weights, gradients and optimizer states.
        per_window: Activations and logits of one sequence.
        micro_batch: Sequences of one pass; 0 if not one fits.
        accumulation: Passes per optimizer step.
    """

    stage: int
    checkpoint_activations: bool
    states: float
    per_window: float
    micro_batch: int
    accumulation: int

    @property
    def memory(self) -> float:
        """Bytes that are needed on each GPU, at least one sequence."""
        return _RESERVED + self.states + max(1, self.micro_batch) * self.per_window


def options(run: Run) -> Iterator[Option]:
    """All ways, the quickest kind first: without computing twice, then by how much is sent about."""
    for again in (False, True):
        for stage in _STAGES:
            states = _states(run, stage)
            window = _per_window(run, again=again)
            room = int((run.gpu_memory - _RESERVED - states) / window)
            passes = -(-run.windows // room) if room > 0 else 0
            micro = -(-run.windows // passes) if passes else 0
            yield Option(stage, again, states, window, micro, passes)


def choose(run: Run) -> Option:
    """The first way that keeps the GPUs busy, else the one with the largest passes.

    Raises:
        ConfigError: Not one sequence fits.
    """
    fitting = [option for option in options(run) if option.micro_batch]
    if not fitting:
        least = min(option.memory for option in options(run))
        raise ConfigError(
            f"not one sequence of {run.window} tokens fits: {least / 1e9:.0f} GB are needed on each GPU",
            "the run cannot start",
            "take more or larger GPUs, or a shorter --window",
        )
    busy = [option for option in fitting if option.accumulation == 1 or option.micro_batch * run.window >= _GOOD_PASS]
    return busy[0] if busy else max(fitting, key=lambda option: option.micro_batch)


def days(run: Run, option: Option, utilization: float) -> float:
    """Days for all tokens at a share of the GPUs' peak."""
    again = 4 / 3 if option.checkpoint_activations else 1.0
    return run.tokens * run.flops_per_token * again / (run.gpus * run.gpu_flops * utilization) / 86_400


def _states(run: Run, stage: int) -> float:
    """fp16 weights and gradients, 2 bytes each; fp32 weights and Adam's two moments, 12 (ZeRO, section 3.1)."""
    weights, grads, adam = 2 * run.params, 2 * run.params, 12 * run.params
    shared = (stage >= 3, stage >= 2, stage >= 1)
    return sum(size / run.gpus if share else size for size, share in zip((weights, grads, adam), shared, strict=True))


def _per_window(run: Run, *, again: bool) -> float:
    """Activations without fused attention (Korthikanti et al., equation 1); logits in fp16 and fp32, their gradient."""
    block = run.window * run.hidden * (34 + 5 * run.window / _HEAD)
    kept = run.layers * 2 * run.window * run.hidden + block if again else run.layers * block
    return kept + run.window * run.vocab * 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options; the defaults are the paper's base, PyCodeGPT (Zan et al., IJCAI 2022)."""
    parser.add_argument("--params", type=_amount, required=True, metavar="N", help="weights of the model, such as 110M")
    parser.add_argument("--gpus", type=int, required=True, metavar="N", help="GPUs, on all machines together")
    parser.add_argument("--gpu-memory", type=_amount, required=True, metavar="GB", help="memory of each, such as 32")
    parser.add_argument(
        "--gpu-tflops",
        type=_amount,
        default=125.0,
        metavar="N",
        help="its peak in half precision (default 125, a V100)",
    )
    parser.add_argument("--tokens", type=_amount, default=100e9, metavar="N", help="tokens to see (default 100B)")
    parser.add_argument(
        "--batch-tokens", type=_amount, default=480e3, metavar="N", help="tokens of one optimizer step (default 480K)"
    )
    parser.add_argument("--window", type=int, default=1024, metavar="N", help="tokens of one sequence (default 1024)")
    parser.add_argument("--vocab", type=int, default=32_000, metavar="N", help="vocabulary (default 32000)")
    parser.add_argument("--layers", type=int, metavar="N", help="blocks (default: what is usual for --params)")
    parser.add_argument("--hidden", type=int, metavar="N", help="width (default: what is usual for --params)")
    parser.add_argument("--json", action="store_true", help="print the plan as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the plan; returns the exit status."""
    for name in ("params", "gpus", "gpu_memory", "gpu_tflops", "tokens", "batch_tokens", "window", "vocab"):
        if getattr(args, name) <= 0:
            raise ConfigError(f"--{name.replace('_', '-')} must be positive")
    hidden, layers = min(_SHAPES, key=lambda shape: abs(12 * shape[0] ** 2 * shape[1] / args.params - 0.85))
    wanted = Run(
        params=args.params,
        hidden=args.hidden or hidden,
        layers=args.layers or layers,
        vocab=args.vocab,
        window=args.window,
        tokens=args.tokens,
        batch_tokens=args.batch_tokens,
        gpus=args.gpus,
        gpu_memory=args.gpu_memory * 1e9,
        gpu_flops=args.gpu_tflops * 1e12,
    )
    chosen = choose(wanted)
    sys.stdout.write(
        json.dumps(_as_json(wanted, chosen), indent=1) + "\n"
        if args.json
        else "\n".join(_as_text(wanted, chosen)) + "\n"
    )
    return 0


def _as_json(run: Run, chosen: Option) -> dict[str, Any]:
    return {
        "run": {**asdict(run), "steps": round(run.tokens / run.batch_tokens), "flops_per_token": run.flops_per_token},
        "chosen": {**asdict(chosen), "memory": chosen.memory},
        "days": {f"{share:.0%}": days(run, chosen, share) for share in _UTILIZATION},
        "options": [{**asdict(option), "memory": option.memory} for option in options(run)],
    }


def _as_text(run: Run, chosen: Option) -> Iterator[str]:
    yield (
        f"{_short(run.params)} weights ({run.layers} blocks of {run.hidden}), {run.gpus} GPUs of "
        f"{run.gpu_memory / 1e9:.0f} GB, {_short(run.tokens)} tokens in {run.tokens / run.batch_tokens:,.0f} steps"
    )
    yield ""
    yield "| | activations | states, GB | one window, GB | windows a pass | passes a step |"
    yield "| --- | --- | ---: | ---: | ---: | ---: |"
    for option in options(run):
        mark = "**" if option == chosen else ""
        kept = "computed again" if option.checkpoint_activations else "kept"
        fits = f"{option.micro_batch} | {option.accumulation}" if option.micro_batch else "does not fit | "
        yield (
            f"| {mark}{_STAGES[option.stage]}{mark} | {kept} | {option.states / 1e9:.1f} | "
            f"{option.per_window / 1e9:.2f} | {fits} |"
        )
    yield ""
    yield f"Take {_STAGES[chosen.stage].split(':')[0]}: micro_batch = {chosen.micro_batch}, accumulation = " + (
        f"{chosen.accumulation}, checkpoint_activations = {str(chosen.checkpoint_activations).lower()}; "
        f"{chosen.memory / 1e9:.0f} of {run.gpu_memory / 1e9:.0f} GB."
    )
    low, high = (days(run, chosen, share) for share in _UTILIZATION)
    yield (
        f"{_days(high)} to {_days(low)} days, at {_UTILIZATION[1]:.0%} and {_UTILIZATION[0]:.0%} of the GPUs' peak "
        f"({run.gpus * run.gpu_flops * _UTILIZATION[0] / run.flops_per_token:,.0f} tokens/s at the latter)."
    )


def _days(number: float) -> str:
    return f"{number:.1f}" if number < 10 else f"{number:,.0f}"


def _amount(text: str) -> float:
    """Read ``110M``, ``100B``, ``480K`` or a plain number."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?(?:e\d+)?)([KMBT]?)", text.strip(), re.IGNORECASE)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount such as 480K, 110M or 100B")
    return float(match[1]) * {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}[match[2].upper()]


def _short(amount: float) -> str:
    size, letter = next(
        ((size, letter) for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")) if amount >= size),
        (1, ""),
    )
    return f"{amount / size:.4g}{letter}"
