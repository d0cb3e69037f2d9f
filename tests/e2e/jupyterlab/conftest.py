"""A fresh JupyterLab for each file of tests, set up by the recipe in docs/editors.md, and windows on it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.conftest import ROOT
from tests.e2e.jupyterlab.lab import Lab, Window

OpenFile = Callable[..., Window]

# Nothing pops up that is not asked for.
QUIET = {
    ".jupyter/lab/user-settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings": (
        '{"fetchNews": "false", "checkForUpdates": false}'
    )
}


def recipe() -> dict[str, str]:
    """The files that docs/editors.md tells to write, by their names in the home folder."""
    text = (ROOT / "docs" / "editors.md").read_text(encoding="utf-8")
    section = text.partition("\n## JupyterLab\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"`~/(\S+)`[^`]*\n```json\n(.*?)```", section, re.DOTALL))


@pytest.fixture(scope="module")
def lab(
    install: Callable[[str], Path], commands: Path, runtime: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    files = recipe()
    assert len(files) == 2
    home, program = tmp_path_factory.mktemp("home"), commands / "cert-lsp"
    lab = Lab(install("jupyterlab"), home, program, runtime, {**files, **QUIET})
    yield lab
    lab.close()


@pytest.fixture
def open_file(lab: Lab, browser: Browser) -> Iterator[OpenFile]:
    """Opens a window on a new file or notebook, cursor at its end, the server there: ``open_file(content, name)``."""
    pages = []

    def open_file(content: str, name: str) -> Window:
        file = lab.work / name
        file.write_bytes(content.encode())
        pages.append(browser.new_page(viewport={"width": 1000, "height": 600}))
        return Window(pages[-1], lab, file)

    yield open_file
    for page in pages:
        page.close()
