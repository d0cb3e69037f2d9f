"""Sizes, and what a file of the project may not hold."""

import re
from pathlib import Path

import pytest

from tests.architecture.repository import ROOT, modules, tracked_files

MODULE_LINES, HANDLER_LINES = 400, 150
LARGEST_FILE = 95_000_000  # bytes; hosts of git repositories refuse files above 100 MB

# A home folder of some machine, or a folder for working copies at the root of one.
MACHINE_PATH = re.compile(rb"(?<![\w.\-}])/(?:root|home/\w+|Users/\w+|work(?:space)?)/\w")


@pytest.mark.parametrize("path", modules(), ids=str)
def test_module_is_short(path: Path) -> None:
    limit = HANDLER_LINES if path.parts[:2] == ("cert_lsp", "features") else MODULE_LINES
    assert len((ROOT / path).read_text(encoding="utf-8").splitlines()) < limit


@pytest.mark.parametrize("path", modules(), ids=str)
def test_module_says_what_it_is_for(path: Path) -> None:
    assert (ROOT / path).read_text(encoding="utf-8").lstrip().startswith(('"""', 'r"""'))


def test_no_file_is_too_large() -> None:
    assert not [file for file in tracked_files() if file.stat().st_size > LARGEST_FILE]


def test_no_path_of_one_machine() -> None:
    found = {
        f"{file.relative_to(ROOT)}: {match[0].decode()}"
        for file in tracked_files()
        if file.stat().st_size < 5_000_000
        for match in MACHINE_PATH.finditer(file.read_bytes())
    }
    assert not found
