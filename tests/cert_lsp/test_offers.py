"""Typing along with an offer: the rest of it is offered, and nothing else ever is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cert_lsp.engine.context import build_context
from cert_lsp.engine.rank import Candidate
from cert_lsp.offers import Memory, Offer
from cert_lsp.settings import Settings
from tests.cert_lsp.raw_client import TEXT, URI, RawClient

DEFAULTS = Settings()
MEAN = Candidate("\ndf.mean()", "df.mean()", -0.1)
MEDIAN = Candidate("\ndf.median()", "df.median()", -0.2)


def offer(candidates: list[Candidate] | None = None, count: int = 2) -> Offer:
    return made("# mean\nend", 6, [MEAN, MEDIAN] if candidates is None else candidates, count)


def made(text: str, offset: int, candidates: list[Candidate], count: int = 1, number: int = 1) -> Offer:
    context = build_context(text, offset)
    return Offer(number, URI, text, offset, count, DEFAULTS, "fake", context, candidates)


def rest(typed: str, given: Offer | None = None, count: int = 1, settings: Settings = DEFAULTS) -> list[str]:
    text = f"# mean{typed}\nend"
    return [each.code for each in (given or offer()).rest(text, 6 + len(typed), count, settings)]


def test_the_rest_of_all_that_still_agree_is_left() -> None:
    assert rest("", count=2) == ["\ndf.mean()", "\ndf.median()"]
    assert rest("\ndf.me", count=2) == ["an()", "dian()"]
    assert rest("\ndf.me") == ["an()"]
    assert rest("\ndf.mea") == ["n()"]


@pytest.mark.parametrize("typed", ["x", "\ndf.sum", "\ndf.med", "\ndf.mean()", "\ndf.mean() "])
def test_nothing_is_left_once_the_best_one_does_not_agree_or_is_typed(typed: str) -> None:
    assert rest(typed) == []


def test_more_candidates_or_other_settings_need_the_model() -> None:
    assert rest("\n", count=3) == []
    assert rest("\n", settings=Settings(sketch=False)) == []
    assert rest("\n", offer([])) == []


def test_a_change_elsewhere_needs_the_model() -> None:
    given = offer()
    assert given.rest("# mode\ndf\nend", 9, 1, DEFAULTS) == []
    assert given.rest("# mean\ndf\nEND", 9, 1, DEFAULTS) == []
    assert given.rest("# mean\nend", 4, 1, DEFAULTS) == []


@given(st.text("ab\n", max_size=8), st.text("ab\n", max_size=8), st.text("ab\n", max_size=8), st.integers(0, 8))
def test_what_is_left_completes_to_what_was_offered(before: str, after: str, code: str, more: int) -> None:
    given = made(before + after, len(before), [Candidate(code, "", 0.0)])
    text = before + code[:more] + after
    for left in given.rest(text, len(before) + min(more, len(code)), 1, DEFAULTS):
        assert code[:more] + left.code == code


HEAD = "import pandas as pd\ndf = pd.DataFrame()\n# mean, then show it"


def test_statements_are_proposed_one_after_the_other() -> None:
    code = "\nmean = df.mean()\nprint(mean)"
    given = made(HEAD, len(HEAD), [Candidate(code, "", 0.0)])
    assert Memory().keep("inline", given)[0].statement == "\nmean = df.mean()"
    for typed, statement in (
        ("\nme", "an = df.mean()"),
        ("\nmean = df.mean()", "\nprint(mean)"),
        ("\nmean", " = df.mean()"),
    ):
        text = HEAD + typed
        assert [each.statement for each in given.rest(text, len(text), 1, DEFAULTS)] == [statement]


def test_accepted_completion_is_found_where_it_stands_and_as_long_as_it_does() -> None:
    memory = Memory()
    code = "\nmean = df.mean()\nprint(mean)"
    [proposal] = memory.keep("inline", made(HEAD, len(HEAD), [Candidate(code, "", 0.0)], number=memory.next_number()))
    assert memory.accept("7.7") is None
    accepted = memory.accept(proposal.id)
    assert accepted == memory.accept(proposal.id)
    text = f"x = 1\n{HEAD}{code}\nmore"
    for there in ("# mean", "df.mean", "print(mean"):
        assert memory.accepted_at(URI, text, text.index(there)) == accepted
    for elsewhere in ("x = 1", "more", "pandas"):
        assert memory.accepted_at(URI, text, text.index(elsewhere)) is None
    first = f"{HEAD}\nmean = df.mean()\nprint(1)"
    assert memory.accepted_at(URI, first, first.index("df.mean")) == accepted
    assert memory.accepted_at(URI, first, len(first)) is None
    changed = text.replace("df.mean()", "df.median()")
    assert memory.accepted_at(URI, changed, changed.index("df.median")) is None
    memory.close(URI)
    assert memory.accepted_at(URI, text, text.index("df.mean")) is None
    assert memory.accept(proposal.id) is None


def test_old_offers_are_forgotten() -> None:
    memory = Memory()
    for number in range(300):
        [proposal] = memory.keep("inline", made(HEAD, len(HEAD), [MEAN], number=number))
        assert memory.is_new(proposal)
        assert not memory.is_new(proposal)
    assert memory.accept("0.0") is None
    assert memory.accept("299.0")


def test_a_closed_document_leaves_nothing_behind() -> None:
    memory = Memory()
    [proposal] = memory.keep("inline", made(HEAD, len(HEAD), [MEAN]))
    assert memory.is_new(proposal)
    assert memory.accept(proposal.id)
    memory.close(URI)
    assert not memory.is_new(proposal)
    assert not any(held for name, held in vars(memory).items() if name != "_count")


def test_the_server_answers_typed_through_text_without_the_model() -> None:
    with RawClient.fake() as client:
        client.initialize({"textDocument": {"inlineCompletion": {}}})
        client.open(TEXT)
        [item] = client.response(client.inline())["result"]["items"]
        typed = item["insertText"][:8]
        here = {"line": 2, "character": 22}
        change = {"range": {"start": here, "end": here}, "text": typed}
        document = {"uri": URI, "version": 2}
        client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})
        [rest_of_it] = client.response(client.inline(3, len(typed) - 1))["result"]["items"]
        assert typed + rest_of_it["insertText"] == item["insertText"]  # the fake counts its decodes in the text
