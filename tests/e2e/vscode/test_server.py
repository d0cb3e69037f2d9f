"""The server behind the windows: shared, found, paused, told of settings, killed."""

from pathlib import Path

import psutil

from tests.e2e.conftest import suspended
from tests.e2e.vscode.code_server import CodeServer
from tests.e2e.vscode.conftest import OpenFile, OpenWindow
from tests.e2e.vscode.test_scenarios import BEFORE, COMMENTED, INTENT
from tests.e2e.vscode.window import Window

MESSAGE = ".notification-list-item"
AT_THE_END = BEFORE.count(b"\n"), len(INTENT)


def asked_at_the_end(window: Window) -> list[list[str] | None]:
    """What was answered to requests for ghost text behind the intent."""
    return [each.codes for each in window.exchanges() if (each.line, each.column) == AT_THE_END]


def type_last_letter_again(window: Window) -> None:
    """Have ghost text asked for anew."""
    window.press("Backspace")
    window.type(INTENT[-1])
    window.wait(lambda: window.ghost().strip(), "ghost text")


def test_pause_and_resume(open_file: OpenFile) -> None:
    window = open_file(BEFORE)
    window.status_item.click()
    window.wait_for_state("paused")
    window.find(".monaco-editor .view-lines", "flights").click()
    window.press("Control+End")
    window.type(INTENT)
    window.wait(lambda: any(codes is not None for codes in asked_at_the_end(window)), "an answer")
    window.command("Trigger Inline Suggestion")
    window.wait(lambda: any(each.invoked and each.codes is not None for each in window.exchanges()), "an answer")
    assert not any(asked_at_the_end(window))
    assert not window.ghost()
    window.command("CERT-LSP: Resume")
    window.wait_for_state("ready")
    type_last_letter_again(window)


def test_settings_hold_at_once(open_file: OpenFile, code_server: CodeServer) -> None:
    window = open_file(COMMENTED)
    before = code_server.shared_servers()
    for count in (2, 3):
        window.change_settings(cert_candidates=count)
        window.open(window.file, COMMENTED)
        window.command("CERT-LSP: Show the Sketch")
        window.find(".codelens-decoration", f"sketch 1 of {count}")
    assert code_server.shared_servers() == before


def test_killed_server_comes_back(open_file: OpenFile, code_server: CodeServer) -> None:
    window = open_file(BEFORE)
    (server,) = code_server.shared_servers()
    with suspended(server):  # so that the request is still in flight when it is killed
        window.type(INTENT)
        window.wait(lambda: asked_at_the_end(window), "a request")
        assert asked_at_the_end(window) == [None]
        server.kill()
        server.wait()
    window.find(MESSAGE, "the server stopped unexpectedly. It is started again.")
    window.wait(code_server.shared_servers, "the new server")
    window.wait_for_state("ready")
    window.wait_for_file(COMMENTED)
    type_last_letter_again(window)


def memory(processes: list[psutil.Process]) -> int:
    """Bytes that are these processes' alone."""
    return sum(process.memory_full_info().uss for process in processes)


def test_two_windows_share_one_server(open_file: OpenFile, open_window: OpenWindow, code_server: CodeServer) -> None:
    first = open_file(BEFORE)
    first.type_and_wait(INTENT)
    one = [*code_server.shared_servers(), *code_server.bridges()]
    assert len(one) == 2
    before = memory(one)
    second = open_window()
    second.open(second.folder / "second" / "delays.py", BEFORE)
    ghost = second.type_and_wait(INTENT)
    two = [*code_server.shared_servers(), *code_server.bridges()]
    added = memory(two) - before
    assert len(two) == 3
    assert added < 60e6
    second.press("Tab")
    second.wait_for_file(COMMENTED + ghost.encode())
    assert first.content() == COMMENTED
    second.leave()
    type_last_letter_again(first)


def test_hanging_server_is_restarted(open_file: OpenFile, code_server: CodeServer) -> None:
    window = open_file(BEFORE)
    (server,) = code_server.shared_servers()
    with suspended(server):
        window.command("CERT-LSP: Restart the Server")
        window.wait_for_state("starting")
        window.wait(lambda: server not in code_server.shared_servers(), "the end of the old server")
    window.wait_for_state("ready")
    window.type_and_wait(INTENT)


def test_missing_program_is_explained(open_file: OpenFile, commands: Path) -> None:
    window = open_file(BEFORE)
    window.write_settings(cert_path="/nowhere/cert-lsp")
    message = window.find(MESSAGE, "/nowhere/cert-lsp (the setting cert.path)")
    window.wait_for_state("no completions")
    message.get_by_role("button", name="How to Install").click()
    window.find(".getting-started-step", "Install the server")

    window.write_settings(cert_path=None)
    message = window.find(MESSAGE, "looked at the workspace's .venv and the PATH")
    program = window.folder / ".venv" / "bin" / "cert-lsp"
    program.parent.mkdir(parents=True)
    program.symlink_to(commands / "cert-lsp")
    message.get_by_role("button", name="Try Again").click()
    window.wait_for_state("ready")


def test_program_that_does_not_start_is_told(open_file: OpenFile) -> None:
    window = open_file(BEFORE)
    window.write_settings(cert_path="/bin/false")
    window.find(MESSAGE, "The server did not start, so there are no completions now.")
    window.wait_for_state("no completions")
    assert len(window.messages()) == 1
