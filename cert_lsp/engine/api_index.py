"""Does the API that a completion names exist? Looked up in an index of pandas and NumPy, for neither is imported here.

`api_index.json` comes from ``python -m trainer api-index``: the names of every public module, and one set with the
attributes of all their objects and of Python's own. What an object is, is not inferred: an attribute counts as
existing if any such object has it, in any of the versions indexed. What may be a column of a data frame, or belong to
an object of another library, is not judged.
"""

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cert_lsp.engine.head import LIBRARIES, Imports, bound_names
from cert_lsp.engine.lexer import without_literals

_WORD = re.compile(r"[^\W\d]\w*")
_USUAL = {"np": "numpy", "pd": "pandas"}
_FOREIGN = frozenset({"self", "cls", "plot", "hist", "boxplot"})  # the last three give objects of Matplotlib


@dataclass(frozen=True)
class ApiIndex:
    """The public API of pandas and NumPy.

    Attributes:
        versions: The releases of each library that were looked into.
        modules: The names in each public module, by its dotted name.
        attributes: The names of the attributes and methods of all objects.
    """

    versions: Mapping[str, tuple[str, ...]]
    modules: Mapping[str, frozenset[str]]
    attributes: frozenset[str]


@cache
def api_index() -> ApiIndex:
    """Load the index that comes with the package."""
    found = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return ApiIndex(
        {library: tuple(versions) for library, versions in found["versions"].items()},
        {path: frozenset(names) for path, names in found["modules"].items()},
        frozenset(found["attributes"]),
    )


def unknown_names(tree: ast.Module, around: str) -> set[str]:
    """Return the attributes in `tree` that neither pandas, NumPy nor Python has.

    Args:
        tree: The completed statement.
        around: The code that it stands in: its imports, and names that occur in it, are taken into account.
    """
    nodes = list(ast.walk(tree))
    reads = [node for node in nodes if isinstance(node, ast.Attribute) and not node.attr.startswith("_")]
    imported = {**_USUAL, **Imports([around, ast.unparse(tree)]).paths()}
    index = api_index()
    unknown: set[str] = set()
    doubtful: list[ast.Attribute] = []
    for node in reads:
        names = index.modules.get(_path(node.value, imported))
        if names is None and node.attr not in index.attributes:
            doubtful.append(node)
        elif names is not None and node.attr not in names:
            unknown.add(node.attr)
    if doubtful:
        unknown |= _made_up(doubtful, nodes, around, imported)
    return unknown


def _made_up(doubtful: list[ast.Attribute], nodes: list[ast.AST], around: str, imported: Mapping[str, str]) -> set[str]:
    """Return the names of `doubtful` that are neither defined or stored somewhere, nor of a foreign object.

    A column is not called, and any word may name one, the intent's own among them.
    """
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    methods = set(_WORD.findall(without_literals(around)))
    columns = set(_WORD.findall(around))
    for node in nodes:
        match node:
            case ast.Constant(value=str(text)):
                columns.update(_WORD.findall(text))
            case ast.keyword(arg=str(name)) | ast.Attribute(attr=name, ctx=ast.Store()):
                columns.add(name)
            case ast.FunctionDef(name=name):
                methods.add(name)
            case _:
                pass
    foreign = _foreign(
        around + "\n" + "\n".join(ast.unparse(node) for node in nodes if isinstance(node, ast.stmt)), imported
    )
    return {
        node.attr
        for node in doubtful
        if node.attr not in (methods if id(node) in called else columns) and not foreign & _chain(node)
    }


def _foreign(code: str, imported: Mapping[str, str]) -> set[str]:
    """Return the names in `code` that stand for something of another library, as far as lines of code tell."""
    foreign = {bound for bound, path in imported.items() if path.partition(".")[0] not in LIBRARIES} | _FOREIGN
    for line in code.split("\n"):
        if (bound := bound_names(line)) and not foreign.isdisjoint(_WORD.findall(line)):
            foreign |= bound
    return foreign


def _path(node: ast.expr, imported: Mapping[str, str]) -> str:
    """Return the dotted name of a module as it is imported; "" if `node` is not a dotted name."""
    match node:
        case ast.Name(id=name):
            return imported.get(name, "")
        case ast.Attribute(value=value, attr=name) if inner := _path(value, imported):
            return f"{inner}.{name}"
        case _:
            return ""


def _chain(node: ast.expr) -> set[str]:
    """Return the names that lead to an attribute: of ``df.plot(x=1).legend`` these are ``df``, ``plot``, ``legend``."""
    names: set[str] = set()
    while True:
        match node:
            case ast.Attribute(value=inner, attr=name):
                names.add(name)
                node = inner
            case ast.Call(func=inner) | ast.Subscript(value=inner):
                node = inner
            case ast.Name(id=name):
                return names | {name}
            case _:
                return names
