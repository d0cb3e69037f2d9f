"""Documents and positions, against the plain-string meaning of the specification."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from cert_lsp.positions import body, column_to_index, split_lines, units
from cert_lsp.session import Document, Session

TEXT = st.text(st.sampled_from("ab \n\r\x0c\u2028é🐼\ud800"), max_size=12)
ENCODING = st.sampled_from(["utf-8", "utf-16", "utf-32"])
POSITION = st.builds(types.Position, st.integers(0, 5), st.integers(0, 12))


def reference_offset(text: str, position: types.Position, encoding: str) -> int:
    """Walk the text character by character, as the specification tells it."""
    start = 0
    for _ in range(position.line):
        found = re.compile("\r\n|\r|\n").search(text, start)
        if not found:
            return len(text)
        start = found.end()
    offset, left = start, position.character
    while offset < len(text) and text[offset] not in "\r\n":
        left -= units(text[offset], encoding)
        if left < 0:
            break
        offset += 1
    return offset


@given(TEXT)
def test_lines_join_to_the_text_and_end_where_the_protocol_says(text: str) -> None:
    lines = split_lines(text)
    assert "".join(lines) == text
    assert len(lines) == len(re.findall("\r\n|\r|\n", text)) + 1
    assert all(not re.search("[\r\n]", body(line)) for line in lines)


@given(TEXT, st.lists(st.tuples(POSITION, POSITION, TEXT), max_size=4), ENCODING)
def test_edits_give_the_text_that_the_specification_gives(
    text: str, edits: list[tuple[types.Position, types.Position, str]], encoding: str
) -> None:
    document = Document(text, 1)
    for start, end, inserted in edits:
        first, last = sorted(reference_offset(text, each, encoding) for each in (start, end))
        text = text[:first] + inserted + text[last:]
        document.apply(types.TextDocumentContentChangePartial(types.Range(start, end), inserted), encoding)
        assert document.lines == split_lines(text)


@given(TEXT, POSITION, ENCODING)
def test_snapshot_has_normalised_line_ends_and_the_right_offset(
    text: str, position: types.Position, encoding: str
) -> None:
    snapshot = Document(text, 3).snapshot("file:///a.py", position, encoding)
    normal = re.sub("\r\n|\r", "\n", text)
    before = text[: reference_offset(text, position, encoding)]
    assert snapshot.text == normal
    assert snapshot.offset == len(re.sub("\r\n|\r", "\n", before))
    again = Document(normal, 3).snapshot("file:///a.py", snapshot.position, encoding)
    assert (again.offset, again.position) == (snapshot.offset, snapshot.position)


@given(st.text(st.sampled_from("aé€🐼\ud800"), max_size=8), ENCODING)
def test_columns_round_trip(line: str, encoding: str) -> None:
    for index in range(len(line) + 1):
        assert column_to_index(line, units(line[:index], encoding), encoding) == index


@pytest.mark.parametrize(("encoding", "length"), [("utf-8", 4), ("utf-16", 2), ("utf-32", 1)])
def test_units_of_an_emoji(encoding: str, length: int) -> None:
    assert units("🐼", encoding) == length


def test_column_inside_a_character_is_its_start() -> None:
    assert column_to_index("a🐼b", 2, "utf-16") == 1
    assert column_to_index("a🐼b", 3, "utf-8") == 1


def test_whole_document_change_replaces_the_text() -> None:
    document = Document("a\nb", 1)
    document.apply(types.TextDocumentContentChangeWholeDocument("c"), "utf-16")
    assert document.lines == ["c"]


def test_edit_of_a_huge_document_costs_little() -> None:
    document = Document("value = 1\n" * 100_000, 1)
    at = types.Position(50_000, 9)
    begun = time.perf_counter()
    for _ in range(100):
        document.apply(types.TextDocumentContentChangePartial(types.Range(at, at), "0"), "utf-16")
    assert time.perf_counter() - begun < 0.5
    assert document.lines[50_000] == "value = 1" + 100 * "0" + "\n"


def test_session_ignores_changes_of_documents_that_are_not_open() -> None:
    session = Session()
    change = types.TextDocumentContentChangeWholeDocument("x")
    identifier = types.VersionedTextDocumentIdentifier(2, "file:///a.py")
    session.change(types.DidChangeTextDocumentParams(identifier, [change]))
    assert session.take_snapshot("file:///a.py", types.Position(0, 0)) is None
    session.open(types.TextDocumentItem("file:///a.py", "python", 1, ""))
    session.change(types.DidChangeTextDocumentParams(identifier, [change]))
    snapshot = session.take_snapshot("file:///a.py", types.Position(0, 9))
    assert snapshot
    assert (snapshot.text, snapshot.version, snapshot.offset) == ("x", 2, 1)
    session.close("file:///a.py")
    session.close("file:///a.py")
    assert session.take_snapshot("file:///a.py", types.Position(0, 0)) is None
