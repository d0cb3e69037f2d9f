"""Where an answer ends: how much code an intent asks for, told from the answer's own lines.

A trained model ends its answer itself. These rules end it where the model runs on, and are all that an untrained one
has.
"""

from enum import Enum, auto

from cert_lsp.engine.context import Context
from cert_lsp.engine.lexer import Kind, Line, continues_block, is_block_header, scan, without_comment

_CONTINUATIONS = ("elif", "else", "except", "finally")
_LEAVES = ("return", "raise")
_DEFINES = ("def ", "class ", "@", "async def ")


class Extent(Enum):
    """How much is asked for.

    Members:
        STATEMENT: The rest of a half-written statement, with its block if it opens one.
        PARAGRAPH: The statements below a comment, up to a blank line, the next comment, or the end of the block.
        BLOCK: A body, up to the line that leaves it.
    """

    STATEMENT = auto()
    PARAGRAPH = auto()
    BLOCK = auto()


def extent_of(context: Context) -> Extent:
    """Return how much `context` asks for."""
    if context.block:
        return Extent.BLOCK
    return Extent.STATEMENT if context.statement.strip() else Extent.PARAGRAPH


def end_of_answer(text: str, extent: Extent) -> int | None:
    """Say where a growing answer ended, if its latest characters show that it did.

    Args:
        text: The statement that the answer goes on with, and the answer so far.
        extent: How much is asked for.

    Returns:
        Offset in `text` behind the last character that belongs to the answer; None while it may still go on.
    """
    lines = scan(text).lines
    base: int | None = None
    previous: Line | None = None
    blank = False
    for index, line in enumerate(lines):
        partial = index == len(lines) - 1
        if line.kind is Kind.BLANK:
            blank = blank or not partial
            if previous and not partial and extent is Extent.PARAGRAPH and _ends(text, previous, base):
                return previous.end
            continue
        if base is None or previous is None:
            base = len(line.indent)
        elif _leaves(text, line, previous, base, extent, blank):
            if partial and _may_continue(line.text(text)):
                return None
            return previous.end
        previous, blank = line, False
        if extent is Extent.STATEMENT and not partial and _ends(text, line, base):
            return line.end
    return None


def last_whole_line(text: str) -> int:
    """Offset behind the last logical line of `text` that is surely complete: all but the one that it ends in; or 0."""
    whole = [line for line in scan(text).lines[:-1] if line.kind is not Kind.BLANK]
    while whole and is_block_header(whole[-1].text(text)):
        whole.pop()
    return whole[-1].end if whole else 0


def _ends(text: str, line: Line, base: int | None) -> bool:
    """Say whether nothing can go on behind `line`: it stands at the answer's own level and opens no block."""
    return len(line.indent) == base and line.kind is not Kind.COMMENT and not is_block_header(line.text(text))


def _leaves(text: str, line: Line, previous: Line, base: int, extent: Extent, blank: bool) -> bool:
    """Say whether `line` is no longer part of the answer."""
    indent = len(line.indent)
    if indent != base:
        return indent < base
    words = line.text(text).lstrip()
    if continues_block(words):
        return False
    match extent:
        case Extent.STATEMENT:
            return previous.kind is not Kind.COMMENT
        case Extent.PARAGRAPH:
            begun = previous.kind is not Kind.COMMENT
            return begun and (blank or line.kind is Kind.COMMENT or words.startswith(_DEFINES))
        case Extent.BLOCK:
            ended = without_comment(previous.text(text)).lstrip().partition(" ")[0]
            return len(previous.indent) == base and ended in _LEAVES


def _may_continue(line: str) -> bool:
    """Say whether an unfinished line may yet become an ``else`` or the like."""
    word = line.lstrip()
    return any(continuation.startswith(word) for continuation in _CONTINUATIONS)
