"""A place in a file, written ``FILE:LINE[:COL]``."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from cert_lsp.errors import ContextError
from cert_lsp.positions import body, split_lines

_FULL = re.compile(r"(?s)(.+):([0-9]{1,18}):([0-9]{1,18})")
_SHORT = re.compile(r"(?s)(.+):([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Address:
    """A cursor: line and column from 1, the column in code points; None is the end of the line."""

    path: Path
    line: int
    column: int | None


def parse_address(text: str) -> Address:
    """Read an address from its right end, so that FILE may hold colons.

    Raises:
        ContextError: There is no line number.
    """
    full, short = _FULL.fullmatch(text), _SHORT.fullmatch(text)
    if short is None:
        raise ContextError(f"{text!r} is not FILE:LINE[:COL]", remedy="name a line, such as script.py:12")
    # "a:1:2" may be column 2 in "a" or line 2 of a file that is called "a:1".
    if full and (_exists(full[1]) or not _exists(short[1])):
        return Address(Path(full[1]), int(full[2]), int(full[3]))
    return Address(Path(short[1]), int(short[2]), None)


def read_place(address: Address) -> tuple[str, int]:
    """Read the file and find the cursor.

    Returns:
        The text and the number of code points before the cursor.

    Raises:
        ContextError: The file cannot be read, or the cursor is outside it.
    """
    lines = split_lines(_read(address.path))
    if not 1 <= address.line <= len(lines):
        raise ContextError(f"{address.path} has no line {address.line}", remedy=f"choose a line from 1 to {len(lines)}")
    width = len(body(lines[address.line - 1]))
    column = width + 1 if address.column is None else address.column
    if not 1 <= column <= width + 1:
        raise ContextError(
            f"Line {address.line} of {address.path} has no column {column}",
            remedy=f"choose a column from 1 to {width + 1}",
        )
    return "".join(lines), sum(map(len, lines[: address.line - 1])) + column - 1


def _exists(name: str) -> bool:
    try:
        return Path(name).exists()
    except OSError:  # such as a name that is too long for the file system
        return False


def _read(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ContextError(f"Cannot read {path} ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ContextError(
            f"{path} is not UTF-8 text (byte {error.start + 1})", remedy="save it in UTF-8 and try again"
        ) from error
    return _code_cells(path, text) if path.suffix == ".ipynb" else text


def _code_cells(path: Path, text: str) -> str:
    """The code cells of a notebook, joined as lines. Source: nbformat 4."""
    try:
        notebook: Any = json.loads(text)
        cells = cast("list[dict[str, Any]]", notebook["cells"])
        sources = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
        return "\n".join("".join(source).rstrip("\n") for source in sources)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ContextError(
            f"{path} is not a Jupyter notebook of format 4", remedy="open it in Jupyter and save it again"
        ) from error
