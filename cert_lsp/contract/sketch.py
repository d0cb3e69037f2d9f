"""Code to sketch: the idiom stays, the user's details become placeholders (Zan et al., IJCAI 2022, table 1).

A sketch exists in two spellings. `Sketch.text` is the paper's, for people: ``df[string] > number``. `Sketch.wire` is
for models: ``df[$string] > $number``. The dollar sign occurs nowhere in Python code outside literals and comments, so
that a user's own name ``string``, the method ``to_string`` or the dtype in ``astype(float)`` is never taken for a
placeholder.

In: a module, or the fragment that a completion is (the right-hand side after ``x =``, an indented ``return df``).
Out: the same text, layout kept, with whole tokens replaced and comments left out. Not covered: code that LibCST cannot
parse, which raises `SketchError`, never gives a wrong sketch.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

from cert_lsp.errors import AlignError, SketchError

SKETCH_VERSION = 1

CONSTANT_KINDS = (
    "number",
    "float",
    "floatexponant",  # spelled as in the paper
    "complex",
    "string",
    "rawstring",
    "interstring",
    "interrawstring",
    "binarystring",
    "unicodestring",
)
NAME_KINDS = ("func", "AnClass")
KINDS = CONSTANT_KINDS + NAME_KINDS

SIGIL = "$"
_PLACEHOLDER = re.compile(rf"\$({'|'.join(KINDS)})\b")
_STRING_OR_PLACEHOLDER = re.compile(
    r"""\"{3}.*?\"{3}|'{3}.*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\$(?P<kind>""" + "|".join(KINDS) + r")\b",
    re.DOTALL,
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_COMMENT_OR_STRING = re.compile(rf"#[^\n]*|{_STRING_OR_PLACEHOLDER.pattern}", re.DOTALL)
_BRACKET_OR_RUN = re.compile(r"[(\[{]|[)\]}]|\n|[^()\[\]{}\n]+")
_DEEPEST = 200
"""Brackets within brackets: as many as Python takes."""
_LONGEST = 6_000
"""Characters of one statement, less literals and comments."""

_STRING_KINDS = {
    "": "string",
    "r": "rawstring",
    "b": "binarystring",
    "br": "binarystring",
    "u": "unicodestring",
    "f": "interstring",
    "fr": "interrawstring",
}


class Variant(StrEnum):
    """What a sketch leaves out: constants (CERT), names (CERT-N) or both (CERT-NC)."""

    CONSTANTS = "constants"
    NAMES = "names"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One placeholder of a sketch.

    Attributes:
        kind: The paper's word, one of `KINDS`.
        start: Offset of its first character in `Sketch.text`, in code points.
        end: Offset behind its last character.
    """

    kind: str
    start: int
    end: int


@dataclass(frozen=True)
class Sketch:
    """A sketch in its wire spelling; make one with `sketch` or `parse_wire`."""

    wire: str

    @cached_property
    def _parts(self) -> tuple[str, ...]:
        """Literal text and placeholder words in turn, literal first and last."""
        return _split(self.wire)

    @property
    def text(self) -> str:
        """The sketch in the paper's spelling."""
        return "".join(self._parts)

    @cached_property
    def placeholders(self) -> tuple[Placeholder, ...]:
        """The placeholders in order, as spans of `text`."""
        found: list[Placeholder] = []
        offset = 0
        for index, part in enumerate(self._parts):
            if index % 2:
                found.append(Placeholder(part, offset, offset + len(part)))
            offset += len(part)
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Fill:
    """The code text that stands where the sketch has a placeholder."""

    placeholder: Placeholder
    text: str


def sketch(code: str, *, before: str = "", variant: Variant = Variant.CONSTANTS) -> Sketch:
    """Replace the user's details in `code` by placeholders and leave comments out.

    Args:
        code: A module or a fragment. The wire text of a sketch is taken too and comes back unchanged.
        before: The unfinished statement that `code` goes on with, such as ``x =``; not part of the result.
        variant: Which details to replace.

    Raises:
        SketchError: If ``before + code`` does not parse.
    """
    return Sketch("".join(piece.wire for piece in _pieces(code, before, variant)))


def parse_wire(wire: str) -> Sketch:
    """Read a model's or a user's sketch; text without placeholders is a sketch too."""
    return Sketch(wire)


def align(sketch: Sketch, code: str, *, before: str = "", variant: Variant = Variant.CONSTANTS) -> tuple[Fill, ...]:
    """Say which text of `code` fills which placeholder of `sketch`.

    Raises:
        SketchError: If the code does not parse.
        AlignError: If its sketch is another one.
    """
    pieces = _pieces(code, before, variant)
    if "".join(piece.wire for piece in pieces) != sketch.wire:
        raise AlignError("the code does not have this sketch", "its details cannot be matched to placeholders")
    originals = [piece.original for piece in pieces if piece.original is not None]
    return tuple(Fill(place, text) for place, text in zip(sketch.placeholders, originals, strict=True))


