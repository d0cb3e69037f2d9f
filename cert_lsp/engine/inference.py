"""The names of a buffer and what they may be: enough to tell which attributes are worth writing behind an expression.

Read are imports, assignments, annotations, docstrings of parameters and tests of a type, line by line, so that
unfinished code does no harm. What expressions may be is told in `values`.
"""

import ast
import re
import textwrap
import warnings
from collections.abc import Mapping
from copy import copy
from functools import lru_cache
from types import MappingProxyType
from typing import Self

from cert_lsp.engine.api_index import Api
from cert_lsp.engine.head import LIBRARIES, Imports
from cert_lsp.engine.lexer import Kind, is_block_header, scan
from cert_lsp.engine.parts import parts_of
from cert_lsp.engine.values import Class, Expressions, Types, Value

_USUAL = {"np": "numpy", "pd": "pandas"}
_PLACEHOLDER = re.compile(r"\$(\w+)")
_FILLS = {"number": "0", "float": "0.0", "floatexponant": "0.0", "complex": "0j", "func": "func", "AnClass": "AnClass"}
# In NumPy's way, ``x : Series``, or Google's, ``x (Series): …``.
_SAID = re.compile(r"^[ \t]*(?:\*{0,2}(\w+)[ \t]*:[ \t]*([^\n]+)$|\*?[ \t]*(\w+) \(([^()\n]+)\):)", re.MULTILINE)
_SAYS = re.compile(r"\b(DataFrame|Series|ndarray|\w*Index|Timestamp|int|float|str|bool|dict)\b")
_ARRAY_LIKE = re.compile(
    r"[(\[]|\bof\b|\barrays?\b|like|object|callable|function|sequence|iterable|any\b", re.IGNORECASE
)
# What is told of an array's items is no other type: "ndarray of shape (n, 2)", "ndarray[float, 3]".
_SHAPE = re.compile(
    r"(?<=ndarray)(?:,? (?:of |with )?(?:shape|dtype|floats?|ints?|bools?)\b)?"
    r"(?: ?=? ?[(\[](?=[^()]*[,\d])[^()]*[)\]])?"
)
_ABOUT_PANDAS = re.compile(r"pandas|\bpd\b|[Dd]ata ?[Ff]rame|\bdf\w*|_df\b|\b[Ss]eries\b")
_ABOUT_TEXT = re.compile(
    r"text|\bstr\b|string|char|byte|word|letter|symbol|name|path|file|line|label|title|join|split|cod(?:e|ing)|\bre\b|regex|url|json",
    re.IGNORECASE,
)
_TEXT = frozenset({"bytes", "chararray", "str", "str_"})
_PART = re.compile(r"[.\[].*")
_ELIF = re.compile(r"elif\s")
_FRAME_NAMES = re.compile(r"(?:.*_)?(?:df\d*|data|frame|ser|series|arr|array|dataframe)(?:_.*)?", re.IGNORECASE)


