"""Options of the whole suite."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-picture", action="store_true", help="let the Neovim test draw docs/images/ghost-text.svg anew"
    )
