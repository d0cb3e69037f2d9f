"""What the model reads of a file: imports that matter, where nearby names were bound, nearest lines, the intent.

A small model on two cores reads about two hundred tokens in the time that a pause in typing lasts, and it was trained
on heads of about `TARGET` characters. So the lines are chosen, not cut off: a data frame that was made three hundred
lines above is worth more than the loop in between.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from cert_lsp.engine.lexer import Kind, Line, is_block_header, without_literals

TARGET = 1200
"""Characters that a head should have; the intent itself is never cut."""

_NEAR_LINES = 8
_NEAR_SHARE = 500
_LINE_LIMIT = 600
_CLOSER = {"(": ")", "[": "]", "{": "}"}

LIBRARIES = frozenset({"pandas", "numpy"})
_WORDS = {
    "numpy": frozenset({"arr", "array", "arrays", "matrices", "matrix", "ndarray", "numpy", "vector", "vectors"}),
    "pandas": frozenset({"column", "columns", "dataframe", "dataframes", "df", "pandas", "series"}),
}
"""What is said and written about the things of one of them, in lower case."""

# Who imports one of these holds data frames or arrays.
_USERS = frozenset(
    {"cudf", "dask", "geopandas", "modin", "pandera", "scipy", "seaborn", "sklearn", "statsmodels", "xarray"}
)
_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<module>[\w.]+)[ \t]+import[ \t]*(?:\((?P<block>[^)]*)\)|(?P<names>[^\n#;(]+))"
    r"|import[ \t]+(?P<plain>[^\n#;]+))",
    re.MULTILINE,
)
_NAME = re.compile(r"(?<![\w.])[^\W\d]\w*")
_BINDS = re.compile(
    r"[ \t]*(?:(?P<names>[^\W\d]\w*(?:[ \t]*,[ \t]*[^\W\d]\w*)*)(?:\.[^\W\d]\w*|\[[^\n=]*\])*[ \t]*(?::[^=\n]+)?=(?!=)"
    r"|(?:for|with)\b[^\n]*?(?:\bas[ \t]+)?\b(?P<loop>\w+)[ \t]*(?:in\b|:))"
)


class Imports:
    """The import statements of a file, one entry for each name that they bind."""

    def __init__(self, texts: Iterable[str]) -> None:
        r"""Collect from `texts`, passages with ``\n`` line ends; later ones may repeat earlier ones."""
        self._entries: dict[str, tuple[str, str]] = {}  # bound name -> (dotted path, statement)
        for text in texts:
            for match in _IMPORT.finditer(text):
                for bound, path, statement in _entries(match):
                    self._entries.setdefault(bound, (path, statement))

    def paths(self) -> dict[str, str]:
        """Return what each bound name stands for: ``{"la": "numpy.linalg"}``."""
        return {bound: path for bound, (path, _) in self._entries.items()}

    def holds_data_library(self) -> bool:
        """Say whether pandas, NumPy, or a package that stands on them is imported."""
        return any(_root(path) in LIBRARIES or _root(path) in _USERS for path, _ in self._entries.values())

    def lines(self, used: set[str]) -> list[str]:
        """Return the import statements of the names in `used`, in the file's order.

        Where neither pandas nor NumPy is among them, the one whose things are spoken of is, or both, as far as the file
        imports them: who imports both and uses one of them nearby, mostly goes on with that one.
        """
        libraries = {bound: _root(path) for bound, (path, _) in self._entries.items() if _root(path) in LIBRARIES}
        words = {word.lower() for word in used}
        meant = {library for library, said in _WORDS.items() if said & words}
        guessed = {bound for bound, library in libraries.items() if library in meant} or libraries.keys()
        wanted = used if used & libraries.keys() else used | guessed
        return list(dict.fromkeys(statement for bound, (_, statement) in self._entries.items() if bound in wanted))


def _entries(match: re.Match[str]) -> Iterator[tuple[str, str, str]]:
    module = match["module"]
    listed = match["plain"] or match["names"] or match["block"] or ""
    for item in re.sub(r"#[^\n]*", "", listed).replace("\\", " ").split(","):
        words = item.split()
        if not words or not re.fullmatch(r"[\w.*]+", words[0]):
            continue
        spelled = " ".join(words)
        bound = words[-1] if len(words) == 3 else _root(words[0])
        path = f"{module}.{words[0]}" if module else words[0] if len(words) == 3 else bound
        yield bound, path, f"from {module} import {spelled}" if module else f"import {spelled}"


def _root(path: str) -> str:
    return path.partition(".")[0]


def names_in(text: str) -> set[str]:
    """Return the names in `text` that are not attributes; words of a comment count too."""
    return set(_NAME.findall(text))


def assemble(source: str, lines: Sequence[Line], first: int, imports: Imports) -> str:
    """Put the head together.

    Args:
        source: The text that `lines` are offsets into, up to the cursor.
        lines: Its logical lines.
        first: Index of the line where the intent begins; from there on everything is kept.
        imports: The imports of the file.

    Returns:
        The chosen lines in the file's order, imports first; it ends exactly as `source` does.
    """
    tail = source[lines[first].start :]
    signature, known = _scope(source, lines, first)
    near = _near(source, lines, signature, known)
    chosen = [] if signature is None else [signature]
    used = names_in(tail).union(*(names_in(lines[index].text(source)) for index in [*near, *chosen]))
    room = max(0, TARGET - len(tail) - sum(len(lines[index].text(source)) for index in near))
    chosen += near
    chosen += _bindings(source, lines, known, used, room, set(chosen))
    kept = [(index, _clip(lines[index].text(source))) for index in sorted(chosen)]
    inside = len(lines) if signature is None else signature
    groups = [
        imports.lines(used.union(*(names_in(text) for _, text in kept))),
        [text for index, text in kept if index < inside],
        [*(text for index, text in kept if index >= inside), tail],
    ]
    return "\n\n".join("\n".join(group) for group in groups if group)  # as in the training corpus


def _scope(source: str, lines: Sequence[Line], first: int) -> tuple[int | None, list[bool]]:
    """Find the ``def`` line that the intent stands in, and the lines above it whose names it knows.

    It knows those of the module and of what it stands in, none of other functions. Of the methods beside its own it
    knows what they bind to ``self``.
    """
    around: list[int] = []  # lines of the functions and classes that the line stands in, the innermost last
    homes: list[list[int]] = []
    for line in lines[: first + 1]:
        home = [header for header in around if len(lines[header].indent) < len(line.indent)]
        homes.append(home)
        if line.kind in (Kind.CODE, Kind.STRING):  # a comment may stand anywhere
            around = home
        if line.kind is Kind.CODE and _begins(source, line, ("def ", "async def ", "class ")):
            around = [*around, len(homes) - 1]
    *above, here = homes
    signature = next((index for index in reversed(here) if not _begins(source, lines[index], ("class ",))), None)
    beside = homes[signature] if signature is not None else []

    def known(home: list[int], line: Line) -> bool:
        if home == here[: len(home)]:
            return True
        return len(home) > 1 and home[:-1] == beside and _begins(source, line, ("self.",))

    return signature, [known(home, line) for home, line in zip(above, lines, strict=False)]


def _begins(source: str, line: Line, words: tuple[str, ...]) -> bool:
    return source.startswith(words, line.start + len(line.indent))


def _near(source: str, lines: Sequence[Line], signature: int | None, known: Sequence[bool]) -> list[int]:
    """Choose the lines just above the intent, down from the enclosing ``def``, none of another function's body."""
    chosen: list[int] = []
    size, first = 0, len(known)
    if signature is not None and signature + 1 < first and lines[signature + 1].kind is Kind.STRING:
        chosen.append(signature + 1)
    for index in range(first - 1, -1 if signature is None else signature, -1):
        line = lines[index]
        text = line.text(source)
        if line.kind in (Kind.BLANK, Kind.STRING) or len(line.indent) > len(lines[first].indent) or _IMPORT.match(text):
            continue
        if not known[index] or _begins(source, line, ("def ", "async def ", "class ", "@")):
            continue
        size += len(_clip(text))
        if size > _NEAR_SHARE or len(chosen) == _NEAR_LINES:
            break
        chosen.append(index)
    return chosen


