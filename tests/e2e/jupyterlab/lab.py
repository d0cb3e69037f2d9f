"""JupyterLab: a process of its own with a home of its own, and a window on it, driven as a person would."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Locator, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

PATIENCE = 90.0  # seconds until a test gives up on what it waits for
ASKED_AGAIN = 15_000  # milliseconds after which the list is asked for anew: JupyterLab drops what comes late


class Lab:
    """A running JupyterLab."""

    def __init__(self, editors: Path, home: Path, program: Path, runtime: Path, files: dict[str, str]) -> None:
        """Serve the empty folder ``work``.

        Args:
            editors: Folder that ``install_editors.sh`` filled.
            home: New folder for all that Jupyter keeps.
            program: ``cert-lsp``; its folder comes first on the PATH.
            runtime: Where the server is that windows share.
            files: What a user writes, by the file's name below ``home``.
        """
        self.work = home / "work"
        self.settings = home / ".jupyter" / "lab" / "user-settings"
        self.work.mkdir()
        for name, content in files.items():
            file = home / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
        programs = editors / "jupyterlab" / "bin"
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "PYTHON"))}
        environment |= {
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(runtime),
            "PATH": os.pathsep.join(map(str, [program.parent, programs, "/usr/bin:/bin"])),
        }
        arguments = ["--no-browser", "--ip=127.0.0.1", "--port=0", "--allow-root", f"--ServerApp.root_dir={self.work}"]
        arguments += ["--IdentityProvider.token=", "--LabApp.expose_app_in_browser=True"]
        self._process = subprocess.Popen(
            [programs / "jupyter-lab", *arguments],
            cwd=home,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.address = self._address()
        # Nobody reads on; what it still says must not stop it.
        self._log = subprocess.Popen(["cat"], stdin=self._process.stderr, stdout=subprocess.DEVNULL)

    def close(self) -> None:
        """End JupyterLab and what it has started: kernels and language servers."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait()
        self._log.wait()
        assert self._process.stderr
        self._process.stderr.close()

    def _address(self) -> str:
        output = []
        assert self._process.stderr
        for line in self._process.stderr:
            output.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+/", line):
                return found[0]
        raise AssertionError(f"JupyterLab did not start:\n{''.join(output)}")


class Window:
    """A page with one file or notebook open."""

    def __init__(self, page: Page, lab: Lab, file: Path) -> None:
        """Open the file and wait for the language server."""
        self.page, self.file, self._settings = page, file, lab.settings
        self._address = f"{lab.address}lab/tree/{quote(file.name)}?reset"
        self.load()

    def load(self) -> None:
        """Load the page, anew where it was loaded before, and wait for the language server."""
        self.page.goto(self._address)
        self.editor.wait_for(timeout=PATIENCE * 1000)
        status = self.page.locator("#jp-main-statusbar")
        status.get_by_text("Fully initialized").wait_for(timeout=PATIENCE * 1000)
        if self.file.suffix == ".ipynb":
            status.get_by_text("| Idle").wait_for(timeout=PATIENCE * 1000)
        self.focus()

    @property
    def editor(self) -> Locator:
        """The file, or the last cell."""
        return self.page.locator(".jp-FileEditor .cm-content, .jp-CodeCell .cm-content").last

    def focus(self) -> None:
        """Put the cursor at the end."""
        self.editor.click()
        self.press("Control+End")

    def press(self, key: str) -> None:
        """Press a key as Playwright names it."""
        self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Type text; what no key has is put in as by an input method."""
        for part in re.split(r"([^\x00-\x7f]+)", text):
            if part.isascii():
                self.page.keyboard.type(part)
            else:
                self.page.keyboard.insert_text(part)

    def completions(self) -> list[str]:
        """Ask for the list of completions, with Tab; what it offers of ours."""
        ours = self.page.locator(".jp-Completer-item", has_text="CERT")
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.press("Tab")
            with suppress(PlaywrightTimeout):
                ours.first.wait_for(timeout=ASKED_AGAIN)
                return [each.locator(".jp-Completer-match").inner_text() for each in ours.all()]
            if self.page.locator(".jp-Completer").is_visible():
                self.press("Escape")
        raise AssertionError(f"no completions came within {PATIENCE:g} s; the file is {self.saved()!r}")

    def wait_for(self, condition: Callable[[str], object]) -> str:
        """Save until the content (of a notebook, of its last cell) is as it should be; returns it.

        Raises:
            AssertionError: It was not in time.
        """
        end = time.monotonic() + PATIENCE
        while not condition(self.saved()):
            assert time.monotonic() < end, self.saved()
            self.press("Control+s")
            self.page.wait_for_timeout(200)
        return self.saved()

    def saved(self) -> str:
        """The file on the disk; of a notebook, its last cell."""
        text = self.file.read_bytes().decode()
        if self.file.suffix != ".ipynb":
            return text
        return "".join(json.loads(text)["cells"][-1]["source"]) if text else ""

    def set(self, plugin: str, settings: object) -> None:
        """Write a plugin's settings in the settings editor, beside the file."""
        self.page.evaluate("window.jupyterapp.commands.execute('settingeditor:open-json')")
        self.page.locator(f'.jp-PluginList-entry[data-id="{plugin}"]').click()
        own = self.page.locator(".jp-SettingsRawEditor-user .cm-content")
        own.click()
        self.press("Control+a")
        self.page.keyboard.insert_text(json.dumps(settings))
        file = self._settings / f"{plugin.replace(':', '/')}.jupyterlab-settings"
        end = time.monotonic() + PATIENCE
        while not (file.exists() and file.read_text("utf-8") == json.dumps(settings)):
            assert time.monotonic() < end, f"the settings were not saved within {PATIENCE:g} s"
            self.press("Control+s")
            self.page.wait_for_timeout(200)
        self.page.get_by_role("tab").filter(has_text=self.file.name).click()
        self.focus()
