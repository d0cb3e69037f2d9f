"""Keep the evaluation suites out of the training text.

For every comment, docstring, markdown cell or doctest description: the lower-case words `[a-z0-9]+`; each run of eight
words joined by one space is hashed by blake2b (8 bytes), and a text of five to seven words is hashed as `^text$`. A
record with any hash in `decontamination.blake2b8` is dropped. Phrases under five words cannot be told from chance.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

RUN = 8
SHORTEST = 5
_FILE = Path(__file__).with_name("decontamination.blake2b8")


@cache
def forbidden() -> frozenset[str]:
    """The recorded hashes."""
    return frozenset(_FILE.read_text(encoding="ascii").split())


def hashes(text: str) -> Iterator[str]:
    """Hash a text's word runs."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    runs = [" ".join(words[n : n + RUN]) for n in range(len(words) - RUN + 1)]
    if SHORTEST <= len(words) < RUN:
        runs = [f"^{' '.join(words)}$"]
    for run in runs:
        yield hashlib.blake2b(run.encode(), digest_size=8).hexdigest()


def is_contaminated(texts: list[str]) -> bool:
    """Whether any of the texts shares a run of words with an evaluation suite."""
    known = forbidden()
    return any(found in known for text in texts for found in hashes(text))
