"""Between the old model and the new: what was learned is kept for the most part, what was known is forgotten less.

Of two models, one trained on from the other, the mean of their weights is good at what either is good at (Wortsman et
al., "Robust fine-tuning of zero-shot models", 2022). An adapter's two factors are mixed each for itself, which keeps
its rank; for adapters as near to each other as these it is nearly the mean of their products.
"""

from __future__ import annotations

import shutil
from pathlib import Path

WEIGHTS = ("adapter_model.safetensors", "model.safetensors")


def blend(start: Path, trained: Path, out: Path, share: float) -> None:
    """Write a checkpoint folder like `trained` whose weights are `share` of its own and the rest of `start`'s.

    Args:
        start: Folder of the adapter, or of the weights, that the training began with.
        trained: Folder of the checkpoint that it ended with.
        out: Folder to write.
        share: From 0 (nothing was learned) to 1 (as trained).
    """
    from safetensors.torch import load_file, save_file

    shutil.copytree(trained, out)
    name = next(name for name in WEIGHTS if (trained / name).is_file())
    old, new = load_file(start / name), load_file(trained / name)
    mixed = {key: old[key].to(value.dtype).lerp(value, share) for key, value in new.items()}
    save_file(mixed, out / name, metadata={"format": "pt"})