def rebuild(sketch: Sketch, fills: Sequence[Fill]) -> str:
    """Put `fills` in the place of the sketch's placeholders; the inverse of `align` for code without comments.

    Raises:
        AlignError: If there are not as many fills as placeholders.
    """
    if len(fills) != len(sketch.placeholders):
        raise AlignError(f"{len(sketch.placeholders)} placeholders cannot take {len(fills)} fills")
    text, built, last = sketch.text, list[str](), 0
    for place, fill in zip(sketch.placeholders, fills, strict=True):
        built += [text[last : place.start], fill.text]
        last = place.end
    return "".join([*built, text[last:]])


@dataclass(frozen=True, slots=True)
class _Piece:
    """A run of a sketch's wire text and, for a placeholder, the code that it stands for."""

    wire: str
    original: str | None = None


@dataclass(frozen=True, slots=True)
class _Edit:
    """Bytes of the parsed text that leave the sketch; `kind` is None for a comment."""

    start: int
    end: int
    kind: str | None


def _pieces(code: str, before: str, variant: Variant) -> list[_Piece]:
    """Cut `code` into kept text and placeholders."""
    parsed, shift = _parse(before, _PLACEHOLDER.sub(_stand_in, code))
    raw = code.encode("utf-8", "surrogatepass")
    pieces: list[_Piece] = []
    last = 0
    try:
        edits = _edits(parsed, variant)
    except RecursionError as error:
        raise SketchError("the code nests too deeply", "it has no sketch") from error
    for edit in edits:
        start, end = edit.start - shift, edit.end - shift
        if end <= 0:
            continue
        if start < 0:
            raise SketchError("the cursor stands inside a literal", "the rest of it has no sketch of its own")
        given = _PLACEHOLDER.fullmatch(_text(raw[start:end]))
        kind = given[1] if given else edit.kind
        if kind is None:
            start, end = _comment_line(raw, start, end, at_line_start=not before.strip())
        elif raw[end : end + 1].isalnum():
            raise SketchError(
                "a number runs into the word behind it", "its placeholder could not be told from the word"
            )
        pieces.append(_Piece(_text(raw[last:start])))
        if kind is not None:
            pieces.append(_Piece(SIGIL + kind, _text(raw[start:end])))
        last = end
    pieces.append(_Piece(_text(raw[last:])))
    return pieces


def _stand_in(placeholder: re.Match[str]) -> str:
    """What parses in the place of a placeholder and is as wide, so that a sketch can be sketched again."""
    word = placeholder[1]
    if not word.endswith("string"):
        return "_" + word
    prefix = "b" if word == "binarystring" else ""
    return f"{prefix}'{word[len(prefix) + 1 :]}'"


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")


def _comment_line(raw: bytes, start: int, end: int, *, at_line_start: bool) -> tuple[int, int]:
    """Widen a comment to what goes with it: its whole line, or the spaces between it and the code."""
    code_end = len(raw[:start].rstrip(b" \t\f"))
    line_start = raw.rfind(b"\n", 0, start) + 1
    if code_end > line_start or (line_start == 0 and not at_line_start):
        return code_end, end
    newline = raw.find(b"\n", end)
    if newline >= 0:
        return line_start, newline + 1
    return len(raw[:line_start].rstrip(b"\r\n")), end


def _parse(before: str, code: str) -> tuple[MetadataWrapper, int]:
    """Parse a fragment within the least surroundings that make it a module.

    Returns:
        The parsed module, and the offset in bytes at which `code` begins in it.
    """
    text = _SURROGATE.sub("\ufffd", before + code)
    _check_depth(text)
    failure: cst.ParserSyntaxError | None = None
    for header in _headers(text):
        for footer in _footers(text):
            try:
                module = cst.parse_module(header + text + footer)
            except cst.ParserSyntaxError as error:
                failure = failure or error
            except (ValueError, RecursionError, UnicodeError, cst.CSTValidationError) as error:
                # the last for a letter that LibCST's Unicode knows and this Python's does not
                raise SketchError(f"the code cannot be read ({error})", "it has no sketch") from error
            else:
                shift = len(header.encode()) + len(before.encode("utf-8", "surrogatepass"))
                return MetadataWrapper(module, unsafe_skip_copy=True), shift
    reason = f" ({failure.message.splitlines()[0]})" if failure else ""
    raise SketchError(f"the code does not parse{reason}", "it has no sketch", "complete or correct the statement")


