"""One server for all windows; it pauses, changes its settings and comes back when it was killed."""

from pathlib import Path

from tests.e2e.conftest import processes, shared_servers, suspended
from tests.e2e.neovim.conftest import BEFORE, INTENT, SETUPS, OpenFile, Setup, StartEditor
from tests.e2e.neovim.editor import Editor

SECOND_WINDOW_MB = 60  # what the issue of one server for many windows allows it

TELL_SETTINGS = """
local client = vim.lsp.get_clients({ name = 'cert_lsp' })[1]
client.settings = { cert = ... }
client:notify('workspace/didChangeConfiguration', { settings = client.settings })
"""
RUN = """
vim.lsp.get_clients({ name = 'cert_lsp' })[1]:exec_cmd({ title = '', command = ... })
"""
SKETCHES = """
local client = vim.lsp.get_clients({ name = 'cert_lsp' })[1]
local place = { vim.uri_from_bufnr(0), vim.lsp.util.make_position_params(0, 'utf-16').position }
local params = { command = 'cert.showSketch', arguments = place }
return #client:request_sync('workspace/executeCommand', params, 60000).result.candidates
"""


def pause(editor: Editor, setup: Setup, command: str) -> None:
    """Run ``cert.pause`` or ``cert.resume``, and wait until the server has answered."""
    done = editor.requests("complete", "workspace/executeCommand")
    if setup.has_plugin:
        editor.command(f"Cert {command}")
    else:
        editor.lua(RUN, f"cert.{command}")
    editor.wait(lambda: editor.requests("complete", "workspace/executeCommand") > done, f"the answer to {command}")


def test_nothing_is_offered_while_paused(setup: Setup, open_file: OpenFile) -> None:
    editor = open_file(setup)
    pause(editor, setup, "pause")
    answered = editor.requests("complete")
    editor.type(INTENT)
    editor.wait(lambda: editor.screen.cursor[1] == len(INTENT), "the typed comment")
    editor.wait(lambda: editor.requests("complete") > answered and not editor.requests("pending"), "an answer")
    assert not editor.ghost()
    pause(editor, setup, "resume")
    editor.type("<BS>r")
    editor.wait(lambda: editor.ghost().strip(), "ghost text")


def test_killed_server_comes_back(setup: Setup, open_file: OpenFile, runtime: Path) -> None:
    editor = open_file(setup)
    editor.command("set cmdheight=5")  # else what Neovim says would wait for the Enter key
    editor.type(INTENT)
    editor.wait(lambda: editor.ghost().strip(), "ghost text")
    (server,) = shared_servers(runtime)
    with suspended(server):
        editor.type("s")
        editor.wait(lambda: editor.requests("pending"), "a request that is not answered")
        server.kill()
        server.wait()
    editor.wait(lambda: "Client cert_lsp quit with exit code 1" in editor.messages(), "a message")
    if setup.has_plugin:  # which asks again by itself
        assert "the server stopped unexpectedly and is started again" in editor.messages()
    else:
        editor.type("<Esc>:write | edit<CR>GA")
    editor.wait(editor.has_server, "the new server")
    assert server not in shared_servers(runtime)
    if not setup.has_plugin:
        editor.type("<BS>")
    editor.wait(lambda: editor.ghost().strip(), "ghost text")


def test_settings_change_while_it_runs(setup: Setup, open_file: OpenFile) -> None:
    editor = open_file(setup)
    editor.command("set cmdheight=5")  # as above
    editor.type(INTENT)
    editor.wait(lambda: INTENT in editor.text(), "the comment")
    assert editor.lua(SKETCHES) == 3
    for settings in ({"candidates": 2}, {"candidates": 2, "maxTokens": 0}):
        if setup.has_plugin:
            editor.lua("require('cert_lsp').setup({ settings = ... })", settings)
        else:
            editor.lua(TELL_SETTINGS, settings)
        editor.wait(lambda: editor.lua(SKETCHES) == 2, "fewer sketches")
    editor.wait(lambda: "'maxTokens' must be a whole number from 1 to 512" in editor.messages(), "what is wrong")


def test_second_window_shares_the_model(start: StartEditor, runtime: Path, tmp_path: Path) -> None:
    memory, editors = [], []
    for name in ("first", "second"):
        file = tmp_path / f"{name}.py"
        file.write_text(BEFORE, encoding="utf-8")
        editors.append(editor := start(SETUPS["0.12-plugin"], file))
        editor.wait(editor.has_server, "the server")
        editor.type(f"GA{INTENT}")
        editor.wait(lambda editor=editor: editor.ghost().strip(), "ghost text")
        memory.append(sum(each.memory_full_info().uss for each in processes(runtime)))
    assert len(shared_servers(runtime)) == 1
    assert (memory[1] - memory[0]) / 1e6 < SECOND_WINDOW_MB
    editors[0].close()
    editors[1].type("s")
    editors[1].wait(lambda: editors[1].ghost().strip(), "ghost text without the first window")
