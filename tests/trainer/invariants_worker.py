"""Trains the tiny base by our engine on the same eight examples a step, dealt out in different ways.

Usage: python -m tests.trainer.invariants_worker BASE OUT [ACCUMULATION,STAGE ...], alone or below torchrun. For each
way rank 0 writes the losses of the steps and the weights after the last to OUT/WORLD-ACCUMULATION-STAGE.pt. STAGE with
``r`` behind it is broken off in the middle and goes on from a checkpoint, in a new engine.
"""

import sys
from pathlib import Path
from typing import Any

import torch

from trainer.config import Lora, Optimizer, TrainConfig
from trainer.engine import choose_accelerator, make_engine, start_processes
from trainer.model import LearnedLoss, load_model

STEPS, EXAMPLES, LENGTH = 6, 8, 24


def examples(step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and parts of a step; each example has as many learned tokens as the others, so that means of means agree."""
    generator = torch.Generator().manual_seed(step)
    ids = torch.randint(3, 259, (EXAMPLES, LENGTH), generator=generator)
    parts = torch.zeros(EXAMPLES, LENGTH, dtype=torch.int8)
    parts[:, 8:16], parts[:, 16:] = 1, 2
    return ids, parts


def engine_for(base: Path, accumulation: int, stage: int, world: int) -> Any:
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
        "zero_optimization": {"stage": stage},
        "zero_allow_untested_optimizer": True,
        "steps_per_print": 10_000,
    }
    model = load_model(base, config.lora)
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


def main() -> None:
    base, out = map(Path, sys.argv[1:3])
    choose_accelerator()
    rank, world, _ = start_processes()
    for way in sys.argv[3:]:
        accumulation, stage = int(way.partition(",")[0]), int(way.partition(",")[2].rstrip("r"))
        engine = engine_for(base, accumulation, stage, world)
        if way.endswith("r"):
            losses = train(engine, range(STEPS // 2), rank, world, accumulation)
            engine.save_checkpoint(str(out / f"checkpoint-{world}"), tag=way)
            engine = engine_for(base, accumulation, stage, world)
            torch.manual_seed(7)
            engine.load_checkpoint(str(out / f"checkpoint-{world}"), tag=way)
            losses += train(engine, range(STEPS // 2, STEPS), rank, world, accumulation)
        else:
            losses = train(engine, range(STEPS), rank, world, accumulation)
        weights = {name: value.detach().clone() for name, value in engine.module.named_parameters() if "lora" in name}
        if rank == 0:
            torch.save({"losses": losses, "weights": weights}, out / f"{world}-{way.replace(',', '-')}.pt")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
