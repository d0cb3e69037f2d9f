"""Words that hardly anything can finish give way to other ones, and only where that is likelier."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from cert_lsp.contract.prompt import Marker
from cert_lsp.engine.decode import Decoder
from cert_lsp.engine.vocabulary import Vocabulary
from cert_lsp.engine.writing import Answer, Sampling, Task
from tests.cert_lsp.engine.fake import FakeRuntime, ids, spell, tiny_encoder

PROMPT = "df."
NAMES = ("isna", "size", "head")
END = tiny_encoder().marker_id(Marker.END)


class Spelling(FakeRuntime):
    """Behind each text of `table` the letters that may follow, with their logits; behind a name the end."""

    def __init__(self, table: Mapping[str, Mapping[str, float]]) -> None:
        super().__init__()
        self._table = table

    def row(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        row = np.full(self.vocab_size, -40.0, np.float32)
        row[END] = 0.0
        for letter, logit in self._table.get(spell(tokens).removeprefix(PROMPT), {}).items():
            row[ids(letter)[0]] = logit
        return row


def table(following: float) -> dict[str, dict[str, float]]:
    """Say what a model writes that means `isempty`; `following` is the logit of what makes it `isna`."""
    told = {"": {"i": 6.0, "s": 5.0}, "i": {"s": 30.0}, "is": {"e": 8.0, "n": following}}
    for name in NAMES:
        for at in range(1, len(name)):
            told.setdefault(name[:at], {name[at]: 30.0})
    return told


def there(answer: str, since: int) -> bool:
    """Say whether a name goes on as one of `NAMES`, or ends as one where a letter is none of a name."""
    return any(name.startswith(answer) for name in NAMES) or answer.strip() in NAMES


def write(model: Mapping[str, Mapping[str, float]], *, goes_back: bool = True, **settings: object) -> Answer:
    wanted = {"prompt": ids(PROMPT), "forced": "", "ends": frozenset({Marker.END}), "ended": lambda _: None}
    task = Task(**{**wanted, "max_tokens": 12, "allows": there, "goes_back": goes_back} | settings)  # pyright: ignore
    runtime = Spelling(model)
    return Decoder(runtime, Vocabulary(tiny_encoder(), runtime.vocab_size)).answer(task, np.random.default_rng(0))


def test_another_beginning_takes_the_place_of_one_that_nothing_likely_finishes() -> None:
    assert write(table(-2.0), goes_back=False).text == "isna"
    assert write(table(-2.0)).text == "size"


def test_a_word_goes_on_where_that_is_likelier_than_any_other_beginning() -> None:
    assert write(table(7.9)).text == "isna"


def test_what_was_taken_back_leaves_no_trace() -> None:
    answer, other = write(table(-2.0)), write({**table(-2.0), "": {"s": 6.0, "i": 5.0}})
    assert [token for token, _ in answer.tokens] == [token for token, _ in other.tokens]
    assert answer.logarithms[0] == pytest.approx(-1.313, abs=0.02)  # the second likeliest: 1 / (1 + e), and a little
    assert answer.logarithms[1:] == other.logarithms[1:]
    assert answer.complete


def test_guesses_that_were_right_until_then_do_no_harm() -> None:
    for guess in ("isna", "isempty", "size", "is"):
        answer = write(table(-2.0), follows=lambda done, guess=guess: [(each, 1.0) for each in ids(guess)[len(done) :]])
        assert answer == write(table(-2.0))


def test_it_comes_back_to_the_first_beginning_if_the_others_lead_nowhere() -> None:
    model = table(1.0)
    model["s"] = {"o": 30.0, "i": -35.0}
    model[""] = {"i": 6.0, "s": 5.0, "h": -20.0}
    assert write(model).text == "isna"


def test_what_the_user_typed_is_not_taken_back() -> None:
    assert write(table(-2.0), forced="is").text == "isna"
    start = [(token, -0.1) for token in ids("i")]
    assert write(table(-2.0), start=start).text == "isna"


def test_an_answer_goes_back_a_few_times_at_most() -> None:
    dead_ends = {"": {letter: 6.0 - place for place, letter in enumerate("abcdefgh")}}
    for letter in dead_ends[""]:
        dead_ends[letter] = {"x": 9.0, "y": -9.0}
    answer = write(dead_ends, allows=lambda text, _: "x" not in text)
    assert answer.text[0] in "abcde"


def test_a_draw_never_goes_back() -> None:
    for seed in range(5):
        answer = write(table(-2.0), goes_back=False, sampling=Sampling(1.0, 0.9), max_tokens=6 + seed)
        assert answer.text in NAMES
