"""Document to scripts: one reader per format, all of them giving `Script`s (see `script`).

What cannot be read is counted by its reason and passed over; nothing here raises for bad input.
"""

from __future__ import annotations

import ast
import bisect
import doctest
import json
import re
import textwrap
from collections import Counter
from collections.abc import Iterator

from trainer.corpus.intent import plain, sentences
from trainer.corpus.readers import Document
from trainer.corpus.script import Gap, Prose, Script, Statement, comment_lines, items_of, parse, suite_items

_DOCTESTS = doctest.DocTestParser()
_SUITES = ("body", "orelse", "finalbody")
_DIRECTIVE = re.compile(
    r"^(?P<indent> *)\.\. (?P<name>ipython|code-block|code|sourcecode|plot|jupyter-execute)::(?P<rest>.*)$"
)
_FENCE = re.compile(r"^ *(```+|~~~+)\s*\{?(?P<name>[\w-]*)")
_RULER = re.compile(r"^\s*([=\-~^\"'`#*+_.:])\1{2,}\s*$")
_TRIPLE_QUOTED = re.compile(r"def (\w+)\([^\"]*?\"\"\"(.*?)\"\"\"", re.DOTALL)
_ABOUT_US = re.compile(r"\b(pd|np|pandas|numpy)\b")
_GALLERY = re.compile(r"(^|/)(examples?|tutorials?|gallery|docs?)/")
_MAGIC = re.compile(r"^\s*([%!?]|[\w.]+\?\s*$)")


def scripts(document: Document, drops: Counter[str]) -> Iterator[Script]:
    """Yield the scripts of a document."""
    if not document.own and not _ABOUT_US.search(document.text):
        drops["file: no pandas or NumPy"] += 1
        return
    try:
        for script in _read(document, drops):
            script.own = document.own
            yield script
    except (ValueError, SyntaxError, RecursionError):
        drops["file: does not parse"] += 1


def _read(document: Document, drops: Counter[str]) -> Iterator[Script]:
    match document.format:
        case "python":
            yield from _python(document, drops)
        case "cython":
            for name, text in _TRIPLE_QUOTED.findall(document.text):
                yield from _docstring(text, frozenset({name}), document.path, drops)
        case "notebook":
            yield from _notebook(document, drops)
        case _:
            yield from _page(document, drops)


# --- Python ---------------------------------------------------------------------------------------------------------


def _python(document: Document, drops: Counter[str]) -> Iterator[Script]:
    passed_over = document.is_test and not document.own
    if passed_over and ">>> " not in document.text:
        drops["file: test code"] += 1
        return
    tree, lines = parse(document.text), document.text.split("\n")
    if ">>> " in document.text:
        for text, owners in _docstrings(tree, lines):
            yield from _docstring(text, owners, document.path, drops)
    if passed_over:
        drops["file: test code"] += 1
        return
    comments = comment_lines(tree, lines)
    module = [item for item in suite_items(tree.body, lines, {}) if isinstance(item, Statement)]
    yield Script(suite_items(tree.body, lines, comments), document.path, teaches=bool(_GALLERY.search(document.path)))
    before = [s for s in module if s.is_import or isinstance(s.node, ast.Assign)]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield from _suites(node, before, lines, comments, document.path)
        elif isinstance(node, ast.ClassDef) and document.own:
            for method in node.body:
                if isinstance(method, ast.FunctionDef):
                    yield from _suites(method, before, lines, comments, document.path, owner=node.name)
        else:
            for inner in _inner_suites(node):
                yield Script(suite_items(inner, lines, comments), document.path, before=module[: tree.body.index(node)])


def _suites(
    node: ast.FunctionDef, before: list[Statement], lines, comments, path: str, owner: str = ""
) -> Iterator[Script]:
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [a for a in (arguments.vararg, arguments.kwarg) if a]
    for argument in every:
        argument.annotation = None
    summary = next(iter(sentences(plain((ast.get_docstring(node) or "").split("\n\n")[0]))), "")
    shared = {
        "path": path,
        "before": before,
        "signature": f"def {node.name}({ast.unparse(arguments)}):",
        "summary": summary,
        "owners": frozenset({node.name}),
        "parameters": frozenset(a.arg for a in every),
        "owner": owner,
    }
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    yield Script(suite_items(body, lines, comments), **shared)
    done: list[Statement] = []
    for statement in suite_items(body, lines, {}):
        if isinstance(statement, Statement):
            for inner in _inner_suites(statement.node):
                yield Script(suite_items(inner, lines, comments), **(shared | {"before": before + done, "summary": ""}))
            done.append(statement)


