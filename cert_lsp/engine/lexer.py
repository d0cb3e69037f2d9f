r"""A tolerant view of Python text: logical lines, and what the text's end stands in.

A buffer rarely parses while someone types in it, so nothing here parses. One regular expression steps over comments,
strings, brackets and line ends; a bracket that was never closed is given up at the next line that can only be a new
statement. In: text with ``\n`` line ends, of any content. Out: offsets into it. Not covered: strings nested in
f-strings with the same quotes (Python 3.12).
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

_TOKEN = re.compile(
    r'''
      (?P<comment>\#[^\n]*+)
    | (?P<string>"""(?:[^"\\]|\\.|"(?!""))*+"""|\'\'\'(?:[^'\\]|\\.|'(?!\'\'))*+\'\'\'
                |"(?!"")(?:[^"\\\n]|\\.)*+"|'(?!\'\')(?:[^'\\\n]|\\.)*+')
    | (?P<unclosed>(?:"""|\'\'\').*+|["'][^\n]*+)
    | (?P<open>[(\[{]) | (?P<close>[)\]}]) | (?P<join>\\\n) | (?P<newline>\n)
    ''',
    re.VERBOSE | re.DOTALL,
)
_NEW_STATEMENT = re.compile(
    r"[ \t]*(?:\#|@|(?:async|class|def|del|from|global|import|raise|return|try|while|with)\b"
    r"|[^\W\d][\w.]*(?:\[[^\n\]]*\])?[ \t]*=[ \t])"
)
_LONE_STRING = re.compile(r"[ \t]*[rRuU]?(?:\"|')")
_BLOCK_HEADER = re.compile(r"(?:async|class|def|elif|else|except|finally|for|if|try|while|with|match|case)\b")
_LOOKS = 16  # texts of which it is kept what they look like: all filters look at the same one, token by token
_CONTINUES_BLOCK = re.compile(r"[ \t]*(?:elif|else|except|finally)\b")


class Kind(Enum):
    """What a logical line holds, or what the end of a text stands in."""

    BLANK = auto()
    COMMENT = auto()
    STRING = auto()
    CODE = auto()


@dataclass(frozen=True, slots=True)
class Line:
    """A logical line: one statement, or a line that is blank, a comment, or nothing but a string.

    Attributes:
        start: Offset of its first character, indentation included.
        end: Offset of the line end behind it, or of the end of the text.
        kind: What it holds; trailing comments do not count.
        indent: Its indentation.
    """

    start: int
    end: int
    kind: Kind
    indent: str

    def text(self, source: str) -> str:
        """Return the line as it stands in the scanned text, without its line end."""
        return source[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Scan:
    """The logical lines of a text.

    Attributes:
        lines: All lines in order, at least one; the last is the one that the text's end stands in.
        state: What the end stands in: a comment, a string that is not closed, or else code.
        depth: Brackets that are open at the end.
    """

    lines: tuple[Line, ...]
    state: Kind
    depth: int


def scan(source: str, start: int = 0) -> Scan:
    """Cut ``source[start:]`` into logical lines; `start` is the offset of a line's start."""
    lines: list[Line] = []
    position = line_start = start
    depth, state = 0, Kind.CODE
    tokens: list[str] = []
    for match in _TOKEN.finditer(source, start):
        between = source[position : match.start()]
        if between.strip():
            tokens.append("code")
        position = match.end()
        token = match.lastgroup or ""
        state = Kind.CODE
        match token:
            case "open":
                depth += 1
            case "close":
                depth = max(0, depth - 1)
            case "newline":
                if depth and not _gives_up(source, line_start, position):
                    continue
                lines.append(_line(source, line_start, match.start(), tokens))
                line_start, depth = position, 0
                tokens = []
                continue
            case "comment":
                state = Kind.COMMENT
            case "unclosed":
                state = Kind.STRING
            case _:
                pass
        tokens.append(token)
    if source[position:].strip():
        tokens.append("code")
    ends_in = state if position == len(source) and tokens else Kind.CODE
    lines.append(_line(source, line_start, len(source), tokens))
    return Scan(tuple(lines), ends_in, depth)


def is_block_header(line: str) -> bool:
    """Say whether a logical line opens a block: ``for``, ``def`` and so on, up to a colon at its end."""
    return _BLOCK_HEADER.match(line.lstrip()) is not None and without_comment(line).endswith(":")


def continues_block(line: str) -> bool:
    """Say whether a line is the ``else``, ``except`` … of the statement above it."""
    return _CONTINUES_BLOCK.match(line) is not None


def without_comment(line: str) -> str:
    """Drop the comment behind a statement, and the space before it."""
    for match in _TOKEN.finditer(line):
        if match.lastgroup == "comment":
            return line[: match.start()].rstrip()
    return line.rstrip()


@lru_cache(_LOOKS)
def without_literals(source: str) -> str:
    """Replace comments and strings by as many blanks, so that names, operators and numbers are left in their places."""
    literals = ("comment", "string", "unclosed")
    return _TOKEN.sub(lambda match: " " * len(match[0]) if match.lastgroup in literals else match[0], source)


@lru_cache(_LOOKS)
def strings(source: str) -> tuple[tuple[int, int], ...]:
    """Return where the closed strings of a text begin and end, quotes included, prefixes left out."""
    return tuple(match.span() for match in _TOKEN.finditer(source) if match.lastgroup == "string")


def open_string(source: str) -> int | None:
    """Return where the string begins that a text's end stands in, prefix left out; None outside of strings."""
    last = None
    for match in _TOKEN.finditer(source):
        last = match
    return last.start() if last and last.lastgroup == "unclosed" and last.end() == len(source) else None


def _line(source: str, start: int, end: int, tokens: list[str]) -> Line:
    text = source[start:end]
    content = [token for token in tokens if token not in ("comment", "join")]
    if content:
        lone = content in (["string"], ["code", "string"]) and _LONE_STRING.match(text)
        kind = Kind.STRING if lone else Kind.CODE
    else:
        kind = Kind.COMMENT if "comment" in tokens else Kind.BLANK
    stripped = text.lstrip(" \t")
    return Line(start, end, kind, text[: len(text) - len(stripped)])


def _gives_up(source: str, opened: int, following: int) -> bool:
    """Say whether the line at `following` begins a statement although a bracket is open since `opened`."""
    if not (new := _NEW_STATEMENT.match(source, following)):
        return False
    text = new[0]
    depth_of_new = len(text) - len(text.lstrip(" \t"))
    first = source[opened:following].lstrip("\n")
    return depth_of_new <= len(first) - len(first.lstrip(" \t"))
