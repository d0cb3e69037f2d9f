"""A task before it has been run."""

from __future__ import annotations

import ast
import hashlib
from dataclasses import dataclass

IMPORTS = {"np": "import numpy as np", "pd": "import pandas as pd", "math": "import math"}
"""The names that a task may take from a library, and the line that brings each."""


@dataclass(frozen=True)
class Draft:
    """A task without its check.

    Attributes:
        prompt: Code up to the cursor.
        solution: The documentation's own code.
        entry_point: The function that the check calls; `none` where it looks at names.
        setup: Statements of the check that bind what the probes use.
        probes: Expressions whose values are checked.
        wrong: Completions that must not pass.
        intent: The words that state the task.
        source: The package, with its version.
        path: The file in it.
        unseen: Whether no training text comes from the package.
        searched: The parameters for which arguments must be found (see `inputs`), with the kinds to try for each.
    """

    prompt: str
    solution: str
    entry_point: str
    setup: tuple[str, ...]
    probes: tuple[str, ...]
    wrong: tuple[str, ...]
    intent: str
    source: str
    path: str
    unseen: bool
    searched: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def key(self) -> str:
        """A name that stays the same while intent and code do: 8 hexadecimal digits."""
        return hashlib.blake2b(f"{self.prompt}\0{self.solution}".encode(), digest_size=4).hexdigest()


def library_imports(*sources: str) -> list[str]:
    """The import lines for the names of `IMPORTS` that the sources read.

    Raises:
        SyntaxError: A source does not parse.
    """
    used = {node.id for source in sources for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    return [line for name, line in IMPORTS.items() if name in used]
