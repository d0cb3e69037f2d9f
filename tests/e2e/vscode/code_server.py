"""VS Code as code-server: a process of its own, with a home of its own, for the browser to open."""

import json
import os
import re
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psutil

SETTINGS: dict[str, object] = {
    # The file on the disk is always what the buffer is, so that tests can compare bytes.
    "files.autoSave": "afterDelay",
    "files.autoSaveDelay": 20,
    # Nothing moves or pops up that is not asked for.
    "editor.cursorBlinking": "solid",
    "editor.minimap.enabled": False,
    "editor.scrollbar.horizontal": "hidden",
    "editor.scrollbar.vertical": "hidden",
    "editor.wordBasedSuggestions": "off",
    "extensions.autoCheckUpdates": False,
    "git.enabled": False,
    "telemetry.telemetryLevel": "off",
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
    "chat.disableAIFeatures": True,
    # The window is small, and what is tested should fill it.
    "breadcrumbs.enabled": False,
    "window.commandCenter": False,
    "workbench.activityBar.location": "hidden",
    "workbench.layoutControl.enabled": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    # What the client sends and receives goes to its output, and so to a file.
    "certLsp.trace.server": "verbose",
}
TRACE = "cert-lsp.cert-lsp=trace"
_GRACE = 10  # seconds


class CodeServer:
    """A running code-server with the extension installed."""

    def __init__(self, editors: Path, home: Path, extension: Path, program: Path) -> None:
        """Install the extension into an empty home and serve.

        Args:
            editors: Folder that ``install_editors.sh`` filled.
            home: New folder for all that VS Code keeps, and the server.
            extension: The ``.vsix``.
            program: ``cert-lsp``; told by a setting, because VS Code takes its PATH from a login shell.
        """
        self._state = home / "state"
        self._runtime = home / "run"  # a short name: a socket's path is limited
        self._runtime.mkdir(mode=0o700)
        homes = {name: str(home) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
        others = {
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_STATE_HOME": str(self._state),
            "XDG_RUNTIME_DIR": str(self._runtime),
            "PATH": os.defpath,  # where no cert-lsp is
        }
        self._environment = {**os.environ, **homes, **others}
        entry = editors / "code-server" / "lib" / "node_modules" / "code-server" / "out" / "node" / "entry.js"
        self._program = [str(editors / "node" / "bin" / "node"), str(entry)]
        self._data = home / "code-server"
        (self._data / "User").mkdir(parents=True)
        settings = json.dumps({**SETTINGS, "cert.path": str(program)})
        (self._data / "User" / "settings.json").write_text(settings, encoding="utf-8")
        subprocess.run(
            [*self._program, "--install-extension", extension],
            env=self._environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        arguments = ["--auth=none", "--bind-addr=127.0.0.1:0", "--disable-telemetry", "--disable-update-check"]
        arguments += ["--disable-workspace-trust", "--disable-getting-started-override"]
        # A page that is closed may not get to say so; code-server keeps its place for three hours then.
        arguments += [f"--reconnection-grace-time={_GRACE}"]
        self._process = subprocess.Popen(
            [*self._program, *arguments],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.address = self._address()

    def url(self, folder: Path) -> str:
        """Where the browser finds a window on a folder."""
        return f"http://{self.address}/?folder={quote(str(folder))}&payload={quote(json.dumps([['logLevel', TRACE]]))}"

    def outputs(self) -> set[Path]:
        """The output of the extension in each window that was ever opened."""
        return set(self._data.glob("logs/*/exthost*/cert-lsp.cert-lsp/CERT-LSP.log"))

    def feedback(self) -> list[dict[str, object]]:
        """The log of what was shown and accepted; empty where there is none."""
        file = self._state / "cert-lsp" / "feedback.jsonl"
        return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []

    def shared_servers(self) -> list[psutil.Process]:
        """The servers that windows share; each is a process of its own, and so no child of code-server."""
        return [
            process
            for process in psutil.process_iter(["cmdline", "cwd"])
            if process.info["cwd"] == str(self._runtime / "cert-lsp") and "--daemon" in (process.info["cmdline"] or [])
        ]

    def bridges(self) -> list[psutil.Process]:
        """The processes that connect the windows to the shared server."""
        ours = psutil.Process(self._process.pid).children(recursive=True)
        return [
            process
            for process in psutil.process_iter(["cmdline"])
            if process in ours and "connect" in (process.info["cmdline"] or [])
        ]

    def close(self) -> None:
        """End code-server and what was started from it."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        self._process.communicate()
        for server in self.shared_servers():
            server.kill()

    def _address(self) -> str:
        """Host and port, once it listens."""
        output = []
        assert self._process.stdout
        for line in self._process.stdout:
            output.append(line)
            if found := re.search(r"HTTP server listening on http://(\S+?)/?\s", line):
                return found[1]
        raise AssertionError(f"code-server did not start:\n{''.join(output)}")
