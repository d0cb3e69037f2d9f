"""Completion in Emacs by eglot, set up as docs/editors.md says."""

import ast
import base64
import json
import os
import re
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from tests.e2e.conftest import ROOT, shared_servers, suspended

SCENARIOS = Path(__file__).with_name("scenarios.el")
SECONDS = 120.0

BEFORE = """\
import pandas as pd

flights = pd.DataFrame({
    "carrier": ["AA", "UA", "AA", "DL"],
    "delay": [12.0, -3.0, 30.0, 4.0],
    "distance": [733, 2475, 1400, 404],
})

"""
INTENT = "# average delay per carrier"

RunScenario = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def recipe() -> str:
    """The Emacs Lisp of docs/editors.md."""
    code = re.search(
        r"^## Emacs.*?^```elisp\n(.*?)^```", (ROOT / "docs" / "editors.md").read_text("utf-8"), re.M | re.S
    )
    assert code
    return code[1]


@pytest.fixture
def emacs(install: Callable[[str], Path], commands: Path, runtime: Path, recipe: str, tmp_path: Path) -> RunScenario:
    """Runs a scenario on a new file: ``emacs(scenario, content)``; `when` says what to do at its lines."""
    install("emacs")
    init = tmp_path / "init.el"
    init.write_text(f"(package-initialize)\n{recipe}", encoding="utf-8")

    def run(scenario: str, content: str, when: dict[str, Callable[[Path], None]] | None = None) -> dict[str, Any]:
        file = Path(mkdtemp(dir=tmp_path)) / "delays.py"
        file.write_bytes(content.encode())
        path = f"{commands}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(runtime), "PATH": path}
        command = ["timeout", "--kill-after=1", str(SECONDS), "emacs", "--batch", "--load", init, "--load", SCENARIOS]
        command += ["--eval", f'(run-scenario "{scenario}" "{file}")']
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        ) as process:
            assert process.stdout
            for line, do in (when or {}).items():
                if process.stdout.readline() == line:
                    do(file)
            output, told = process.communicate()
        assert process.returncode == 0, f"{output}\n{told}"
        return {**json.loads(output.splitlines()[-1]), "told": told}

    return run


@pytest.mark.parametrize(
    ("content", "intent"),
    [
        (BEFORE, INTENT),
        (BEFORE.replace("\n", "\r\n"), "# \N{AIRPLANE} Ø \N{SLIGHTLY SMILING FACE} average delay per carrier"),
    ],
    ids=["plain", "emoji-crlf"],
)
def test_popup_is_accepted_and_undone(emacs: RunScenario, content: str, intent: str) -> None:
    end = "\r\n" if "\r\n" in content else "\n"
    commented = f"{content.removesuffix(end)}{intent}"
    result = emacs("accept-and-undo", commented + end)
    accepted = base64.b64decode(result["accepted"]).decode()
    assert result["rows"] > 1
    assert accepted.startswith(f"{commented}{end}")
    assert accepted.count("\n") == accepted.count(end) == commented.count("\n") + 2
    assert re.search(r"groupby.*mean", accepted.removeprefix(commented))
    ast.parse(accepted)
    assert base64.b64decode(result["undone"]).decode() == commented + end


def test_settings_change_while_it_runs(emacs: RunScenario) -> None:
    assert emacs("change-settings", f"{BEFORE}{INTENT}\n")["before"] > 1


def test_paused_window_leaves_the_others_alone(emacs: RunScenario, runtime: Path) -> None:
    others = []

    def open_another(file: Path) -> None:
        others.append(emacs("accept-and-undo", f"{BEFORE}{INTENT}\n"))
        assert len(shared_servers(runtime)) == 1
        Path(f"{file}.seen").touch()

    result = emacs("pause-and-resume", f"{BEFORE}{INTENT}\n", {"paused\n": open_another})
    assert result["paused"] == 0
    assert result["resumed"] > 1
    assert others[0]["rows"] > 1


def test_killed_server_comes_back(emacs: RunScenario, runtime: Path) -> None:
    emacs("accept-and-undo", f"{BEFORE}{INTENT}\n")  # now the server is there
    (server,) = shared_servers(runtime)

    def suspend(file: Path) -> None:
        suspension.enter_context(suspended(server))
        Path(f"{file}.suspended").touch()

    def kill(file: Path) -> None:
        server.kill()
        server.wait()

    with ExitStack() as suspension:
        result = emacs("lose-server", f"{BEFORE}{INTENT}\n", {"connected\n": suspend, "asked\n": kill})
    assert "groupby" in base64.b64decode(result["accepted"]).decode()
    assert "Reconnect" in result["told"]
