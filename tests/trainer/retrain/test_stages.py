"""Stages: done once, gone on with after a kill, done anew for another input, and never two runs at a time."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cert_lsp.errors import CertError, ConfigError
from trainer.retrain.stages import Run, Stopped

NAMES = ("one", "two")


def writer(calls: list[str], text: str):
    def work(folder: Path) -> None:
        calls.append(text)
        (folder / "file").write_text(text)

    return work


def go(out: Path, calls: list[str], one: str = "1", two: str = "2") -> Path:
    run = Run(out, NAMES)
    run.stage("one", {"text": one}, writer(calls, one))
    return run.stage("two", {"text": two}, writer(calls, two))


def test_a_stage_is_done_once_and_again_when_something_before_it_changes(tmp_path: Path) -> None:
    calls: list[str] = []
    assert (go(tmp_path, calls) / "file").read_text() == "2"
    go(tmp_path, calls)
    assert calls == ["1", "2"]
    go(tmp_path, calls, two="3")
    assert calls == ["1", "2", "3"]
    go(tmp_path, calls, one="4", two="3")
    assert calls == ["1", "2", "3", "4", "3"]
    assert {path.name for path in tmp_path.iterdir()} == {"one", "two", "notes"}
    assert set(Run(tmp_path, NAMES).usage()) == {"one", "two"}


def test_a_stage_that_nothing_is_made_from_changes_nothing_after_it(tmp_path: Path) -> None:
    calls: list[str] = []
    for one in ("1", "3"):
        run = Run(tmp_path, NAMES)
        run.stage("one", {"text": one}, writer(calls, one), feeds=False)
        run.stage("two", {}, writer(calls, "2"))
    assert calls == ["1", "2", "3"]


_KILLED = """
import os, signal, sys
from pathlib import Path
from trainer.retrain.stages import Run
def work(folder):
    with (folder / "file").open("a") as file:
        file.write("x")
    if (folder / "file").read_text() == "x":
        os.kill(os.getpid(), signal.SIGKILL)
Run(Path(sys.argv[1]), ("one",)).stage("one", {"a": sys.argv[2]}, work, keeps=sys.argv[3] == "keeps")
"""


@pytest.mark.parametrize(("keeps", "second", "text"), [("keeps", "1", "xx"), ("", "1", ""), ("keeps", "2", "")])
def test_what_a_kill_left_is_gone_on_with_only_where_it_may_be(
    keeps: str, second: str, text: str, tmp_path: Path
) -> None:
    def start(value: str) -> int:
        return subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path), value, keeps]).returncode

    assert start("1") == -signal.SIGKILL
    assert not (tmp_path / "one").exists()
    assert start(second) == (0 if text else -signal.SIGKILL)
    if text:
        assert (tmp_path / "one" / "file").read_text() == text


def test_what_an_interrupted_run_worked_counts_in_the_seconds(tmp_path: Path) -> None:
    def interrupted(folder: Path) -> None:
        (folder / "file").write_text("1")
        os.utime(folder / "file", times=(begun + 500,) * 2)
        raise KeyboardInterrupt

    begun, calls = time.time(), list[str]()
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            Run(tmp_path, NAMES).stage("one", {}, interrupted, keeps=True)
    Run(tmp_path, NAMES).stage("one", {}, writer(calls, "1"), keeps=True)
    assert 995 < Run(tmp_path, NAMES).usage()["one"]["seconds"] < 1005


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    with Run(tmp_path, NAMES).locked(), pytest.raises(ConfigError, match="works in"), Run(tmp_path, NAMES).locked():
        pass
    with Run(tmp_path, NAMES).locked():
        pass


def test_what_a_killed_run_had_started_still_holds_the_folder(tmp_path: Path) -> None:
    code = (
        "import sys, subprocess\nfrom pathlib import Path\nfrom trainer.retrain.stages import Run\n"
        "run = Run(Path(sys.argv[1]), ('one',))\n"
        "with run.locked():\n    run.program('http.server', '0', '--bind', '127.0.0.1')\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stderr=subprocess.PIPE, text=True)
    assert parent.stderr
    assert "Serving" in parent.stderr.readline()
    [child] = map(int, Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split())
    parent.kill()
    parent.wait()
    try:
        with pytest.raises(ConfigError, match="works in"), Run(tmp_path, NAMES).locked():
            pass
    finally:
        os.kill(child, signal.SIGKILL)
        parent.stderr.close()


def test_programs_fail_and_stop_as_they_should(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(tmp_path, NAMES)
    run.program("json.tool", "--help")
    with pytest.raises(CertError, match="the model in service stays"):
        run.program("json.tool", "/no/such/file")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "dies.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n")
    with pytest.raises(Stopped) as stopped:
        run.program("dies")
    assert stopped.value.status == 128 + signal.SIGTERM


def test_a_disk_that_takes_no_more_is_one_message(tmp_path: Path) -> None:
    def work(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(CertError, match="GB are free on the disk") as full:
        Run(tmp_path, NAMES).stage("one", {}, work)
    assert "the model in service stays" in str(full.value)
    assert not (tmp_path / "one").exists()


def test_a_request_remembers_what_it_was_begun_with(tmp_path: Path) -> None:
    run = Run(tmp_path, NAMES)
    assert run.remember("a") is None
    run.remember("a", {"bundle": "old"})
    assert run.remember("a") == {"bundle": "old"}
    assert run.remember("b") is None
