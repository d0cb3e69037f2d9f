"""Keystroke replay: recorded sessions played against the server at the speed at which they were typed.

As in VS Code, every key sends the change and a request, and ends the request before. What counts is the last key before
a look (`ask`): how long until its answer is there. Answers that only go on with an offer that the person types along
are counted apart, since the model need not run for them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.editor import Answer, Buffer, Editor
from benchmarks.recording import end_of_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from benchmarks.recording import Recording, Step


@dataclass(frozen=True, slots=True)
class Look:
    """The person stops to look at an offer.

    Attributes:
        session: The recording's name.
        milliseconds: From the last key to the answer.
        offered: Whether there was anything to see.
        typed_through: Whether it only goes on with what was offered before.
    """

    session: str
    milliseconds: float
    offered: bool
    typed_through: bool


@dataclass(frozen=True)
class Cold:
    """A server's first answer: time from start to ready, time of the answer, resident bytes then."""

    ready_ms: float
    milliseconds: float
    resident: int


@dataclass(frozen=True)
class Replay:
    """All sessions on one server.

    Attributes:
        looks: The times.
        resident: Most resident bytes seen.
        cpu_per_minute: CPU seconds of the server for a minute of typing.
        idle_share: Share of a core that the server takes when nothing happens.
    """

    looks: list[Look]
    resident: int
    cpu_per_minute: float
    idle_share: float


def play_cold(recording: Recording, bundle: Path | None) -> Cold:
    """Start a server, open the document with the first intent written, and ask at once."""
    text, cursor = next(recording.intents())
    with Editor(bundle) as editor:
        buffer = Buffer(editor, f"file:///{recording.name}.py", text)
        buffer.cursor = cursor
        answer = buffer.ask().wait()
        return Cold(editor.ready_ms, answer.milliseconds, editor.usage().resident)


def play_all(editor: Editor, recordings: Sequence[Recording], idle_seconds: float, tick: Callable[[], None]) -> Replay:
    """Play sessions one after the other, then wait a while to see what an idle server does; `tick` after each."""
    begun, before = time.perf_counter(), editor.usage()
    looks: list[Look] = []
    resident = 0
    for recording in recordings:
        looks += _Player(editor, recording).play()
        resident = max(resident, editor.usage().resident)
        tick()
    played, after = time.perf_counter() - begun, editor.usage()
    time.sleep(idle_seconds)
    idle = editor.usage().cpu - after.cpu
    return Replay(looks, resident, (after.cpu - before.cpu) / played * 60, idle / idle_seconds)


class _Player:
    """One session in the making."""

    def __init__(self, editor: Editor, recording: Recording) -> None:
        self._editor = editor
        self._recording = recording
        self._buffer = Buffer(editor, f"file:///{recording.name}.py", recording.text)
        self._answer: Answer | None = None
        self._asked_at = ""
        self._shown = ""  # text before the cursor with the last offer behind it
        self._due = time.perf_counter()

    def play(self) -> list[Look]:
        looks = [self._look(step) for step in self._recording.steps if self._act(step)]
        self._buffer.close()
        return looks

    def _act(self, step: Step) -> bool:
        """Do a step; says whether it is a look."""
        match step.action:
            case "goto":
                self._buffer.cursor = end_of_line(self._buffer.text, step.text)
            case "wait":
                self._sleep(step.delays[0])
            case "type":
                for key, delay in zip(step.text, step.delays, strict=True):
                    self._key(delay, 0, key)
            case "erase":
                for delay in step.delays:
                    self._key(delay, 1, "")
            case "follow":
                for key, delay in zip(self._offer(), step.delays, strict=False):
                    self._key(delay, 0, key)
            case "accept":
                self._key(step.delays[0], 0, self._offer())
            case _:
                return True
        return False

    def _offer(self) -> str:
        """What the person sees behind the cursor."""
        before = self._buffer.before
        return self._shown[len(before) :] if self._shown.startswith(before) else ""

    def _sleep(self, delay: float) -> None:
        """Wait until `delay` milliseconds after the last key was due."""
        self._due += delay / 1000
        time.sleep(max(0.0, self._due - time.perf_counter()))

    def _key(self, delay: int, erased: int, inserted: str) -> None:
        """Press a key: the change, a request, the end of the request before."""
        self._sleep(delay)
        self._note_offer()
        if self._answer:
            self._editor.cancel(self._answer)
        self._buffer.edit(erased, inserted)
        self._asked_at = self._buffer.before
        self._answer = self._buffer.ask()

    def _note_offer(self) -> None:
        if self._answer and self._answer.offer:
            self._shown = self._asked_at + self._answer.offer

    def _look(self, step: Step) -> Look:
        assert self._answer, "a session looks before it types"
        answer = self._answer.wait()
        typed_through = bool(answer.offer) and self._shown == self._asked_at + answer.offer
        look = Look(self._recording.name, answer.milliseconds, bool(answer.offer), typed_through)
        self._note_offer()
        self._due = max(self._due + step.delays[0] / 1000, time.perf_counter())
        time.sleep(max(0.0, self._due - time.perf_counter()))
        return look
