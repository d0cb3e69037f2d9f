"""An example of a docstring, guide or notebook -> draft.

`trainer.corpus` already finds which prose speaks of which statement and what that statement builds on. Here one
statement becomes a task: the lines that make the data, the prose as a comment, and the cursor behind `name =` or, where
the statement changes something, on the line below.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections import Counter
from collections.abc import Iterator

from trainer.corpus.extract import scripts
from trainer.corpus.idiom import is_display
from trainer.corpus.pairs import Pair, pairs
from trainer.corpus.readers import Document
from trainer.suite.draft import Draft, library_imports
from trainer.suite.settled import settled

LONGEST_ANSWER = 200
LONGEST_DATA = 900
_SHORTEST_INTENT = 3  # words
_UNREPEATABLE = re.compile(
    r"\b(sample|rand\w*|normal|choice|shuffle|permutation|default_rng|today|now|time|read_\w+|open|id)\("
)
_NO_ANSWER = re.compile(
    r"\.(info|plot|hist|boxplot|style|memory_usage|to_clipboard|flags|attrs|ctypes|strides)\b|^dir\("
)


def example_drafts(document: Document, source: str, *, unseen: bool, drops: Counter[str]) -> Iterator[Draft]:
    """Yield the drafts of one document's examples."""
    for script in scripts(document, drops):
        try:
            found = [pair for pair in pairs(script, drops) if pair.intent and not pair.signature]
        except RecursionError:
            continue
        for pair in found:
            drafted = _draft(pair, source, document.path, unseen)
            if isinstance(drafted, str):
                drops[f"example: {drafted}"] += 1
            else:
                yield drafted


def _draft(pair: Pair, source: str, path: str, unseen: bool) -> Draft | str:
    """One pair's draft, or the reason why there is none."""
    if len(pair.code) != 1:
        return "several statements"
    statement, intent = pair.code[0], pair.intent
    data = "\n".join(s.code for s in pair.context if not s.is_import and not is_display(s))
    others = [s.code for s in pair.context if s.is_import]
    if len(statement.code) > LONGEST_ANSWER or len(data) > LONGEST_DATA:
        return "too long"
    if len(intent.split()) < _SHORTEST_INTENT:
        return "intent too short"
    if _UNREPEATABLE.search(f"{data}\n{statement.code}"):
        return "random, or reads a file"
    if _NO_ANSWER.search(statement.code):
        return "no answer to check"
    shape = _shape(statement.node, statement.code)
    if shape is None:
        return "no single value"
    begun, solution, probe, wrong = shape
    names = sorted({name for s in pair.context if not s.is_import for name in s.binds} & statement.uses)
    if not names and not _has_input(statement.node):
        return "makes data out of nothing"
    if not settled(ast.unparse(statement.node), intent, data):
        return "constants not told"
    try:
        imports = [line for line in library_imports(data, statement.code) if line not in others]
    except SyntaxError:
        return "does not parse"
    comment = "\n".join(f"# {line}" for line in textwrap.wrap(intent, 96, break_long_words=False))
    parts = ["\n".join([*imports, *others]), data, f"{comment}\n{begun}"]
    return Draft(
        prompt="\n\n".join(part for part in parts if part),
        solution=solution,
        entry_point="none",
        setup=(),
        probes=(probe,),
        wrong=(*wrong, *names) if begun else wrong,
        intent=intent,
        source=source,
        path=path,
        unseen=unseen,
    )


def _shape(node: ast.stmt, code: str) -> tuple[str, str, str, tuple[str, ...]] | None:
    """What stands before the cursor, what is to be written, whose value is checked, and what must not pass."""
    match node:
        case ast.Expr(value=ast.Call(func=ast.Name(id="print"), args=[value], keywords=[])):
            return "result = ", ast.unparse(value), "result", ("None",)
        case ast.Expr(value=value):
            changed = _changed(value)
            return ("", code, changed, ("pass",)) if changed else ("result = ", code, "result", ("None",))
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return f"{name} = ", ast.get_source_segment(code, ast.parse(code).body[0].value) or "", name, ("None",)  # type: ignore[attr-defined]
        case ast.Assign(targets=[ast.Subscript() | ast.Attribute() as target]) | ast.AugAssign(target=target):
            root = _root(target)
            return ("", code, root, ("pass",)) if root else None
    return None


def _changed(value: ast.expr) -> str:
    """The name whose object a call changes in place, or the empty string."""
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        in_place = any(k.arg == "inplace" for k in value.keywords)
        if in_place or value.func.attr in {"insert", "sort", "fill", "update", "resize", "put", "append"}:
            return _root(value.func.value)
        if value.func.attr in {"fill_diagonal", "put", "place", "copyto", "put_along_axis", "putmask"} and value.args:
            return _root(value.args[0])
    return ""


def _has_input(node: ast.stmt) -> bool:
    """Whether a literal inside the statement gives it something to work on: `np.cumsum([1, 2, 3])`."""
    return any(isinstance(n, (ast.List, ast.Tuple, ast.Dict)) and ast.unparse(n) for n in ast.walk(node))


def _root(node: ast.expr) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
