"""What no Python could follow is refused, and nothing else: no beginning of real code is."""

import ast
import random
from pathlib import Path

import pytest

from cert_lsp.contract.sketch import sketch
from cert_lsp.engine.context import build_context
from cert_lsp.engine.syntax_filter import SyntaxFilter, may_go_on
from cert_lsp.errors import SketchError
from tests.cert_lsp.engine.pieces import refused

PACKAGE = Path(__file__).parents[3] / "cert_lsp"

BEGUN = [
    "x if y",
    "x if y ",
    "return code if begun.",
    "x = last if last a",
    "for i in x",
    "f(x)=",
    "f(a.b=",
    "x = 5e-",
    "x = 0x",
    "x = 1_",
    "x !",
    "a..",
    "x[..",
    "x = 'it",
    'f"a{b',
    'x = "a" \\\n',
    "def f(x) -",
    "x = [i for i in y i",
    "x = {1: 2, 'a'",
    "lambda x",
    "lambda x: x",
    "with open(f) as",
    "x = not",
    "is",
    "try:\n    x = 1\n",
    "    return [\n        1,",
    "x = ä.",
    "$string $st",
    "x[$string].mean($nu",
    "$string.join($binarystring",
    "df[$string].$func($number, key=$AnClass",
    "# a comment that (never closes",
    "match point:\n    case Point(x=0",
]
WRONG = [
    "foo ba",
    "foo bar(",
    "f(a,\n ,",
    "f(a b",
    "(x > 1\n :",
    "f(a.b=1",
    "f(x)=1",
    "{1: 2, 3}",
    "a..b",
    "x = y z",
    "x = (y z",
    "x = y)",
    "x = “",
    "x = 1 +\n",
    "for i in x\n",
    "x if y\n",
    "x[$string] $number",
    "df[$string, $string]].",
    "    return (a\n        , ,",
    "x = ä b",
    "x = y 5",
    'x["a"] $string',
]


@pytest.mark.parametrize("text", BEGUN)
def test_what_may_become_python_goes_on(text: str) -> None:
    assert may_go_on(text)


@pytest.mark.parametrize("text", WRONG)
def test_what_cannot_become_python_does_not(text: str) -> None:
    assert not may_go_on(text)


def test_the_half_written_statement_counts() -> None:
    buffer = "import pandas as pd\n# the longest name\nout = max(names"
    context = build_context(buffer, len(buffer))
    assert context is not None
    assert context.statement + context.forced == "out = max(names"
    syntax = SyntaxFilter.of(context)
    assert syntax.allows("names, key=len)", 5)
    assert not syntax.allows("names key", 5)


def test_what_is_wrong_already_may_go_on_as_it_will() -> None:
    assert SyntaxFilter("x = (y z").allows(" +", 0)
    assert SyntaxFilter("else:").allows(" x y", 0)  # whose `if` is not read


def statements() -> list[str]:
    """Simple statements and short blocks of this package, and their sketches."""
    found = []
    for file in sorted(PACKAGE.rglob("*.py")):
        source = file.read_text(encoding="utf-8")
        nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)]
        found += [ast.get_source_segment(source, node, padded=True) or "" for node in nodes]
    return sorted({text for text in found if 20 < len(text) < 300})


def test_no_beginning_of_real_code_is_refused() -> None:
    chosen = random.Random(0).sample(statements(), 40)
    for text in [*chosen, *map(wire, chosen)]:
        assert refused(SyntaxFilter(""), text) is None


def wire(code: str) -> str:
    try:
        return sketch(code).wire
    except SketchError:
        return ""
