"""Candidates in the order in which they are offered; those that would do harm are not offered at all.

What is inserted leaves a buffer that parses if it parsed before, repeats no text that stands behind the cursor, and,
given the choice, names only API that exists and uses only names that the buffer knows.
"""

import ast
import builtins
import re
import textwrap
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace

from cert_lsp.contract import sketch as sketches
from cert_lsp.engine.api_filter import ApiFilter
from cert_lsp.engine.context import Context
from cert_lsp.engine.lexer import Kind, continues_block, is_block_header, scan, without_literals
from cert_lsp.errors import SketchError

_NAME = re.compile(r"[^\W\d]\w*")
_FSTRING = re.compile(r"\b[fF][rR]?['\"]|\b[rR][fF]['\"]")  # LibCST lets their quotes nest, Python before 3.12 does not


@dataclass(frozen=True)
class Candidate:
    """A completion to offer.

    Attributes:
        code: Exactly the text to insert at the cursor.
        sketch: Its sketch, in the spelling for people.
        score: Mean natural logarithm of the probability of its tokens; how sure the model was, not what orders them.
        api_exists: Whether pandas, NumPy and Python have what it names (see `api_index`), as far as that can be told.
        template: Its sketch as `Engine.complete_from` takes it, with a dollar sign before each placeholder.
    """

    code: str
    sketch: str
    score: float
    api_exists: bool = True
    template: str = ""


@dataclass(frozen=True, slots=True)
class Draw:
    """What the models gave.

    Attributes:
        answer: What they wrote; starts with the context's `forced`.
        sketch: Its sketch in wire text.
        log_probability: The logarithm of the probability of sketch and code together.
        tokens: How many they chose for both.
    """

    answer: str
    sketch: str
    log_probability: float
    tokens: int = 0

    @property
    def score(self) -> float:
        """As `Candidate.score`."""
        return self.log_probability / max(1, self.tokens)


def rank(context: Context, draws: Iterable[Draw], api: ApiFilter | None, *, mend: bool = True) -> list[Candidate]:
    """Order what can be offered, best first: API that exists before made-up API, names known before unknown, likelier.

    Likelier is what has the greater probability as a whole. A mean over its tokens would favour what is long: the code
    repeats the sketch nearly for nothing.

    Left out is what does not parse behind the half-written statement, adds nothing, or says what another one says.

    Args:
        context: What was asked for.
        draws: What the models gave.
        api: Says which API exists; without it all API does.
        mend: Whether to put its successor in the place of API that the project's versions no longer have.
    """
    known = names_known(context)
    best: dict[str, tuple[bool, float, Candidate]] = {}
    for draw in draws:
        if api and mend:
            draw = with_successors(context, draw, api)
        answer = without_repetition(context, draw.answer.rstrip())
        if not says_something(context, answer) or not parses(context, answer):
            continue
        candidate = Candidate(
            context.insertion(answer),
            sketches.parse_wire(draw.sketch).text,
            draw.score,
            api is None or not api.faults(answer),
            draw.sketch,
        )
        key = "".join(answer.split())
        if key not in best or draw.log_probability > best[key][1]:
            best[key] = free_names(context.statement, answer) <= known, draw.log_probability, candidate
    ordered = sorted(best.values(), key=lambda item: (not item[2].api_exists, not item[0], -item[1]))
    return [candidate for *_, candidate in ordered]


def without_repetition(context: Context, answer: str) -> str:
    """Cut off what already stands behind the cursor: closing brackets on its line, whole lines below it."""
    if closers := _closers(context):
        return _up_to_closer(context.statement, answer, closers.strip()[0])
    below = context.after.partition("\n")[2]
    lines, following = answer.split("\n"), [line for line in below.split("\n") if line.strip()]
    for count in range(min(len(lines), len(following)), 0, -1):
        if [line.strip() for line in lines[-count:]] == [line.strip() for line in following[:count]]:
            whole_line = count < len(lines) or not context.statement
            return "\n".join(lines[:-count]) if whole_line else answer
    return answer


def says_something(context: Context, answer: str) -> bool:
    """Say whether `answer` adds code: more than what is typed already, more than comments."""
    if context.statement:
        return bool(answer.removeprefix(context.forced).strip())
    return any(line.kind in (Kind.CODE, Kind.STRING) for line in scan(answer).lines)


def parses(context: Context, answer: str) -> bool:
    """Say whether the statement parses with `answer` and the closing brackets behind the cursor, in its block."""
    if _lacks_body(context, answer) or (not context.statement and not _in_its_block(context, answer)):
        return False
    if sketches.parse_wire(context.statement + answer).placeholders:
        return False  # `sketches.sketch` takes them, Python does not
    if continues_block(context.statement):
        return True  # an ``else`` alone cannot be judged, and the statement above it is not read
    closers = _closers(context)
    colon = ":" if context.after[len(closers) :].startswith(":") else ""
    answer += closers + colon
    if _tree(context.statement, answer) is not None:
        return True
    if _FSTRING.search(answer):
        return False
    try:  # LibCST knows more of Python than the one that runs here may
        sketches.sketch(answer, before=context.statement)
    except SketchError:
        return False
    return True


def free_names(statement: str, answer: str) -> set[str]:
    """Return the names that the completed statement uses and does not bind itself; none if Python cannot tell."""
    tree = _tree(statement, answer)
    if tree is None:
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


def with_successors(context: Context, draw: Draw, api: ApiFilter) -> Draw:
    """Return a draw without removed API, if all of it has a successor; its sketch is then that of the new code."""
    answer = api.mended(draw.answer)
    if answer is None or answer == draw.answer:
        return draw
    try:
        return replace(draw, answer=answer, sketch=sketches.sketch(answer, before=context.statement).wire)
    except SketchError:
        return draw


def _tree(statement: str, answer: str) -> ast.Module | None:
    """Parse the completed statement as the Python that runs here does; None if it cannot."""
    source = textwrap.dedent(statement + answer) if not statement.strip() else (statement + answer).lstrip()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def names_known(context: Context) -> set[str]:
    """Return every name that stands in the code around the cursor, and Python's own."""
    code = without_literals(context.head + "\n" + context.before)
    return set(_NAME.findall(code)).union(dir(builtins))


def _closers(context: Context) -> str:
    """Return what closes the half-written statement's brackets behind the cursor, and the space in between."""
    depth = scan(context.statement).depth
    match = re.match(rf"(?:\s*[)\]}}]){{1,{depth}}}", context.after) if depth else None
    return match[0] if match else ""


def _in_its_block(context: Context, answer: str) -> bool:
    """Say whether an answer of whole lines starts at the indentation that its place has, and never steps back."""
    place = context.forced[: len(context.forced) - len(context.forced.lstrip())]
    indents = [line.indent for line in scan(answer).lines if line.kind in (Kind.CODE, Kind.STRING)]
    return indents[0] == place and all(indent.startswith(place) for indent in indents)


def _lacks_body(context: Context, answer: str) -> bool:
    """Say whether an answer ends in a block's header that no deeper line follows."""
    source = context.statement + answer
    last = [line for line in scan(source).lines if line.kind is Kind.CODE][-1:]
    if not last or not is_block_header(last[0].text(source)):
        return False
    below = [line for line in context.after.partition("\n")[2].split("\n") if line.strip()]
    return not below or len(below[0]) - len(below[0].lstrip()) <= len(last[0].indent)


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
