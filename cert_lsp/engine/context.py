"""Text and a cursor's offset become a `Context`: is something asked for here, and what shall the model read.

Runs on every keystroke, so it looks at a bounded neighbourhood and never parses: a syntax error above the cursor, a
hundred thousand lines, mixed line ends or lone surrogates change nothing. Offered is a completion

* below, or at the end of, a comment block or a function's docstring that states an intent (see `intent`),
* at a half-written statement below such an intent,
* in the body of a ``for``, ``with`` or ``def`` line below one.

Pure: no state is kept, any thread may call.
"""

import re
from dataclasses import dataclass, replace

from cert_lsp.contract.prompt import split_cursor
from cert_lsp.engine import intent as intents
from cert_lsp.engine.api_index import UNKNOWN, Versions
from cert_lsp.engine.head import Imports, assemble
from cert_lsp.engine.lexer import Kind, Line, Scan, is_block_header, scan, without_comment

_BEFORE = 32_000
_AFTER = 4_000
_TOP = 16_000
_REACH = 8  # statements between an intent and the half-written one

_LEAVES = ("return", "raise", "pass", "break", "continue")

_BYTE_ORDER_MARK = "\ufeff"
_LINE_END = re.compile(r"\r\n|\r|\n")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CLOSERS = re.compile(r"[\s)\]}:,;]*(?:#.*)?")
_FINISHED = re.compile(r"""[)\]}"'\d:;]|\b(?:pass|break|continue)""")


@dataclass(frozen=True)
class Context:
    r"""What is asked for at a cursor.

    All texts have ``\n`` line ends; `eol` is what the buffer uses.

    Attributes:
        before: The text before the cursor, at most the last 32,000 characters, from a line's start.
        after: The text behind the cursor, at most 4,000 characters.
        intent: What the comment or docstring says.
        head: What the model reads (see `head`); lone surrogates are U+FFFD.
        forced: What the model's answer must start with: the unfinished word at the cursor, or the line's indentation.
        line_prefix: The cursor's line up to the cursor.
        block: Whether a whole body is asked for, rather than one statement or paragraph.
        statement: The half-written statement up to the cursor, less `forced`; "" at the start of a statement.
        lead: What must be inserted before the answer: a line end where the cursor stands behind the intent itself.
        typed: The part of `forced` that stands in the buffer already.
        eol: Line end to insert.
        versions: The releases of pandas and NumPy that the project uses.
        near: The sketch of what the team wrote below nearly the same intent, as wire text that starts with `forced`.
    """

    before: str
    after: str
    intent: str
    head: str
    forced: str
    line_prefix: str
    block: bool
    statement: str = ""
    lead: str = ""
    typed: str = ""
    eol: str = "\n"
    versions: Versions = UNKNOWN
    near: str | None = None

    def insertion(self, answer: str) -> str:
        """Turn the model's answer, which starts with `forced`, into the text to insert at the cursor."""
        return (self.lead + answer.removeprefix(self.typed)).replace("\n", self.eol)


@dataclass(frozen=True, slots=True)
class _Ask:
    """An intent: the index of its first line, what it says, its code's indentation, whether a body is asked for."""

    first: int
    intent: str
    indent: str
    block: bool


def build_context(text: str, offset: int) -> Context | None:
    """Find out what is asked for at `offset`.

    Args:
        text: The whole buffer, any content.
        offset: Code points before the cursor; outside the text it is moved to its nearer end.

    Returns:
        None where nothing is to be offered: no intent, neither pandas nor NumPy, in a string, code behind the cursor.
    """
    if text.startswith(_BYTE_ORDER_MARK):  # a client that read the file as plain UTF-8; Python skips it as well
        text, offset = text[1:], offset - 1
    offset = min(max(offset, 0), len(text))
    if 0 < offset < len(text) and text[offset - 1 : offset + 1] == "\r\n":
        offset -= 1
    begin = _window_start(text, offset)
    before = _LINE_END.sub("\n", text[begin:offset])
    after = _LINE_END.sub("\n", text[offset : offset + _AFTER])
    found = scan(before, _code_start(text, begin, before))
    if (ask := _ask(before, found, after.partition("\n")[0])) is None:
        return None
    imports = Imports([_LINE_END.sub("\n", text[:_TOP]), before])
    if not imports.holds_data_library():
        return None
    return _context(before, after, found, ask, imports, _eol(text, offset))


def whole_context(before: str) -> Context:
    """Take all of `before` as the model's head, whatever stands at its end; for evaluation, not for editors."""
    before = _LINE_END.sub("\n", before)
    found = scan(before)
    line_prefix = before[before.rfind("\n") + 1 :]
    last = len(found.lines) - 1
    blank = found.lines[last].kind is Kind.BLANK
    asked = _above(before, found.lines, last, statements=_REACH)
    ask = _above(before, found.lines, last, statements=0) if blank else None
    indent = ask.indent if ask else _indent_below(before, found.lines[last - 1]) if blank and last else ""
    head, typed = split_cursor(_SURROGATE.sub("\ufffd", before))
    return Context(
        before=before,
        after="",
        intent=asked.intent if asked else "",
        head=head,
        forced=indent if indent.startswith(typed) else typed,
        line_prefix=line_prefix,
        block=ask is not None and ask.block,
        statement=head[found.lines[-1].start :] if found.lines[-1].kind is Kind.CODE else "",
        typed=typed,
    )


