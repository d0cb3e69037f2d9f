"""Drives one window of VS Code as a person would: by keys, watching the page."""

import json
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, TimeoutError

from tests.e2e.vscode.code_server import CodeServer

PATIENCE = 90.0  # seconds until a test gives up on what it waits for
_CLOSES = 5.0  # seconds in which files are closed, if the keys for it have not been lost
_LOST = 10.0  # seconds after which keys are lost, if nothing came of them
_SAVES_ITSELF = 1.0  # seconds in which VS Code has saved a change, if it has not missed it
GHOST = """
() => {
  const first = [...document.querySelectorAll('.view-lines .ghost-text-decoration, .view-lines [class*=ghost-text]')];
  const below = [...document.querySelectorAll('.suggest-preview-text .view-line')];
  below.sort((one, other) => parseFloat(one.style.top) - parseFloat(other.style.top));
  return [first.map(each => each.textContent).join(''), ...below.map(each => each.textContent)].join('\\n');
}
"""
_SENT = re.compile(r"Sending request 'textDocument/inlineCompletion - \((\d+)\)'\.\nParams: (\{.*?^\})", re.M | re.S)
_RECEIVED = re.compile(
    r"Received response 'textDocument/inlineCompletion - \((\d+)\)' in \d+ms\.\nResult: (\{.*?^\})", re.M | re.S
)


@dataclass(frozen=True)
class Exchange:
    """A request for ghost text.

    Attributes:
        line: The cursor's line, from 0.
        column: The cursor's column, from 0, in UTF-16.
        invoked: Whether the user asked for it.
        codes: What was offered; None while there is no answer, and for a request that was cancelled.
    """

    line: int
    column: int
    invoked: bool
    codes: list[str] | None


