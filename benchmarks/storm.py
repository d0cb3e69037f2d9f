"""Storms: sixty requests 30 ms apart that nobody cancels, as from a fast typist in an editor like Neovim.

Beside each the same last request in calm, on a second server. There the prompt less its last letter has been read,
since a server reads ahead in a pause; in the storm its own requests have read it. Neither server has answered the text
before. So what differs is what the storm costs the person who waits for its end.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.editor import Answer, Buffer, Editor

_REQUESTS = 60
_GAP = 0.03
_READ = 2.0  # seconds; ample for a server to read ahead a prompt of this length
_TEXT = """\
import pandas as pd

{name} = pd.read_csv("{name}.csv", parse_dates=["day"])
{name} = {name}[{name}["{column}"] > 0]

# """
_ASKED = (
    ("total {column} of each customer and month, the largest of them first", "orders", "amount"),
    ("mean {column} of each station and each week, without the missing days", "sensors", "level"),
    ("number of rows for each carrier together with the very highest {column}", "flights", "delay"),
    ("the ten stores that had the lowest {column} in the last quarter of a year", "sales", "revenue"),
    ("one column for each region, one row for each day, filled with mean {column}", "readings", "load"),
)
"""Intents of more than sixty letters, each with a name and a column."""
STORMS = len(_ASKED)
_WARM_UP = ("median {column} of each team", "matches", "score")


@dataclass(frozen=True)
class Storms:
    """What became of the requests, a number for each storm.

    Attributes:
        cancelled: How many were ended in favour of a newer one, and so offered nothing.
        last_ms: Time of the last one's answer.
        own_ms: Time of the same request in calm.
    """

    cancelled: list[int]
    last_ms: list[float]
    own_ms: list[float]

    @property
    def last_ratio(self) -> float:
        """How much longer the last request takes for the storm before it, the median of the storms."""
        return median(last / own for last, own in zip(self.last_ms, self.own_ms, strict=True))


def play_storms(bundle: Path | None, tick: Callable[[], None]) -> Storms:
    """Play each storm beside its calm; `tick` is called after each."""
    storms = Storms([], [], [])
    with Editor(bundle) as calm, Editor(bundle) as stormy:
        for editor in calm, stormy:  # what a server loads for its first answer is no storm's fault
            _in_calm(editor, *_WARM_UP)
        for asked in _ASKED:
            own = _in_calm(calm, *asked)
            *others, last = _in_storm(stormy, *asked)
            storms.own_ms.append(own.milliseconds)
            storms.last_ms.append(last.milliseconds)
            storms.cancelled.append(sum(not answer.offer for answer in others))
            tick()
    return storms


def _in_calm(editor: Editor, intent: str, name: str, column: str) -> Answer:
    """Type all but the last letter, pause until that is read, type the last letter and ask."""
    *_, before_last, last = intent = intent.format(column=column)
    buffer = Buffer(editor, f"file:///{name}.py", _TEXT.format(name=name, column=column) + intent[:-2])
    buffer.edit(0, before_last)
    time.sleep(_READ)
    buffer.edit(0, last)
    answer = buffer.ask().wait()
    buffer.close()
    return answer


def _in_storm(editor: Editor, intent: str, name: str, column: str) -> list[Answer]:
    """Type the last letters and ask at each; wait for all answers."""
    intent = intent.format(column=column)
    buffer = Buffer(editor, f"file:///{name}.py", _TEXT.format(name=name, column=column) + intent[:-_REQUESTS])
    answers: list[Answer] = []
    begun = time.perf_counter()
    for index, letter in enumerate(intent[-_REQUESTS:]):
        time.sleep(max(0.0, begun + index * _GAP - time.perf_counter()))
        buffer.edit(0, letter)
        answers.append(buffer.ask())
    for answer in answers:
        answer.wait()
    buffer.close()
    return answers
