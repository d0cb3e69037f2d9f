"""What a user finds who looks for help, and that the plugin can be installed as any other."""

import re
from dataclasses import replace
from pathlib import Path

from tests.e2e.conftest import ROOT
from tests.e2e.neovim.conftest import BEFORE, INTENT, SETUPS, OpenFile, Setup, StartEditor

PLUGIN = ROOT / "editors" / "nvim"


def test_health_of_a_good_environment(plugin: Setup, open_file: OpenFile) -> None:
    editor = open_file(plugin)
    editor.type(INTENT)
    editor.wait(lambda: editor.ghost().strip(), "ghost text, and so the end of loading")
    editor.type("<Esc>:checkhealth cert<CR>")
    editor.wait(lambda: "Buffers" in editor.text(), "the report")
    report = editor.text()
    assert not re.search("ERROR|WARNING", report), report
    for found in ("ghost text is drawn by", "<Tab> accepts", "cert-lsp connect", "golden: ", "ready, 1 buffer"):
        assert found in report


def test_health_where_the_server_is_missing(start: StartEditor, tmp_path: Path) -> None:
    file = tmp_path / "delays.py"
    file.write_text(BEFORE, encoding="utf-8")
    editor = start(SETUPS["0.12-plugin"], file, PATH="/usr/bin:/bin")
    editor.type("<CR>:checkhealth cert<CR>")
    editor.wait(lambda: "Buffers" in editor.text(), "the report")
    report = editor.text()
    assert "ERROR cert-lsp is not on the PATH that Neovim sees: there are no completions" in report
    assert "pip install" in report
    assert "No server runs" in report
    editor.type(":Cert status<CR>")
    editor.wait(lambda: "no server runs" in editor.messages(), "what is wrong")


def test_health_where_the_plugin_is_not_set_up(start: StartEditor, tmp_path: Path) -> None:
    plugin = SETUPS["0.11-plugin"]
    editor = start(replace(plugin, init=plugin.init.replace("require('cert_lsp').setup()", "")), tmp_path / "new.py")
    editor.type(":checkhealth cert<CR>")
    editor.wait(lambda: "Buffers" in editor.text(), "the report")
    assert "ERROR The server is not enabled" in editor.text()


def test_package_without_manager(plugin: Setup, start: StartEditor, tmp_path: Path) -> None:
    packages = tmp_path / "state" / "nvim" / "site" / "pack" / "cert" / "start"
    packages.mkdir(parents=True)
    (packages / "cert-lsp").symlink_to(PLUGIN)
    file = tmp_path / "delays.py"
    file.write_text(BEFORE, encoding="utf-8")
    editor = start(replace(plugin, init="require('cert_lsp').setup()"), file)
    editor.wait(editor.has_server, "the server")
    editor.type(f"GA{INTENT}")
    editor.wait(lambda: editor.ghost().strip(), "ghost text")
    editor.type("<Esc>:Cert status<CR>")
    editor.wait(lambda: "CERT-LSP: ready" in editor.messages(), "the status")
    assert editor.lua("return require('cert_lsp').statusline()") == "CERT"


def test_help_is_found(start: StartEditor, tmp_path: Path) -> None:
    (copy := tmp_path / "plugin" / "doc").mkdir(parents=True)
    text = (PLUGIN / "doc" / "cert_lsp.txt").read_text(encoding="utf-8")
    (copy / "cert_lsp.txt").write_text(text, encoding="utf-8")
    editor = start(SETUPS["0.11-plugin"], tmp_path / "new.py")
    editor.command(f"set runtimepath^={copy.parent}")
    editor.command(f"helptags {copy}")
    for tag in re.findall(r"(?<=\*)\S+(?=\*)", text):
        editor.command(f"help {tag}")
        assert editor.lua("return vim.fn.expand('%:t')") == "cert_lsp.txt"
    for tag in set(re.findall(r"(?<=\|)\S+(?=\|)", text)):
        editor.command(f"help {tag}")
