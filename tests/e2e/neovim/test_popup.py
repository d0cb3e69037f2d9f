"""The popup, <C-x><C-o>, with Neovim's own completion."""

import ast
from dataclasses import replace

import pytest

from tests.e2e.neovim.conftest import BEFORE, INTENT, SETUPS, OpenFile, Setup


@pytest.mark.parametrize(
    ("content", "intent"),
    [(BEFORE, INTENT), (f"{BEFORE}def report():\n    \n", "# \N{AIRPLANE} flights with a delay above 20")],
    ids=["plain", "indented"],
)
def test_popup_is_accepted(setup: Setup, open_file: OpenFile, content: str, intent: str) -> None:
    editor = open_file(setup, content)
    editor.type(intent)
    editor.wait(lambda: editor.ghost().strip(), "ghost text, so that the popup says the same")
    ghost, commented = editor.ghost(), editor.text()
    editor.command("set completeopt=menuone,noinsert")
    editor.type("<Esc>A<C-x><C-o>")
    editor.wait(lambda: editor.lua("return vim.fn.pumvisible()"), "the popup")
    editor.type("<C-y>")
    editor.wait(lambda: editor.text().startswith(commented), "the accepted code in lines of its own")
    assert editor.text().removeprefix(commented).splitlines()[0] == ghost.splitlines()[1]
    ast.parse(editor.text())
    editor.type("<Esc>u")
    editor.wait(lambda: editor.text() == commented, "the undo")


def test_popup_where_a_completion_plugin_claims_more_than_neovim_does(open_file: OpenFile) -> None:
    claim = "{ textDocument = { completion = { completionItem = { insertTextModeSupport = { valueSet = { 1 } } } } } }"
    plugin = SETUPS["0.12-plugin"]
    setup = replace(plugin, init=f"vim.lsp.config('*', {{ capabilities = {claim} }})\n{plugin.init}")
    test_popup_is_accepted(setup, open_file, f"{BEFORE}def report():\n    \n", "# flights with a delay above 20")
