"""What a user of VS Code does and sees, from the comment to the code and back."""

import ast
import re

import pytest

from tests.e2e.vscode.code_server import CodeServer
from tests.e2e.vscode.conftest import Film, OpenFile, TakePicture

BEFORE = b"""\
import pandas as pd

flights = pd.DataFrame({
    "carrier": ["AA", "UA", "AA", "DL"],
    "delay": [12.0, -3.0, 30.0, 4.0],
    "distance": [733, 2475, 1400, 404],
})

"""
INTENT = "# average delay per carrier"
# The model answers this one with two statements.
TWO_STEPS = "# drop missing delays and reset the index, then sort by distance"
COMMENTED = BEFORE + INTENT.encode()

LENS = ".editor-instance:focus-within .codelens-decoration"  # of the sketch, once keys go there


@pytest.mark.parametrize(
    ("content", "intent"),
    [
        (BEFORE, INTENT),
        (BEFORE, "# \N{AIRPLANE} Ø \N{SLIGHTLY SMILING FACE} average delay per carrier"),
        (BEFORE.replace(b"\n", b"\r\n"), INTENT),
    ],
    ids=["plain", "emoji", "crlf"],
)
def test_comment_becomes_code_and_back(open_file: OpenFile, content: bytes, intent: str, film: Film) -> None:
    window = open_file(content)
    film.take(window, 1)
    for word in re.findall(r"\S+\s*", intent):
        window.type(word)
        film.take(window, 0.3)
    ghost = window.ghost_behind(intent)
    film.take(window, 2.5)
    commented = content + intent.encode()
    window.wait_for_file(commented)
    assert {"groupby", "mean"} <= set(re.findall(r"\w+", ghost))

    window.press("Tab")
    end = b"\r\n" if b"\r\n" in content else b"\n"
    window.wait_for_file(commented + ghost.encode().replace(b"\n", end))
    ast.parse(window.content())
    film.take(window, 2)

    window.press("Control+z")
    window.wait_for_file(commented)
    if content == BEFORE and intent == INTENT:
        film.save("vscode-ghost-text")


def test_typed_through(open_file: OpenFile) -> None:
    window = open_file(BEFORE)
    ghost = window.type_and_wait(INTENT)
    begun = ghost.lstrip()[:12]
    window.press("Enter")
    window.type(begun)
    window.wait(lambda: window.ghost() == ghost.lstrip()[12:], "the rest on the line")
    window.press("Tab")
    window.wait_for_file(COMMENTED + ghost.encode())
    ast.parse(window.content())


def test_accepted_by_words(open_file: OpenFile) -> None:
    window = open_file(BEFORE)
    ghost = window.type_and_wait(INTENT)
    window.press("Control+ArrowRight")
    window.wait(lambda: 0 < len(window.ghost()) < len(ghost), "the rest of the ghost text")
    rest = window.ghost()
    assert ghost.endswith(rest)
    window.wait_for_file(COMMENTED + ghost.removesuffix(rest).encode())
    window.press("Tab")
    window.wait_for_file(COMMENTED + ghost.encode())


def test_one_statement_after_the_other_or_all_on_request(open_file: OpenFile) -> None:
    window = open_file(BEFORE)
    first = window.type_and_wait(TWO_STEPS)
    window.press("Tab")
    window.wait_for_file(BEFORE + f"{TWO_STEPS}{first}".encode())
    window.wait(lambda: window.ghost().strip(), "the second statement")
    second = window.ghost()
    window.press("Tab")
    window.wait_for_file(BEFORE + f"{TWO_STEPS}{first}{second}".encode())
    for statement in (first, second):
        assert len(ast.parse(statement).body) == 1
    window.press("Control+z", "Control+z")
    window.wait_for_file(BEFORE + TWO_STEPS.encode())
    window.command("Trigger Inline Suggestion")
    window.wait(lambda: len(ast.parse(window.ghost()).body) == 2, "both statements")


def test_other_answers_on_request(open_file: OpenFile) -> None:
    window = open_file(BEFORE)
    window.type_and_wait(INTENT)
    window.command("Trigger Inline Suggestion")
    window.wait(lambda: any(each.invoked and each.codes for each in window.exchanges()), "several answers")
    (codes,) = [each.codes for each in window.exchanges() if each.invoked and each.codes]
    assert len(codes) == len(set(codes)) == 3

    def is_another() -> bool:
        if window.ghost() in codes[1:]:
            return True
        window.press("Alt+]")  # may come before VS Code has the list that the server has sent
        return False

    window.wait(is_another, "another answer")


def test_popup_is_accepted(open_file: OpenFile) -> None:
    window = open_file(BEFORE)
    window.type_and_wait(INTENT)
    window.press_until(("Escape", "Control+Space"), ".suggest-widget.visible .monaco-list-row.focused", "groupby")
    window.press("Enter")
    window.wait(lambda: "mean()" in window.content().decode(), "the accepted code")
    assert window.content().startswith(COMMENTED + b"\n")
    ast.parse(window.content())
    window.press("Escape", "Control+z")
    window.wait_for_file(COMMENTED)


def test_accepted_code_tells_its_sketch_and_is_logged(open_file: OpenFile, code_server: CodeServer) -> None:
    window = open_file(BEFORE)
    window.change_settings(cert_feedback=True)
    ghost = window.type_and_wait(INTENT)
    window.press("Tab")
    window.wait_for_file(COMMENTED + ghost.encode())
    window.press_until(("Escape", "Control+k", "Control+i"), ".monaco-hover", "CERT sketch")

    assert [record["event"] for record in code_server.feedback()] == ["shown", "accepted"]
    window.command("CERT-LSP: Delete the Feedback Log")
    window.wait(lambda: not code_server.feedback(), "the log to be deleted")


def test_sketch_is_changed_and_the_code_follows(
    open_file: OpenFile, code_server: CodeServer, take_picture: TakePicture
) -> None:
    window = open_file(BEFORE)
    window.change_settings(cert_feedback=True)
    window.type_and_wait(INTENT)
    window.command("CERT-LSP: Show the Sketch")
    window.find(LENS, "mean()")
    take_picture(window, "vscode-sketch")
    window.press("Control+a")
    window.type("answer = flights.groupby($string)[$string].max()")
    window.find(LENS, "max()")
    assert window.content() == COMMENTED
    window.press("Control+Enter")
    window.wait(lambda: b".max()" in window.content(), "the code in the file")
    assert window.content().startswith(COMMENTED)
    ast.parse(window.content())
    window.wait(lambda: code_server.feedback()[-1]["event"] == "accepted", "the log of what was accepted")
    assert (
        ".max()"
        in next(each for each in code_server.feedback() if each["id"] == code_server.feedback()[-1]["id"])["sketch"]
    )
    window.press("Control+z")
    window.wait_for_file(COMMENTED)


def test_pages_of_sketches_are_turned(open_file: OpenFile) -> None:
    window = open_file(COMMENTED)
    window.command("CERT-LSP: Show the Sketch")
    shown = []
    for number, key in ((1, "Alt+]"), (2, "Alt+]"), (3, "Alt+]"), (1, "Alt+["), (3, "Alt+[")):
        window.find(LENS, f"sketch {number} of 3")
        shown.append(window.find(".editor-group-container.active .view-lines", "flights").inner_text())
        window.press(key)
    window.find(LENS, "sketch 2 of 3")
    assert len(set(shown[:3])) == 3
    assert shown[3:] == [shown[0], shown[2]]
    assert all("$string" in sketch.replace("\xa0", " ") for sketch in shown)
