"""The sketch is shown, turned, changed, and the code follows."""

import ast

import pytest

from tests.e2e.conftest import ROOT
from tests.e2e.neovim.conftest import BEFORE, INTENT, SETUPS, OpenFile, Setup
from tests.e2e.neovim.editor import Editor
from tests.e2e.neovim.screen import render_svg

PICTURE = ROOT / "docs" / "images" / "sketch.svg"
FILE = "return table.concat(vim.api.nvim_buf_get_lines(1, 0, -1, false), '\\n') .. '\\n'"


def with_sketch(editor: Editor) -> Editor:
    """Show the first sketch of a comment in a window."""
    editor.type(f"{INTENT}<Esc>0")
    editor.type(":Cert sketch<CR>")
    editor.wait(lambda: "Sketch 1 of 3: <CR> takes the code" in editor.screen.text(), "the sketch")
    assert "groupby($string)[$string].mean()" in editor.text()
    return editor


def test_sketch_is_changed_and_the_code_follows(
    plugin: Setup, open_file: OpenFile, request: pytest.FixtureRequest
) -> None:
    editor = with_sketch(open_file(plugin))
    commented = f"{BEFORE.removesuffix(chr(10))}{INTENT}"
    assert ".mean()" in editor.sketched()
    editor.capture(seconds=2.5)
    for keys, shown in (("$F.", ".mean()"), ("C", "groupby($string)[$string]"), (".max()", "[$string].max()")):
        editor.type(keys)
        editor.wait(lambda shown=shown: shown in editor.text(), "the changed sketch")
    editor.wait(lambda: ".max()" in editor.sketched(), "the code that follows from the changed sketch")
    editor.wait(lambda: "takes the code" in editor.screen.text(), "the code on the screen")
    editor.capture(seconds=2.5)
    assert editor.lua(FILE) == f"{commented}\n"
    code = editor.sketched()
    editor.type("<Esc><CR>")
    editor.wait(lambda: editor.text() == f"{commented}{code}\n", "the code in the file")
    ast.parse(editor.text())
    assert not editor.sketched()
    editor.wait(lambda: "Sketch" not in editor.screen.text(), "the sketch's window to close")
    editor.capture(seconds=2.5)
    editor.type("u")
    editor.wait(lambda: editor.text() == f"{commented}\n", "the undo")
    if request.config.getoption("write_picture") and plugin is SETUPS["0.12-plugin"]:
        title = "The sketch of a comment is opened in Neovim, changed from mean to max, and the code follows"
        PICTURE.write_text(render_svg(editor.frames, title), encoding="utf-8")


def test_sketches_are_turned(open_file: OpenFile) -> None:
    editor = with_sketch(open_file(SETUPS["0.11-plugin"]))
    first, code = editor.text(), editor.sketched()
    editor.type("]]")
    editor.wait(lambda: "Sketch 2 of 3" in editor.screen.text(), "the second sketch")
    assert editor.text() != first
    assert editor.sketched() != code
    editor.type(":Cert previous<CR>")
    editor.wait(lambda: "Sketch 1 of 3" in editor.screen.text(), "the first sketch")
    assert (editor.text(), editor.sketched()) == (first, code)
    editor.type(":w<CR>")
    editor.wait(lambda: editor.text().endswith(f"{INTENT}{code}\n"), "the code in the file")


def test_file_that_has_changed_is_left_alone(open_file: OpenFile) -> None:
    editor = with_sketch(open_file(SETUPS["0.11-plugin"]))
    editor.type("<C-w>pggOimport numpy as np<Esc>")
    editor.type(":Cert accept<CR>")
    editor.wait(lambda: "the file has changed" in editor.messages(), "the reason why not")
    assert editor.text() == f"import numpy as np\n{BEFORE.removesuffix(chr(10))}{INTENT}\n"
    editor.type("<C-w>j:q<CR>")
    editor.wait(lambda: "Sketch" not in editor.screen.text(), "the sketch's window to close")


def test_place_without_sketch_is_told(open_file: OpenFile) -> None:
    editor = open_file(SETUPS["0.12-plugin"])
    editor.type("<Esc>gg:Cert sketch<CR>")
    editor.wait(lambda: "no sketch here" in editor.messages(), "the reason why not")
