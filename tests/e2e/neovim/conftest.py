"""Neovim with the server of this checkout, started as the README says."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT
from tests.e2e.neovim.editor import Editor

BEFORE = """\
import pandas as pd

flights = pd.DataFrame({
    "carrier": ["AA", "UA", "AA", "DL"],
    "delay": [12.0, -3.0, 30.0, 4.0],
    "distance": [733, 2475, 1400, 404],
})

"""
INTENT = "# average delay per carrier"

StartEditor = Callable[..., Editor]
OpenFile = Callable[..., Editor]


@dataclass(frozen=True)
class Setup:
    """A Neovim and the Lua of its ``init.lua``."""

    program: str
    init: str
    has_plugin: bool


def readme_recipe(heading: str) -> str:
    """The Lua under a heading of the README."""
    section = re.search(rf"^#+ {heading}\n(.*?)(?=^#|\Z)", (ROOT / "README.md").read_text("utf-8"), re.M | re.S)
    assert section, f"README.md has no heading {heading!r}"
    code = re.search(r"^ *```lua\n(.*?)^ *```", section[1], re.M | re.S)
    assert code, f"README.md shows no Lua under {heading!r}"
    return code[1]


PLUGIN = readme_recipe("Neovim 0.11").replace("/path/to/cert-lsp", str(ROOT))
SETUPS = {
    "0.12": Setup("neovim-0.12", readme_recipe("Neovim 0.12"), has_plugin=False),
    "0.12-plugin": Setup("neovim-0.12", PLUGIN, has_plugin=True),
    "0.11-plugin": Setup("neovim-0.11", PLUGIN, has_plugin=True),
}


@pytest.fixture(params=SETUPS)
def setup(request: pytest.FixtureRequest) -> Setup:
    """Each of the README's ways."""
    return SETUPS[request.param]


@pytest.fixture(params=[name for name, setup in SETUPS.items() if setup.has_plugin])
def plugin(request: pytest.FixtureRequest) -> Setup:
    """The plugin, where Neovim draws ghost text itself and where it does not."""
    return SETUPS[request.param]


@pytest.fixture(scope="session")
def editors(install: Callable[[str], Path]) -> Path:
    """The folder with Neovim 0.12 and 0.11."""
    return install("neovim")


@pytest.fixture
def start(editors: Path, commands: Path, runtime: Path, tmp_path: Path) -> Iterator[StartEditor]:
    """Starts Neovim: ``start(setup, file)``."""
    running: list[Editor] = []

    def start(setup: Setup, file: Path, **environment: str) -> Editor:
        init_file = tmp_path / "init.lua"
        init_file.write_text(setup.init, encoding="utf-8")
        path = f"{commands}{os.pathsep}{os.environ['PATH']}"
        environment = {"PATH": path, "XDG_RUNTIME_DIR": str(runtime), **environment}
        editor = Editor(editors / setup.program / "bin" / "nvim", init_file, file, tmp_path / "state", environment)
        running.append(editor)
        return editor

    yield start
    for editor in running:
        editor.close()


@pytest.fixture
def open_file(start: StartEditor, tmp_path: Path) -> OpenFile:
    """Opens a file in Neovim, in insert mode at its end, once the server is there: ``open_file(setup, content)``."""

    def open_file(setup: Setup, content: str = BEFORE, name: str = "delays.py") -> Editor:
        file = tmp_path / name
        file.write_bytes(content.encode())
        editor = start(setup, file)
        editor.wait(editor.has_server, "the server")
        editor.type("GA")
        return editor

    return open_file
