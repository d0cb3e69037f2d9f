"""DeepSpeed: its settings checked by us, its engine made for one process or many, on CPU or CUDA.

DeepSpeed takes unknown top-level keys without a word (``"fp1"`` switches fp16 off) and fills in ``"auto"`` only under
the Hugging Face trainer, so both are refused here. Batch sizes, clipping, optimizer and schedule belong to the TOML
file and are put into DeepSpeed's settings from there.
"""

from __future__ import annotations

import importlib
import json
import logging
import math
import os
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cert_lsp.errors import ConfigError
from trainer.config import TrainConfig

_SECTIONS = {
    "zero_optimization": "deepspeed.runtime.zero.config:DeepSpeedZeroConfig",
    "fp16": "deepspeed.runtime.precision_config:DeepSpeedFP16Config",
    "comms_logger": "deepspeed.comm.config:CommsLoggerConfig",
    "flops_profiler": "deepspeed.profiling.config:DeepSpeedFlopsProfilerConfig",
}
_SCALARS = {"zero_allow_untested_optimizer", "prescale_gradients", "communication_data_type", "wall_clock_breakdown"}
_OURS = {
    "train_micro_batch_size_per_gpu": "micro_batch",
    "gradient_accumulation_steps": "accumulation",
    "gradient_clipping": "optimizer.clip",
    "optimizer": "[optimizer]",
    "scheduler": "[optimizer]",
    "train_batch_size": "micro_batch and accumulation",
}


def read_deepspeed(path: Path, config: TrainConfig) -> dict[str, Any]:
    """Read and check DeepSpeed's settings, and add those of the training run.

    Raises:
        ConfigError: Every fault of the file, in one message.
    """
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"DeepSpeed's settings {path} cannot be read: {error}") from error
    faults = list(_faults(settings, config))
    if faults:
        lines = "".join(f"\n  - {fault}" for fault in faults)
        raise ConfigError(f"{path.name} is not valid:{lines}\n", "DeepSpeed would go on without a word")
    return {
        **settings,
        "train_micro_batch_size_per_gpu": config.micro_batch,
        "gradient_accumulation_steps": config.accumulation,
        "gradient_clipping": config.optimizer.clip,
        "steps_per_print": 2**31 - 1,  # progress is ours to show
    }


def _faults(settings: Any, config: TrainConfig) -> Iterable[str]:
    if not isinstance(settings, dict):
        yield "the file must hold one object"
        return
    for key, value in settings.items():
        if key in _OURS:
            yield f"{key} is set by {_OURS[key]} of the TOML file"
        elif key in _SECTIONS and isinstance(value, Mapping):
            yield from _section_faults(key, value)
        elif key not in _SCALARS:
            yield f"unknown setting {key}" if key not in _SECTIONS else f"{key} must be an object"
    yield from (f'{place} is "auto", which only the Hugging Face trainer fills in' for place in _autos(settings, ""))
    fp16 = settings.get("fp16", {})
    if isinstance(fp16, Mapping) and fp16.get("enabled") and config.precision != "fp32":
        yield f"fp16 is enabled, but precision is {config.precision}"


def _section_faults(name: str, section: Mapping[str, Any]) -> Iterable[str]:
    from pydantic import ValidationError

    module, _, cls = _SECTIONS[name].partition(":")
    model = getattr(importlib.import_module(module), cls)
    known = set(model.model_fields) | {field.alias for field in model.model_fields.values() if field.alias}
    unknown = [key for key in section if key not in known]
    yield from (f"unknown setting {name}.{key}" for key in unknown)
    try:
        model(**{key: value for key, value in section.items() if key in known and value != "auto"})
    except ValidationError as error:
        for fault in error.errors():
            yield f"{name}.{'.'.join(map(str, fault['loc']))}: {fault['msg']}"


def _autos(value: Any, place: str) -> Iterable[str]:
    if value == "auto":
        yield place
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _autos(inner, f"{place}.{key}" if place else key)


def choose_accelerator() -> None:
    """Name the accelerator before DeepSpeed is first imported, which otherwise warns while it looks for one."""
    os.environ.setdefault("DS_ACCELERATOR", "cuda" if torch.cuda.is_available() else "cpu")


