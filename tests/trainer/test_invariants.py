"""What must not matter does not: accumulation, ZeRO stage, number of processes, a stop in the middle, what is kept.

Two processes are two machines of one processor each, as far as DeepSpeed's launcher knows.

All against one process without accumulation and without ZeRO, in fp32, on the same eight examples a step. Sums are made
in another order, hence the tolerances, which docs/training.md states: 1e-5 on losses, 1e-4 on weights, a tenth of what
one step at the peak learning rate moves them by.
"""

import base64
import contextlib
import json
import math
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.trainer.invariants_worker import STEPS
from tests.trainer.test_train_smoke import kill_all

torch = pytest.importorskip("torch")
pytest.importorskip("deepspeed")
pytest.importorskip("peft")

LOSSES, WEIGHTS = 1e-5, 1e-4
# Two processes first: one process goes on from what two have saved. Letters: see invariants_worker.
WAYS = {
    2: ("1,0", "4,0", "1,1", "1,2r", "1,3", "1,3r", "1,2h"),
    1: ("1,0", "8,0", "2,0", "1,1", "1,2", "1,3", "1,0a", "1,0r", "2,2r", "1,2u", "1,3u"),
}
FP16 = "2-1-2h"


def nodes(count: int) -> list[list[str]]:
    """What `deepspeed --hostfile` starts by ssh on each of so many machines with one process each."""
    hosts = base64.urlsafe_b64encode(json.dumps({f"node{n}": [0] for n in range(count)}).encode()).decode()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shared = [f"--world_info={hosts}", "--master_addr=127.0.0.1", f"--master_port={port}", "--no_local_rank"]
    return [
        ["-m", "deepspeed.launcher.launch", *shared, f"--node_rank={number}", "--module"] for number in range(count)
    ]


@pytest.fixture(scope="module")
def trained(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Losses and weights by WORLD-ACCUMULATION-STAGE."""
    out = tmp_path_factory.mktemp("invariants")
    for world, ways in WAYS.items():
        launchers = nodes(world) if world > 1 else [["-m"]]
        worker = ["tests.trainer.invariants_worker", str(tiny_base), str(out), *ways]
        logs = [out / f"{world}-{number}.log" for number in range(world)]
        with contextlib.ExitStack() as stack:
            started = [
                subprocess.Popen(
                    [sys.executable, *launcher, *worker],
                    stdout=stack.enter_context(log.open("w")),
                    stderr=subprocess.STDOUT,
                    env={**os.environ, "OMP_NUM_THREADS": "1"},
                )
                for launcher, log in zip(launchers, logs, strict=True)
            ]
            for process in started:
                stack.callback(kill_all, process)
            for process, log in zip(started, logs, strict=True):
                assert process.wait(timeout=400) == 0, log.read_text()
    return {path.stem: torch.load(path, weights_only=True) for path in out.glob("*.pt")}


@pytest.mark.parametrize(
    "way",
    sorted({f"{world}-{way.replace(',', '-')}" for world, ways in WAYS.items() for way in ways} - {"1-1-0", FP16}),
)
def test_the_way_does_not_matter(way: str, trained: dict[str, Any]) -> None:
    reference, other = trained["1-1-0"], trained[way]
    assert len(reference["losses"]) == STEPS
    steps = STEPS // 2 if way.endswith("u") else STEPS
    assert other["losses"] == pytest.approx(reference["losses"][-steps:], abs=LOSSES)
    assert set(other["weights"]) == set(reference["weights"])
    for name, value in reference["weights"].items():
        assert (other["weights"][name] - value).abs().max() < WEIGHTS, name


def test_fp16_finds_its_loss_scale(trained: dict[str, Any]) -> None:
    scales, losses = trained[FP16]["scales"], trained[FP16]["losses"]
    assert scales == sorted(scales, reverse=True)
    assert 2.0**31 == scales[0] > scales[-1] == scales[-2] > 1
    assert all(map(math.isfinite, losses))


def test_the_reference_has_learned_something(trained: dict[str, Any]) -> None:
    weights = trained["1-1-0"]["weights"]
    moved = max(value.abs().max().item() for name, value in weights.items() if "lora_B" in name)
    assert moved > 10 * WEIGHTS
