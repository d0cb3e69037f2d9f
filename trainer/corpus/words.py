"""The word lists of `words.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("words.toml")


@cache
def words(name: str) -> frozenset[str]:
    """One of the lists."""
    return frozenset(tomllib.loads(_FILE.read_text(encoding="utf-8"))[name].split())
