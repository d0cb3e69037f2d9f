"""Decoding: healing, reuse of the cache, guesses that never show, stops and cancellation."""

import threading
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cert_lsp.contract.prompt import Marker
from cert_lsp.contract.sketch import Sketch, sketch
from cert_lsp.engine.api_filter import ApiFilter
from cert_lsp.engine.api_index import UNKNOWN
from cert_lsp.engine.column_filter import ColumnFilter
from cert_lsp.engine.decode import Decoder
from cert_lsp.engine.draft import follow
from cert_lsp.engine.fills import Fills
from cert_lsp.engine.name_filter import NameFilter
from cert_lsp.engine.vocabulary import Vocabulary
from cert_lsp.engine.writing import Answer, Sampling, Task
from cert_lsp.errors import DecodeCancelled, PromptError
from tests.cert_lsp.engine.fake import FakeRuntime, HashRuntime, ScriptRuntime, ids, spell, tiny_encoder

END = frozenset({Marker.END})
FILLS = Fills("df = pd.DataFrame({'carrier': x, 'delay': y})\n# mean delay per carrier\n", "mean delay per carrier")


def decoder(runtime: FakeRuntime) -> Decoder:
    return Decoder(runtime, Vocabulary(tiny_encoder(), runtime.vocab_size))


def never(_: str) -> None:
    return None


def task(prompt: Sequence[int] = (5, 6, 7), forced: str = "", **settings: object) -> Task:
    return Task(**{"prompt": prompt, "forced": forced, "ends": END, "ended": never, "max_tokens": 24} | settings)  # pyright: ignore


def write(runtime: FakeRuntime, wanted: Task, seed: int = 0) -> Answer:
    return decoder(runtime).answer(wanted, np.random.default_rng(seed))


@given(st.text(max_size=12), st.integers(0, 1000))
@settings(max_examples=60)
def test_answers_start_with_what_is_typed(forced: str, seed: int) -> None:
    forced = forced.encode("utf-8", "ignore").decode()
    answer = write(HashRuntime(seed), task(forced=forced, max_tokens=len(forced.encode()) + 3))
    assert answer.text.startswith(forced)


def test_a_typed_word_is_written_anew_by_its_own_tokens() -> None:
    answer = write(ScriptRuntime({"x = df.": "groupby('a')"}), task(ids("x = df."), "gro"))
    assert answer.text == "groupby('a')"
    assert [token for token, _ in answer.tokens] == ids("groupby('a')")
    assert answer.complete


@pytest.mark.parametrize("forced", ["    ", " ", "\t"])
def test_an_indentation_is_not_overshot_by_its_own_token(forced: str) -> None:
    encoder = tiny_encoder()
    allowed = Vocabulary(encoder, encoder.vocab_size).penalties(forced.encode(), END) == 0
    spelled = [encoder.token_bytes(token) for token in np.flatnonzero(allowed).tolist()]
    beyond = [each for each in spelled if len(each) > len(forced)]
    assert spelled
    assert not [each for each in beyond if each[len(forced) : len(forced) + 1] in b" \t"]


def test_only_expected_markers_end_an_answer() -> None:
    answer = write(HashRuntime(1), task(max_tokens=80))
    markers = {tiny_encoder().marker_id(marker) for marker in Marker}
    assert not markers & {token for token, _ in answer.tokens}


@given(st.lists(st.integers(3, 300), min_size=1, max_size=200), st.lists(st.integers(3, 300), min_size=1, max_size=200))
@settings(max_examples=30)
def test_what_is_read_does_not_depend_on_what_was_read_before(first: list[int], second: list[int]) -> None:
    used = decoder(HashRuntime(0))
    used.read(first)
    used.read(first + second)
    assert np.array_equal(used.read(second), decoder(HashRuntime(0)).read(second))


def test_a_longer_prompt_is_read_from_where_it_differs() -> None:
    runtime = HashRuntime(0)
    reader = decoder(runtime)
    reader.read(range(10, 60))
    reader.read([*range(10, 60), 70, 71])
    reader.read([*range(10, 40), 99])
    assert runtime.calls == [50, 2, 1]


CODES = [
    "df = df.groupby('carrier')['delay'].mean()",
    "x = df.head(12).fillna(0.5)\nprint(x[1:3], 'a', \"b\")",
    "return df[df['a'] > 10].sort_values('b', ascending=False)",
]


