"""Is this code pandas or NumPy as a user writes it? Told by the syntax tree and the installed libraries' names."""

from __future__ import annotations

import ast
import re
from functools import cache

from trainer.corpus.script import Statement
from trainer.corpus.words import words

STANDARD = {"pd": "import pandas as pd", "np": "import numpy as np"}
"""The imports that docstrings and guides take for granted."""

_FRAME_NAMES = words("frames")
_MAKERS = words("makers")
_ALLOWED_MODULES = words("modules")
_INTERNAL = re.compile(
    r"pandas\.(_|core|compat|util|io|errors|tests)|numpy\.(_|core|ma\.|lib|testing|compat|distutils|f2py)"
)


@cache
def _methods() -> tuple[frozenset[str], frozenset[str]]:
    """(names that only pandas and NumPy objects have, names that they share with Python's own types)."""
    import numpy as np
    import pandas as pd
    from pandas.api.typing import DataFrameGroupBy, Resampler, Rolling

    owners = [
        pd.DataFrame,
        pd.Series,
        pd.Index,
        pd.DatetimeIndex,
        pd.MultiIndex,
        pd.Timestamp,
        DataFrameGroupBy,
        Rolling,
        Resampler,
        np.ndarray,
    ]
    owners += [pd.Series.str, pd.Series.dt, pd.Series.cat]
    names = {name for owner in owners for name in dir(owner) if not name.startswith("_")}
    names |= {"iteritems", "ix", "applymap", "str", "dt", "plot"}
    common = {name for owner in (str, list, dict, set, int, float, bytes) for name in dir(owner)}
    return frozenset(names - common), frozenset(names & common)


def is_library_code(statements: list[Statement], known: set[str]) -> bool:
    """Whether pandas or NumPy does something here: their functions, their objects' methods, label indexing.

    Args:
        statements: The target.
        known: Names that come from pandas or NumPy (see `library_names`).
    """
    own, shared = _methods()
    frames = known | _FRAME_NAMES
    for statement in statements:
        for node in ast.walk(statement.node):
            value = node.value if isinstance(node, (ast.Attribute, ast.Subscript)) else None
            root = value.id if isinstance(value, ast.Name) else ""
            if isinstance(node, ast.Attribute):
                if root in known or node.attr in own or (node.attr in shared and root in frames):
                    return True
            elif (isinstance(node, ast.Subscript) and root in frames) or (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in known
            ):
                return True
    return False


def does_something(statement: Statement) -> bool:
    """Whether anything is called, looked up or computed here, whatever the library."""
    working = (ast.Call, ast.Subscript, ast.BinOp, ast.Compare, ast.BoolOp)
    return not statement.is_import and any(isinstance(node, working) for node in ast.walk(statement.node))


def library_names(statements: list[Statement]) -> set[str]:
    """The names `pd` and `np`, those imported from the two libraries, and those assigned from expressions of them."""
    known = set(STANDARD)
    for statement in statements:
        if statement.is_import:
            module = getattr(statement.node, "module", None) or ""
            if module.split(".")[0] in {"pandas", "numpy"}:
                known |= statement.binds
            elif isinstance(statement.node, ast.Import):
                for alias in statement.node.names:
                    if alias.name.split(".")[0] in {"pandas", "numpy"}:
                        known.add(alias.asname or alias.name.split(".")[0])
        elif isinstance(statement.node, ast.Assign) and statement.uses & known:
            known |= statement.binds
    return known


def is_data(statement: Statement) -> bool:
    """Whether the statement only sets the scene: imports, options, literals, frames made of literals."""
    node = statement.node
    if isinstance(node, ast.Assign):
        value = node.value
        return (
            not _calls(value) - _MAKERS
            and not (_names(value) - set(STANDARD) - {"range", "list", "dict"})
            and isinstance(node.targets[0], (ast.Name, ast.Tuple))
        )
    if isinstance(node, ast.Expr):
        return bool(_calls(node.value) & {"set_option", "seed", "set_printoptions", "simplefilter", "filterwarnings"})
    return isinstance(node, (ast.Import, ast.ImportFrom))


def is_display(statement: Statement) -> bool:
    """Whether it only shows a name or a literal."""
    node = statement.node
    return isinstance(node, (ast.Pass,)) or (
        isinstance(node, ast.Expr) and isinstance(node.value, (ast.Name, ast.Constant))
    )


def foreign_names(imports: list[Statement]) -> set[str]:
    """Names that come from other libraries than pandas, NumPy and a few of Python's own modules."""
    found: set[str] = set()
    for statement in imports:
        node = statement.node
        modules = (
            [node.module or "."] if isinstance(node, ast.ImportFrom) else [a.name for a in getattr(node, "names", [])]
        )
        level = getattr(node, "level", 0)
        for module in modules:
            if level or module.split(".")[0] not in _ALLOWED_MODULES or _INTERNAL.match(module):
                found |= statement.binds
    return found


def unfit(statement: Statement) -> str:
    """The reason why no user would be offered this statement, or the empty string."""
    for node in ast.walk(statement.node):
        if isinstance(node, (ast.Assert, ast.Raise)):
            return "code: assert or raise"
        if isinstance(node, (ast.ClassDef, ast.AsyncFunctionDef, ast.Await, ast.Yield, ast.Global)):
            return "code: not a plain statement"
        if isinstance(node, ast.Name) and (node.id in {"self", "cls"} or (node.id.startswith("_") and node.id != "_")):
            return "code: self or private names"
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            return "code: self or private names"
    if _calls(statement.node) & {"warn", "exit", "show", "savefig", "info", "debug", "warning", "system"}:
        return "code: talks to the world"
    return ""


def _calls(node: ast.AST) -> set[str]:
    return {
        n.func.attr if isinstance(n.func, ast.Attribute) else n.func.id
        for n in ast.walk(node)
        if isinstance(n, ast.Call) and isinstance(n.func, (ast.Attribute, ast.Name))
    }


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
