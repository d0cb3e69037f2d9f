"""Train a sketcher, a generator, both in one (joint), or a model without sketches (plain).

    python -m trainer train --config cpu --corpus DIR --base DIR --out DIR

Running the same command again goes on from the newest checkpoint, with the same curve as if it had never stopped.
SIGTERM and Ctrl-C save a checkpoint first. OUT/model is a complete model at any time: export may read it while
training goes on. Several processes: put `torchrun --nproc_per_node N --module` or `deepspeed --no_local_rank
--num_gpus N --module` in place of `python -m`; configs/v100.toml shows several machines.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.config import TrainConfig, describe_settings, load_config

if TYPE_CHECKING:
    import torch

    from trainer.data import Batch

_ENVIRONMENT = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "100000000000", "OMP_WAIT_POLICY": "ACTIVE"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``python -m trainer train``."""
    parser.add_argument(
        "--config", required=True, metavar="NAME|FILE", help="smoke, cpu, v100, pycodegpt-110m, or a TOML file"
    )
    parser.add_argument("--corpus", type=Path, required=True, metavar="DIR", help="folder of train/heldout.parquet")
    parser.add_argument(
        "--textbook",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a further such folder; may be repeated",
    )
    parser.add_argument(
        "--base", type=Path, required=True, metavar="DIR", help="folder made by `python -m trainer base`"
    )
    parser.add_argument("--start", type=Path, metavar="DIR", help="adapter to train on from, instead of a fresh one")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the run")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change one setting")
    parser.epilog = f"settings:\n{describe_settings()}\n\nexit status: 0 done, 1 error, 143 stopped and saved"


def run(args: argparse.Namespace) -> int:
    """Train to the end, or until a signal asks to stop; returns the exit status."""
    config, deepspeed_path = load_config(args.config, args.set)
    if sys.platform == "linux" and not _ENVIRONMENT.keys() <= os.environ.keys():
        # Read at start only. Without, glibc gives large freed buffers back and faults their pages in again, and threads
        # sleep between two operations, which takes a quarter longer.
        os.execve(sys.executable, sys.orig_argv, {**_ENVIRONMENT, **os.environ})
    import torch

    from cert_lsp.contract.sketch import Variant
    from trainer.base import read_cert
    from trainer.checkpoint import check_same_run, read_start
    from trainer.data import open_records
    from trainer.engine import choose_accelerator, read_deepspeed, start_processes

    choose_accelerator()
    settings = read_deepspeed(deepspeed_path, config)
    base_cert = read_cert(args.base)
    start = read_start(args.start, base_cert, config) if args.start else None
    sources = [args.corpus, *args.textbook]
    args.out.mkdir(parents=True, exist_ok=True)
    rank, world, device = start_processes()
    cache, weights = args.out / "cache", config.data.resample
    variant = Variant(config.data.sketch)
    train = open_records(sources, "train", cache, weights=weights, variant=variant)
    heldout = open_records(sources, "heldout", cache, variant=variant)
    if rank == 0:
        corpus = {"train": len(train), "heldout": len(heldout)}
        check_same_run(
            args.out, {"config": asdict(config), "base": base_cert["base"], "corpus": corpus, "start": start}
        )
    folders = (args.base, args.start, args.out)
    trainer = Trainer(config, settings, folders, (rank, world, device), (train, heldout), start)
    try:
        return trainer.train()
    finally:
        torch.distributed.destroy_process_group()


