"""The common shape of everything that is read: a script, which is prose and statements in order.

A docstring's examples, a page of a guide, a notebook and a function's body all tell the same way what code does: some
prose, then statements that build on the statements before. Each reader makes scripts; `pairs` makes pairs of them.
"""

from __future__ import annotations

import ast
import builtins
import io
import tokenize
import warnings
from dataclasses import dataclass, field
from functools import cached_property

BUILTINS = frozenset(dir(builtins))


@dataclass(frozen=True)
class Prose:
    """What somebody wrote about the code that follows; `kind` as in the corpus record."""

    text: str
    kind: str


@dataclass(frozen=True)
class Gap:
    """An empty line: what is said above does not reach beyond it."""


@dataclass
class Statement:
    """One statement of a source, whose lines it keeps: its text is cut out of them when it is asked for."""

    node: ast.stmt
    lines: list[str]
    shares_line: bool = False

    @cached_property
    def code(self) -> str:
        """The statement's text, dedented and without comments."""
        return ast.unparse(self.node) if self.shares_line else _source(self.node, self.lines)

    @cached_property
    def uses(self) -> set[str]:
        """Names read, less those that the statement binds inside itself (comprehensions, lambdas) and builtins."""
        inner = {
            name.id
            for comprehension in ast.walk(self.node)
            if isinstance(comprehension, ast.comprehension)
            for name in ast.walk(comprehension.target)
            if isinstance(name, ast.Name)
        }
        inner |= {node.arg for node in ast.walk(self.node) if isinstance(node, ast.arg)}
        if isinstance(self.node, (ast.FunctionDef, ast.For, ast.With, ast.If, ast.While, ast.Try)):
            inner |= {n.id for n in ast.walk(self.node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        read = {n.id for n in ast.walk(self.node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        if isinstance(self.node, ast.AugAssign) and isinstance(self.node.target, ast.Name):
            read.add(self.node.target.id)
        return read - inner - BUILTINS

    @cached_property
    def binds(self) -> set[str]:
        """Names that the statement binds anew."""
        if isinstance(self.node, (ast.FunctionDef, ast.ClassDef)):
            return {self.node.name}
        if isinstance(self.node, (ast.Import, ast.ImportFrom)):
            return {alias.asname or alias.name.split(".")[0] for alias in self.node.names}
        return {n.id for n in ast.walk(self.node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}

    @cached_property
    def changes(self) -> set[str]:
        """Names whose object the statement changes: `df["x"] = …`, `df.columns = …`, `df.sort_index(inplace=True)`."""
        changed: set[str] = set()
        for node in ast.walk(self.node):
            if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, (ast.Store, ast.Del)):
                changed |= _root(node)
            elif isinstance(node, ast.Call) and any(k.arg == "inplace" for k in node.keywords):
                changed |= _root(node.func)
        return changed

    @property
    def is_import(self) -> bool:
        """Whether it imports."""
        return isinstance(self.node, (ast.Import, ast.ImportFrom))


@dataclass
class Script:
    """Prose and statements in order.

    Attributes:
        items: The script itself.
        path: The document it comes from.
        before: Statements that ran before the first item (imports, module level); not looked at for pairs.
        signature: For a function's body: its `def` line without annotations, else empty.
        summary: What the docstring around it says in its first sentence, else empty.
        owners: The names that the docstring describes: an example without prose is the owner's if it calls one of them.
        parameters: Names bound by the signature.
        teaches: Whether it was written to show how a library is used, so that even code without prose is worth reading.
        own: As of its document.
        owner: For a method's body: the name of its class, else empty.
    """

    items: list[Prose | Statement | Gap]
    path: str
    before: list[Statement] = field(default_factory=list)
    signature: str = ""
    summary: str = ""
    owners: frozenset[str] = frozenset()
    parameters: frozenset[str] = frozenset()
    teaches: bool = False
    own: bool = False
    owner: str = ""


def parse(source: str) -> ast.Module:
    """Parse, silencing what the source's own escapes warn about; raises SyntaxError or ValueError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        except (RecursionError, MemoryError, UnicodeEncodeError) as error:
            raise ValueError(str(error)) from error


def items_of(source: str, kind: str = "comment") -> list[Prose | Statement | Gap]:
    """Split the text of a module, cell or example into statements, comments (as prose) and gaps; raises as `parse`."""
    tree, lines = parse(source), source.split("\n")
    return suite_items(tree.body, lines, comment_lines(tree, lines), kind)


def comment_lines(tree: ast.Module, lines: list[str]) -> dict[int, str]:
    """Map line numbers (from 1) to the comment that stands alone on that line."""
    in_strings = {
        number
        for node in ast.walk(tree)
        if isinstance(node, (ast.Constant, ast.JoinedStr)) and node.end_lineno and node.end_lineno > node.lineno
        for number in range(node.lineno + 1, node.end_lineno + 1)
    }
    return {
        number: line.strip().lstrip("#").strip()
        for number, line in enumerate(lines, start=1)
        if line.lstrip().startswith("#") and number not in in_strings
    }


def suite_items(
    body: list[ast.stmt], lines: list[str], comments: dict[int, str], kind: str = "comment"
) -> list[Prose | Statement | Gap]:
    """Put a suite's statements in order with the comments and gaps between them."""
    items: list[Prose | Statement | Gap] = []
    previous_end = first_line(body[0]) - 1 if body else 0
    while body and previous_end in comments:  # comments above the first statement of a suite
        previous_end -= 1
    for node in body:
        start, end = first_line(node), node.end_lineno or node.lineno
        pending: list[str] = []
        for number in range(previous_end + 1, start):
            if number in comments:
                pending.append(comments[number])
            elif not lines[number - 1].strip():
                items += [Prose(" ".join(pending), kind)] if pending else []
                items.append(Gap())
                pending = []
        if pending:
            items.append(Prose("\n".join(pending), kind))
        items.append(Statement(node, lines, shares_line=start <= previous_end))
        previous_end = max(end, previous_end)
    return items


def first_line(node: ast.stmt) -> int:
    """The line a statement starts on, decorators included."""
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(d.lineno for d in decorators)])


def _source(node: ast.stmt, lines: list[str]) -> str:
    """The statement's own text, dedented, comments removed."""
    text = lines[first_line(node) - 1 : node.end_lineno]
    indent = len(text[0]) - len(text[0].lstrip())
    after = text[-1].encode(errors="replace")[node.end_col_offset :].strip()
    if any(line[:indent].strip() for line in text) or (after and not after.startswith(b"#")):
        return ast.unparse(node)  # a string that hangs out to the left, or a second statement on the last line
    return strip_comments("\n".join(line[indent:] for line in text))


def strip_comments(code: str) -> str:
    """Take comments, and the lines that held nothing else, out of code that parses."""
    if "#" not in code:
        return code.rstrip()
    lines = code.split("\n")
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip() or "\0"
    return "\n".join(line for line in lines if line != "\0").rstrip()


def _root(node: ast.expr) -> set[str]:
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return {node.id} if isinstance(node, ast.Name) else set()
