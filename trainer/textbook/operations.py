r"""The books: TOML files of operations, and a team's own file in the same format.

```toml
[[operation]]
name = "mean_by_group"             # a good function name; unique in its file
code = ["<df>.groupby(<cat>)[<num>].mean()"]   # answers, the idiomatic one first
same = ["<df>.pivot_table(<num>, <cat>)[<num>]"]   # never taught, must give the same value
holds = "len(result) > 0"          # or a condition on `result` and the inputs' names
old = "<df>.groupby(<cat>)[<num>].mean()"  # only where the answer replaces code that newer versions lack
data = "missing"                   # traits of the made-up data, see scene.py
pick.stat = ["mean:average", "max:maximum|largest value"]   # <stat> in code : in words
result = ["means", "by_group"]     # names that people give the value
weight = 3                         # how common it is: drawn that many times as often as others
say = '''
! compute the mean <num> for each <cat>
= the average <num> per <cat>
? How do I get the mean of a column by group?
& I have several rows per <cat>. For every <cat> I need the mean of <num>.
~ mean <num> by <cat>
'''
```

``<slot>`` stands for data: inputs (``<df> <ser> <arr> <mat>`` …), columns (``<num> <cat> <date>`` …) and values
(``<value> <x> <n>`` …), see scene.py; ``<slot!>`` is the name without its quotes. Code of several lines gives the value
of its last line if that is an expression, else that of the object which the last line changes.
A phrasing's first sign is its style: ``!`` order, ``=`` noun phrase, ``?`` question, ``&`` sentences, ``~`` notebook
shorthand, ``@`` docstring. An operation needs a second answer, `same` or `holds`: else nothing could fail.

The textbook (`catalogue/`) speaks of columns, the phrasebook (`phrasebook/`) of what they hold: ``<num.more>`` in a
phrasing is a word for the column, see words.py. So do the `steps`, requests that take two or three of them.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cert_lsp.errors import CorpusError

BOOKS = {"textbook": "catalogue", "phrasebook": "phrasebook", "steps": "steps"}
SLOT = re.compile(r"<([a-z_]+\d?)(!?)(?:\.([a-z]+))?>")
STYLES = {"!": "order", "=": "noun", "?": "question", "&": "sentences", "~": "terse", "@": "docstring"}
TRAITS = {
    *("missing", "duplicates", "labels", "abc", "multi", "alike", "numeric", "strnum", "strdate", "messy", "lists"),
    *("clock", "long", "negative", "zeros", "repeats", "distinct", "floats", "paired", "twelve", "symmetric"),
    *("small", "random", "literal"),
}
_KEYS = {"name", "code", "same", "holds", "data", "pick", "say", "then", "old", "result", "weight"}


@dataclass(frozen=True)
class Operation:
    """One thing that people do.

    Attributes:
        name: Identifies it, and is a fitting function name.
        theme: The file it comes from.
        code: Answers, the idiomatic one first.
        same: Expressions that must give the same value, never taught.
        holds: Condition on `result` and the inputs, or empty.
        traits: What the made-up data must be like.
        picks: Slot -> (code, words) pairs to choose from.
        say: Style -> phrasings.
        then: Whether frames go in and come out, so that another operation can follow.
        old: Code that did the same in pandas 1.5 / NumPy 1.23 and is gone, or empty.
        result: Names that people give the value, or empty.
        weight: How often it is drawn, beside others.
        book: The book it belongs to; `speaks` says whether that speaks of things.
    """

    name: str
    theme: str
    code: tuple[str, ...]
    same: tuple[str, ...]
    holds: str
    traits: frozenset[str]
    picks: dict[str, tuple[tuple[str, tuple[str, ...]], ...]]
    say: dict[str, tuple[str, ...]]
    then: bool = False
    old: str = ""
    result: tuple[str, ...] = ()
    weight: int = 1
    book: str = "textbook"
    slots: frozenset[str] = field(default_factory=frozenset)

    @property
    def speaks(self) -> bool:
        """Whether phrasings speak of what columns hold, not of columns: all books do but the textbook."""
        return self.book != "textbook"

    @property
    def key(self) -> str:
        """Theme and name: what tells it from all others."""
        return f"{self.theme}/{self.name}"


def load(path: Path, book: str = "textbook") -> list[Operation]:
    """Read one file of operations as part of `book`.

    Raises:
        CorpusError: The file is not valid TOML, or an operation in it is incomplete.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))["operation"]
    except (tomllib.TOMLDecodeError, KeyError, OSError) as error:
        raise CorpusError(
            f"{path} is not a file of operations ({error})",
            "No samples can be made from it",
            "See trainer/textbook/operations.py for the format",
        ) from error
    return [_operation(table, path, book) for table in tables]


def load_all(extra: Path | None = None, book: str = "textbook") -> list[Operation]:
    """Read a book and a team's own file; names must be unique in their file."""
    files = [*sorted((Path(__file__).parent / BOOKS[book]).glob("*.toml")), *([extra] if extra else [])]
    operations = [operation for path in files for operation in load(path, book)]
    names = [operation.key for operation in operations]
    if twice := {name for name in names if names.count(name) > 1}:
        raise CorpusError(f"operations named twice: {', '.join(sorted(twice))}", remedy="Rename one of each")
    return operations


def _operation(table: dict[str, Any], path: Path, book: str) -> Operation:
    name = table.get("name", "?")
    faults = [f"unknown key {key!r}" for key in table.keys() - _KEYS]
    faults += [f"no {key!r}" for key in ("name", "code", "say") if not table.get(key)]
    faults += [f"unknown trait {trait!r}" for trait in sorted({*table.get("data", "").split()} - TRAITS)]
    if len({*table.get("code", ())}) < 2 and not (table.get("same") or table.get("holds")):
        faults.append("no second answer, 'same' or 'holds': nothing checks the answer")
    say: dict[str, tuple[str, ...]] = {}
    for line in table.get("say", "").strip().splitlines():
        style = STYLES.get(line[:1])
        if style is None or line[1:2] != " ":
            faults.append(f"phrasing without a style sign: {line!r}")
        else:
            say[style] = (*say.get(style, ()), line[2:].strip())
    if faults:
        raise CorpusError(
            f"operation {name} in {path.name}: {'; '.join(faults)}",
            "No samples can be made from the file",
            "See trainer/textbook/operations.py for the format",
        )
    texts = [*table["code"], *table.get("same", ()), table.get("holds", "")]
    picks = {slot: tuple(_choice(entry) for entry in entries) for slot, entries in table.get("pick", {}).items()}
    texts += [code for pairs in picks.values() for code, _ in pairs]
    return Operation(
        name=name,
        theme=path.stem,
        code=tuple(code.strip("\n") for code in table["code"]),
        same=tuple(table.get("same", ())),
        holds=table.get("holds", ""),
        traits=frozenset(table.get("data", "").split()),
        picks=picks,
        say=say,
        then=table.get("then", False),
        old=table.get("old", ""),
        result=tuple(table.get("result", ())),
        weight=table.get("weight", 1),
        book=book,
        slots=frozenset(match[1] for text in texts for match in SLOT.finditer(text)) - picks.keys(),
    )


def _choice(entry: str) -> tuple[str, tuple[str, ...]]:
    r"""``"mean:average|mean"`` -> code and words; without a colon the code is the word (`\:`: a colon in code)."""
    code, _, words = entry.replace(r"\:", "\0").partition(":")
    code = code.replace("\0", ":")
    return code, tuple(words.split("|")) if words else (code,)
