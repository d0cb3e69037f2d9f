"""VS Code as code-server: a process of its own, with a home of its own, for the browser to open."""

import json
import os
import re
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

SETTINGS: dict[str, object] = {
    # The file on the disk is always what the buffer is, so that tests can compare bytes.
    "files.autoSave": "afterDelay",
    "files.autoSaveDelay": 20,
    # Nothing moves or pops up that is not asked for.
    "editor.cursorBlinking": "solid",
    "editor.minimap.enabled": False,
    "editor.wordBasedSuggestions": "off",
    "extensions.autoCheckUpdates": False,
    "git.enabled": False,
    "telemetry.telemetryLevel": "off",
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
    "chat.disableAIFeatures": True,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
}


class CodeServer:
    """A running code-server with the extension installed."""

    def __init__(self, editors: Path, home: Path, extension: Path, program: Path) -> None:
        """Install the extension into an empty home and serve.

        Args:
            editors: Folder that ``install_editors.sh`` filled.
            home: New folder for all that VS Code keeps.
            extension: The ``.vsix``.
            program: ``cert-lsp``; told by a setting, because VS Code takes its PATH from a login shell.
        """
        self.home = home
        self._own: dict[str, object] = {"cert.path": str(program)}
        homes = {name: str(home) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")}
        self._environment = {**os.environ, **homes, "XDG_CACHE_HOME": str(home / "cache")}
        entry = editors / "code-server" / "lib" / "node_modules" / "code-server" / "out" / "node" / "entry.js"
        self._program = [str(editors / "node" / "bin" / "node"), str(entry)]
        self.settings_file = home / "code-server" / "User" / "settings.json"
        self.settings_file.parent.mkdir(parents=True)
        self.set()
        subprocess.run(
            [*self._program, "--install-extension", extension],
            env=self._environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        arguments = ["--auth=none", "--bind-addr=127.0.0.1:0", "--disable-telemetry", "--disable-update-check"]
        arguments += ["--disable-workspace-trust", "--disable-getting-started-override"]
        self._process = subprocess.Popen(
            [*self._program, *arguments],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self.address = self._address()

    def set(self, **settings: object) -> None:
        """Write the user's settings: those of all tests, and `settings` with ``_`` for the dot."""
        more = {name.replace("_", ".", 1): value for name, value in settings.items()}
        self.settings_file.write_text(json.dumps({**SETTINGS, **self._own, **more}), encoding="utf-8")

    def url(self, folder: Path, *files: Path) -> str:
        """Where the browser finds the folder with these files open."""
        open_files = [["openFile", f"vscode-remote://{self.address}{quote(str(file))}"] for file in files]
        return f"http://{self.address}/?folder={quote(str(folder))}&payload={quote(json.dumps(open_files))}"

    def close(self) -> None:
        """End code-server and what it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        self._process.communicate()

    def _address(self) -> str:
        """Host and port, once it listens."""
        output = []
        assert self._process.stdout
        for line in self._process.stdout:
            output.append(line)
            if found := re.search(r"HTTP server listening on http://(\S+?)/?\s", line):
                return found[1]
        raise AssertionError(f"code-server did not start:\n{''.join(output)}")