def start_processes() -> tuple[int, int, torch.device]:
    """Join the process group, which a launcher may have announced; returns rank, number of processes and device.

    Raises:
        ConfigError: DeepSpeed is not installed.
    """
    logging.getLogger("DeepSpeed").setLevel(logging.WARNING)
    try:
        import deepspeed
    except ImportError as error:
        raise ConfigError(f"DeepSpeed cannot be imported: {error}", remedy="pip install '.[train]'") from error
    cuda = torch.cuda.is_available()
    if not cuda:
        # A compiled all-reduce over shared memory: 80 s to build, and it needs a compiler. gloo does the same.
        importlib.import_module("deepspeed.comm.torch").build_shm_op = lambda: None
    alone = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": _free_port()}
    if "RANK" not in os.environ:
        os.environ.update(alone)
    deepspeed.init_distributed(dist_backend="nccl" if cuda else "gloo", verbose=False)
    local = int(os.environ["LOCAL_RANK"])
    device = torch.device("cuda", local) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    return int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), device


def make_engine(model: nn.Module, config: TrainConfig, settings: Mapping[str, Any]) -> Any:
    """Wrap ``model`` in a DeepSpeed engine with torch's AdamW and the cosine schedule."""
    import deepspeed

    optim = config.optimizer
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    # Norms and biases are not decayed: they have no direction to shrink along.
    groups = [
        {"params": [p for p in trainable if p.ndim > 1], "weight_decay": optim.weight_decay},
        {"params": [p for p in trainable if p.ndim < 2], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    optimizer = torch.optim.AdamW(groups, lr=optim.lr, betas=(optim.beta1, optim.beta2))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: lr_factor(step, config))
    engine, *_ = deepspeed.initialize(
        model=model, optimizer=optimizer, lr_scheduler=schedule, config=dict(settings), dist_init_required=False
    )
    return engine


def lr_factor(step: int, config: TrainConfig) -> float:
    """Share of the peak learning rate at ``step`` (from 0): linear warm-up, then a cosine down to a tenth."""
    warmup = config.optimizer.warmup
    if step < warmup:
        return (step + 1) / warmup
    progress = min(1.0, (step - warmup) / (config.steps - warmup))
    return 0.1 + 0.45 * (1 + math.cos(math.pi * progress))


def loss_scale(engine: Any) -> float | None:
    """By what fp16's losses are multiplied now, so that small gradients are not lost; None in other precisions."""
    if not engine.fp16_enabled():
        return None
    optimizer = engine.optimizer
    scaler = getattr(optimizer, "loss_scale_config", optimizer)  # without ZeRO it is kept apart
    return float(scaler.cur_scale)


class Meter:
    """Operations per second of one process, and their share of what its device could do at most.

    Counted are 6 operations per weight and token, 4 for a frozen weight, and those of attention (Kaplan et al., 2020);
    activations that are computed again are not: the share tells what the run is worth, not how busy the device is.
    """

    def __init__(self, model: nn.Module, window: int, device: torch.device) -> None:
        """Count the weights of `model`, which ZeRO has not shared out yet; `window` is in tokens."""
        sizes = [(parameter.numel(), parameter.requires_grad) for parameter in model.parameters()]
        shape: Any = model.config
        self._per_token = sum((6 if trained else 4) * size for size, trained in sizes)
        self._per_token += 6 * shape.num_hidden_layers * shape.hidden_size * window
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else ""
        self._peak = next((peak for kind, peak in _PEAKS.items() if kind in name), None)

    def read(self, tokens_per_s: float, processes: int) -> dict[str, float]:
        """Figures of so many tokens a second, learned from by all processes together; TFLOPS are those of each."""
        tflops = tokens_per_s * self._per_token / processes / 1e12
        share = {"share_of_peak": tflops / self._peak} if self._peak else {}
        return {"tokens_per_s": tokens_per_s, "tflops": tflops, **share}


_PEAKS = {"V100": 125, "T4": 65, "A100": 312, "L4": 121, "A10": 125, "H100": 989, "H200": 989}
"""Dense half precision on tensor cores, TFLOPS, as NVIDIA's data sheets say; by a part of the device's name."""


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])
