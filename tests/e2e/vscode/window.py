"""Drives one window of VS Code as a person would: by keys, watching the page."""

import re
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page

PATIENCE = 90.0  # seconds until a test gives up on what it waits for
_SAVES_ITSELF = 1.0  # seconds in which VS Code has saved a change, if it has not missed it
GHOST = """
() => {
  const first = [...document.querySelectorAll('.view-lines .ghost-text-decoration, .view-lines [class*=ghost-text]')];
  const below = [...document.querySelectorAll('.suggest-preview-text .view-line')];
  below.sort((one, other) => parseFloat(one.style.top) - parseFloat(other.style.top));
  return [first.map(each => each.textContent).join(''), ...below.map(each => each.textContent)].join('\\n');
}
"""


class Window:
    """A window with a file open."""

    def __init__(self, page: Page, file: Path) -> None:
        """Take over a page.

        Args:
            page: Where VS Code is loading.
            file: The open file; VS Code saves it after each change.
        """
        self.page, self.file = page, file

    def press(self, *keys: str) -> None:
        """Press keys as Playwright names them: ``Control+End``, ``Tab``."""
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Type text; what no key has is put in as by an input method."""
        for part in re.split(r"([^\x00-\x7f]+)", text):
            if part.isascii():
                self.page.keyboard.type(part)
            else:
                self.page.keyboard.insert_text(part)

    def command(self, title: str) -> None:
        """Run a command by its title, from the palette."""
        self.press("F1")
        field = self.page.locator(".quick-input-widget input[type=text]")
        field.wait_for()
        field.fill(f">{title}")
        self.page.locator(f'.quick-input-list .monaco-list-row[aria-label*="{title}"]').first.wait_for()
        self.press("Enter")
        field.wait_for(state="hidden")

    def ghost(self) -> str:
        """The ghost text as it is drawn, its lines joined by newlines; empty if there is none."""
        return str(self.page.evaluate(GHOST)).replace("\xa0", " ").rstrip("\n")

    def state(self) -> str:
        """What the item in the status bar says."""
        item = self.page.locator(".statusbar-item[id='cert-lsp.cert-lsp.certLsp']")
        return (item.get_attribute("aria-label") or "") if item.count() else ""

    def messages(self) -> str:
        """The notifications on the screen."""
        return " ".join(self.page.locator(".notification-list-item-message").all_text_contents())

    def content(self) -> bytes:
        """The file on the disk."""
        return self.file.read_bytes()

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

    def wait_for_file(self, content: bytes) -> None:
        """Wait until the buffer, and so the file, is `content`.

        VS Code misses now and then to save by itself what changed while it was saving, so it is told to.
        """
        next_save = time.monotonic() + _SAVES_ITSELF

        def saved() -> bool:
            nonlocal next_save
            if self.content() == content:
                return True
            if time.monotonic() > next_save:
                self.press("Control+s")
                next_save += _SAVES_ITSELF
            return False

        self.wait(saved, f"the file to be {content!r}")
