"""Settings of a training run: frozen dataclasses read from TOML.

A field's description in its metadata is its ``--help``. Unknown keys fail, and all faults of a file are gathered and
reported at once, because a run is often started from far away and left alone. DeepSpeed's own settings stay in a JSON
file beside the TOML (see :mod:`trainer.engine`).
"""

from __future__ import annotations

import dataclasses
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cert_lsp.contract.prompt import Role
from cert_lsp.errors import ConfigError

CONFIGS = Path(__file__).parent / "configs"


def _setting(default: Any, description: str) -> Any:
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata={"help": description})
    return field(default=default, metadata={"help": description})


@dataclass(frozen=True)
class Lora:
    """Low-rank adapters (Hu et al., 2021) on every linear layer; absent: all weights are trained."""

    rank: int = _setting(32, "rank of the update of each linear layer")
    alpha: int = _setting(64, "the update is scaled by alpha / rank")
    dropout: float = _setting(0.0, "dropout on the adapters' inputs")

    def faults(self) -> Iterable[str]:
        """Yield what is wrong with the values."""
        if self.rank < 1 or self.alpha < 1:
            yield "lora.rank and lora.alpha must be at least 1"
        if not 0 <= self.dropout < 1:
            yield "lora.dropout must be in [0, 1)"


@dataclass(frozen=True)
class Data:
    """What the model reads, and how often."""

    window: int = _setting(512, "longest example in tokens; longer heads lose whole lines from the left")
    no_sketch_share: float = _setting(0.2, "share of examples without a sketch (joint and generator only)")
    sketch: str = _setting("constants", "what sketches leave out: constants (CERT), names (CERT-N) or both (CERT-NC)")
    kinds: Mapping[str, float] = _setting({}, "times a record of this kind is read per epoch (default 1; 0 drops it)")
    sources: Mapping[str, float] = _setting({}, "the same by package; multiplied with that of the kind")
    resample: bool = _setting(False, "multiply that with the record's own weight (a corpus of whole files has one)")
    branches: int = _setting(1, "most records that are read behind one beginning, where their heads begin alike")
    shuffle: int = _setting(2048, "records that are sorted by length together, so that batches have little padding")

    def faults(self) -> Iterable[str]:
        """Yield what is wrong with the values."""
        if self.window < 16:
            yield "data.window must be at least 16 tokens"
        if not 0 <= self.no_sketch_share <= 1:
            yield "data.no_sketch_share must be in [0, 1]"
        if self.sketch not in ("constants", "names", "both"):
            yield "data.sketch must be constants, names or both"
        for name in ("shuffle", "branches"):
            if getattr(self, name) < 1:
                yield f"data.{name} must be at least 1"
        for name, weights in (("kinds", self.kinds), ("sources", self.sources)):
            for key, weight in weights.items():
                if isinstance(weight, bool) or not isinstance(weight, int | float) or weight < 0:
                    yield f"data.{name}.{key} must be a number from 0"


@dataclass(frozen=True)
class Optimizer:
    """AdamW with linear warm-up and a cosine to a tenth of the peak."""

    lr: float = _setting(8e-4, "peak learning rate")
    weight_decay: float = _setting(0.01, "decoupled weight decay")
    beta1: float = _setting(0.9, "AdamW's first decay rate")
    beta2: float = _setting(0.95, "AdamW's second decay rate")
    warmup: int = _setting(24, "steps of linear warm-up")
    clip: float = _setting(1.0, "greatest norm of the gradient")

    def faults(self) -> Iterable[str]:
        """Yield what is wrong with the values."""
        if self.lr <= 0 or self.clip <= 0:
            yield "optimizer.lr and optimizer.clip must be positive"
        if self.weight_decay < 0 or self.warmup < 0:
            yield "optimizer.weight_decay and optimizer.warmup must not be negative"
        if not (0 <= self.beta1 < 1 and 0 <= self.beta2 < 1):
            yield "optimizer.beta1 and optimizer.beta2 must be in [0, 1)"


