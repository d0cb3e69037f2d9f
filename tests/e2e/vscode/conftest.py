"""The packed extension in one code-server, and windows on it: one that most tests share, and more on request."""

import os
import re
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
OpenWindow = Callable[[], Window]
TakePicture = Callable[[Window, str], None]


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


@pytest.fixture(scope="package")
def code_server(
    editors: Path, extension: Path, commands: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CodeServer]:
    server = CodeServer(editors, tmp_path_factory.mktemp("home"), extension, commands / "cert-lsp")
    yield server
    server.close()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def open_window(
    code_server: CodeServer, browser: Browser, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> OpenWindow:
    """Opens a window on a new folder, with a Python file in it, the server ready."""
    scale = 2 if request.config.getoption("write_picture") else 1

    def open_window() -> Window:
        page = browser.new_page(viewport={"width": 1000, "height": 400}, device_scale_factor=scale)
        return Window(page, code_server, tmp_path_factory.mktemp("work"))

    return open_window


@pytest.fixture
def take_picture(request: pytest.FixtureRequest) -> TakePicture:
    """Draws a picture of the documentation anew where that is asked for: ``take_picture(window, "vscode-sketch")``."""

    def take_picture(window: Window, name: str) -> None:
        if request.config.getoption("write_picture"):
            window.page.screenshot(path=ROOT / "docs" / "images" / f"{name}.png")

    return take_picture


@pytest.fixture(scope="package")
def shared() -> list[Window]:
    """The window that tests share, if there is one."""
    return []


@pytest.fixture
def open_file(shared: list[Window], open_window: OpenWindow, request: pytest.FixtureRequest) -> Iterator[OpenFile]:
    """Opens a new file alone in the window that tests share, cursor at its end: ``open_file(content, name)``."""

    def open_file(content: bytes, name: str = "delays.py") -> Window:
        if not shared:
            shared.append(open_window())
        (window,) = shared
        window.open(window.folder / re.sub(r"\W+", "-", request.node.name) / name, content)
        return window

    failed = request.session.testsfailed
    yield open_file
    if request.session.testsfailed > failed and shared:  # in which state the window is, nobody knows
        shared.pop().page.close()
    elif shared and shared[0].has_settings:
        shared[0].change_settings()
