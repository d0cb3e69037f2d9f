"""Options of the whole suite."""

import os

import pytest
from hypothesis import settings

# A property's time is no property: other work on the machine would fail it now and then.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-picture", action="store_true", help="let the tests of editors draw the pictures in docs/images anew"
    )
    parser.addoption(
        "--write-transcripts", action="store_true", help="let the protocol tests write their golden transcripts anew"
    )


@pytest.fixture(scope="session", autouse=True)
def _no_store_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What somebody has published on this machine changes no test, nor does a test change it."""
    os.environ["CERT_LSP_STORE"] = str(tmp_path_factory.mktemp("store"))
