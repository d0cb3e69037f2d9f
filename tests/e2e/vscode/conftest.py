"""The packed extension in one code-server, and windows on it: one that most tests share, and more on request."""

import io
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser

from tests.e2e.conftest import ROOT
from tests.e2e.vscode.code_server import CodeServer
from tests.e2e.vscode.window import Window

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


@pytest.fixture(scope="module")
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


class Film:
    """What a window shows, one picture after the other; nothing where pictures are not asked for."""

    def __init__(self, *, wanted: bool) -> None:
        self._wanted = wanted
        self._frames: list[tuple[Image.Image, float]] = []

    def take(self, window: Window, seconds: float) -> None:
        """Keep what the window shows; it will be seen for so long."""
        if self._wanted:
            self._frames.append((Image.open(io.BytesIO(window.page.screenshot())).convert("RGB"), seconds))

    def save(self, name: str) -> None:
        """Write ``docs/images/<name>.webp``, which shows the pictures for ever."""
        if self._wanted:
            (first, *others), seconds = zip(*self._frames, strict=True)
            first.save(
                ROOT / "docs" / "images" / f"{name}.webp",
                save_all=True,
                append_images=others,
                duration=[round(1000 * each) for each in seconds],
                loop=0,
                quality=80,
                method=6,
            )


@pytest.fixture
def film(request: pytest.FixtureRequest) -> Film:
    return Film(wanted=request.config.getoption("write_picture"))


@pytest.fixture(scope="module")
def shared(browser: Browser, code_server: CodeServer) -> Iterator[list[Window]]:
    """The window that the tests of a file share, if there is one."""
    windows: list[Window] = []
    yield windows
    for window in windows:
        window.leave()


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
        shared.pop().leave()
    elif shared and shared[0].has_settings:
        shared[0].change_settings()