@dataclass(frozen=True)
class TrainConfig:
    """One training run."""

    role: str = _setting("joint", f"what the model learns to be: {', '.join(Role)}")
    steps: int = _setting(800, "optimizer steps")
    micro_batch: int = _setting(4, "windows of tokens per process and pass; shorter examples: as many more of them")
    accumulation: int = _setting(1, "passes per optimizer step")
    precision: str = _setting("fp32", "fp32, or bf16-autocast: matrix products in bf16 where the machine has it")
    checkpoint_activations: bool = _setting(False, "compute activations again in the backward pass: a third more time")
    deepspeed: str = _setting("ds_cpu.json", "DeepSpeed's settings; a path is relative to the TOML file")
    seed: int = _setting(0, "of adapters, dropout, mixture and order")
    log_every: int = _setting(1, "steps between two lines of metrics.jsonl")
    eval_every: int = _setting(100, "steps between two evaluations on held-out records")
    eval_records: int = _setting(256, "held-out records per evaluation")
    checkpoint_minutes: float = _setting(10.0, "minutes between two checkpoints")
    optimizer: Optimizer = field(default_factory=Optimizer)
    data: Data = field(default_factory=Data)
    lora: Lora | None = None

    def faults(self) -> Iterable[str]:
        """Yield what is wrong with the values."""
        if self.role not in tuple(Role):
            yield f"role must be one of {', '.join(Role)}"
        if self.precision not in ("fp32", "bf16-autocast"):
            yield "precision must be fp32 or bf16-autocast (fp16 is switched on in DeepSpeed's file)"
        for name in ("steps", "micro_batch", "accumulation", "log_every", "eval_every", "eval_records"):
            if getattr(self, name) < 1:
                yield f"{name} must be at least 1"
        if self.checkpoint_minutes < 0:
            yield "checkpoint_minutes must not be negative"
        if self.optimizer.warmup >= self.steps:
            yield "optimizer.warmup must be less than steps"
        for section in (self.optimizer, self.data, self.lora):
            yield from section.faults() if section else ()


def load_config(name: str, overrides: Iterable[str] = ()) -> tuple[TrainConfig, Path]:
    """Read a configuration and lay ``KEY=VALUE`` overrides over it (dots reach into sections, values are TOML).

    Args:
        name: A file of :data:`CONFIGS` without its ending, or a path to a TOML file.
        overrides: Such as ``role=sketcher`` or ``optimizer.lr=1e-3``.

    Returns:
        The configuration and the path of its DeepSpeed file.

    Raises:
        ConfigError: Every fault of the file and the overrides, in one message.
    """
    path = CONFIGS / f"{name}.toml" if (CONFIGS / f"{name}.toml").is_file() else Path(name)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        known = ", ".join(sorted(file.stem for file in CONFIGS.glob("*.toml")))
        raise ConfigError(f"no configuration {name}: {error}", remedy=f"name one of {known}, or a TOML file") from error
    faults: list[str] = []
    for override in overrides:
        _override(table, override, faults)
    config = _build(TrainConfig, table, "", faults)
    if config is not None and not faults:
        faults += config.faults()
    if faults or config is None:
        lines = "".join(f"\n  - {fault}" for fault in faults)
        raise ConfigError(f"{path.name} is not valid:{lines}\n", remedy="`--help` lists every setting")
    return config, path.parent / config.deepspeed


def describe_settings(cls: type = TrainConfig, prefix: str = "") -> str:
    """List every setting with its default and meaning, for ``--help``."""
    lines: list[str] = []
    hints = typing.get_type_hints(cls)
    for item in dataclasses.fields(cls):
        section = _section(hints[item.name])
        if section:
            lines.append(describe_settings(section, f"{prefix}{item.name}."))
            continue
        default = item.default if item.default is not dataclasses.MISSING else "{}"
        lines.append(f"  {prefix + item.name:<24} {item.metadata['help']} ({default})")
    return "\n".join(lines)


def _override(table: dict[str, Any], override: str, faults: list[str]) -> None:
    key, equals, text = override.partition("=")
    if not equals:
        faults.append(f"--set {override}: not KEY=VALUE")
        return
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    *sections, last = key.strip().split(".")
    for section in sections:
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            faults.append(f"--set {override}: {section} is no section")
            return
    table[last] = value


def _section(hint: Any) -> type | None:
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    return next((option for option in options if dataclasses.is_dataclass(option)), None)


def _build(cls: type, table: Mapping[str, Any], prefix: str, faults: list[str]) -> Any:
    """Make a dataclass of a table; returns None if a fault of this table makes that impossible."""
    hints = typing.get_type_hints(cls)
    faults += [f"unknown setting {prefix}{key}" for key in table if key not in hints]
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in hints:
            continue
        section = _section(hints[key])
        if section and isinstance(value, Mapping):
            values[key] = _build(section, value, f"{prefix}{key}.", faults)
        elif not section and _has_type(value, hints[key]):
            values[key] = float(value) if hints[key] is float else value
        else:
            expected = "a section" if section else getattr(hints[key], "__name__", "table")
            faults.append(f"{prefix}{key} must be {expected}, not {value!r}")
    return None if faults else cls(**values)


def _has_type(value: Any, hint: Any) -> bool:
    if typing.get_origin(hint):
        return isinstance(value, Mapping)
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, int | float) if hint is float else isinstance(value, hint)