@given(st.sampled_from(CODES), st.sampled_from([*CODES, "", "other = 1"]), st.integers(0, 99), st.booleans())
@settings(max_examples=60)
def test_guesses_never_show(code: str, recited: str, seed: int, hashed: bool) -> None:
    wire = sketch(code)
    follows = follow(wire, tiny_encoder().encode_text, FILLS)
    runtime = HashRuntime(seed, code) if hashed else ScriptRuntime({"<code>": recited})
    sampling = Sampling(1.0, 0.9) if seed % 3 == 0 else Sampling()
    plain = task(ids(wire.wire + "<code>"), sampling=sampling, max_tokens=40)
    guided = task(ids(wire.wire + "<code>"), sampling=sampling, max_tokens=40, follows=follows)
    assert write(runtime, guided, seed) == write(runtime, plain, seed)


@pytest.mark.parametrize("code", CODES)
def test_guesses_save_passes(code: str) -> None:
    wire = sketch(code)
    guided, plain = ScriptRuntime({"<code>": code}), ScriptRuntime({"<code>": code})
    prompt = ids(wire.wire + "<code>")
    write(guided, task(prompt, follows=follow(wire, tiny_encoder().encode_text, FILLS), max_tokens=60))
    write(plain, task(prompt, max_tokens=60))
    assert len(guided.calls) < 0.8 * len(plain.calls)


@pytest.mark.parametrize(
    ("wire", "code", "expected"),
    [
        ("df[$string].mean()", "df", "["),
        ("df[$string].mean()", "df['a'", "].mean()"),
        ("df[$string].mean()", "df['a", ""),
        ("df[$string].mean()", "df['de", "lay'].mean("),
        ("df.groupby($string).mean()", "df.groupby('", "carrier').mean("),
        ("df.groupby($string)[$string].mean()", "df.groupby('carrier')['", "delay'].mean("),
        ("df.head($number).sum()", "df.head(12", ").sum()"),
        ("df.head($number).sum()", "df.head(12).su", "m()"),
        ("df.head($number).sum()", "df.tail(12).head(", ""),
        ("df.dropna().groupby($string).sum()", "df2.dropna().grou", "pby("),
        ("string + $string", "string + 'a'", ""),
    ],
)
def test_the_place_in_the_sketch(wire: str, code: str, expected: str) -> None:
    def characters(text: str) -> list[int]:
        return [ord(char) for char in text]

    guessed = "".join(chr(token) for token, _ in follow(Sketch(wire), characters, FILLS)(code))
    assert guessed == expected


FRAME = "import pandas as pd\ndf = pd.DataFrame({'carrier': ['a'], 'delay': [1]})\n"
WITH_API = ["df.groupy('carrier').mean()", "df.sort_values(by='delay', ascnding=False)", *CODES]
WITH_NAMES = ["df.groupby('city')[late].mean()", "late = df['delays'].dt.year"]


def allows(answer: str, since: int) -> bool:
    api = ApiFilter(FRAME, "", "", UNKNOWN)
    names, columns = NameFilter([FRAME], "", "", api.keywords_at), ColumnFilter(FRAME, "", "")
    return all(judge.allows(answer, since) for judge in (api, names, columns))


@given(st.sampled_from([*WITH_API, *WITH_NAMES]), st.integers(0, 99), st.booleans())
@settings(max_examples=60, deadline=None)
def test_guesses_never_show_where_a_token_is_refused(code: str, seed: int, hashed: bool) -> None:
    wire = sketch(code)
    follows = follow(wire, tiny_encoder().encode_text, FILLS)
    runtime = HashRuntime(seed, code) if hashed else ScriptRuntime({"<code>": code})
    sampling = Sampling(1.0, 0.9) if seed % 3 == 0 else Sampling()
    plain = task(ids(wire.wire + "<code>"), sampling=sampling, max_tokens=30, allows=allows)
    guided = task(ids(wire.wire + "<code>"), sampling=sampling, max_tokens=30, allows=allows, follows=follows)
    answer = write(runtime, guided, seed)
    assert answer == write(runtime, plain, seed)


