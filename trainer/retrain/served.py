"""The model in service, and what of it can be trained on: the adapter or the weights that its bundle carries."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from cert_lsp.contract.bundle import EMBEDDED, MANIFEST, load_manifest, stamp, verify, write_manifest
from cert_lsp.contract.prompt import Layout
from cert_lsp.errors import ConfigError
from trainer.base import read_cert

CARRIED = "adapter"
"""Folder of a retrained bundle with the adapter that the next retraining starts from."""

WEIGHTS = "weights"
"""The same with all weights as they were before they were rounded: a base folder, where all were trained."""

_EMBEDDED_ADAPTER = Path(__file__).parents[1] / "adapters" / "default"


@dataclass(frozen=True)
class Served:
    """The model in service.

    Attributes:
        bundle: Its folder.
        name: What it calls itself.
        sha256: Of its manifest.
        base: Name and hash of what its adapter, or a fresh one, goes with.
        weights: The folder of that, if the bundle carries it.
        adapter: What training goes on from; None: a fresh adapter on the base.
    """

    bundle: Path
    name: str
    sha256: str
    base: dict[str, str]
    weights: Path | None
    adapter: Path | None

    def rank(self) -> tuple[int, int] | None:
        """Rank and alpha of the adapter."""
        if self.adapter is None:
            return None
        config = json.loads((self.adapter / "adapter_config.json").read_text(encoding="utf-8"))
        return config["r"], config["lora_alpha"]


def in_service(bundle: Path, start: Path | None) -> Served:
    """Look the model in service over.

    Args:
        bundle: Its folder.
        start: An adapter to start from in place of the one that belongs to the model.

    Raises:
        BundleError: The model in service is damaged.
        ConfigError: It consists of two models, or no adapter of it is known.
    """
    manifest = verify(bundle)
    if manifest.layout is Layout.PAPER:
        raise ConfigError(
            f"{manifest.name} consists of two models",
            "only a model that plays both roles is retrained by this command",
            "put a joint model in service: `cert-lsp models list`",
        )
    carried, weights = bundle / CARRIED, bundle / WEIGHTS
    base = read_cert(weights)["base"] if weights.is_dir() else dict(manifest.base)
    adapter = start or (carried if carried.is_dir() else _EMBEDDED_ADAPTER if bundle == EMBEDDED else None)
    if adapter is None and manifest.layout is Layout.JOINT and not weights.is_dir():
        raise ConfigError(
            f"{bundle} carries neither adapter nor weights to train on",
            "its weights are rounded, and cannot be trained on",
            "name the adapter or the run's model folder that it was exported from by --start",
        )
    sha256 = stamp(bundle / MANIFEST).sha256
    return Served(bundle, manifest.name, sha256, base, weights if weights.is_dir() else None, adapter)


def carry(bundle: Path, *, adapter: Path | None = None, weights: Path | None = None) -> None:
    """Put what the next retraining starts from into a bundle, and stamp it with the rest."""
    for folder, name in ((adapter, CARRIED), (weights, WEIGHTS)):
        if folder:
            shutil.copytree(folder, bundle / name)
    write_manifest(bundle, load_manifest(bundle))
