"""What a retraining will take, told before it begins: minutes of each stage, and the most memory at a time.

Rough on purpose: the machine's speed is that of one matrix product, by the time that processors spend on it, so that
other programs do not count; they will make it longer by as much as they take. The shares of it that training and
decoding reach were measured on two machines (docs/retraining.md). The report says what it really took.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainer.retrain.repository import Repository

_EMBEDDED_PARAMETERS = 135e6
_TRAINING_REACHES = {"amx_bf16": 2.4, "avx512_bf16": 0.9, "": 0.55}
"""By the processor's instructions that multiply in bf16, the quickest first; times what it reaches in fp32."""
_EXPORT_MINUTES = 0.6
_SECONDS_PER_FILE = 0.01
_READ_PER_PAIR = 300
_WRITTEN_PER_PAIR = 45
_DECODING_COSTS = 6.0
"""Times that a token costs which is decoded alone, over one that is read with others."""
_BYTES_PER_ACTIVATION = 4 * 44


@dataclass(frozen=True)
class Estimate:
    """Minutes by stage, and the greatest memory in GB."""

    minutes: dict[str, float]
    memory_gb: float

    def as_text(self) -> str:
        """For people."""
        stages = ", ".join(f"{name} {minutes:.1f}" for name, minutes in self.minutes.items())
        return f"about {sum(self.minutes.values()):.0f} minutes ({stages}) and {self.memory_gb:.1f} GB of memory"


def estimate(
    repositories: Iterable[Repository],
    base: Path | None,
    *,
    tokens: int,
    pairs: int,
    tasks: int,
    batch_tokens: int,
    whole: bool = False,
) -> Estimate:
    """Estimate a run of `tokens` trained tokens, judged on `pairs` and `tasks` by both models; `whole`: all weights."""
    files = sum(len(repository.members) for repository in repositories)
    parameters, layers, width = _shape(base)
    flops = _flops_per_second()
    per_answer = 2 * parameters * (_READ_PER_PAIR + _WRITTEN_PER_PAIR * _DECODING_COSTS) / flops
    training = (6 if whole else 4) * parameters * tokens / (flops * _TRAINING_REACHES[_bf16()])
    minutes = {
        "corpus": files * _SECONDS_PER_FILE / 60,
        "train": training / 60,
        "export": _EXPORT_MINUTES + 600 * parameters / flops / 60,
        "before": (pairs + tasks) * per_answer / 60,
        "after": (pairs + tasks) * per_answer / 60,
    }
    activations = batch_tokens * layers * width * _BYTES_PER_ACTIVATION
    memory = 1e9 + max((16 if whole else 4) * parameters + activations, 3 * 4 * parameters)
    return Estimate(minutes, memory / 1e9)


def _shape(base: Path | None) -> tuple[float, int, int]:
    """Parameters, layers and width of the base; of the embedded model's where it is not there yet."""
    files = list(base.glob("model*.safetensors")) if base else []
    if base is None or not files:
        return _EMBEDDED_PARAMETERS, 30, 576
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    layers = config.get("num_hidden_layers") or config.get("num_layers") or config.get("n_layer") or 12
    width = config.get("hidden_size") or config.get("n_embd") or 768
    return sum(file.stat().st_size for file in files) / 4, layers, width


def _bf16() -> str:
    """The quickest instructions of `_TRAINING_REACHES` that this processor has; asked without torch."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    except OSError:
        return ""
    return next(name for name in _TRAINING_REACHES if not name or name in flags)


def _flops_per_second() -> float:
    """Multiplications and additions of 32 bits a second of all processors, in a product large enough to be quick."""
    matrix = np.ones((1024, 1024), np.float32)
    matrix @ matrix  # the threads start
    best = float("inf")
    for _ in range(3):
        started = time.process_time()
        matrix @ matrix
        best = min(best, time.process_time() - started)
    return 2 * 1024**3 / best * (os.cpu_count() or 1)
