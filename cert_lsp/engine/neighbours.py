"""What the team wrote below the most similar intent, as a sketch for the one at the cursor.

BM25 over words (Robertson and Zaragoza, 2009; by the library bm25s) finds the nearest intent. It counts where both are
nearly the same words: then what is wanted is mostly what was written (docs/log.md has the figures), and a team's way of
doing it is worth more than what the model finds likeliest. Further off, neighbours mislead.

A `Neighbours` is not changed once it is built; any thread may ask.
"""

import logging
import re
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from textwrap import indent
from typing import Any, Self

import numpy as np

from cert_lsp.contract.neighbours import Neighbour, read_neighbours
from cert_lsp.engine.context import Context

_ALIKE = 0.6
"""Words that two intents have in common, of all words of both, from which a neighbour counts."""

_TARGET = re.compile(r"[ \t]*(?:return\b|[^\W\d][^\n=()]*?(?<![-+*/%&|^@!<>=])=(?!=))")
"""What a statement's value is for: it is the buffer's own affair."""


class Neighbours:
    """An index of a team's intents."""

    def __init__(self, neighbours: Sequence[Neighbour]) -> None:
        """Build the index of what a file holds."""
        words = _words([each.intent for each in neighbours])
        self._neighbours = [each for each, said in zip(neighbours, words, strict=True) if said]
        self._said = [said for said in words if said]
        self._bodies = np.array([each.body for each in self._neighbours], bool)
        self._index = _library().BM25()
        if self._said:
            self._index.index(self._said, show_progress=False)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file.

        Raises:
            NeighboursError: It is missing, damaged, or no such file.
        """
        return cls(read_neighbours(path))

    def sketch_for(self, context: Context) -> str | None:
        """Return what `Context.near` shall be: the nearest neighbour's sketch, if it is near enough, else None."""
        asked = _words([context.intent])[0]
        of_kind = self._bodies == context.block
        if not asked or not of_kind.any():
            return None
        nearest = int(np.where(of_kind, self._index.get_scores(asked), -1).argmax())
        words, said = set(asked), set(self._said[nearest])
        if len(words & said) < _ALIKE * len(words | said):
            return None
        return _behind(context.statement, context.forced, self._neighbours[nearest].sketch)


def _words(texts: list[str]) -> list[list[str]]:
    """Return the words of texts, in lower case, without those that nearly every English text has."""
    return _library().tokenize(texts, return_ids=False, show_progress=False)


def _library() -> Any:
    """Import bm25s, which has no types, and late: most servers look up nothing."""
    library = import_module("bm25s")
    logging.getLogger("bm25s").setLevel(logging.WARNING)  # it tells all it does, whatever the root logger wants
    return library


def _behind(begun: str, forced: str, sketch: str) -> str | None:
    """Return a sketch as it goes on behind the half-written statement; None if that says something else."""
    text = begun + forced
    whole = indent(sketch, text[: len(text) - len(text.lstrip())])
    if target := _TARGET.match(text):
        own = _TARGET.match(sketch)
        whole = text[: target.end()] + (sketch[own.end() :] if own else f" {sketch}")
    return whole[len(begun) :] if whole.startswith(text) else None
