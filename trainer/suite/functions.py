"""A short documented function -> draft: its signature and docstring stand above the cursor, its body is the answer.

The function must stand alone: of names it reads only its parameters, Python's own and those of pandas and NumPy. What
it is called with comes from the examples in its docstring, where it has some, and from `inputs`.
"""

from __future__ import annotations

import ast
import builtins
import doctest
import re
import textwrap
from collections import Counter
from collections.abc import Iterator

from trainer.corpus.idiom import is_library_code
from trainer.corpus.readers import Document
from trainer.corpus.script import Statement, parse
from trainer.suite.draft import IMPORTS, Draft, library_imports
from trainer.suite.inputs import kinds_of
from trainer.suite.settled import settled

LONGEST_BODY, MOST_STATEMENTS = 340, 5
LONGEST_DOCSTRING = 900
MOST_SEARCHED = 4
_KNOWN = frozenset(dir(builtins)) | frozenset(IMPORTS)
_UNFIT = (
    ast.For,
    ast.While,
    ast.Raise,
    ast.Assert,
    ast.Yield,
    ast.YieldFrom,
    ast.Global,
    ast.Import,
    ast.ImportFrom,
    ast.Try,
    ast.Lambda,
)
_HARMLESS_DECORATORS = {"jit", "njit", "cache", "lru_cache", "vectorize"}
_FURTHER_SECTION = re.compile(r"^(Notes?|References?|See Also|Examples?|Raises|Warnings?)\n[-=]{3,}$", re.MULTILINE)
_NO_TASK = re.compile(r"helper|internal|do not use|in tests|deprecat|depreciat|dummy|placeholder|et al", re.IGNORECASE)
_UNREPEATABLE = re.compile(r"\b(random|rand\w*|default_rng|today|now|open|print|read_\w+)\(|random\.")
_PARAMETER = re.compile(r"^(?P<names>\*{0,2}\w+(?:\s*,\s*\w+)*)\s*(?::|\()\s*(?P<type>[^\n]*)", re.MULTILINE)
_FIELD = re.compile(r"^:(?:type (?P<name>\w+):|param (?P<typed>[\w\[\], .]+?) (?P<last>\w+):)\s*(?P<type>[^\n]*)", re.M)


def function_drafts(document: Document, source: str, *, unseen: bool, drops: Counter[str]) -> Iterator[Draft]:
    """Yield the drafts of one document's functions."""
    if document.format != "python" or document.is_test:
        return
    try:
        tree = parse(document.text)
    except (SyntaxError, ValueError):
        return
    lines = document.text.split("\n")
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or not ast.get_docstring(node) or not _stands_alone(node):
            continue
        drafted = _draft(node, lines, source, document.path, unseen)
        if isinstance(drafted, str):
            drops[f"function: {drafted}"] += 1
        else:
            yield drafted


def _stands_alone(node: ast.FunctionDef) -> bool:
    """Whether the body is short, uses pandas or NumPy, and reads no name from elsewhere."""
    body = node.body[1:]
    if (
        not body
        or len(body) > MOST_STATEMENTS
        or any(_name(d) not in _HARMLESS_DECORATORS for d in node.decorator_list)
    ):
        return False
    nodes = [inner for statement in body for inner in ast.walk(statement)]
    if any(isinstance(inner, _UNFIT) for inner in nodes):
        return False
    if not any(isinstance(inner, ast.Return) and inner.value for inner in nodes):
        return False
    read = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    bound = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    bound |= {n.arg for n in nodes if isinstance(n, ast.arg)}
    defaults = [*node.args.defaults, *(d for d in node.args.kw_defaults if d)]
    read |= {n.id for default in defaults for n in ast.walk(default) if isinstance(n, ast.Name)}
    return not read - bound - _parameters(node) - _KNOWN and is_library_code(
        [Statement(s, []) for s in body], set(IMPORTS)
    )


