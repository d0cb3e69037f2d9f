"""Candidates in the order in which they are offered; those that would do harm are not offered at all.

What is inserted leaves a buffer that parses if it parsed before, repeats no text that stands behind the cursor, and,
given the choice, uses only names that the buffer knows.
"""

import ast
import builtins
import re
import textwrap
import warnings
from collections.abc import Iterable
from dataclasses import dataclass

from cert_lsp.contract import sketch as sketches
from cert_lsp.engine.context import Context
from cert_lsp.engine.lexer import continues_block, without_literals
from cert_lsp.errors import SketchError

_CLOSERS = re.compile(r"[)\]}]+")
_NAME = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class Candidate:
    """A completion to offer.

    Attributes:
        code: Exactly the text to insert at the cursor.
        sketch: Its sketch, in the spelling for people.
        score: Mean natural logarithm of the probability of its tokens; higher is better.
    """

    code: str
    sketch: str
    score: float


@dataclass(frozen=True, slots=True)
class Draw:
    """What the models gave: an answer, which starts with the context's `forced`, its sketch, and their score."""

    answer: str
    sketch: str
    score: float


def rank(context: Context, draws: Iterable[Draw]) -> list[Candidate]:
    """Order what can be offered, best first: names known before names unknown, then by score.

    Left out is what does not parse behind the half-written statement, adds nothing, or says what another one says.
    """
    known = names_known(context)
    best: dict[str, tuple[bool, Candidate]] = {}
    for draw in draws:
        answer = without_repetition(context, draw.answer.rstrip())
        if not answer.removeprefix(context.forced).strip() or not parses(context, answer):
            continue
        candidate = Candidate(context.insertion(answer), draw.sketch, draw.score)
        key = "".join(answer.split())
        if key not in best or draw.score > best[key][1].score:
            best[key] = free_names(context.statement, answer) <= known, candidate
    return [candidate for _, candidate in sorted(best.values(), key=lambda item: (not item[0], -item[1].score))]


def without_repetition(context: Context, answer: str) -> str:
    """Cut off what already stands behind the cursor: closing brackets on its line, whole lines below it."""
    rest, _, below = context.after.partition("\n")
    if closers := _CLOSERS.match(rest.lstrip()):
        return _up_to_closer(context.statement, answer, closers[0][0])
    lines, following = answer.split("\n"), [line for line in below.split("\n") if line.strip()]
    for count in range(min(len(lines), len(following)), 0, -1):
        if [line.strip() for line in lines[-count:]] == [line.strip() for line in following[:count]]:
            whole_line = count < len(lines) or not context.statement
            return "\n".join(lines[:-count]) if whole_line else answer
    return answer


def parses(context: Context, answer: str) -> bool:
    """Say whether the statement parses with `answer` and the closing brackets behind the cursor."""
    if continues_block(context.statement):
        return True  # an ``else`` alone cannot be judged, and the statement above it is not read
    rest = context.after.partition("\n")[0].lstrip()
    closers = _CLOSERS.match(rest)
    tail = closers[0] if closers else ""
    if rest[len(tail) :].startswith(":"):
        tail += ":"
    try:
        sketches.sketch(answer + tail, before=context.statement)
    except SketchError:
        return False
    return True


def free_names(statement: str, answer: str) -> set[str]:
    """Return the names that the completed statement uses and does not bind itself; none if Python cannot tell."""
    source = textwrap.dedent(statement + answer) if not statement.strip() else (statement + answer).lstrip()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    used: set[str] = set()
    bound: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                used.add(name)
            case ast.Name(id=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                bound.add(name)
            case ast.alias(name=name, asname=alias):
                bound.add(alias or name.partition(".")[0])
            case ast.ExceptHandler(name=str(name)):
                bound.add(name)
            case _:
                pass
    return used - bound


def names_known(context: Context) -> set[str]:
    """Return every name that stands in the code around the cursor, and Python's own."""
    code = without_literals(context.head + "\n" + context.before)
    return set(_NAME.findall(code)).union(dir(builtins))


def _up_to_closer(statement: str, answer: str, closer: str) -> str:
    """Cut `answer` where it closes the bracket that the first closing bracket behind the cursor closes."""
    level = 0
    code = without_literals(statement + answer)[len(statement) :]
    for index, char in enumerate(code):
        if char in "([{":
            level += 1
        elif char in ")]}":
            level -= 1
            if level < 0 and char == closer:
                return answer[:index]
    return answer
