"""The watch: one update after many edits, none without, and a switched branch is followed."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import pytest

from cert_lsp.contract.neighbours import read_neighbours
from tests.trainer.retrain.team import write_team
from trainer.watch import Edits

pytest.importorskip("detect_secrets")
pytest.importorskip("pyarrow")


def test_edits_are_gathered_until_there_is_a_pause() -> None:
    edits = Edits(quiet=0.3, latest=60)
    threading.Timer(0.1, lambda: [edits.note() or time.sleep(0.002) for _ in range(300)]).start()
    started = time.monotonic()
    assert edits.wait()
    assert time.monotonic() - started >= 0.1 + 300 * 0.002 + 0.3
    threading.Timer(0.5, edits.stop).start()
    assert not edits.wait()  # all those edits were one


def test_edits_without_a_pause_are_not_waited_for_for_ever() -> None:
    edits, over = Edits(quiet=0.5, latest=1.0), threading.Event()

    def type_on() -> None:
        while not over.is_set():
            edits.note()
            time.sleep(0.02)

    threading.Thread(target=type_on).start()
    started = time.monotonic()
    assert edits.wait()
    over.set()
    assert 1.0 <= time.monotonic() - started < 5


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = write_team(tmp_path / "team", files=4)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "few")
    git(folder, "checkout", "--quiet", "-b", "many")
    write_team(folder, files=10)
    for number in range(1000):
        (folder / f"plain_{number}.py").write_text(f"x = {number}\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "many")
    git(folder, "checkout", "--quiet", "main")
    return folder


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    subprocess.run(["git", *identity, "-C", str(folder), *arguments], check=True, capture_output=True)


@pytest.fixture
def lines(repository: Path, tmp_path: Path) -> Iterator["Queue[str]"]:
    """What a running watch says, line by line; it must end well on SIGTERM."""
    command = [sys.executable, "-m", "trainer", "watch", "--repo", str(repository), "--out", str(tmp_path / "out")]
    process = subprocess.Popen([*command, "--quiet", "0.5"], stdout=subprocess.PIPE, text=True)
    said: Queue[str] = Queue()
    assert process.stdout
    reader = threading.Thread(target=lambda: [said.put(line) for line in process.stdout or ()])
    reader.start()
    yield said
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    reader.join()
    process.stdout.close()


def test_switched_branches_are_followed_with_one_update_each(
    lines: "Queue[str]", repository: Path, tmp_path: Path
) -> None:
    neighbours = tmp_path / "out/current/neighbours.jsonl.gz"
    few = lines.get(timeout=120)
    assert " of 4 files" in few
    known = read_neighbours(neighbours)
    git(repository, "checkout", "--quiet", "many")
    assert " of 1,010 files" in lines.get(timeout=120)
    assert set(read_neighbours(neighbours)) > set(known)
    git(repository, "checkout", "--quiet", "main")
    back = lines.get(timeout=120)
    assert back.partition(",")[0] == few.partition(",")[0]
    assert read_neighbours(neighbours) == known
    (repository / "table.csv").write_text("a,b\n")
    time.sleep(2)
    assert lines.empty()
    assert (tmp_path / "out/current/records.parquet").is_file()
    assert not (tmp_path / "out/current.partial").exists()
