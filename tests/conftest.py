"""Options of the whole suite."""

import pytest
from hypothesis import settings

# A property's time is no property: other work on the machine would fail it now and then.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-picture", action="store_true", help="let the Neovim test draw docs/images/ghost-text.svg anew"
    )
