"""The curves of a run: one JSON object a line in ``metrics.jsonl``, and the same for TensorBoard."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from trainer.checkpoint import write_atomically


class Metrics:
    """Appends figures; on opening, what a killed run wrote after its last checkpoint is taken out."""

    def __init__(self, out: Path, step: int, *, enabled: bool) -> None:
        """Go on after ``step``; ``enabled`` in one process only."""
        self._path, self._step, self._enabled = out / "metrics.jsonl", step, enabled

    def __enter__(self) -> Self:
        """Open both files."""
        if self._enabled:
            from torch.utils.tensorboard import SummaryWriter

            lines = self._path.read_text(encoding="utf-8").splitlines() if self._path.is_file() else []
            kept = [line for line in lines if _step_of(line) <= self._step]
            write_atomically(self._path, "".join(f"{line}\n" for line in kept))
            self._file = self._path.open("a", encoding="utf-8")
            self._board = SummaryWriter(str(self._path.parent / "tensorboard"), purge_step=self._step + 1)
        return self

    def __exit__(self, *exc: object) -> None:
        """Close both files."""
        if self._enabled:
            self._file.close()
            self._board.close()

    def write(self, step: int, figures: Mapping[str, float], **timings: float) -> None:
        """Write the figures of one step; timings, which no rerun repeats, are kept apart under ``timing``."""
        if not self._enabled:
            return
        line = {"step": step, **figures, **({"timing": timings} if timings else {})}
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        for name, value in {**figures, **timings}.items():
            self._board.add_scalar(name, value, step)


def _step_of(line: str) -> float:
    """The step of a line; a line cut short by a kill counts as after everything."""
    try:
        return json.loads(line)["step"]
    except (ValueError, KeyError):
        return float("inf")
