"""Recordings are well formed, and played back to the letter."""

from pathlib import Path

import pytest

from benchmarks.recording import Recording, Step, end_of_line, read_recordings
from cert_lsp.engine.context import build_context
from cert_lsp.errors import BenchmarkError

RECORDINGS = read_recordings()


def test_there_are_enough_in_files_of_many_lengths() -> None:
    lengths = {len(recording.text.splitlines()) for recording in RECORDINGS}
    assert len(RECORDINGS) >= 20
    assert min(lengths) < 30
    assert max(lengths) > 400
    actions = {step.action for recording in RECORDINGS for step in recording.steps}
    assert actions == {"goto", "wait", "type", "erase", "ask", "follow", "accept"}


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.name)
def test_session_lasts_10_to_20_seconds_and_every_look_is_at_an_intent(recording: Recording) -> None:
    assert 10 <= recording.seconds <= 20
    intents = list(recording.intents())
    assert intents
    assert all(build_context(text, cursor) for text, cursor in intents)


def test_intents_apply_the_steps() -> None:
    steps = (
        Step("goto", "b = 2", ()),
        Step("type", "\n# sun", (1,) * 6),
        Step("erase", "", (1,)),
        Step("type", "m", (1,)),
        Step("ask", "", (500,)),
    )
    [(text, cursor)] = Recording("it", "a = 1\nb = 2\nc = 3\n", steps).intents()
    assert text == "a = 1\nb = 2\n# sum\nc = 3\n"
    assert text[:cursor].endswith("# sum")


@pytest.mark.parametrize(
    "line", ["goto", 'type "ab" 1', "erase", 'ask "x" 1', "dance 1", 'type "a 1', "wait 1 x", "accept"]
)
def test_a_bad_line_is_told(line: str, tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text(f"document flights_report.py.txt\n{line}\n")
    with pytest.raises(BenchmarkError, match=r"bad\.txt"):
        read_recordings(tmp_path)


def test_a_jump_needs_one_line() -> None:
    with pytest.raises(BenchmarkError, match="2 lines"):
        end_of_line("x = 1\nx = 1\n", "x = 1")
