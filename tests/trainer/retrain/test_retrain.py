"""Whole retrainings by the user's command, with a tiny random model: killed in every stage, poisoned, out of disk.

A tiny model that has learned a little of pandas learns enough of a team's idiom for the gate to open.
"""

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cert_lsp.contract.bundle import MANIFEST, verify, weights_sha256
from cert_lsp.store import Store
from tests.trainer.retrain.team import run, write_team
from trainer.retrain.cli import REFUSED, STAGES
from trainer.retrain.served import CARRIED, WEIGHTS, carry, in_service

for needed in ("deepspeed", "peft", "onnxscript", "detect_secrets"):
    pytest.importorskip(needed)
pq = pytest.importorskip("pyarrow.parquet")

SUITE = [
    {
        "task_id": f"tiny/{number}",
        "prompt": "x = ",
        "entry_point": "none",
        "canonical_solution": ["1"],
        "test": "def check():\n    assert x == 1\n",
    }
    for number in range(2)
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path, tiny_corpus: Path) -> Path:
    """A team, a suite, and a store with a model in service that carries its adapter."""
    place = tmp_path_factory.mktemp("retrain")
    run(  # with random weights it would write nothing that parses, before and after
        "trainer", "train", "--config", "smoke", "--corpus", tiny_corpus, "--base", tiny_base, "--out", place / "whole",
        "--set=steps=40", "--set=optimizer.lr=1e-2", "--set=checkpoint_minutes=60",
    )  # fmt: skip
    run("trainer", "base", "--from", place / "whole/model", "--name", "tiny", "--out", place / "base")
    settings = ("lora.rank=8", "lora.alpha=16", "steps=4", "optimizer.warmup=1", "checkpoint_minutes=60")
    run(
        "trainer", "train", "--config", "smoke", "--corpus", tiny_corpus, "--base", place / "base",
        "--out", place / "first",
        *(f"--set={setting}" for setting in settings),
    )  # fmt: skip
    run("export", place / "first/model", "--out", place / "bundle", "--adapter-out", place / "adapter")
    carry(place / "bundle", adapter=place / "adapter")
    Store(place / "store").publish(place / "bundle")
    write_team(place / "team", files=7, answer="go({count})")
    (place / "suite.jsonl").write_text("".join(json.dumps(task) + "\n" for task in SUITE))
    return place


@pytest.fixture(scope="module")
def command(place: Path, tiny_corpus: Path) -> list[str]:
    """The retraining, but for --out and --store."""
    words = [
        "--repo", place / "team", "--base", place / "base", "--general", tiny_corpus,
        "--suite", place / "suite.jsonl", "--python", sys.executable, "--profile", "quick", "--config", "smoke",
        "--set=optimizer.lr=1e-2", "--set=steps=180", "--set=lora.rank=8", "--set=lora.alpha=16", "--processes", "1",
        "--blend", "1",
    ]  # fmt: skip
    return ["trainer", "retrain", *map(str, words)]


@pytest.fixture(scope="module")
def whole(command: list[str], place: Path) -> Path:
    """A retraining that nothing disturbed; its store is `place`/after."""
    shutil.copytree(place / "store", place / "after")
    run(*command, "--out", place / "out", "--store", place / "after")
    return place / "out"


@pytest.fixture
def store(place: Path, tmp_path: Path) -> Path:
    """The store as it was before any retraining."""
    shutil.copytree(place / "store", tmp_path / "store")
    return tmp_path / "store"


def test_a_better_model_is_put_in_service_with_its_adapter_and_reports(whole: Path, place: Path) -> None:
    report = json.loads((whole / "report.json").read_text())
    gate = report["gate"]
    assert gate["passed"]
    assert gate["reasons"] == []
    assert gate["team_difference"]["loss"]["low"] > 0
    assert gate["team_difference"]["edit_similarity"]["low"] > 0
    assert gate["team_after"]["loss"]["mean"] < gate["team_before"]["loss"]["mean"]
    for name in ("team_before", "team_after"):
        assert set(gate[name]) == {"loss", "edit_similarity", "code_exact", "sketch_exact"}
    assert set(gate["general_before"]) == {"mean", "low", "high"}
    assert set(report["usage"]) == set(STAGES)
    assert len(report["samples"]) == 10
    assert report["training"]["steps"] == 180
    assert "was put in service" in (whole / "report.html").read_text()
    store = Store(place / "after")
    current = store.current()
    assert current
    assert current.name == report["published"]
    assert verify(current).base["name"] == "tiny"
    assert (current / CARRIED / "adapter_model.safetensors").is_file()
    assert store.rollback() == Store(place / "store").versions()[0].name
    store.use(current.name)


def test_the_same_command_again_does_nothing_again(whole: Path, place: Path, command: list[str]) -> None:
    said = run(*command, "--out", whole, "--store", place / "after").stderr
    assert said.count("done before") == len(STAGES)


