"""Logical lines of whole, broken and random text."""

import argparse
import dataclasses
import io
import json.decoder
import re
import textwrap
import tokenize
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cert_lsp.engine.lexer import Kind, scan, without_comment, without_literals


@pytest.mark.parametrize("module", [argparse, dataclasses, json.decoder, re, textwrap, tokenize])
def test_logical_lines_are_those_of_the_tokenizer(module: ModuleType) -> None:
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    starts: list[int] = []
    fresh = True
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NEWLINE:
            fresh = True
        elif fresh and token.type not in (tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT):
            starts.append(token.start[0])
            fresh = False
    found = [
        source.count("\n", 0, line.start) + 1 for line in scan(source).lines if line.kind in (Kind.CODE, Kind.STRING)
    ]
    assert found == starts[:-1]  # less the end marker


@pytest.mark.parametrize(
    ("source", "kinds"),
    [
        ("", "B"),
        ("x = 1\n\n# a\n'''s'''\n", "CB#SB"),
        ("x = (1,\n  # a\n\n 2)\ny", "CC"),
        ("x = 1 + \\\n  2\n", "CB"),
        ("x = foo((1,\ny = 2", "CC"),
        ("x = foo((1,\n# a\ny", "C#C"),
        ("    x = [1,\n    def f():\n", "CCB"),
        ("x = [1,\n  y = 2, z", "C"),
        ("x = 'abc\ny = 1", "CC"),
        ('x = """abc\ny = 1', "C"),
        ("'a' 'b'\nu'a'\nf'a'", "CSC"),
    ],
)
def test_kinds(source: str, kinds: str) -> None:
    letters = {Kind.BLANK: "B", Kind.COMMENT: "#", Kind.STRING: "S", Kind.CODE: "C"}
    assert "".join(letters[line.kind] for line in scan(source).lines) == kinds


@pytest.mark.parametrize(
    ("source", "state"),
    [
        ("x = 1", Kind.CODE),
        ("x = 1  # a", Kind.COMMENT),
        ("x = 1  # a\n", Kind.CODE),
        ("x = 'a", Kind.STRING),
        ("x = 'a\n", Kind.CODE),
        ("x = '''a\n# b", Kind.STRING),
        ("x = 'a\\'", Kind.STRING),
        ("x = ''", Kind.CODE),
        ("# it's", Kind.COMMENT),
    ],
)
def test_what_the_end_stands_in(source: str, state: Kind) -> None:
    assert scan(source).state is state


@given(st.text(alphabet="ab#'\"\\\n ()[]{}=:", max_size=60))
def test_lines_cover_the_text(source: str) -> None:
    found = scan(source)
    assert "\n".join(line.text(source) for line in found.lines) == source
    assert all(line.text(source).startswith(line.indent) for line in found.lines)
    assert len(without_literals(source)) == len(source)


def test_comments_behind_statements() -> None:
    assert without_comment("x = '#'  # a") == "x = '#'"
