"""What all end-to-end tests share: the wheel, an environment with nothing but it, the editors, the server's program.

And its process, for those that connect to one of all windows.
"""

import os
import platform
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[2]
EDITORS = ROOT / ".cache" / "editors"

CHROMIUM = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
CHROMIUM += " --disable-component-update --disable-sync"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, ROOT]
    subprocess.run(command, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment with ``cert-lsp[cpu]`` and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    programs = folder / "bin"
    constraints = ROOT / "constraints.txt"
    subprocess.run([programs / "pip", "install", "--quiet", "-c", constraints, f"{wheel}[cpu]"], check=True)
    return programs


@pytest.fixture(scope="session")
def install() -> Callable[[str], Path]:
    """Installs an editor where it is not yet: ``install("neovim")`` gives the folder of the editors."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("the editors of the tests are for Linux on x86-64")

    def install(editor: str) -> Path:
        script = ROOT / "tests" / "e2e" / "install_editors.sh"
        subprocess.run([script, EDITORS, editor], check=True, env={**os.environ, "PYTHON": sys.executable})
        return EDITORS

    return install


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``cert-lsp``: this checkout, run by the Python of the tests."""
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "cert-lsp"
    python = f'PYTHONPATH="{ROOT}" exec "{sys.executable}"'
    script.write_text(f'#!/bin/sh\n{python} -m cert_lsp "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return folder


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the server is that editors share (XDG_RUNTIME_DIR), so that the model is loaded once for all of them."""
    folder = tmp_path_factory.mktemp("runtime")
    folder.chmod(0o700)
    yield folder
    for server in shared_servers(folder):
        server.kill()
        server.wait()


def shared_servers(runtime: Path) -> list[psutil.Process]:
    """The processes that have the model: one, if all is well."""
    return [each for each in processes(runtime) if "--daemon" in each.cmdline()]


@contextmanager
def suspended(server: psutil.Process) -> Iterator[None]:
    """Keep a server from answering; it goes on afterwards, unless it was killed."""
    server.suspend()
    try:
        yield
    finally:
        if server.is_running():
            server.resume()


def processes(runtime: Path) -> list[psutil.Process]:
    """The shared server and what connects windows to it."""
    ours = []
    for each in psutil.process_iter(["cmdline", "environ"]):
        is_server = {"--daemon", "connect"} & set(each.info["cmdline"] or [])
        if is_server and (each.info["environ"] or {}).get("XDG_RUNTIME_DIR") == str(runtime):
            ours.append(each)
    return ours


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; for one file of tests only, because Playwright's event loop lets no other run."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM.split())
        yield browser
        browser.close()
