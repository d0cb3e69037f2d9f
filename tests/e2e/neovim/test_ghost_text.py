"""A comment is typed, ghost text appears, Tab accepts it, undo takes it back: in Neovim itself."""

import ast
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.neovim.conftest import ROOT, StartEditor, readme_recipe
from tests.e2e.neovim.editor import Editor
from tests.e2e.neovim.screen import render_svg

PICTURE = ROOT / "docs" / "images" / "ghost-text.svg"

BEFORE = """\
import pandas as pd

flights = pd.DataFrame({
    "carrier": ["AA", "UA", "AA", "DL"],
    "delay": [12.0, -3.0, 30.0, 4.0],
    "distance": [733, 2475, 1400, 404],
})

"""
INTENT = "# average delay per carrier"
BEGUN = "delays = flights.gro"


def plugin() -> str:
    return readme_recipe("Neovim 0.11").replace("/path/to/cert-lsp", str(ROOT))


SETUPS = {
    "0.12": ("neovim-0.12", lambda: readme_recipe("Neovim 0.12")),
    "0.12-plugin": ("neovim-0.12", plugin),
    "0.11-plugin": ("neovim-0.11", plugin),
}

Answer = Callable[[str], str]


@pytest.fixture(scope="module")
def answer(commands: Path, tmp_path_factory: pytest.TempPathFactory) -> Answer:
    """What ``cert-lsp complete`` inserts at the end of a text."""

    def answer(text: str) -> str:
        file = tmp_path_factory.mktemp("answer") / "delays.py"
        file.write_text(text, encoding="utf-8")
        command = [commands / "cert-lsp", "complete", f"{file}:{text.count(chr(10)) + 1}", "--json"]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        return json.loads(output)["candidates"][0]["code"]

    return answer


@pytest.fixture(params=SETUPS)
def editor(request: pytest.FixtureRequest, start: StartEditor, tmp_path: Path) -> Editor:
    """Neovim in insert mode on the empty last line of a file."""
    program, recipe = SETUPS[request.param]
    file = tmp_path / "delays.py"
    file.write_text(BEFORE, encoding="utf-8")
    editor = start(program, recipe(), file)
    editor.wait(lambda: "import pandas" in editor.screen.text(), "the file")
    editor.wait(editor.has_server, "the server")
    editor.type("GA")
    return editor


def test_comment_becomes_code(editor: Editor, answer: Answer, request: pytest.FixtureRequest, tmp_path: Path) -> None:
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
    if request.config.getoption("write_picture") and "0.12]" in request.node.name:
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        PICTURE.write_text(svg, encoding="utf-8")


def test_begun_statement_is_finished(editor: Editor, answer: Answer) -> None:
    text = f"{BEFORE.removesuffix(chr(10))}{INTENT}\n{BEGUN}"
    code = answer(text)
    assert code.strip()
    assert not code.startswith(("\n", BEGUN))
    editor.type(f"{INTENT}<CR>{BEGUN}")
    editor.wait(lambda: editor.ghost() == code, f"the ghost text {code!r}")
    editor.type("<Tab>")
    editor.wait(lambda: editor.text() == f"{text}{code}\n", "the accepted code")
    ast.parse(editor.text())


def test_tab_without_ghost_text_is_a_tab(start: StartEditor, tmp_path: Path) -> None:
    file = tmp_path / "delays.py"
    file.write_text("x = 1\n", encoding="utf-8")
    editor = start("neovim-0.12", readme_recipe("Neovim 0.12"), file)
    editor.type("A<Tab>")
    editor.wait(lambda: editor.text() in ("x = 1\t\n", "x = 1   \n"), "the tab")