def _inner_suites(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
        return
    for name in _SUITES:
        if suite := getattr(node, name, None):
            yield suite


def _docstrings(tree: ast.Module, lines: list[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield every string that holds examples, with the names that it may describe."""
    seen: set[int] = set()
    marked = [number for number, line in enumerate(lines, start=1) if ">>> " in line]

    def examples(node: ast.stmt | ast.expr) -> Iterator[ast.Constant]:
        if bisect.bisect_left(marked, node.lineno) == bisect.bisect_right(marked, node.end_lineno or node.lineno):
            return
        for child in ast.walk(node):
            is_text = isinstance(child, ast.Constant) and isinstance(child.value, str)
            if is_text and ">>> " in child.value and id(child) not in seen:
                seen.add(id(child))
                yield child

    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            first = node.body[0]
            if isinstance(first, ast.Expr):
                for constant in examples(first):
                    yield constant.value, frozenset({node.name})
        elif isinstance(node, (ast.Assign, ast.Call)):
            found = list(examples(node))
            if not found:
                continue
            names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            names |= {
                word
                for n in ast.walk(node)
                if isinstance(n, ast.Constant) and isinstance(n.value, str) and len(n.value) < 60
                for word in n.value.split(".")[-1:]
            }
            for constant in found:
                yield constant.value, frozenset(names)


def _docstring(text: str, owners: frozenset[str], path: str, drops: Counter[str]) -> Iterator[Script]:
    text = textwrap.dedent(text.expandtabs()) if text.startswith(("\n", " ")) else _dedent_tail(text.expandtabs())
    # C extensions put the signature on the first line
    paragraphs = [p for p in text.strip().split("\n\n") if not re.match(r"[\w.]+\(.*\)$", p.strip(), re.DOTALL)]
    first = next(iter(sentences(plain(paragraphs[0]))), "") if paragraphs else ""
    items = _examples(text, "doctest", drops)
    if items:
        yield Script(items, path, summary=first, owners=owners, teaches=True)


def _dedent_tail(text: str) -> str:
    head, newline, tail = text.partition("\n")
    return head + newline + textwrap.dedent(tail)


def _examples(text: str, kind: str, drops: Counter[str]) -> list[Prose | Statement | Gap]:
    """Items of a text with `>>>` examples."""
    try:
        parts = _DOCTESTS.parse(text)
    except ValueError:
        drops["docstring: examples malformed"] += 1
        return []
    items: list[Prose | Statement | Gap] = []
    for part in parts:
        if isinstance(part, str):
            if part.strip():
                items += [Gap(), Prose(last_paragraph(part), kind)]
            continue
        try:
            items += items_of(part.source)
        except (ValueError, SyntaxError):
            drops["example: does not parse"] += 1
    return items


# --- pages and notebooks --------------------------------------------------------------------------------------------


def _page(document: Document, drops: Counter[str]) -> Iterator[Script]:
    """A page of a guide: one script, because later examples build on earlier ones."""
    kind = "guide" if document.format == "rst" else "markdown"
    items: list[Prose | Statement | Gap] = []
    prose: list[str] = []
    lines = document.text.expandtabs().split("\n")
    number = 0
    while number < len(lines):
        line = lines[number]
        directive, fence = _DIRECTIVE.match(line), _FENCE.match(line) if kind == "markdown" else None
        if directive:
            code, number = _indented(lines, number + 1, len(directive["indent"]))
            source = _code(code) if _is_python(directive["rest"] or directive["name"]) else None
        elif fence:
            end = next((n for n in range(number + 1, len(lines)) if lines[n].strip().startswith(fence[1])), len(lines))
            source = textwrap.dedent("\n".join(lines[number + 1 : end])) if _is_python(fence["name"]) else None
            number = end + 1
        elif line.lstrip().startswith(">>> "):
            start = number
            while number < len(lines) and lines[number].strip():
                number += 1
            source = textwrap.dedent("\n".join(lines[start:number]))
        elif kind == "rst" and line.rstrip().endswith("::") and not line.lstrip().startswith(".."):
            prose.append(line.rstrip()[:-1])
            code, number = _indented(lines, number + 1, len(line) - len(line.lstrip()))
            source = _code(code)
        elif kind == "rst" and line.lstrip().startswith(".. "):  # a note, a figure, a target: not about code
            _, number = _indented(lines, number + 1, len(line) - len(line.lstrip()))
            prose = []
            continue
        else:
            prose.append(line)
            number += 1
            continue
        if source is None or not source.strip():
            prose = []
            continue
        items.append(Gap())
        if paragraph := last_paragraph("\n".join(prose)):
            items.append(Prose(paragraph, kind))
        prose = []
        items += _chunk(source, kind, drops)
    if any(isinstance(item, Statement) for item in items):
        yield Script(items, document.path, teaches=True)


def _chunk(source: str, kind: str, drops: Counter[str]) -> list[Prose | Statement | Gap]:
    """Items of one code block of a page or cell, be it plain, doctest or IPython with prompts."""
    if ">>> " in source:
        return _examples(source, kind, drops)
    source = re.sub(r"^(In \[\d+\]: |   \.+: )", "", source, flags=re.MULTILINE)
    lines = [line for line in source.split("\n") if not _MAGIC.match(line) and not re.match(r"^@\w+", line)]
    try:
        return items_of("\n".join(lines))
    except (ValueError, SyntaxError):
        drops["code block: does not parse"] += 1
        return []


def _notebook(document: Document, drops: Counter[str]) -> Iterator[Script]:
    try:
        content = json.loads(document.text)
        cells = content["cells"] if "cells" in content else content["worksheets"][0]["cells"]
        pairs = [(cell["cell_type"], cell.get("source", cell.get("input", ""))) for cell in cells]
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        drops["file: not a notebook"] += 1
        return
    items: list[Prose | Statement | Gap] = []
    for cell_type, source in pairs:
        text = "".join(source) if isinstance(source, list) and all(isinstance(s, str) for s in source) else source
        if not isinstance(text, str):
            drops["file: not a notebook"] += 1
        elif cell_type == "markdown":
            items += [Gap(), Prose(last_paragraph(text), "markdown")]
        elif cell_type == "code":
            items += _chunk(text, "markdown", drops)
    if any(isinstance(item, Statement) for item in items):
        yield Script(items, document.path, teaches=True)


def _indented(lines: list[str], number: int, indent: int) -> tuple[list[str], int]:
    """The block of lines indented deeper than `indent` that starts at `number`; and the number after it."""
    start = number
    while number < len(lines) and (
        not lines[number].strip() or len(lines[number]) - len(lines[number].lstrip()) > indent
    ):
        number += 1
    return lines[start:number], number


def _code(lines: list[str]) -> str:
    """Take a directive's options off its content."""
    while lines and (not lines[0].strip() or re.match(r"^ +:[\w-]+:", lines[0])):
        lines = lines[1:]
    return textwrap.dedent("\n".join(lines)).strip("\n")


def _is_python(language: str) -> bool:
    return language.strip().lower() in {
        "",
        "python",
        "python3",
        "ipython",
        "ipython3",
        "py",
        "pycon",
        "plot",
        "default",
    }


def last_paragraph(text: str) -> str:
    """The paragraph nearest to the code below it: a heading counts, its ruler does not."""
    paragraphs = re.split(r"\n\s*\n", text.strip("\n"))
    for paragraph in reversed(paragraphs):
        lines = [line for line in paragraph.split("\n") if line.strip()]
        if any(_RULER.match(line) for line in lines):
            lines = lines[max(n for n, line in enumerate(lines) if _RULER.match(line)) + 1 :] or lines[:1]
        if lines and not lines[0].lstrip().startswith(".. "):
            return "\n".join(line.strip() for line in lines)
    return ""
