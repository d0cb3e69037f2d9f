"""Real trainings with DeepSpeed, by the commands that a user runs: two processes, both layouts, kills and resumes."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cert_lsp.errors import ConfigError
from trainer.base import read_cert
from trainer.config import Lora

pytest.importorskip("deepspeed")
pytest.importorskip("peft")
psutil = pytest.importorskip("psutil")

ONE = [sys.executable, "-m", "trainer"]
TWO = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", "--module", "trainer"]


@pytest.fixture
def train(tiny_corpus: Path, tiny_base: Path):
    """Start ``train`` with the smoke configuration; returns the process."""
    started: list[subprocess.Popen[str]] = []

    def start(launcher: list[str], out: Path, *settings: str) -> subprocess.Popen[str]:
        command = [*launcher, "train", "--config", "smoke", "--corpus", str(tiny_corpus), "--base", str(tiny_base)]
        command += ["--out", str(out), *(f"--set={setting}" for setting in settings)]
        process = subprocess.Popen(
            command,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        kill_all(process)


def kill_all(process: subprocess.Popen[str]) -> None:
    """SIGKILL a launcher and its workers, which torchrun puts into sessions of their own."""
    if process.poll() is None:
        family = psutil.Process(process.pid).children(recursive=True)
        for member in (process, *family):
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        psutil.wait_procs(family, timeout=30)
    process.wait()
    if process.stdout:
        process.stdout.close()


def finish(process: subprocess.Popen[str], status: int = 0) -> str:
    output, _ = process.communicate(timeout=240)
    assert process.returncode == status, output
    return output


def curve(out: Path) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl without timings."""
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "timing"} for line in lines]


def wait_for_step(process: subprocess.Popen[str], out: Path, step: int) -> None:
    deadline = time.monotonic() + 240
    while not (out / "metrics.jsonl").is_file() or len(curve_so_far(out)) < step:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def curve_so_far(out: Path) -> list[str]:
    return [line for line in (out / "metrics.jsonl").read_text().splitlines() if '"lr"' in line]


def newest_checkpoint(out: Path) -> int:
    return int((out / "checkpoints/latest").read_text().strip().removeprefix("step-"))


def test_a_killed_joint_run_goes_on_as_if_nothing_had_happened(train: Any, tmp_path: Path) -> None:
    settings = ("steps=16", "checkpoint_minutes=0")
    killed = train(TWO, tmp_path / "killed", *settings)
    wait_for_step(killed, tmp_path / "killed", 5)
    kill_all(killed)
    assert 3 <= newest_checkpoint(tmp_path / "killed") < 16

    finish(train(TWO, tmp_path / "killed", *settings))
    finish(train(TWO, tmp_path / "whole", *settings))

    whole = curve(tmp_path / "whole")
    assert curve(tmp_path / "killed") == whole
    losses = [line["loss"] for line in whole if "loss" in line]
    assert len(losses) == 16
    assert losses[-1] < losses[0] - 0.5
    cert = read_cert(tmp_path / "whole/model")
    assert (cert["layout"], cert["role"], cert["training"]["steps"]) == ("joint", "joint", 16)
    assert cert["training"]["eval_loss"] == whole[-1]["eval_loss"]
    assert cert["training"]["tokens"] == whole[-2]["tokens"]
    assert list((tmp_path / "whole/tensorboard").iterdir())


@pytest.mark.parametrize(("role", "lora"), [("sketcher", False), ("generator", True)])
def test_the_papers_two_models(role: str, lora: bool, train: Any, tmp_path: Path, tiny_base: Path) -> None:
    from trainer.model import load_model

    finish(train(TWO, tmp_path, f"role={role}", "checkpoint_minutes=60", *(["lora.rank=4"] if lora else [])))
    last = curve(tmp_path)[-1]
    part, other = ("sketch", "code") if role == "sketcher" else ("code", "sketch")
    assert last["eval_loss"] == last[f"eval_{part}_loss"] < 5.5
    assert f"eval_{other}_loss" not in last
    cert = read_cert(tmp_path / "model")
    assert (cert["layout"], cert["role"]) == ("paper", role)
    assert (tmp_path / "model" / ("adapter_model.safetensors" if lora else "model.safetensors")).is_file()
    assert (tmp_path / "model/tokenizer.json").read_bytes() == (tiny_base / "tokenizer.json").read_bytes()
    if lora:
        tuned = load_model(tiny_base, Lora(rank=4), start=tmp_path / "model")
        assert any(bool(value.any()) for name, value in tuned.named_parameters() if "lora_B" in name)
        with pytest.raises(ConfigError, match="has rank 4"):
            load_model(tiny_base, Lora(rank=8), start=tmp_path / "model")
    else:
        assert load_model(tmp_path / "model", None).config.num_hidden_layers == 2


def test_sigterm_saves_and_stops(train: Any, tmp_path: Path) -> None:
    process = train(ONE, tmp_path, "steps=2000", "checkpoint_minutes=60")
    wait_for_step(process, tmp_path, 4)
    process.send_signal(signal.SIGTERM)
    output = finish(process, 128 + signal.SIGTERM)
    step = newest_checkpoint(tmp_path)
    assert f"stopped after step {step} and saved" in output
    assert read_cert(tmp_path / "model")["training"]["steps"] == step == len(curve_so_far(tmp_path))


def test_a_missing_corpus_is_one_message(tiny_base: Path, tmp_path: Path) -> None:
    command = [*ONE, "train", "--config", "smoke", "--corpus", str(tmp_path), "--base", str(tiny_base)]
    done = subprocess.run([*command, "--out", str(tmp_path / "out")], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "make the corpus with" in done.stderr
    assert "Traceback" not in done.stderr