def _bindings(
    source: str, lines: Sequence[Line], known: Sequence[bool], used: set[str], room: int, taken: set[int]
) -> list[int]:
    """Choose the last lines that bind a name in `used`, and those that bind what these lines use."""
    wanted = set(used)
    chosen: list[int] = []
    for index in range(len(known) - 1, -1, -1):
        line = lines[index]
        if line.kind is not Kind.CODE or not known[index] or len(line.indent) > len(lines[len(known)].indent):
            continue
        text = line.text(source)
        bound = bound_names(text) & wanted
        if not bound:
            continue
        plain = is_block_header(text) or not re.match(r"[ \t]*\w+[ \t]*[.\[]", text)
        if plain:
            wanted -= bound
        if index in taken:
            wanted |= names_in(text) - bound
            continue
        room -= len(_clip(text)) + 1
        if room < 0:
            break
        wanted |= names_in(text) - bound
        chosen.append(index)
    return chosen


def bound_names(line: str) -> set[str]:
    """Return the names that a logical line binds, by ``=``, ``for`` or ``with``."""
    if not (match := _BINDS.match(line)):
        return set()
    return {name.strip() for name in (match["names"] or match["loop"] or "").split(",")}


def _clip(text: str) -> str:
    """Shorten a statement of many lines to its first ones, and close the brackets that these open."""
    if len(text) <= _LINE_LIMIT:
        return text
    kept = text[: max(0, text.rfind("\n", 0, _LINE_LIMIT))]
    opened: list[str] = []
    for char in without_literals(kept):
        if char in _CLOSER:
            opened.append(_CLOSER[char])
        elif opened and char == opened[-1]:
            opened.pop()
    return kept + "".join(reversed(opened))
