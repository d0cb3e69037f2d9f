"""The settings that docs/editors.md lists are those that the server reads."""

import json
import re
from dataclasses import fields

from cert_lsp.settings import Settings, parse_settings
from tests.architecture.repository import ROOT

ROW = re.compile(r"^\| `(\w+)` \| (.*?) \| .* \|$", re.M)
DOCUMENTED = dict(ROW.findall((ROOT / "docs" / "editors.md").read_text(encoding="utf-8")))


def camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def test_every_setting_is_documented() -> None:
    assert list(DOCUMENTED) == [camel_case(field.name) for field in fields(Settings)]


def test_documented_defaults_hold() -> None:
    for field in fields(Settings):
        told = DOCUMENTED[camel_case(field.name)]
        default = field.default if isinstance(field.default, str) else json.dumps(field.default)
        assert told == f"`{default}`" or field.default is None, told


def test_documented_names_are_taken() -> None:
    options = {camel_case(field.name): field.default for field in fields(Settings)}
    assert parse_settings(options, Settings()) == (Settings(), [])
    assert parse_settings({"misspelt": 1}, Settings())[1]
