"""The packed extension in a fresh code-server for each file of tests, and windows on it."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.conftest import ROOT
from tests.e2e.vscode.code_server import CodeServer
from tests.e2e.vscode.window import Window

FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
FLAGS += " --disable-component-update --disable-sync"

OpenFile = Callable[..., Window]


@pytest.fixture(scope="session")
def editors(install: Callable[[str], Path]) -> Path:
    return install("vscode")


@pytest.fixture(scope="session")
def extension(editors: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``.vsix``, checked, built and packed as its package.json says."""
    folder = tmp_path_factory.mktemp("extension") / "vscode"
    ignore = shutil.ignore_patterns("node_modules", "dist", "*.vsix")
    shutil.copytree(ROOT / "editors" / "vscode", folder, ignore=ignore)
    (folder / "node_modules").symlink_to(editors / "extension" / "node_modules")
    environment = {**os.environ, "PATH": f"{editors / 'node' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(["npm", "run", "--silent", "package"], cwd=folder, env=environment, check=True)
    (vsix,) = folder.glob("*.vsix")
    return vsix


@pytest.fixture(scope="module")
def code_server(
    editors: Path, extension: Path, commands: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CodeServer]:
    server = CodeServer(editors, tmp_path_factory.mktemp("home"), extension, commands / "cert-lsp")
    yield server
    server.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture
def open_file(code_server: CodeServer, browser: Browser, tmp_path: Path) -> Iterator[OpenFile]:
    """Opens a window on a new file, cursor at its end, the server ready: ``open_file(content, name)``."""
    pages = []

    def open_file(content: bytes, name: str = "delays.py", state: str = "ready") -> Window:
        folder = tmp_path / "work"
        folder.mkdir(exist_ok=True)
        file = folder / name
        file.write_bytes(content)
        page = browser.new_page(viewport={"width": 900, "height": 520})
        pages.append(page)
        page.goto(code_server.url(folder, file))
        window = Window(page, file)
        page.locator(".monaco-editor .view-line").first.wait_for(timeout=90_000)
        window.wait(lambda: state in window.state(), f"the state {state!r}")
        page.locator(".monaco-editor .view-lines").first.click()
        window.press("Control+End")
        return window

    yield open_file
    for page in pages:
        page.close()
