"""Subjects for made-up data: frame names, columns by kind with plausible values, and what people call them."""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parent / "domains.toml"
_LEXICON = Path(__file__).parent / "lexicon"


@dataclass(frozen=True)
class Domain:
    """One subject.

    Attributes:
        name: Its name, a plural noun.
        frames: Names that a frame of it may have.
        cat: Column -> the few values that repeat in it.
        text: Column -> values, one a row.
        numbers: Column -> (lowest, highest); whole numbers when both are ints.
        dates: Names of columns with dates.
        flags: Names of columns with truth values.
        words: Column -> form -> what people say, see words.py; under "" what a row is (thing, things).
    """

    name: str
    frames: tuple[str, ...]
    cat: dict[str, list[str]]
    text: dict[str, list[str]]
    numbers: dict[str, tuple[float, float]]
    dates: tuple[str, ...]
    flags: tuple[str, ...]
    words: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)

    def columns(self, kind: str) -> list[str]:
        """Names of the columns that can play `kind` (num, int, float, cat, text, date, flag, col)."""
        ints = [name for name, (low, _) in self.numbers.items() if isinstance(low, int)]
        floats = [name for name in self.numbers if name not in ints]
        by_kind = {
            "num": [*ints, *floats],
            "int": ints,
            "float": floats,
            "cat": [*self.cat],
            "text": [*self.text],
            "date": [*self.dates],
            "flag": [*self.flags],
        }
        return [*ints, *floats, *self.cat, *self.text] if kind == "col" else by_kind[kind]


@cache
def domains() -> tuple[Domain, ...]:
    """All subjects of domains.toml, in file order."""
    tables = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return tuple(_domain(name, table) for name, table in tables.items())


@cache
def spoken_domains() -> tuple[Domain, ...]:
    """The subjects for which lexicon/ has words: those of domains.toml, and such as it adds."""
    known = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    found = []
    for path in sorted(_LEXICON.glob("*.toml")):
        for name, entry in tomllib.loads(path.read_text(encoding="utf-8")).items():
            columns = {column: _split(words) for column, words in entry["words"].items()}
            thing = _split({"thing": entry["thing"], "things": entry["things"]})
            found.append(_domain(name, entry.get("data") or known[name], {"": thing, **columns}))
    return tuple(found)


def _split(words: dict[str, str]) -> dict[str, tuple[str, ...]]:
    return {form: tuple(said.split("|")) for form, said in words.items()}


def _domain(name: str, table: dict[str, Any], words: dict[str, dict[str, tuple[str, ...]]] | None = None) -> Domain:
    return Domain(
        name=name,
        frames=tuple(table["frames"]),
        cat=table["cat"],
        text=table["text"],
        numbers={column: tuple(ends) for column, ends in (table["int"] | table["float"]).items()},
        dates=tuple(table["date"]),
        flags=tuple(table["flag"]),
        words=words or {},
    )


def number(rng: random.Random, low: float, high: float) -> float:
    """A plausible number between the two: whole if both ends are whole, else with one or two decimals."""
    if isinstance(low, int):
        return rng.randint(low, int(high))
    return round(rng.uniform(low, high), 1 if high > 3 else 2)