class Trainer:
    """One process of a training run."""

    def __init__(
        self,
        config: TrainConfig,
        settings: Mapping[str, Any],
        folders: tuple[Path, Path | None, Path],
        process: tuple[int, int, torch.device],
        records: tuple[Any, Any],
        start: Mapping[str, Any] | None,
    ) -> None:
        """Load the model, open the data and go to the newest checkpoint.

        Args:
            config: Settings of the run.
            settings: DeepSpeed's settings.
            folders: Base, adapter to start from or None, and where the run is written.
            process: Rank, number of processes, device.
            records: Training and held-out records.
            start: What is known of the training of the adapter to start from.
        """
        from cert_lsp.contract.prompt import Marker, Role
        from cert_lsp.contract.tokens import Encoder
        from trainer import checkpoint, data, engine, model
        from trainer.base import read_cert

        base, adapter, out = folders
        self._config, self._base, self._out, self._start = config, base, out, start
        self._rank, self._world, self._device = process
        markers = {Marker(kind): token for kind, token in read_cert(base)["markers"].items()}
        encoder = Encoder.load(base / "tokenizer.json", markers)
        checkpoint.seed_everything(config.seed, 0)  # the adapters' first values, alike in all processes
        autocast = model.can_autocast(config, self._device)
        loaded = model.load_model(
            base, config.lora, adapter, autocast=autocast, checkpoint_activations=config.checkpoint_activations
        )
        wrapped = model.LearnedLoss(loaded, autocast=autocast)
        self._checkpoints = checkpoint.Checkpoints(out, self._rank, self._world)
        self._meter = engine.Meter(loaded, config.data.window, self._device)
        self._engine = engine.make_engine(wrapped, config, self._checkpoints.fit(settings))
        checkpoint.seed_everything(config.seed, self._rank)
        state, position = self._checkpoints.load(self._engine) or ({"step": 0, "tokens": 0, "eval_loss": None}, None)
        self.step: int = state["step"]
        self.tokens: int = state["tokens"]
        self.eval_loss: float | None = state["eval_loss"]
        role, batch_tokens = Role(config.role), config.micro_batch * config.data.window
        self._stream = data.Stream(
            records[0], role, encoder, config.data, batch_tokens=batch_tokens, seed=config.seed, rank=self._rank,
            world=self._world, position=position,
        )  # fmt: skip
        self._heldout = data.heldout_batches(
            records[1], role, encoder, config.data.window, count=config.eval_records, batch_tokens=batch_tokens
        )
        self._stopped_by = 0

    def train(self) -> int:
        """Run the remaining steps; returns 0, or 128 + the signal that stopped it."""
        from tqdm import tqdm

        from trainer.metrics import Metrics

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        config, saved_at, batches = self._config, time.monotonic(), iter(self._stream)
        main = self._rank == 0
        saved_step = self.step
        with (
            Metrics(self._out, self.step, enabled=main) as metrics,
            tqdm(total=config.steps, initial=self.step, unit="step", disable=not main, smoothing=0.05) as bar,
        ):
            while self.step < config.steps and not self._must_stop():
                started = time.monotonic()
                line, tokens = self._one_step(batches)
                self.step += 1
                self.tokens += tokens
                speed = tokens / (time.monotonic() - started)
                bar.set_postfix_str(f"loss {line['loss']:.3f}, {speed:.0f} tokens/s", refresh=False)
                bar.update()
                if self.step % config.log_every == 0:
                    metrics.write(self.step, {**line, "tokens": self.tokens}, **self._meter.read(speed, self._world))
                last = self.step == config.steps
                if last or self.step % config.eval_every == 0:
                    evaluated = self.evaluate()
                    self.eval_loss = evaluated["eval_loss"]
                    metrics.write(self.step, evaluated)
                if last or self._agree(time.monotonic() - saved_at >= 60 * config.checkpoint_minutes):
                    self.save()
                    saved_at, saved_step = time.monotonic(), self.step
        if saved_step < self.step:
            self.save()
        if self.step == config.steps:
            return 0
        if main:
            sys.stderr.write(f"stopped after step {self.step} and saved; run the same command to go on\n")
        return 128 + (self._stopped_by or signal.SIGTERM)

    def _one_step(self, batches: Iterator[Batch]) -> tuple[dict[str, float], int]:
        """One optimizer step; returns what to log and the number of tokens read by all processes."""
        import torch

        from trainer.engine import loss_scale
        from trainer.model import to_tensors

        table = torch.zeros(2, 2, device=self._device)
        tokens = torch.zeros(1, device=self._device)
        lr = self._engine.get_lr()[0]
        self._engine.train()
        for _ in range(self._config.accumulation):
            batch = next(batches)
            loss, parts = self._engine(*to_tensors(batch, self._device))
            self._engine.backward(loss)
            self._engine.step()
            table += parts
            tokens += batch.tokens
        self._sum(table)
        self._sum(tokens)
        line = {**_losses(table.tolist()), "lr": lr}
        for name, value in (
            ("grad_norm", self._engine.get_global_grad_norm()),
            ("loss_scale", loss_scale(self._engine)),
        ):
            if value is not None:
                line[name] = float(value)
        return line, int(tokens.item())

    def evaluate(self) -> dict[str, float]:
        """Mean loss per learned held-out token, also of sketches and code alone."""
        import torch

        from trainer.model import to_tensors

        table = torch.zeros(2, 2, device=self._device)
        self._engine.eval()
        with torch.no_grad():
            for batch in self._heldout[self._rank :: self._world]:
                table += self._engine(*to_tensors(batch, self._device))[1]
        self._sum(table)
        return {f"eval_{name}": value for name, value in _losses(table.tolist()).items()}

    def save(self) -> None:
        """Write a checkpoint and the model folder."""
        from trainer.checkpoint import whole_weights, write_model

        state = {"step": self.step, "tokens": self.tokens, "eval_loss": self.eval_loss}
        self._checkpoints.save(self._engine, self._stream, state, self.step)
        weights = whole_weights(self._engine)
        if self._rank == 0:
            training = {"tokens": self.tokens, "steps": self.step, "eval_loss": self.eval_loss, "start": self._start}
            write_model(self._out, self._engine.module.model, weights, self._base, self._config, training)

    def _stop(self, number: int, frame: object) -> None:
        self._stopped_by = number

    def _must_stop(self) -> bool:
        return self._agree(bool(self._stopped_by))

    def _agree(self, wish: bool) -> bool:
        """Whether any process wishes it: a signal may reach one of them first, and clocks differ."""
        import torch

        flag = torch.tensor([float(wish)], device=self._device)
        self._sum(flag)
        return bool(flag.item())

    def _sum(self, tensor: torch.Tensor) -> None:
        if self._world > 1:
            import torch

            torch.distributed.all_reduce(tensor)


def _losses(table: list[list[float]]) -> dict[str, float]:
    (sketch, sketch_tokens), (code, code_tokens) = table
    losses = {"loss": (sketch + code) / max(1.0, sketch_tokens + code_tokens)}
    if sketch_tokens:
        losses["sketch_loss"] = sketch / sketch_tokens
    if code_tokens:
        losses["code_loss"] = code / code_tokens
    return losses
