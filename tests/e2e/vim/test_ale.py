"""Completion in Vim by ALE, set up as docs/editors.md says."""

import ast
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, shared_servers, suspended
from tests.e2e.vim.editor import Editor

BEFORE = """\
import pandas as pd

flights = pd.DataFrame({
    "carrier": ["AA", "UA", "AA", "DL"],
    "delay": [12.0, -3.0, 30.0, 4.0],
    "distance": [733, 2475, 1400, 404],
})

"""
INTENT = "# average delay per carrier"
ESCAPE = "\x1b"
CTRL_L, CTRL_Y = "\x0c", "\x19"

OpenFile = Callable[..., Editor]


@pytest.fixture
def open_file(install: Callable[[str], Path], commands: Path, runtime: Path, tmp_path: Path) -> Iterator[OpenFile]:
    """Opens a file in Vim: ``open_file(content)``."""
    install("vim")
    recipe = re.search(r"^## Vim.*?^```vim\n(.*?)^```", (ROOT / "docs" / "editors.md").read_text("utf-8"), re.M | re.S)
    assert recipe
    vimrc = f"filetype plugin indent on\npackadd! ale\n{recipe[1]}"
    running: list[Editor] = []

    def open_file(content: str) -> Editor:
        file = tmp_path / "delays.py"
        file.write_bytes(content.encode())
        path = f"{commands}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(runtime), "PATH": path}
        editor = Editor(vimrc, file, environment)
        running.append(editor)
        editor.wait(lambda: editor.text() == content.replace("\r", ""), "the file")
        return editor

    yield open_file
    for editor in running:
        editor.close()


@pytest.mark.parametrize(
    ("content", "intent"),
    [
        (BEFORE, INTENT),
        (BEFORE.replace("\n", "\r\n"), "# \N{AIRPLANE} Ø \N{SLIGHTLY SMILING FACE} average delay per carrier"),
    ],
    ids=["plain", "emoji-crlf"],
)
def test_popup_is_accepted_and_undone(open_file: OpenFile, content: str, intent: str, tmp_path: Path) -> None:
    editor, file = open_file(content), tmp_path / "delays.py"
    end = "\r\n" if "\r\n" in content else "\n"
    commented = f"{content.removesuffix(end)}{intent}{end}"
    editor.type(f"GA{intent}")
    editor.wait(lambda: intent in editor.text(), "the comment")
    editor.type(CTRL_L)
    editor.wait(lambda: editor.state()["rows"], "the popup")
    assert len(editor.state()["rows"]) > 1
    label = editor.state()["rows"][0]["abbr"]
    assert re.search(r"groupby.*mean", label)
    editor.type(CTRL_Y)
    editor.wait(lambda: editor.text().endswith(f"{intent}\n{label}\n"), "the accepted code")
    editor.type(f"{ESCAPE}:w\r")
    editor.wait(lambda: file.read_bytes().decode() == f"{commented}{label}{end}", "the file")
    ast.parse(file.read_bytes())
    editor.type("u:w\r")
    editor.wait(lambda: file.read_bytes().decode() == commented, "the undo")


def test_killed_server_comes_back(open_file: OpenFile, runtime: Path) -> None:
    editor = open_file(BEFORE)
    editor.type(f"GA{INTENT}{CTRL_L}")
    editor.wait(lambda: editor.state()["rows"], "the popup")
    (server,) = shared_servers(runtime)
    with suspended(server):
        editor.type(f"{ESCAPE}A{CTRL_L}")
        editor.wait(lambda: not editor.state()["rows"], "the popup to leave")
        assert editor.state()["connections"] == 1
        server.kill()
        server.wait()
    editor.wait(lambda: not editor.state()["connections"], "the connection's end")
    editor.type(CTRL_L)
    editor.wait(lambda: editor.state()["rows"], "the popup of the new server")