def test_what_a_task_does_not_allow_is_not_written() -> None:
    script = ScriptRuntime({"<code>": "df.groupy('delay')"}, {"<code>": ["df.groupby('delay').mean()"]})
    assert write(script, task(ids("<code>"))).text == "df.groupy('delay')"
    answer = write(script, task(ids("<code>"), allows=allows))
    assert answer.text == "df.groupby('delay').mean()"
    assert answer.complete


def test_the_end_of_an_answer_ends_its_last_name() -> None:
    script = ScriptRuntime({"<code>": "df.groupb"}, {"<code>": ["df.groupby('delay')"]})
    assert write(script, task(ids("<code>"), allows=allows)).text == "df.groupby('delay')"


def test_a_start_that_is_not_allowed_is_known_before_it_is_written() -> None:
    writer = decoder(HashRuntime(0))
    for text, may in (("df.sort_values", True), ("df.sortby", False)):
        assert writer.may_start(task(allows=allows), [(token, 0.0) for token in ids(text)]) == may


def test_where_nothing_is_allowed_the_likeliest_is_written() -> None:
    script = ScriptRuntime({"<code>": "df.mean()"})
    assert write(script, task(ids("<code>"), allows=lambda _answer, _since: False)).text == "df.mean()"


def test_ends_where_the_task_says() -> None:
    answer = write(
        ScriptRuntime({"x": " = 1\ny = 2"}),
        task(ids("x"), ended=lambda text: text.find("\n") if "\n" in text else None),
    )
    assert answer.text == " = 1"
    assert answer.complete
    assert spell([token for token, _ in answer.tokens]) == " = 1"


def test_breaks_off_by_length() -> None:
    answer = write(ScriptRuntime({"x": "abcdefghijklmnopqrstuvw"}), task(ids("x"), max_tokens=5))
    assert len(answer.tokens) == 5
    assert not answer.complete


def test_breaks_off_where_it_turns_in_a_circle() -> None:
    answer = write(ScriptRuntime({"x": "0, " * 200}), task(ids("x"), max_tokens=400))
    assert len(answer.tokens) < 60
    assert not answer.complete


def test_never_writes_beyond_the_window() -> None:
    runtime = HashRuntime(3)
    runtime.capacity = 12
    answer = decoder(runtime).answer(
        task(range(5, 15), follows=lambda _: [(1, 1.0), (2, 1.0), (3, 1.0), (4, 1.0)]), np.random.default_rng(0)
    )
    assert len(answer.tokens) <= 2
    with pytest.raises(PromptError):
        decoder(runtime).read(range(13))
    with pytest.raises(PromptError):
        decoder(runtime).read([])


def test_alternatives_lead_elsewhere() -> None:
    runtime = ScriptRuntime({"x": " = df.mean()"}, {"x": [" = df.sum()"]})
    writer = decoder(runtime)
    first = writer.answer(task(ids("x")), np.random.default_rng(0))
    branch = writer.answer(task(ids("x"), start=first.branch(first.alternatives[0])), np.random.default_rng(0))
    assert (first.text, branch.text) == (" = df.mean()", " = df.sum()")
    assert np.mean(branch.logarithms) < np.mean(first.logarithms)


def test_sampling_is_repeatable_and_stays_in_the_nucleus() -> None:
    runtime = ScriptRuntime({"x": " = df.mean()"}, {"x": [" = df.sum()"]})
    hot = task(ids("x"), sampling=Sampling(2.0, 0.5))
    assert write(runtime, hot, 7) == write(runtime, hot, 7)
    assert write(runtime, hot, 7).text == " = df.mean()"
    wild = task(sampling=Sampling(1.0))
    assert len({write(HashRuntime(0), wild, seed).text for seed in range(5)}) == 5


def test_cancels_between_tokens_and_goes_on_afterwards() -> None:
    cancel = threading.Event()

    class Cancelling(HashRuntime):
        def forward(self, *arguments, **settings):  # type: ignore[no-untyped-def]
            if len(self.calls) == 4:
                cancel.set()
            return super().forward(*arguments, **settings)

    runtime = Cancelling(0)
    writer = decoder(runtime)
    with pytest.raises(DecodeCancelled):
        writer.answer(task(), np.random.default_rng(0), cancel)
    assert len(runtime.calls) == 5
    assert writer.answer(task(), np.random.default_rng(0)) == write(HashRuntime(0), task())
