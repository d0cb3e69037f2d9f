"""A storm: sixty requests 30 ms apart that nobody cancels, as from a fast typist in an editor like Neovim."""

import time
from dataclasses import dataclass

from benchmarks.editor import Buffer, Editor

_REQUESTS = 60
_GAP = 0.03
_TEXT = """\
import pandas as pd

{name} = pd.read_csv("{name}.csv", parse_dates=["day"])
{name} = {name}[{name}["amount"] > 0]

# """
_INTENT = "total amount of each customer and month, the largest first"


@dataclass(frozen=True)
class Storm:
    """What became of the requests.

    Attributes:
        cancelled: How many were ended in favour of a newer one.
        last_ms: Time of the last one's answer.
        own_ms: Time of the same request in calm.
    """

    cancelled: int
    last_ms: float
    own_ms: float


def play_storm(editor: Editor) -> Storm:
    """Ask once, with nothing before it; then type another text like it in a storm of requests."""
    calm = Buffer(editor, "file:///calm.py", _TEXT.format(name="orders") + _INTENT[:-1])
    calm.edit(0, _INTENT[-1])
    own = calm.ask().wait()
    calm.close()
    stormy = Buffer(editor, "file:///storm.py", _TEXT.format(name="bookings"))
    answers = []
    begun = time.perf_counter()
    for index, letter in enumerate(_INTENT.rjust(_REQUESTS)):
        time.sleep(max(0.0, begun + index * _GAP - time.perf_counter()))
        stormy.edit(0, letter)
        answers.append(stormy.ask())
    for answer in answers:
        answer.wait()
    stormy.close()
    return Storm(sum(not answer.offer for answer in answers[:-1]), answers[-1].milliseconds, own.milliseconds)
