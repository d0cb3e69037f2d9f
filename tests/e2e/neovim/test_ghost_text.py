"""A comment is typed, ghost text appears, Tab accepts it, undo takes it back: in Neovim itself."""

import ast
import json
import re
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, shared_servers, suspended
from tests.e2e.neovim.conftest import BEFORE, INTENT, SETUPS, OpenFile, Setup, StartEditor
from tests.e2e.neovim.screen import render_svg

PICTURE = ROOT / "docs" / "images" / "ghost-text.svg"
BEGUN = "delays = flights.gro"

Answer = Callable[[str], str]


@pytest.fixture(scope="module")
def answer(commands: Path, tmp_path_factory: pytest.TempPathFactory) -> Answer:
    """What ``cert-lsp complete`` inserts at the end of a text."""

    @cache
    def answer(text: str) -> str:
        file = tmp_path_factory.mktemp("answer") / "delays.py"
        file.write_text(text, encoding="utf-8")
        command = [commands / "cert-lsp", "complete", f"{file}:{text.count(chr(10)) + 1}", "--json"]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        return json.loads(output)["candidates"][0]["code"]

    return answer


def test_comment_becomes_code(
    setup: Setup, open_file: OpenFile, answer: Answer, request: pytest.FixtureRequest
) -> None:
    editor = open_file(setup)
    before = BEFORE.removesuffix("\n")
    code = answer(before + INTENT)
    assert {"groupby", "mean"} <= set(re.findall(r"\w+", code))
    for column, key in enumerate(INTENT, start=1):
        editor.type(key)
        editor.wait(lambda typed=column: editor.screen.cursor[1] == typed, "the typed comment")
        editor.capture(seconds=0.06)

    editor.wait(lambda: editor.ghost() == code, f"the ghost text {code!r}")
    shown = code.strip().splitlines()[0]
    editor.wait(lambda: shown in editor.screen.text(), "the ghost text on the screen")
    assert editor.text() == f"{before}{INTENT}\n"
    editor.capture(seconds=2.5)

    editor.type("<Tab>")
    editor.wait(lambda: editor.text() == f"{before}{INTENT}{code}\n", "the accepted code")
    ast.parse(editor.text())
    editor.type("<Esc>")
    editor.wait(lambda: not editor.ghost(), "the ghost text to leave")
    editor.capture(seconds=2)

    editor.type("u")
    editor.wait(lambda: editor.text() == f"{before}{INTENT}\n", "the undo")

    svg = render_svg(editor.frames, "A comment is typed in Neovim, ghost text appears below it, Tab accepts it")
    assert shown.split()[0] in svg
    if request.config.getoption("write_picture") and setup is SETUPS["0.12"]:
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        PICTURE.write_text(svg, encoding="utf-8")


def test_begun_statement_is_finished(setup: Setup, open_file: OpenFile, answer: Answer) -> None:
    editor = open_file(setup)
    text = f"{BEFORE.removesuffix(chr(10))}{INTENT}\n{BEGUN}"
    code = answer(text)
    assert code.strip()
    assert not code.startswith(("\n", BEGUN))
    editor.type(f"{INTENT}<CR>{BEGUN}")
    editor.wait(lambda: editor.ghost() == code, f"the ghost text {code!r}")
    editor.type("<Tab>")
    editor.wait(lambda: editor.text() == f"{text}{code}\n", "the accepted code")
    ast.parse(editor.text())


@pytest.mark.parametrize(
    ("content", "intent"),
    [
        (BEFORE.replace("\n", "\r\n"), "# \N{AIRPLANE} Ø \N{SLIGHTLY SMILING FACE} average delay per carrier"),
        (f"{BEFORE}def report():\n    \n", "# flights with a delay above 20"),
    ],
    ids=["emoji-crlf", "indented"],
)
def test_undo_restores_every_byte(setup: Setup, open_file: OpenFile, content: str, intent: str) -> None:
    editor = open_file(setup, content)
    editor.type(intent)
    editor.wait(lambda: editor.ghost().strip(), "ghost text")
    end = "\r\n" if "\r\n" in content else "\n"
    commented = f"{content.removesuffix(end)}{intent}"
    assert editor.saved().decode() == commented + end

    ghost, text = editor.ghost(), editor.text()
    editor.type("<Tab>")
    editor.wait(lambda: editor.text() != text, "the accepted code")
    assert editor.saved().decode() == commented + ghost.replace("\n", end) + end
    ast.parse(editor.saved())

    editor.type("<Esc>u")
    editor.wait(lambda: editor.text() == text, "the undo")
    assert editor.saved().decode() == commented + end


def test_typed_through(setup: Setup, open_file: OpenFile) -> None:
    editor = open_file(setup)
    editor.type(INTENT)
    editor.wait(lambda: editor.ghost().strip(), "ghost text")
    ghost = editor.ghost()
    begun = ghost.lstrip()[:12]
    editor.type(f"<CR>{begun}")
    editor.wait(lambda: editor.ghost() == ghost.lstrip().removeprefix(begun), "the rest on the line")
    editor.type("<Tab>")
    expected = f"{BEFORE.removesuffix(chr(10))}{INTENT}{ghost}\n"
    editor.wait(lambda: editor.text() == expected, "the code, nothing of it twice")


def test_offer_that_the_text_has_outrun_is_not_accepted(plugin: Setup, open_file: OpenFile, runtime: Path) -> None:
    editor = open_file(plugin)
    editor.type(INTENT)
    editor.wait(lambda: editor.ghost().strip(), "ghost text")
    (server,) = shared_servers(runtime)
    with suspended(server):  # what is offered now stays until the server goes on
        editor.type(" and X")
        editor.wait(lambda: "X" in editor.text(), "the letter")
        editor.type("<Tab>")
        editor.wait(lambda: re.search(r" and X\s+\n\Z", editor.text()), "a tab, as there is nothing to accept")


def test_accepted_in_parts(plugin: Setup, open_file: OpenFile) -> None:
    editor = open_file(plugin)
    editor.type(INTENT)
    editor.wait(lambda: editor.ghost().strip(), "ghost text")
    ghost, commented = editor.ghost(), f"{BEFORE.removesuffix(chr(10))}{INTENT}"
    words = re.match(r"(\n\w+)( =)(.*)", ghost)
    assert words
    name, equals, rest = words.groups()
    editor.type("<M-Right>")
    editor.wait(lambda: editor.text() == f"{commented}{name}\n" and editor.ghost() == equals + rest, "the first word")
    editor.type("<M-Right>")
    editor.wait(lambda: editor.text() == f"{commented}{name}{equals}\n" and editor.ghost() == rest, "the second word")
    editor.type("<M-C-Right>")
    editor.wait(lambda: editor.text() == f"{commented}{ghost}\n", "the line")


def test_comment_that_was_typed_before_the_server_came(plugin: Setup, start: StartEditor, tmp_path: Path) -> None:
    file = tmp_path / "delays.py"
    file.write_text(BEFORE, encoding="utf-8")
    editor = start(plugin, file)
    editor.type(f"GA{INTENT}")
    editor.wait(lambda: editor.ghost().strip(), "ghost text")


def test_tab_without_ghost_text_is_a_tab(setup: Setup, start: StartEditor, tmp_path: Path) -> None:
    file = tmp_path / "delays.py"
    file.write_text("x = 1\n", encoding="utf-8")
    editor = start(setup, file)
    editor.type("A<Tab>")
    editor.wait(lambda: editor.text() in ("x = 1\t\n", "x = 1   \n"), "the tab")