def _context(before: str, after: str, found: Scan, ask: _Ask, imports: Imports, eol: str) -> Context:
    line = found.lines[-1]
    line_prefix = before[before.rfind("\n") + 1 :]
    model_reads = _SURROGATE.sub("\ufffd", assemble(before, found.lines, ask.first, imports))
    if line.kind is Kind.CODE:
        ask = replace(ask, block=False)
        head, forced = split_cursor(model_reads)
        statement, typed, lead = line.text(before).removesuffix(forced), forced, ""
    elif line.kind is Kind.BLANK:
        head, typed = model_reads.removesuffix(line_prefix), line_prefix
        forced = ask.indent if ask.indent.startswith(typed) else typed
        statement, lead = "", ""
    else:
        head, forced, typed, statement, lead = model_reads.rstrip() + "\n", ask.indent, "", "", "\n"
    return Context(
        before, after, ask.intent, head, forced, line_prefix, ask.block, statement, lead=lead, typed=typed, eol=eol
    )


def _ask(before: str, found: Scan, suffix: str) -> _Ask | None:
    """Find the intent that the cursor, the end of `before`, stands at or below."""
    lines = found.lines
    line, last = lines[-1], len(lines) - 1
    if found.state is Kind.STRING:
        return None
    match line.kind:
        case Kind.COMMENT | Kind.STRING:
            return None if suffix.strip() else _at(before, lines, last)
        case Kind.BLANK:
            return None if suffix.strip() else _above(before, lines, last, statements=0)
        case Kind.CODE:
            written = line.text(before)
            if found.state is Kind.COMMENT or not _CLOSERS.fullmatch(suffix):
                return None
            if found.depth == 0 and _finished(written):
                return None
            return _above(before, lines, last, statements=_REACH)


def _finished(written: str) -> bool:
    """Say whether nothing is missing behind a statement: it ends in a closed bracket, a literal or a colon."""
    end = written.rstrip()[-8:]
    return any(match.end() == len(end) for match in _FINISHED.finditer(end)) and not re.search(r"[^\W\d]\w*\Z", end)


def _indent_below(before: str, line: Line) -> str:
    """Indentation of what follows a line of code directly; "" behind anything else, where it cannot be told."""
    if line.kind is not Kind.CODE or line.text(before).lstrip().startswith(_LEAVES):
        return ""
    step = "\t" if line.indent.startswith("\t") else "    "
    return line.indent + step if is_block_header(line.text(before)) else line.indent


def _above(before: str, lines: tuple[Line, ...], index: int, statements: int) -> _Ask | None:
    """Look for an intent above line `index`, past at most `statements` statements and one blank line."""
    blanks = passed = 0
    for above in range(index - 1, -1, -1):
        line = lines[above]
        if line.kind is Kind.BLANK:
            blanks += 1
            if blanks > 1 or passed:
                return None
        elif line.kind is not Kind.CODE:
            return _at(before, lines, above)
        elif passed == 0 and is_block_header(line.text(before)) and len(line.indent) < _reach_of(lines[index], line):
            return _body(before, lines, above)
        else:
            passed += 1
            if passed > statements or blanks:
                return None
    return None


def _reach_of(line: Line, header: Line) -> int:
    """Columns at which `line` starts; a line still blank counts as inside the block above it."""
    return len(header.indent) + 1 if line.kind is Kind.BLANK else len(line.indent)


def _body(before: str, lines: tuple[Line, ...], header: int) -> _Ask | None:
    """The intent above a block's header asks for its body."""
    ask = _above(before, lines, header, statements=_REACH)
    if ask is None:
        return None
    indent = lines[header].indent
    step = "\t" if indent.startswith("\t") else "    "
    return _Ask(ask.first, ask.intent, indent + step, block=True)


def _at(before: str, lines: tuple[Line, ...], index: int) -> _Ask | None:
    """Read line `index`, the last one of a comment block or a docstring, as an intent."""
    line = lines[index]
    if line.kind is Kind.STRING:
        header = _docstring_of(before, lines, index)
        said = intents.from_docstring(line.text(before)) if header is not None else ""
        if header is None or not said:
            return None
        return _Ask(header, said, line.indent, block=header != index)
    first = index
    while first and lines[first - 1].kind is Kind.COMMENT and lines[first - 1].indent == line.indent:
        first -= 1
    said = intents.from_comments([lines[i].text(before) for i in range(first, index + 1)])
    return _Ask(first, said, line.indent, block=False) if said else None


def _docstring_of(before: str, lines: tuple[Line, ...], index: int) -> int | None:
    """Return the line of the function whose docstring line `index` is; `index` itself for a module's; else None."""
    for above in range(index - 1, -1, -1):
        if lines[above].kind in (Kind.BLANK, Kind.COMMENT):
            continue
        text = without_comment(lines[above].text(before)).lstrip()
        inside = len(lines[above].indent) < len(lines[index].indent)
        return above if inside and text.startswith(("def ", "async def ")) and text.endswith(":") else None
    return index if lines[0].start == 0 else None


def _window_start(text: str, offset: int) -> int:
    """Offset of the line where the neighbourhood of the cursor begins."""
    if offset <= _BEFORE:
        return 0
    end = _LINE_END.search(text, offset - _BEFORE, offset)
    return end.end() if end else offset - _BEFORE


def _code_start(text: str, begin: int, before: str) -> int:
    """Offset in `before` where code begins: not 0 if the neighbourhood begins inside a triple-quoted string."""
    for quotes in ('"""', "'''"):
        if begin and text.count(quotes, 0, begin) % 2:
            end = before.find(quotes)
            line_end = before.find("\n", end)
            return line_end + 1 if end >= 0 and line_end >= 0 else 0
    return 0


def _eol(text: str, offset: int) -> str:
    """Return the line end nearest above the cursor, else the first below it."""
    above = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset))
    if above < 0:
        match = _LINE_END.search(text, offset)
        return match[0] if match else "\n"
    return "\r\n" if text[max(0, above - 1) : above + 1] == "\r\n" else text[above]
