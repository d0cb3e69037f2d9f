"""What a run leaves on disk.

    OUT/run.json                    settings, base and corpus; a resumed run must have the same
    OUT/metrics.jsonl, tensorboard/ the curves
    OUT/checkpoints/step-000100/    DeepSpeed's state, each process's random state and place in the data
    OUT/checkpoints/latest          name of the newest complete one
    OUT/checkpoints/NAME.universal/ the same for any number of processes, made when another number goes on
    OUT/model/                      Hugging Face folder with cert.json, as of the newest checkpoint: export reads it

A folder is written under another name and renamed when it is complete; the previous one is deleted only after that.
A kill at any moment or a full disk leaves the last complete state.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import SafetensorError

from cert_lsp.contract.prompt import PROMPT_VERSION, Role
from cert_lsp.contract.sketch import SKETCH_VERSION, Variant
from cert_lsp.errors import CertError, ConfigError
from trainer.base import read_cert
from trainer.data import Position, Stream

if TYPE_CHECKING:
    from trainer.config import TrainConfig


class Checkpoints:
    """The checkpoints of one run, seen from one of its processes."""

    def __init__(self, out: Path, rank: int, world: int) -> None:
        """Keep checkpoints under ``out``."""
        self._folder = out / "checkpoints"
        self._rank, self._world = rank, world

    def save(self, engine: Any, stream: Stream, state: Mapping[str, Any], step: int) -> None:
        """Write a checkpoint; called by all processes.

        Raises:
            CertError: It could not be written; the previous one is untouched.
        """
        final = self._folder / f"step-{step:06d}"
        partial = final.with_suffix(".partial")
        try:
            if self._rank == 0:
                shutil.rmtree(partial, ignore_errors=True)
                partial.mkdir(parents=True)
            _barrier(self._world)
            engine.save_checkpoint(
                str(self._folder), tag=partial.name, client_state=dict(state), save_latest=False,
                exclude_frozen_parameters=True,
            )  # fmt: skip
            torch.save(
                {"position": asdict(stream.position), "world": self._world, "random": _random_state()},
                partial / f"process-{self._rank}.pt",
            )
            _barrier(self._world)
            if self._rank == 0:
                shutil.rmtree(final, ignore_errors=True)
                partial.replace(final)
                write_atomically(self._folder / "latest", final.name + "\n")
                for old in self._folder.iterdir():
                    if old.is_dir() and old != final:
                        shutil.rmtree(old)
            _barrier(self._world)
        except (OSError, RuntimeError) as error:
            shutil.rmtree(partial, ignore_errors=True)
            raise save_error(final, error) from error

    def fit(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """DeepSpeed's settings to go on with; a checkpoint of another number of processes is put together for this one.

        Raises:
            CertError: DeepSpeed cannot put it together.
        """
        saved = self._saved()
        stage = settings.get("zero_optimization", {}).get("stage", 0)
        if saved is None or saved["world"] == self._world or not stage:  # without ZeRO every process has everything
            return dict(settings)
        if self._rank == 0:
            regroup(self._folder / self._newest())
        _barrier(self._world)
        return {**settings, "checkpoint": {"load_universal": True}}

    def load(self, engine: Any) -> tuple[dict[str, Any], Position] | None:
        """Restore the newest checkpoint into `engine`, made with the settings of `fit`; None if there is none.

        The random state is restored too. With another number of processes the data go on at about the same place: each
        process reads other records than before, from the next border between two shuffled windows on.

        Returns:
            The state given to :meth:`save`, and the place in the data.

        Raises:
            CertError: The checkpoint is damaged.
        """
        saved = self._saved()
        if saved is None:
            return None
        name = self._newest()
        same = saved["world"] == self._world
        try:
            if same:
                saved = torch.load(self._folder / name / f"process-{self._rank}.pt", weights_only=True)
            tag = f"{name}.universal" if engine.load_universal_checkpoint() else name
            path, state = engine.load_checkpoint(str(self._folder), tag=tag, load_module_strict=False)
        except (OSError, RuntimeError, KeyError) as error:
            raise self._damaged(name, error) from error
        if path is None:
            raise CertError(f"DeepSpeed found no checkpoint in {self._folder / name}", remedy="give another --out")
        position = Position(**saved["position"])
        if same:
            _restore_random_state(saved["random"])
        else:
            windows = (position.window + bool(position.batch)) * saved["world"]
            position = Position(position.epoch, -(-windows // self._world))
        return state, position

    def _newest(self) -> str:
        return (self._folder / "latest").read_text(encoding="utf-8").strip()

    def _saved(self) -> dict[str, Any] | None:
        """What the first process saved beside the newest checkpoint."""
        if not (self._folder / "latest").is_file():
            return None
        name = self._newest()
        try:
            return torch.load(self._folder / name / "process-0.pt", weights_only=True)
        except (OSError, RuntimeError, KeyError) as error:
            raise self._damaged(name, error) from error

    def _damaged(self, name: str, error: Exception) -> CertError:
        return CertError(
            f"the checkpoint {self._folder / name} is damaged: {error}",
            "the run cannot go on",
            "restore the folder, or give another --out",
        )


def regroup(checkpoint: Path) -> None:
    """Write a ZeRO checkpoint anew for any number of processes, in a folder of the same name and ``.universal``.

    Raises:
        CertError: DeepSpeed could not.
    """
    final = checkpoint.with_name(f"{checkpoint.name}.universal")
    partial = final.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    command = [sys.executable, "-m", "deepspeed.checkpoint.ds_to_universal", "--inject_missing_state"]
    command += ["--input_folder", str(checkpoint), "--output_folder", str(partial)]
    command += ["--num_extract_workers", "1", "--num_merge_workers", "1"]
    env = {name: value for name, value in os.environ.items() if name not in ("RANK", "LOCAL_RANK", "WORLD_SIZE")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        raise CertError(
            f"{checkpoint} could not be put together for another number of processes: {done.stderr.strip()[-400:]}",
            "the run cannot go on with this number",
            "start as many processes as before",
        )
    shutil.rmtree(final, ignore_errors=True)
    partial.replace(final)


def whole_weights(engine: Any) -> dict[str, torch.Tensor]:
    """The trained weights by name; under ZeRO 3 put together one by one. Called by all processes, used by the first."""
    import deepspeed

    weights: dict[str, torch.Tensor] = {}
    for name, parameter in engine.module.model.named_parameters():
        with deepspeed.zero.GatheredParameters([parameter]):
            if torch.distributed.get_rank() == 0:
                shared = hasattr(parameter, "ds_id")  # else it stays where it is
                weights[name] = parameter.detach().cpu().clone() if shared else parameter.detach()
    return weights


def write_model(
    out: Path,
    model: Any,
    weights: Mapping[str, torch.Tensor],
    base: Path,
    config: TrainConfig,
    training: Mapping[str, Any],
) -> None:
    """Write ``out/model``: weights or adapter, tokenizer and cert.json. One process only.

    Args:
        out: The run's folder.
        model: The model that was trained.
        weights: Its weights, as `whole_weights` returns them.
        base: The base's folder.
        config: Settings of the run.
        training: What cert.json says of the training.

    Raises:
        CertError: It could not be written; the previous folder is untouched.
    """
    final, partial = out / "model", out / "model.partial"
    base_cert = read_cert(base)
    role = Role(config.role)
    cert = {
        "sketch_version": SKETCH_VERSION,
        "prompt_version": PROMPT_VERSION,
        "layout": role.layout,
        "role": role,
        "variant": Variant(config.data.sketch),
        "markers": base_cert["markers"],
        "base": {**base_cert["base"], "path": str(base.resolve())},
        "transformers": base_cert["transformers"],
        "training": {"config": asdict(config), **training},
    }
    try:
        shutil.rmtree(partial, ignore_errors=True)
        if config.lora:
            model.save_pretrained(partial, state_dict=weights, save_embedding_layers=False)
            (partial / "README.md").unlink()  # peft's form for a model hub
            adapter = json.loads((partial / "adapter_config.json").read_text(encoding="utf-8"))
            adapter["base_model_name_or_path"] = base_cert["base"]["name"]  # a path means nothing elsewhere
            if isinstance(adapter["target_modules"], list):  # a set to peft, in another order every time
                adapter["target_modules"].sort()
            write_atomically(partial / "adapter_config.json", json.dumps(adapter, indent=2) + "\n")
        else:
            model.save_pretrained(partial, state_dict=dict(weights))
        for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
            if not (partial / name).exists():
                shutil.copyfile(base / name, partial / name)
        write_atomically(partial / "cert.json", json.dumps(cert, indent=2) + "\n")
        shutil.rmtree(final, ignore_errors=True)
        partial.replace(final)
    except (OSError, RuntimeError, SafetensorError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise save_error(final, error) from error


def read_start(folder: Path, base_cert: Mapping[str, Any], config: TrainConfig) -> dict[str, Any]:
    """What ``cert.json`` says of the training of an adapter that a run starts from.

    Raises:
        ConfigError: The folder holds no adapter of this base and of these sketches, or adapters are not trained.
    """
    cert = read_cert(folder)
    named = {key: base_cert["base"][key] for key in ("name", "sha256")}
    if {key: cert["base"].get(key) for key in named} != named:
        raise ConfigError(
            f"{folder} is an adapter of {cert['base'].get('name')}, not of this base",
            "together they would be a model that nobody trained",
            "give the base that it was trained on by --base",
        )
    if not config.lora or not (folder / "adapter_model.safetensors").is_file():
        raise ConfigError(
            "--start takes an adapter, for a run that trains adapters",
            remedy="set lora.rank, or give full weights as --base",
        )
    if cert["variant"] != config.data.sketch:
        raise ConfigError(
            f"{folder} has learned sketches of {cert['variant']}, and data.sketch is {config.data.sketch}",
            "it would have to unlearn them",
            "set data.sketch to the same",
        )
    return dict(cert["training"])


def check_same_run(out: Path, description: Mapping[str, Any]) -> None:
    """Write ``out/run.json``, or compare with what an earlier start of this run wrote there.

    Raises:
        ConfigError: The folder belongs to a run with other settings, base or corpus.
    """
    path = out / "run.json"
    wanted = json.loads(json.dumps(description))
    if not path.is_file():
        write_atomically(path, json.dumps(wanted, indent=2) + "\n")
        return
    found = json.loads(path.read_text(encoding="utf-8"))
    changed = [key for key in wanted if found.get(key) != wanted[key]]
    if changed:
        raise ConfigError(
            f"{out} holds a run with another {', '.join(changed)} (see run.json)",
            "its curve could not be continued",
            "give another --out",
        )


def write_atomically(path: Path, text: str) -> None:
    """Replace a small file as a whole."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def save_error(path: Path, error: Exception) -> CertError:
    """The error of a folder that could not be written."""
    free = shutil.disk_usage(next(parent for parent in path.parents if parent.exists())).free
    return CertError(
        f"{path} could not be written: {error}",
        "the previous checkpoint is untouched",
        f"{free / 1e9:.1f} GB are free on that disk: make room, then run the same command again",
    )


def _barrier(world: int) -> None:
    if world > 1:
        torch.distributed.barrier()


def _random_state() -> dict[str, Any]:
    state = {"torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state()
    return state


def _restore_random_state(state: Mapping[str, Any]) -> None:
    torch.set_rng_state(state["torch"])
    if "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"])


def seed_everything(seed: int, rank: int) -> None:
    """Seed torch, NumPy and Python, each process differently (dropout)."""
    for seeder in (torch.manual_seed, np.random.seed, random.seed):
        seeder(seed * 1_000 + rank)
