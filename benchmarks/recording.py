r"""Recorded typing: what a person did in a document, key by key, with the milliseconds before each key.

A recording is a text file, one step a line; ``#`` begins a comment line:

    document orders_daily.py.txt
    goto "table = daily(orders)"     the cursor jumps to the end of the only line that ends like this
    wait 900                         nothing happens
    type "\n# best day" 310 95 88 …  one number for each character
    erase 140 60 60                  backspace, once for each number
    ask 1400                         the intent stands; the person looks for that long, or until the answer is there
    follow 120 90 90                 types what is offered, one character for each number
    accept 300                       takes the rest of the offer at once

`goto`, `follow` and `accept` make the rest of a recording independent of what the model says.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cert_lsp.errors import BenchmarkError

HERE = Path(__file__).parent
_DOCUMENTS = HERE / "documents"
_SESSIONS = HERE / "sessions"
_TEXT_STEPS = frozenset({"goto", "type"})
_DELAY_STEPS = frozenset({"wait", "type", "erase", "ask", "follow", "accept"})
_LINE = re.compile(r'(?P<action>\w+)(?: (?P<text>"(?:[^"\\]|\\.)*"))?(?P<delays>(?: \d+)*)')


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its action (see the module's docstring), its text if any, the milliseconds before each of its keys."""

    action: str
    text: str
    delays: tuple[int, ...]


@dataclass(frozen=True)
class Recording:
    """One session.

    Attributes:
        name: The file's, without suffix.
        text: The document when it was opened.
        steps: What the person did.
    """

    name: str
    text: str
    steps: tuple[Step, ...]

    @property
    def seconds(self) -> float:
        """How long it takes, if every answer comes in time."""
        return sum(sum(step.delays) for step in self.steps) / 1000

    def intents(self) -> Iterator[tuple[str, int]]:
        """Yield text and cursor at each `ask`, as if nothing had been offered."""
        text, cursor = self.text, len(self.text)
        for step in self.steps:
            match step.action:
                case "goto":
                    cursor = end_of_line(text, step.text)
                case "type":
                    text, cursor = text[:cursor] + step.text + text[cursor:], cursor + len(step.text)
                case "erase":
                    text, cursor = text[: cursor - len(step.delays)] + text[cursor:], cursor - len(step.delays)
                case "ask":
                    yield text, cursor
                case _:
                    pass


def read_recordings(folder: Path = _SESSIONS) -> list[Recording]:
    """Read all recordings, sorted by name.

    Raises:
        BenchmarkError: If one is not well formed.
    """
    return [_read(path) for path in sorted(folder.glob("*.txt"))]


def end_of_line(text: str, ending: str) -> int:
    """Return the offset behind the only line of `text` that ends in `ending`.

    Raises:
        BenchmarkError: If there is none, or several.
    """
    places = [match.end() for match in re.finditer(re.escape(ending) + "$", text, re.MULTILINE)]
    if len(places) != 1:
        raise BenchmarkError(f"{len(places)} lines end in {ending!r}", "the session cannot be played", "name another")
    return places[0]


def _read(path: Path) -> Recording:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    word, _, document = lines[0].partition(" ") if lines else ("", "", "")
    if word != "document" or not (_DOCUMENTS / document).is_file():
        raise BenchmarkError(f"{path.name} does not begin with 'document' and a file of {_DOCUMENTS.name}/")
    text = (_DOCUMENTS / document).read_text(encoding="utf-8")
    return Recording(path.stem, text, tuple(_step(path, line) for line in lines[1:]))


def _step(path: Path, line: str) -> Step:
    match = _LINE.fullmatch(line)
    if match is None:
        raise BenchmarkError(f"{path.name}: {line[:60]!r} is no step")
    action = match["action"]
    text = json.loads(match["text"]) if match["text"] else ""
    delays = tuple(int(number) for number in match["delays"].split())
    fits = bool(text) == (action in _TEXT_STEPS) and bool(delays) == (action in _DELAY_STEPS)
    if action not in _TEXT_STEPS | _DELAY_STEPS or not fits or (action == "type" and len(delays) != len(text)):
        raise BenchmarkError(f"{path.name}: {line[:60]!r} is no step, or has not one number for each key")
    return Step(action, text, delays)
