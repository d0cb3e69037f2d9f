"""Trains the tiny base by our engine on the same eight examples a step, dealt out in different ways.

Usage: python -m tests.trainer.invariants_worker BASE OUT [ACCUMULATION,STAGE ...], alone or below torchrun. For each
way rank 0 writes the losses of the steps and the weights after the last to OUT/WORLD-ACCUMULATION-STAGE.pt. Behind the
STAGE may stand

    r    it is broken off in the middle and goes on from a checkpoint, in a new engine
    u    it begins in the middle, with the checkpoint that the other number of processes wrote on that way
    a    activations are computed again in the backward pass
    h    in fp16, from a loss scale that is far too large; the scales are written too, nothing is compared
"""

import sys
from pathlib import Path
from typing import Any

import torch

from trainer.checkpoint import regroup, whole_weights
from trainer.config import Lora, Optimizer, TrainConfig
from trainer.engine import choose_accelerator, loss_scale, make_engine, start_processes
from trainer.model import LearnedLoss, load_model

STEPS, EXAMPLES, LENGTH = 6, 8, 24


def examples(step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and parts of a step; each example has as many learned tokens as the others, so that means of means agree."""
    generator = torch.Generator().manual_seed(step)
    ids = torch.randint(3, 259, (EXAMPLES, LENGTH), generator=generator)
    parts = torch.zeros(EXAMPLES, LENGTH, dtype=torch.int8)
    parts[:, 8:16], parts[:, 16:] = 1, 2
    return ids, parts


def engine_for(base: Path, way: str, world: int, *, universal: bool = False) -> Any:
    accumulation, stage = int(way.partition(",")[0]), int(way.partition(",")[2][0])
    config = TrainConfig(
        steps=STEPS,
        micro_batch=EXAMPLES // accumulation // world,
        accumulation=accumulation,
        optimizer=Optimizer(lr=1e-3, warmup=2),
        lora=Lora(4, 8),
    )
    torch.manual_seed(0)
    settings = {
        "train_micro_batch_size_per_gpu": config.micro_batch,
        "gradient_accumulation_steps": accumulation,
        "gradient_clipping": 1.0,
        # small enough that ZeRO 3 does share the weights of the tiny model out
        "zero_optimization": {"stage": stage, **({"stage3_param_persistence_threshold": 0} if stage == 3 else {})},
        "zero_allow_untested_optimizer": True,
        "steps_per_print": 10_000,
    }
    if universal:
        settings["checkpoint"] = {"load_universal": True}
    if "h" in way:
        settings["fp16"] = {"enabled": True, "initial_scale_power": 32, "hysteresis": 1}
    model = load_model(base, config.lora, checkpoint_activations="a" in way)
    return make_engine(LearnedLoss(model, autocast=False), config, settings)


def train(engine: Any, steps: range, rank: int, world: int, accumulation: int) -> list[float]:
    """Train on each process's share of the examples; returns the mean loss of each step over all processes."""
    losses = []
    for step in steps:
        ids, parts = (each[rank::world].chunk(accumulation) for each in examples(step))
        total = torch.zeros(1)
        for micro in zip(ids, parts, strict=True):
            loss, _ = engine(*micro)
            engine.backward(loss)
            engine.step()
            total += loss.detach() / accumulation
        torch.distributed.all_reduce(total)
        losses.append(total.item() / world)
    return losses


def save(engine: Any, folder: Path, way: str) -> None:
    engine.save_checkpoint(str(folder), tag=way.rstrip("ru"), exclude_frozen_parameters=True)


def go_on(base: Path, folder: Path, way: str, world: int, rank: int, *, other: bool) -> Any:
    """A new engine with what was saved by this number of processes, or by the `other`."""
    tag = way.rstrip("ru")
    if other:
        if rank == 0:
            regroup(folder / tag)
        torch.distributed.barrier()
        tag += ".universal"
    engine = engine_for(base, way, world, universal=other)
    torch.manual_seed(7)
    path, _ = engine.load_checkpoint(str(folder), tag=tag, load_module_strict=False)
    assert path
    return engine


def main() -> None:
    base, out = map(Path, sys.argv[1:3])
    choose_accelerator()
    rank, world, _ = start_processes()
    first, second = range(STEPS // 2), range(STEPS // 2, STEPS)
    for way in sys.argv[3:]:
        accumulation = int(way.partition(",")[0])
        scales: list[float | None] = []
        if way.endswith("u"):
            engine = go_on(base, out / f"checkpoint-{3 - world}", way, world, rank, other=True)
            losses = train(engine, second, rank, world, accumulation)
        elif way.endswith("r"):
            engine = engine_for(base, way, world)
            losses = train(engine, first, rank, world, accumulation)
            save(engine, out / f"checkpoint-{world}", way)
            engine = go_on(base, out / f"checkpoint-{world}", way, world, rank, other=False)
            losses += train(engine, second, rank, world, accumulation)
        elif way.endswith("h"):
            from deepspeed.accelerator import get_accelerator

            get_accelerator().is_fp16_supported = lambda: True  # it is, slowly
            engine, losses = engine_for(base, way, world), []
            for step in range(20):
                losses += train(engine, range(step, step + 1), rank, world, accumulation)
                scales.append(loss_scale(engine))
        else:
            engine = engine_for(base, way, world)
            losses = train(engine, range(STEPS), rank, world, accumulation)
        weights = {name: value.clone() for name, value in whole_weights(engine).items() if "lora" in name}
        if rank == 0:
            told = {"losses": losses, "weights": weights, "scales": scales}
            torch.save(told, out / f"{world}-{way.replace(',', '-')}.pt")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