class Window:
    """A window on a folder, with one file open."""

    def __init__(self, page: Page, code_server: CodeServer, folder: Path) -> None:
        """Have a page load VS Code, and wait until the server is ready.

        Args:
            page: A page of the browser.
            code_server: What the page loads.
            folder: Where the window's files are.
        """
        self.page, self.folder, self._code_server = page, folder, code_server
        self.has_settings = False
        known = code_server.outputs()
        page.goto(code_server.url(folder))
        page.locator(".statusbar").wait_for(timeout=PATIENCE * 1000)
        self.press("Control+b")  # no sidebar
        self.open(folder / "first" / "first.py", b"")
        self.wait(lambda: code_server.outputs() - known, "the extension")
        (self._output,) = code_server.outputs() - known
        self.wait_for_state("ready")

    def open(self, file: Path, content: bytes) -> None:
        """Write a file and open it alone, the cursor at its end."""
        self.file = file
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
        self.press("Escape", "Control+k", "Control+w")
        if self.messages():
            self.command("Notifications: Clear All Notifications")
        tab = self.page.locator(".tab")
        closing = time.monotonic()

        def are_closed() -> bool:
            nonlocal closing
            if tab.count() and time.monotonic() > closing + _CLOSES:  # the keys went to what had the focus just then
                unsaved = self.page.locator(".monaco-dialog-box .monaco-button", has_text="Don't Save")
                if unsaved.count():
                    unsaved.first.click()
                else:
                    self.command("View: Close All Editors")
                closing = time.monotonic()
            return not tab.count()

        self.wait(are_closed, "the old files to be closed")
        self._choose("Control+p", str(file), file.name, file.parent.name)
        for shown in (
            f'.tab.active[data-resource-name="{file.name}"]',
            ":is(.editor-instance, .cell-list-container) .view-line",
            ":is(.editor-instance, .notebookOverlay):focus-within",  # where keys go
        ):
            self.page.locator(shown).first.wait_for(timeout=PATIENCE * 1000)
        self.press("Control+End")

    def leave(self) -> None:
        """Close the window, and wait until what connected it to the server has left."""
        connected = len(self._code_server.bridges())
        self.page.close()
        end = time.monotonic() + PATIENCE
        while connected and len(self._code_server.bridges()) >= connected:
            assert time.monotonic() < end, f"the window was still connected after {PATIENCE:g} s"
            time.sleep(0.05)

    def press(self, *keys: str) -> None:
        """Press keys as Playwright names them: ``Control+End``, ``Tab``."""
        for key in keys:
            self.page.keyboard.press(key)

    def press_until(self, keys: tuple[str, ...], selector: str, text: str) -> Locator:
        """Press keys, and again where they were lost, until an element with a text is there."""
        found = self.page.locator(selector, has_text=text).first

        def is_there() -> bool:
            self.press(*keys)
            with suppress(TimeoutError):
                found.wait_for(timeout=_LOST * 1000)
                return True
            return False

        self.wait(is_there, f"{text!r} after {keys}")
        return found

    def type(self, text: str) -> None:
        """Type text; what no key has is put in as by an input method."""
        for part in re.split(r"([^\x00-\x7f]+)", text):
            if part.isascii():
                self.page.keyboard.type(part)
            else:
                self.page.keyboard.insert_text(part)

    def command(self, title: str) -> None:
        """Run a command by its title, from the palette."""
        self._choose("F1", f">{title}", title)

    def _choose(self, key: str, text: str, *told: str) -> None:
        """Open the list of files or commands by a key, type `text`, and take the first row, once it says `told`.

        What is just being drawn can take the focus, which closes the list; then it is opened again.
        """
        field = self.page.locator(".quick-input-widget input[type=text]")
        row = self.page.locator(".quick-input-list .monaco-list-row").first

        def is_listed() -> bool:
            with suppress(TimeoutError):
                if not field.is_visible():
                    self.press(key)
                    field.wait_for(timeout=5000)
                if field.input_value(timeout=5000) != text:
                    field.fill(text, timeout=5000)
                said = row.get_attribute("aria-label", timeout=1000) or ""
                return all(part in said for part in told)
            return False

        self.wait(is_listed, f"{told} in the list")

        def is_taken() -> bool:
            self.press("Enter")
            with suppress(TimeoutError):
                field.wait_for(state="hidden", timeout=5000)
                return True
            return False

        self.wait(is_taken, f"{told} to be taken")

    def find(self, selector: str, text: str) -> Locator:
        """The first element of a kind with a text in it, once it is there."""
        found = self.page.locator(selector, has_text=text).first
        found.wait_for(timeout=PATIENCE * 1000)
        return found

    def ghost(self) -> str:
        """The ghost text as it is drawn, its lines joined by newlines; empty if there is none."""
        return str(self.page.evaluate(GHOST)).replace("\xa0", " ").rstrip("\n")

    @property
    def status_item(self) -> Locator:
        """The extension's item in the status bar."""
        return self.page.locator(".statusbar-item[id='cert-lsp.cert-lsp.certLsp'] a")

    def state(self) -> str:
        """What the item in the status bar says."""
        return (self.status_item.get_attribute("aria-label") or "") if self.status_item.count() else ""

    def messages(self) -> list[str]:
        """The notifications on the screen."""
        return self.page.locator(".notification-list-item-message").all_text_contents()

    def content(self) -> bytes:
        """The file on the disk."""
        return self.file.read_bytes()

    def output(self) -> str:
        """The extension's output, with all that client and server have told each other."""
        return self._output.read_text(encoding="utf-8")

    def exchanges(self) -> list[Exchange]:
        """The requests for ghost text in the open file since the server was last started."""
        output = self.output().rpartition("Sending request 'initialize")[2]
        answers = {number: json.loads(result) for number, result in _RECEIVED.findall(output)}
        found = []
        for number, sent in _SENT.findall(output):
            params, answer = json.loads(sent), answers.get(number)
            if str(self.file) not in params["textDocument"]["uri"]:
                continue
            position, invoked = params["position"], params["context"]["triggerKind"] == 1
            codes = None if answer is None else [item["insertText"] for item in answer["items"]]
            found.append(Exchange(position["line"], position["character"], invoked, codes))
        return found

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Look at `condition` until it holds.

        Raises:
            AssertionError: It did not hold in time; tells what the window showed.
        """
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                shown = f"file {self.content()!r}, ghost {self.ghost()!r}, state {self.state()!r}, {self.messages()!r}"
                raise AssertionError(f"waited {PATIENCE:g} s for {what}; {shown}")
            self.page.wait_for_timeout(50)

    def type_and_wait(self, text: str) -> str:
        """Type text on an empty line; the ghost text that was answered for all of it, once it is drawn."""
        self.type(text)
        return self.ghost_behind(text)

    def ghost_behind(self, text: str) -> str:
        """The ghost text that was answered where all of a line is typed, once it is drawn."""
        column = len(text.encode("utf-16-le")) // 2

        def is_drawn() -> bool:
            answers = [each.codes[0] for each in self.exchanges() if each.column == column and each.codes]
            return bool(answers) and self.ghost() == answers[-1]

        self.wait(is_drawn, f"ghost text behind {text!r}")
        return self.ghost()

    def wait_for_state(self, state: str) -> None:
        """Wait until the item in the status bar says `state`."""
        self.wait(lambda: state in self.state(), f"the state {state!r}")

    def write_settings(self, **settings: object) -> None:
        """Write the folder's settings, with ``_`` for the dot: ``write_settings(cert_sketch=False)``.

        The user's would do as well, but code-server does not see when another program writes those.
        """
        file = self.folder / ".vscode" / "settings.json"
        file.parent.mkdir(exist_ok=True)
        named = {name.replace("_", ".", 1): value for name, value in settings.items()}
        file.write_text(json.dumps(named), encoding="utf-8")
        self.has_settings = bool(settings)

    def change_settings(self, **settings: object) -> None:
        """Write the folder's settings, and wait until the server has asked for them."""
        told = "Sending response 'workspace/configuration"
        before = self.output().count(told)
        self.write_settings(**settings)
        self.wait(lambda: self.output().count(told) > before, "the server to ask for the settings")

    def wait_for_file(self, content: bytes) -> None:
        """Wait until the buffer, and so the file, is `content`."""
        self.wait_for_save(lambda: self.content() == content, f"the file to be {content!r}")

    def wait_for_save(self, condition: Callable[[], object], what: str) -> None:
        """Wait until the file on the disk is as it should be.

        VS Code misses now and then to save by itself what changed while it was saving, so it is told to.
        """
        next_save = time.monotonic() + _SAVES_ITSELF

        def saved() -> bool:
            nonlocal next_save
            if condition():
                return True
            if time.monotonic() > next_save:
                self.press("Control+s")
                next_save += _SAVES_ITSELF
            return False

        self.wait(saved, what)