def _check_depth(text: str) -> None:
    """Refuse what the parser may have no stack for: it recurses, and an overflow would end the process."""
    depth = length = 0
    for run in _BRACKET_OR_RUN.findall(_COMMENT_OR_STRING.sub("", text)):
        depth = max(0, depth + (run in "([{") - (run in ")]}"))
        length = length + len(run) if depth or run != "\n" else 0
        if depth > _DEEPEST or length > _LONGEST:
            raise SketchError("a statement of the code nests too deeply or is too long", "it has no sketch")


def _headers(text: str) -> Iterator[str]:
    """Blocks that the first line may stand in: none, or one for each level that the text steps back to."""
    lines = [line for line in text.splitlines() if line.strip()]
    indents = [line[: len(line) - len(line.lstrip(" \t"))] for line in lines] or [""]
    if not indents[0]:
        yield ""
        return
    yield "if 1:\n"
    levels = sorted({indent for indent in indents if indent and indents[0].startswith(indent)}, key=len)
    if len(levels) > 1:
        yield "".join(f"{indent}if 1:\n" for indent in ["", *levels[:-1]])


def _footers(text: str) -> Iterator[str]:
    """Nothing, or the body that a block's header lacks."""
    yield ""
    if text.rstrip().endswith(":"):
        last = text.rstrip().splitlines()[-1]
        yield "\n" + last[: len(last) - len(last.lstrip(" \t"))] + "    pass"


def _edits(parsed: MetadataWrapper, variant: Variant) -> list[_Edit]:
    """What leaves the parsed text, in order."""
    spans = parsed.resolve(ByteSpanPositionProvider)
    details = _Details(variant)
    parsed.visit(details)
    found = ((spans[node], kind) for node, kind in details.found())
    return sorted((_Edit(span.start, span.start + span.length, kind) for span, kind in found), key=lambda e: e.start)


class _Details(cst.CSTVisitor):
    """Finds the user's details: literals, comments, and the names of functions and classes defined here."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self._constants = variant in (Variant.CONSTANTS, Variant.BOTH)
        self._names = variant in (Variant.NAMES, Variant.BOTH)
        self._literals: list[tuple[cst.CSTNode, str | None]] = []
        self._defined: dict[str, str] = {}
        self._uses: list[cst.Name] = []
        self._not_uses: set[cst.CSTNode | None] = set()

    def found(self) -> Iterator[tuple[cst.CSTNode, str | None]]:
        """Nodes that leave the text with their placeholder's kind, None for a comment."""
        yield from self._literals
        if self._names:
            yield from (
                (n, self._defined[n.value]) for n in self._uses if n.value in self._defined and n not in self._not_uses
            )

    def _constant(self, node: cst.CSTNode, kind: str | None) -> None:
        if self._constants and kind:
            self._literals.append((node, kind))

    def visit_Comment(self, node: cst.Comment) -> None:
        self._literals.append((node, None))

    def visit_Integer(self, node: cst.Integer) -> None:
        self._constant(node, None if node.value[:2].lower() in ("0x", "0o", "0b") else "number")

    def visit_Float(self, node: cst.Float) -> None:
        self._constant(node, "floatexponant" if "e" in node.value.lower() else "float")

    def visit_Imaginary(self, node: cst.Imaginary) -> None:
        self._constant(node, "complex")

    def visit_SimpleString(self, node: cst.SimpleString) -> None:
        self._constant(node, _string_kind(node.prefix, node.quote))

    def visit_FormattedString(self, node: cst.FormattedString) -> bool:
        kind = _string_kind(node.prefix, node.end)
        self._constant(node, kind)
        return kind is None

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self._defined[node.name.value] = "func"

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self._defined[node.name.value] = "AnClass"

    def visit_Name(self, node: cst.Name) -> None:
        self._uses.append(node)

    def visit_Attribute(self, node: cst.Attribute) -> None:
        self._not_uses.add(node.attr)

    def visit_Arg(self, node: cst.Arg) -> None:
        self._not_uses.add(node.keyword)


def _string_kind(prefix: str, quote: str) -> str | None:
    """The placeholder of a string token; triple-quoted strings are kept."""
    return None if len(quote) == 3 else _STRING_KINDS["".join(sorted(prefix.lower()))]


def _split(wire: str) -> tuple[str, ...]:
    """Literal text and placeholder words in turn; a dollar sign within a string is text."""
    parts: list[str] = []
    last = 0
    for match in _STRING_OR_PLACEHOLDER.finditer(wire):
        if match["kind"]:
            parts += [wire[last : match.start()], match["kind"]]
            last = match.end()
    return (*parts, wire[last:])