class Scope(Expressions):
    """The names of a buffer and their types, as they hold at its end."""

    def __init__(self, api: Api, code: str, around: str = "") -> None:
        """Read the bindings in `code`, whose end the cursor stands at; `around` holds imports that it may lack."""
        imported = Imports([code, around]).paths()
        super().__init__(api, {**_USUAL, **imported}, {}, _held(api, "numpy" in imported.values(), around + code))
        foreign = [path for path in self.paths.values() if path.partition(".")[0] not in LIBRARIES]
        self._plain = not foreign and not re.search(r"^[ \t]*class\b", code, re.MULTILINE)
        self._read(code)

    def extended(self, code: str) -> Self:
        """Return the scope behind further lines."""
        new = copy(self)
        new.names = dict(self.names)
        new.paths = {**self.paths, **Imports([code]).paths()}
        new._read(code)
        return new

    def type_of(self, expression: str, hidden: Mapping[str, Value] = MappingProxyType({})) -> Value:
        """Return what an expression may be.

        Args:
            expression: Python code, or a sketch's wire text; anything that does not parse is not known.
            hidden: Names that stand for something else here, and for what: parameters of a lambda, variables of a
                comprehension.
        """
        node = parsed(_PLACEHOLDER.sub(lambda match: _FILLS.get(match[1], "''"), expression).strip())
        if not node or not isinstance(node[0], ast.Expr):
            return self.unknown
        known = self.names
        if hidden:
            visible: dict[str, Value] = {name: known[name] for name in known if _PART.sub("", name) not in hidden}
            self.names = {**visible, **hidden}
        try:
            return self.value(node[0].value)
        finally:
            self.names = known

    def _read(self, code: str) -> None:
        scopes: list[tuple[int, dict[str, Value]]] = []
        for line in scan(code).lines:
            if line.kind is Kind.STRING and scopes and line.indent:
                self._said(line.text(code))
            if line.kind is not Kind.CODE:
                continue
            while scopes and len(line.indent) <= scopes[-1][0]:
                self.names = scopes.pop()[1]
            text = line.text(code)
            if text.lstrip().startswith(("def ", "async def ", "if isinstance(", "elif isinstance(")):
                scopes.append((len(line.indent), dict(self.names)))
            for node in parsed(_ELIF.sub("if ", text.strip())):
                self._bind(node)
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    scopes[-1][1][node.name] = None

    def _bind(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._assign(target, self.value(value), parts_of(value, self.value))
            case ast.Expr(ast.Call(func=ast.Attribute(value=ast.Name(id=name)), keywords=keywords)):
                if any(keyword.arg == "inplace" for keyword in keywords):
                    self._keep_parts(name)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                noted = self._noted(annotation)
                self._keep_parts(name)
                self.names[name] = noted if noted is not None or value is None else self.value(value)
            case ast.AugAssign(target=ast.Name(id=name) as target, op=op, value=value):
                self.names[name] = self.value(ast.BinOp(ast.Name(target.id, ast.Load()), op, value))
            case ast.For(target=target, iter=ast.Call(func=ast.Attribute(attr="iterrows"))):
                self._assign(target, self.unknown)
            case ast.For(target=target, iter=over):
                self._assign(target, None if self.value(over) is None else self.unknown)
            case ast.With(items=items):
                for item in items:
                    if item.optional_vars is not None:
                        self._assign(item.optional_vars, self.value(item.context_expr))
            case ast.FunctionDef(args=args) | ast.AsyncFunctionDef(args=args):
                for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs):
                    self._keep_parts(arg.arg)
                    judged = arg.arg not in ("self", "cls") and (self._plain or _FRAME_NAMES.fullmatch(arg.arg))
                    unsaid = self.by_convention(arg.arg) if judged else None
                    self.names[arg.arg] = self._noted(arg.annotation) if arg.annotation else unsaid
            case ast.ClassDef(name=name):
                self.names[name] = None
            case ast.If(test=ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), kinds])):
                listed = kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]
                self.names[name] = self.any_of(self._noted(kind) for kind in listed)
            case _:
                pass

    def _assign(self, target: ast.expr, value: Value, told: Mapping[str, Types] | None = None) -> None:
        match target:
            case ast.Name(id=name):
                self.names[name] = value
                self._keep_parts(name, told)
            case ast.Subscript(value=ast.Name(), slice=ast.Constant()):
                self._keep_parts(ast.unparse(target), told)
            case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(value=ast.Name(id=name))):
                self._keep_parts(name)
            case ast.Attribute(value=ast.Name(), attr="index"):
                self.names.pop(ast.unparse(target), None)
                if isinstance(value, frozenset) and value != self.unknown and all(t.endswith("Index") for t in value):
                    self.names[ast.unparse(target)] = value
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                for part in parts:
                    self._assign(part, None if value is None else self.unknown)
            case ast.Starred(value=inner):
                self._assign(inner, value)
            case _:
                pass

    def _keep_parts(self, whole: str, told: Mapping[str, Types] | None = None) -> None:
        """Take what is `told` of the parts of something in place of what was known of them."""
        for name in [each for each in self.names if each.startswith((f"{whole}.", f"{whole}["))]:
            del self.names[name]
        for part, types in (told or {}).items():
            self.names[whole + part] = types

    def _noted(self, annotation: ast.expr) -> Value:
        """Return what an annotation names, if it is a type of the libraries or of Python."""
        match annotation:
            case ast.Constant(value=str(text)):
                return self._noted_in(text)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return self.any_of(map(self._noted, (left, right)))
            case ast.Constant(value=None):
                return frozenset({"NoneType"})
            case _:
                value = self.value(annotation)
                return frozenset({value.title}) if isinstance(value, Class) else None

    def _noted_in(self, text: str) -> Value:
        node = parsed(text)
        return self._noted(node[0].value) if node and isinstance(node[0], ast.Expr) else None

    def _said(self, docstring: str) -> None:
        """Take the types of parameters that a docstring tells."""
        for match in _SAID.finditer(docstring):
            name, text = match[1] or match[3], _SHAPE.sub("", match[2] or match[4])
            titles = frozenset(_SAYS.findall(text)) & self.api.every
            if name in self.names and titles and not _ARRAY_LIKE.search(text):
                self.names[name] = titles


def _held(api: Api, imports_numpy: bool, text: str) -> Types:
    """Return what a value may be of which nothing is known, in a file that reads `text`."""
    if not imports_numpy or _ABOUT_PANDAS.search(text):
        return api.every
    return api.outside_pandas if _ABOUT_TEXT.search(text) else api.outside_pandas - _TEXT


@lru_cache(4096)
def parsed(text: str) -> tuple[ast.stmt, ...]:
    """Parse a logical line, without its indentation; nothing if it is not Python. A block's header gets a body."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return tuple(ast.parse(textwrap.dedent(text) + (" pass" if is_block_header(text) else "")).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()


def hidden_names(text: str) -> set[str]:
    """Return the names that lambdas, comprehensions and loops in `text` bind for themselves."""
    found: set[str] = set()
    for match in re.finditer(r"\blambda\b([^:]*)|\bfor\b(.*?)\bin\b|:=", text, re.DOTALL):
        found.update(re.findall(r"[^\W\d]\w*", match[1] or match[2] or ""))
    return found
