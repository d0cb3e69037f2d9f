"""Neovim with the server of this checkout, started as the README says."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.neovim.editor import Editor

ROOT = Path(__file__).parents[3]

StartEditor = Callable[..., Editor]


@pytest.fixture(scope="session")
def editors(install: Callable[[str], Path]) -> Path:
    """The folder with Neovim 0.12 and 0.11."""
    return install("neovim")


@pytest.fixture
def start(editors: Path, commands: Path, tmp_path: Path) -> Iterator[StartEditor]:
    """Starts Neovim: ``start(program, init, file)``, with `program` a folder of `editors` and `init` Lua code."""
    running: list[Editor] = []

    def start(program: str, init: str, file: Path) -> Editor:
        init_file = tmp_path / "init.lua"
        init_file.write_text(init, encoding="utf-8")
        environment = {"PATH": f"{commands}{os.pathsep}{os.environ['PATH']}"}
        editor = Editor(editors / program / "bin" / "nvim", init_file, file, tmp_path / "state", environment)
        running.append(editor)
        return editor

    yield start
    for editor in running:
        editor.close()


def readme_recipe(heading: str) -> str:
    """The Lua under a heading of the README."""
    section = re.search(rf"^#+ {heading}\n(.*?)(?=^#|\Z)", (ROOT / "README.md").read_text("utf-8"), re.M | re.S)
    assert section, f"README.md has no heading {heading!r}"
    code = re.search(r"^```lua\n(.*?)^```", section[1], re.M | re.S)
    assert code, f"README.md shows no Lua under {heading!r}"
    return code[1]
