"""What a user of VS Code does and sees, from the comment to the code and back."""

import ast
import re

import psutil
import pytest

from tests.e2e.vscode.code_server import CodeServer
from tests.e2e.vscode.conftest import OpenFile
from tests.e2e.vscode.window import Window

BEFORE = b"""\
import pandas as pd

flights = pd.DataFrame({
    "carrier": ["AA", "UA", "AA", "DL"],
    "delay": [12.0, -3.0, 30.0, 4.0],
    "distance": [733, 2475, 1400, 404],
})

"""
INTENT = "# average delay per carrier"


def type_intent(window: Window, intent: str = INTENT) -> str:
    """Type an intent; what is offered for it."""
    window.type(intent)
    window.wait(lambda: window.ghost().strip(), "ghost text")
    return window.ghost()


@pytest.mark.parametrize(
    ("content", "intent"),
    [
        (BEFORE, INTENT),
        (BEFORE, "# \N{AIRPLANE} Ø \N{SLIGHTLY SMILING FACE} average delay per carrier"),
        (BEFORE.replace(b"\n", b"\r\n"), INTENT),
    ],
    ids=["plain", "emoji", "crlf"],
)
def test_comment_becomes_code_and_back(open_file: OpenFile, content: bytes, intent: str) -> None:
    window = open_file(content)
    ghost = type_intent(window, intent)
    commented = content + intent.encode()
    window.wait_for_file(commented)
    assert {"groupby", "mean"} <= set(re.findall(r"\w+", ghost))

    window.press("Tab")
    end = b"\r\n" if b"\r\n" in content else b"\n"
    window.wait_for_file(commented + ghost.encode().replace(b"\n", end))
    ast.parse(window.content())

    window.press("Control+z")
    window.wait_for_file(commented)


def test_typed_through(open_file: OpenFile) -> None:
    window = open_file(BEFORE)
    ghost = type_intent(window)
    begun = ghost.lstrip()[:12]
    window.press("Enter")
    window.type(begun)
    window.wait(lambda: window.ghost() and not window.ghost().startswith("\n"), "the rest on the line")
    rest = window.ghost()
    window.press("Tab")
    window.wait_for_file(BEFORE + f"{INTENT}\n{begun}{rest}".encode())
    ast.parse(window.content())


def test_pause_and_resume(open_file: OpenFile) -> None:
    window = open_file(BEFORE)
    window.command("CERT-LSP: Pause")
    window.wait(lambda: "paused" in window.state(), "the pause")
    window.type(INTENT)
    window.wait_for_file(BEFORE + INTENT.encode())
    assert not window.ghost()
    window.command("CERT-LSP: Resume")
    window.wait(lambda: "ready" in window.state(), "the end of the pause")
    window.press("Backspace")
    window.type("r")
    window.wait(lambda: window.ghost().strip(), "ghost text")


def test_killed_server_comes_back(open_file: OpenFile, code_server: CodeServer) -> None:
    window = open_file(BEFORE)
    window.type(INTENT)
    (server,) = [each for each in psutil.Process(code_server.pid).children(recursive=True) if "serve" in each.cmdline()]
    server.kill()
    window.wait(lambda: "the server stopped unexpectedly" in window.messages(), "a message")
    window.wait(lambda: "ready" in window.state(), "the new server")
    window.type("s")
    window.wait(lambda: window.ghost().strip(), "ghost text")


def test_sketch_is_changed_and_the_code_follows(open_file: OpenFile) -> None:
    window = open_file(BEFORE)
    type_intent(window)
    window.command("CERT-LSP: Show the Sketch")
    lens = window.page.locator(".codelens-decoration").first
    window.wait(lambda: lens.count() and "mean()" in lens.inner_text(), "the code that follows from the sketch")
    window.press("Control+a")
    window.type("answer = flights.groupby($string)[$string].max()")
    window.wait(lambda: "max()" in lens.inner_text(), "the code that follows from the changed sketch")
    assert window.content() == BEFORE + INTENT.encode()
    window.press("Control+Enter")
    window.wait(lambda: window.content() != BEFORE + INTENT.encode(), "the code in the file")
    code = window.content().decode().removeprefix(BEFORE.decode() + INTENT)
    assert ".max()" in code
    ast.parse(window.content())


def test_popup_is_accepted(open_file: OpenFile) -> None:
    window = open_file(BEFORE)
    type_intent(window)
    window.press("Control+Space")
    row = window.page.locator(".suggest-widget.visible .monaco-list-row", has_text="groupby").first
    row.wait_for(timeout=60_000)
    row.click()
    window.wait(lambda: "mean()" in window.content().decode(), "the accepted code")
    assert window.content().startswith(BEFORE + INTENT.encode() + b"\n")
    ast.parse(window.content())