def kill_in(stage: str, command: list[str], out: Path, store: Path) -> None:
    """Start the command and SIGKILL it and its programs once `stage` has begun."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command, "--out", str(out), "--store", str(store)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 300
    while not (out / f"{stage}.partial").exists() and not (out / stage).exists():
        assert process.poll() is None, f"ended before {stage}"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_a_kill_in_each_stage_changes_nothing_in_the_end(
    whole: Path, command: list[str], store: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for stage in STAGES:
        kill_in(stage, command, out, store)
    said = run(*command, "--out", out, "--store", store).stderr
    assert "] export: done before" in said
    for name in ("export/bundle/" + MANIFEST, "split/pairs.jsonl", "after/pairs/pairs.jsonl"):
        assert (out / name).read_bytes() == (whole / name).read_bytes(), name
    mine, theirs = (json.loads((folder / "report.json").read_text()) for folder in (out, whole))
    assert mine["gate"] == theirs["gate"]
    assert mine["published"] == theirs["published"] == (Store(store).current() or Path()).name


def test_shuffled_targets_are_stopped(whole: Path, place: Path, command: list[str], tmp_path: Path) -> None:
    """The model that has learned the team's idiom is trained on targets whose characters are out of order."""
    out, store = tmp_path / "out", tmp_path / "store"
    shutil.copytree(place / "after", store)
    before = Store(store).current()
    kill_in("replay", command, out, store)
    file = out / "split" / "train.parquet"
    table, rng = pq.read_table(file), random.Random(0)
    for column in ("code", "sketch"):
        values = ["".join(rng.sample(value, len(value))) for value in table.column(column).to_pylist()]
        table = table.set_column(table.schema.get_field_index(column), column, [values])
    pq.write_table(table, file)
    run(*command, "--out", out, "--store", store, status=REFUSED)
    report = json.loads((out / "report.json").read_text())
    assert not report["gate"]["passed"]
    assert report["gate"]["team_difference"]["loss"]["high"] < 0
    assert report["published"] is None
    assert Store(store).current() == before
    assert "refused" in (out / "report.html").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="no limit for the size of files")
def test_a_full_disk_is_one_message_and_the_run_goes_on_later(
    whole: Path, command: list[str], store: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    kill_in("export", command, out, store)
    before = Store(store).current()
    limit = 20_000

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    full = subprocess.run(
        [sys.executable, "-m", *command, "--out", str(out), "--store", str(store)],
        capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, preexec_fn=limited,
    )  # fmt: skip
    assert full.returncode == 1
    assert "the model in service stays" in full.stderr
    assert "Traceback" not in full.stderr
    assert Store(store).current() == before
    run(*command, "--out", out, "--store", store)
    assert (out / "export/bundle" / MANIFEST).read_bytes() == (whole / "export/bundle" / MANIFEST).read_bytes()


def test_all_weights_are_trained_if_wished_and_the_next_retraining_starts_from_them(
    command: list[str], store: Path, tmp_path: Path
) -> None:
    words = [word for word in command if not word.startswith("--set=lora")]
    run(*words, "--out", tmp_path / "out", "--store", store)
    current = Store(store).current()
    assert current
    assert not (current / CARRIED).exists()
    served = in_service(current, None)
    assert served.weights == current / WEIGHTS
    assert served.base["sha256"] == weights_sha256(current / WEIGHTS)
    at = command.index("--base")
    words = [*command[:at], *command[at + 2 :], "--out", tmp_path / "next", "--store", store, "--set=steps=8"]
    again = subprocess.run([sys.executable, "-m", *map(str, words)], capture_output=True, text=True, timeout=400)
    assert again.returncode in (0, REFUSED), again.stderr  # whether so little helps is not the question here
    assert "a fresh adapter" in again.stderr
    bundle = tmp_path / "next/export/bundle"
    assert (bundle / CARRIED / "adapter_model.safetensors").is_file()
    assert weights_sha256(bundle / WEIGHTS) == served.base["sha256"]


def test_a_dry_run_tells_and_writes_nothing(command: list[str], store: Path, tmp_path: Path) -> None:
    done = run(*command, "--out", tmp_path / "out", "--store", store, "--dry-run")
    assert "7 files of team" in done.stderr
    assert "GB of memory" in done.stderr
    assert not (tmp_path / "out").exists()


def test_another_base_is_refused(command: list[str], store: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(command[command.index("--base") + 1], other)
    cert = json.loads((other / "cert.json").read_text())
    cert["base"]["sha256"] = "0" * 64
    (other / "cert.json").write_text(json.dumps(cert))
    words = list(command)
    words[words.index("--base") + 1] = str(other)
    assert "its adapter does not fit" in run(*words, "--out", tmp_path / "out", "--store", store, status=1).stderr
