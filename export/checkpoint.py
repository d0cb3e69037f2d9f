"""Read what the trainer writes: a Hugging Face folder with a ``cert.json``, of full weights or of a LoRA adapter.

An adapter names its base by hash; another base would give a model that nobody trained, so the hash is compared.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cert_lsp.contract.bundle import weights_sha256
from cert_lsp.contract.prompt import PROMPT_VERSION, Marker, Role
from cert_lsp.contract.sketch import SKETCH_VERSION
from cert_lsp.errors import ExportError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_ADAPTER = "adapter_model.safetensors"
_ADAPTER_CONFIG = "adapter_config.json"
_CERT = "cert.json"


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint folder, checked but not loaded.

    Attributes:
        folder: Where it lies.
        weights: Folder of the full weights: the same, or the base's for an adapter.
        role: What the model was trained for.
        markers: Reserved tokens of the vocabulary.
        base: Name and SHA-256 of the base's weights.
        training: What ``cert.json`` says of the training; empty for an untrained base.
        cert: All of ``cert.json``.
    """

    folder: Path
    weights: Path
    role: Role
    markers: dict[Marker, str]
    base: dict[str, str]
    training: dict[str, Any]
    cert: dict[str, Any]

    @property
    def is_adapter(self) -> bool:
        """Whether the folder holds a LoRA adapter instead of full weights."""
        return self.folder != self.weights

    @property
    def tokenizer(self) -> Path:
        """The ``tokenizer.json`` to ship."""
        own = self.folder / "tokenizer.json"
        return own if own.is_file() else self.weights / "tokenizer.json"


def read_checkpoint(folder: Path, *, base: Path | None = None) -> Checkpoint:
    """Look a checkpoint folder over.

    Args:
        folder: Hugging Face layout with a ``cert.json``.
        base: The base's folder, for an adapter whose ``cert.json`` names none or one that has moved.

    Raises:
        ExportError: If it isn't a checkpoint, is of other versions, or its base is missing or another one.
    """
    cert = _read_json(folder / _CERT, "make one by `python -m trainer base` or `python -m trainer train`")
    versions = {"sketch_version": SKETCH_VERSION, "prompt_version": PROMPT_VERSION}
    for key, ours in versions.items():
        if cert.get(key) != ours:
            raise ExportError(
                f"{folder} was trained with {key} {cert.get(key)}, this is {ours}",
                "the server would ask it in words that it has not learned",
                "train again, or export with the version that trained it",
            )
    weights = folder
    if (folder / _ADAPTER).is_file():
        named = cert["base"].get("path")
        if base is None and named is None:
            raise ExportError(f"{folder} is an adapter and its base is not named", remedy="add --base FOLDER")
        weights = base or folder / named  # an absolute path stays as it is
    config = _read_json(weights / "config.json", "name a folder in Hugging Face's layout (--base for an adapter)")
    wrote = str(config.get("transformers_version", "4"))
    if not wrote.startswith("4."):
        raise ExportError(
            f"{weights} was written by transformers {wrote}",
            "transformers 4.57 would misread it without a word (rope_theta)",
            "save it again with transformers 4.57",
        )
    if weights != folder and weights_sha256(weights) != cert["base"]["sha256"]:
        raise ExportError(
            f"{weights} is not the base that {folder} was trained on ('{cert['base']['name']}')",
            "together they would be a model that nobody trained",
            "give the right folder by --base; `python -m trainer base` makes SmolLM2's",
        )
    try:
        return Checkpoint(
            folder=folder,
            weights=weights,
            role=Role(cert["role"]),
            markers={Marker(marker): token for marker, token in cert["markers"].items()},
            base={key: cert["base"][key] for key in ("name", "sha256")},
            training=cert.get("training") or {},
            cert=cert,
        )
    except (KeyError, ValueError) as error:
        raise ExportError(f"{folder / _CERT} is incomplete ({error!r})", remedy="write the checkpoint again") from error


def load_model(checkpoint: Checkpoint) -> PreTrainedModel:
    """The checkpoint's model in float32 on the CPU, its adapter merged, ready for inference.

    Raises:
        ExportError: If the weights can't be read or aren't a causal language model's.
    """
    import torch
    from transformers import AutoModelForCausalLM

    try:
        model = AutoModelForCausalLM.from_pretrained(checkpoint.weights, dtype=torch.float32, local_files_only=True)
        if checkpoint.is_adapter:
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, str(checkpoint.folder)).merge_and_unload()
    except Exception as error:  # safetensors, torch and transformers have no common error
        raise ExportError(
            f"the weights of {checkpoint.folder} cannot be read ({error})",
            "nothing is exported",
            "copy the checkpoint again, or take an older one of the same run",
        ) from error
    return model.eval()


def save_adapter(checkpoint: Checkpoint, out: Path) -> None:
    """Keep the adapter in float16, half its size, as a checkpoint folder that goes with the base's name and hash.

    Anyone with the base trains on from it; `read_checkpoint(out, base=...)` reads it.

    Raises:
        ExportError: If the checkpoint is none of an adapter, or the disk is full.
    """
    if not checkpoint.is_adapter:
        raise ExportError(
            f"{checkpoint.folder} holds full weights, no adapter", remedy="leave --adapter-out away, or train with LoRA"
        )
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file, save_file

    tensors = {name: tensor.to(torch.float16) for name, tensor in load_file(checkpoint.folder / _ADAPTER).items()}
    config = _read_json(checkpoint.folder / _ADAPTER_CONFIG, "copy the checkpoint again")
    config["base_model_name_or_path"] = checkpoint.base["name"]  # not a path of the machine that trained it
    try:
        out.mkdir(parents=True, exist_ok=True)
        save_file(tensors, out / _ADAPTER, metadata={"format": "pt"})
        shutil.copyfile(checkpoint.tokenizer, out / "tokenizer.json")
        for name, content in ((_ADAPTER_CONFIG, config), (_CERT, {**checkpoint.cert, "base": checkpoint.base})):
            (out / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except (OSError, SafetensorError) as error:
        raise ExportError(
            f"{out} cannot be written ({error})",
            "the adapter is not kept",
            "free some disk space, or choose another folder",
        ) from error


def _read_json(path: Path, remedy: str) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ExportError(f"{path} cannot be read ({error})", "nothing is exported", remedy) from error
