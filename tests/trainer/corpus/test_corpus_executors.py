"""Wherever the corpus is made, and by however many, it is the same byte for byte."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.corpus_scale import write_files
from tests.trainer.retrain.team import run
from trainer.corpus.dedup import repeated
from trainer.corpus.readers import Source, members
from trainer.corpus.shards import PART

RESULTS = ("train.parquet", "heldout.parquet", "pairs.jsonl", "report.json", "report.md")
SBATCH = """#!/bin/bash
# Stands in for a cluster's queue: runs each task of the array at once, one after the other.
script=${!#}
last=$(sed -n 's/^#SBATCH --array=0-\\([0-9]*\\).*/\\1/p' "$script")
for number in $(seq 0 "${last:-0}"); do
    SLURM_ARRAY_TASK_ID=$number SLURM_NODELIST=here RUN_OFFSET=0 bash "$script" >>"$SBATCH_LOG" 2>&1 || exit 1
done
echo "Submitted batch job 7"
"""
SRUN = """#!/bin/bash
while [[ $1 == -* ]]; do [[ $1 == -n ]] && shift; shift; done
exec "$@"
"""
SCONTROL = "#!/bin/bash\necho here\n"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two shards."""
    folder = tmp_path_factory.mktemp("files")
    write_files(folder, PART + 200)
    return folder


@pytest.fixture(scope="module")
def alone(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its corpus, made by one process."""
    return made(files, tmp_path_factory.mktemp("alone"), "--workers=1")


def made(files: Path, out: Path, *options: str, **env: str) -> Path:
    run("trainer", "corpus", "--folder", files, "--out", out, *options, **env)
    return out


def same(one: Path, other: Path) -> bool:
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in RESULTS)


def test_two_processes_give_the_bytes_of_one(files: Path, alone: Path, tmp_path: Path) -> None:
    assert (alone / "train.parquet").stat().st_size > 2_000
    assert len(list((alone / "shards").glob("*.npz"))) == 2
    assert same(alone, made(files, tmp_path, "--workers=2"))


def test_two_workers_on_ray_give_the_same_bytes(files: Path, alone: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    assert same(alone, made(files, tmp_path, "--executor=ray", "--workers=2"))
    assert len(list((tmp_path / "logs/extract/completions").iterdir())) == 2


def test_slurms_tasks_give_the_same_bytes(files: Path, alone: Path, tmp_path: Path) -> None:
    tools, out = tmp_path / "tools", tmp_path / "out"
    tools.mkdir()
    for name, text in (("sbatch", SBATCH), ("srun", SRUN), ("scontrol", SCONTROL)):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    env = {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "SBATCH_LOG": str(tmp_path / "log")}
    made(files, out, "--executor=slurm", "--workers=2", "--partition=cpu", **env)
    assert same(alone, out), (tmp_path / "log").read_text()


def test_an_error_of_a_task_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "code").mkdir()
    (tmp_path / "code/a.py").write_text("import pandas as pd\n")
    command = [sys.executable, "-m", "trainer", "corpus", "--out", str(tmp_path / "out"), "--workers=2"]
    folders = ["--folder", str(tmp_path / "code"), str(tmp_path / "notes.txt")]
    done = subprocess.run([*command, *folders], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "neither a folder nor an archive" in done.stderr
    assert "Traceback" not in done.stderr


def test_hashes_are_compared_range_by_range() -> None:
    rng = np.random.default_rng(0)
    arrays = [np.unique(rng.integers(0, 2**64 - 1, 50, np.uint64)) for _ in range(3)]
    arrays[1] = np.sort(np.concatenate([arrays[1], arrays[0][:9], np.array([0, 2**64 - 1], np.uint64)]))
    arrays[2] = np.sort(np.concatenate([arrays[2], arrays[0][3:12], np.array([0, 2**64 - 1], np.uint64)]))
    values, counts = np.unique(np.concatenate(arrays), return_counts=True)
    for ranges in (1, 4, 7):
        found = [repeated(arrays, number, ranges) for number in range(ranges)]
        assert np.array_equal(np.concatenate(found), values[counts > 1])


def test_a_folders_files_come_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for name in ("b/x.py", "b.py", "a/z/y.md", "a/z.py", "build/no.py", ".git/no.py", "a/setup.py", "a/no.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "link.py").symlink_to(tmp_path / "b.py")
    found = list(members(Source("s", tmp_path)))
    assert found == ["a/z/y.md", "a/z.py", "b/x.py", "b.py"]
    assert found == sorted(found, key=lambda path: path.split("/"))
