"""Real trainings with DeepSpeed, by the commands that a user runs: two processes, both layouts, kills and resumes.

What they leave behind is exported and served, again by the user's commands.
"""

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

from cert_lsp.contract.bundle import load_manifest
from cert_lsp.errors import ConfigError
from tests.cert_lsp.raw_client import TEXT, RawClient
from trainer.base import read_cert
from trainer.config import Lora

pytest.importorskip("deepspeed")
pytest.importorskip("peft")
psutil = pytest.importorskip("psutil")

ONE = [sys.executable, "-m", "trainer"]
TWO = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", "--module", "trainer"]
JOINT = ("steps=16", "checkpoint_minutes=0")


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def joint(train: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A joint run that nothing broke off."""
    out = tmp_path_factory.mktemp("joint")
    finish(train(TWO, out, *JOINT))
    return out


@pytest.fixture(scope="module")
def paper(train: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The runs of the paper's two models, by role: full weights and an adapter.

    The sketcher's weights are shared out among two processes (ZeRO 3); they are killed, and one goes on alone.
    """
    runs = {role: tmp_path_factory.mktemp(role) for role in ("sketcher", "generator")}
    zero3 = runs["sketcher"] / "zero3.json"
    zero3.write_text('{"zero_optimization": {"stage": 3}, "zero_allow_untested_optimizer": true}')
    settings = ("role=sketcher", f"deepspeed={zero3}", "checkpoint_minutes=0")
    killed = train(TWO, runs["sketcher"], *settings)
    wait_for_step(killed, runs["sketcher"], 4)
    kill_all(killed)
    assert newest_checkpoint(runs["sketcher"]) < 12
    finish(train(ONE, runs["sketcher"], *settings))
    finish(train(TWO, runs["generator"], "role=generator", "checkpoint_minutes=60", "lora.rank=4"))
    return runs


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


def test_a_killed_joint_run_goes_on_as_if_nothing_had_happened(train: Any, joint: Path, tmp_path: Path) -> None:
    killed = train(TWO, tmp_path, *JOINT)
    wait_for_step(killed, tmp_path, 5)
    kill_all(killed)
    assert 3 <= newest_checkpoint(tmp_path) < 16

    finish(train(TWO, tmp_path, *JOINT))

    whole = curve(joint)
    assert curve(tmp_path) == whole
    losses = [line["loss"] for line in whole if "loss" in line]
    assert len(losses) == 16
    assert losses[-1] < losses[0] - 0.5
    cert = read_cert(joint / "model")
    assert (cert["layout"], cert["role"], cert["training"]["steps"]) == ("joint", "joint", 16)
    assert cert["training"]["eval_loss"] == whole[-1]["eval_loss"]
    assert cert["training"]["tokens"] == whole[-2]["tokens"]
    timings = json.loads((joint / "metrics.jsonl").read_text().splitlines()[0])["timing"]
    assert {"tokens_per_s", "tflops"} <= timings.keys()
    assert list((joint / "tensorboard").iterdir())


def test_the_papers_sketcher(paper: dict[str, Path], tiny_base: Path) -> None:
    from trainer.model import load_model

    model = check_paper_run(paper["sketcher"], tiny_base, "sketcher", trained="sketch", other="code")
    assert load_model(model, None).config.num_hidden_layers == 2
    assert [line["step"] for line in curve(paper["sketcher"]) if "loss" in line] == list(range(1, 13))


def test_the_papers_generator(paper: dict[str, Path], tiny_base: Path) -> None:
    from trainer.model import load_model

    model = check_paper_run(paper["generator"], tiny_base, "generator", trained="code", other="sketch")
    assert (model / "adapter_model.safetensors").is_file()
    tuned = load_model(tiny_base, Lora(rank=4), start=model)
    assert any(bool(value.any()) for name, value in tuned.named_parameters() if "lora_B" in name)
    with pytest.raises(ConfigError, match="has rank 4"):
        load_model(tiny_base, Lora(rank=8), start=model)


def check_paper_run(run: Path, base: Path, role: str, *, trained: str, other: str) -> Path:
    """Look at what either of the two models must have; returns its checkpoint."""
    last = curve(run)[-1]
    assert last["eval_loss"] == last[f"eval_{trained}_loss"] < 5.5
    assert f"eval_{other}_loss" not in last
    cert = read_cert(run / "model")
    assert (cert["layout"], cert["role"]) == ("paper", role)
    assert (run / "model/tokenizer.json").read_bytes() == (base / "tokenizer.json").read_bytes()
    return run / "model"


@pytest.mark.parametrize("layout", ["joint", "paper"])
def test_what_was_trained_is_exported_and_served(
    layout: str, joint: Path, paper: dict[str, Path], tmp_path: Path
) -> None:
    pytest.importorskip("onnxscript")
    checkpoints = {
        "joint": [joint / "model"],
        "paper": [paper["sketcher"] / "model", "--generator", paper["generator"] / "model"],
    }[layout]
    bundle = tmp_path / "bundle"
    user("export", *checkpoints, "--out", bundle)
    manifest = load_manifest(bundle)
    assert manifest.layout == layout
    assert set(manifest.models) == {"joint": {"joint"}, "paper": {"sketcher", "generator"}}[layout]

    assert f"{4 * len(manifest.models)} recorded requests" in user("cert_lsp", "doctor", "--model", bundle)
    file = tmp_path / "work.py"
    file.write_text(TEXT, encoding="utf-8")
    place = f"{file}:{TEXT.count(chr(10)) + 1}"
    answer = json.loads(user("cert_lsp", "complete", place, "--json", "--model", bundle))
    assert answer["elapsed_ms"] > 0
    served = serve_once(bundle)  # weights of a few steps: there may be nothing valid to offer
    assert [item["insertText"] for item in served] == [each["code"] for each in answer["candidates"]]


def user(module: str, *arguments: object) -> str:
    """Run a command to its successful end; returns what it printed."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def serve_once(bundle: Path) -> list[dict[str, Any]]:
    """A whole session with one request; returns its items."""
    with RawClient.spawn("-m", "cert_lsp", "serve", "--model", str(bundle)) as client:
        client.initialize()
        client.open()
        items = client.response(client.inline(), timeout=60)["result"]["items"]
        status = client.response(client.request("workspace/executeCommand", {"command": "cert.status"}))
        assert status["result"]["state"] == "ready"
        client.response(client.request("shutdown"))
        client.notify("exit", None)
        assert client.exit_code() == 0
        assert "window/showMessage" not in {message.get("method") for message in client.received}
    return items


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