def _draft(node: ast.FunctionDef, lines: list[str], source: str, path: str, unseen: bool) -> Draft | str:
    """One function's draft, or the reason why there is none."""
    said = _shown_docstring(ast.get_docstring(node) or "")
    if not said or '"""' in said:
        return "docstring too long"
    summary = " ".join(said.split("\n\n")[0].split())
    if len(summary.split()) < 3:
        return "summary too short"
    if _NO_TASK.search(summary):
        return "summary tells no task"
    for argument in [n for n in ast.walk(node.args) if isinstance(n, ast.arg)]:
        argument.annotation = None
    signature = f"def {node.name}({ast.unparse(node.args)}):"
    solution = _body(node, lines)
    if len(solution) > LONGEST_BODY:
        return "body too long"
    if _UNREPEATABLE.search(solution):
        return "random, or talks to the world"
    if not settled(textwrap.dedent(solution), said, signature, formula=True):
        return "constants not told"
    quote = 'r"""' if "\\" in said else '"""'
    docstring = textwrap.indent(f'{quote}{said}\n"""' if "\n" in said else f'{quote}{said}"""', "    ", bool)
    setup, probes = _examples(node, solution)
    searched = tuple((name, kinds_of(name, _types(node).get(name, ""))) for name in _required(node))
    if not probes and not searched:
        return "no arguments"
    if len(searched) > MOST_SEARCHED:
        searched = ()
    if not probes and not searched:
        return "too many arguments"
    imports = library_imports(f"{signature}\n    pass", textwrap.dedent(solution))
    if not {IMPORTS["np"], IMPORTS["pd"]} & set(imports):  # methods alone: the file imports one of them all the same
        imports.insert(0, IMPORTS["pd" if re.search(r"series|data ?frame|pandas", said, re.IGNORECASE) else "np"])
    head = "\n".join(imports)
    docstring = "\n".join(line.rstrip() for line in docstring.split("\n"))
    return Draft(
        prompt=f"{head}\n\n\n{signature}\n{docstring}\n",
        solution=solution,
        entry_point=node.name,
        setup=setup,
        probes=probes,
        wrong=tuple(f"    return {name}" for name in ("None", *_required(node))),
        intent=summary,
        source=source,
        path=path,
        unseen=unseen,
        searched=searched,
    )


def _shown_docstring(text: str) -> str:
    """The docstring, without what follows its parameters and results if it is long; empty if it is long even so."""
    text = re.sub(r"\n+\.\. (versionadded|versionchanged|deprecated)::.*", "", text)
    if len(text) > LONGEST_DOCSTRING and (further := _FURTHER_SECTION.search(text)):
        text = text[: further.start()]
    text = text.strip()
    return text if len(text) <= LONGEST_DOCSTRING else ""


def _body(node: ast.FunctionDef, lines: list[str]) -> str:
    """The body below the docstring, without comments, indented by four spaces."""
    node.decorator_list = []
    code = Statement(node, lines).code
    body = parse(code).body[0].body[1:]  # type: ignore[attr-defined]
    text = "\n".join(code.split("\n")[body[0].lineno - 1 :])
    return textwrap.indent(textwrap.dedent(text), "    ").rstrip()


def _examples(node: ast.FunctionDef, solution: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Set-up statements and probes out of the docstring's examples; none if they use anything else."""
    try:
        examples = doctest.DocTestParser().get_examples(ast.get_docstring(node) or "")
        statements = [statement for example in examples for statement in parse(example.source).body]
    except (SyntaxError, ValueError):
        return (), ()
    setup: list[str] = []
    probes: list[str] = []
    bound: set[str] = {node.name, *IMPORTS}
    for statement in statements:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            continue
        known = Statement(statement, [])
        if _UNREPEATABLE.search(text := ast.unparse(statement)) or known.uses - bound:
            continue
        calls = node.name in known.uses
        match statement:
            case ast.Expr(value=value) if calls:
                probes.append(ast.unparse(value))
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                setup.append(text)
                bound.add(name)
                if calls:
                    probes.append(name)
            case ast.Assign():
                setup.append(text)
                bound |= known.binds
    return (tuple(setup), tuple(probes[:4])) if probes else ((), ())


def _types(node: ast.FunctionDef) -> dict[str, str]:
    """What the docstring says of each parameter's type."""
    text = ast.get_docstring(node) or ""
    types: dict[str, str] = {}
    for match in _PARAMETER.finditer(text):
        for name in re.split(r"\s*,\s*", match["names"]):
            types.setdefault(name.lstrip("*"), match["type"].lower())
    for match in _FIELD.finditer(text):
        types[match["name"] or match["last"]] = (match["typed"] or match["type"]).lower()
    return types


def _required(node: ast.FunctionDef) -> list[str]:
    positional = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
    return positional[: len(positional) - len(node.args.defaults)]


def _parameters(node: ast.FunctionDef) -> set[str]:
    return {n.arg for n in ast.walk(node.args) if isinstance(n, ast.arg)}


def _name(node: ast.expr) -> str:
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
