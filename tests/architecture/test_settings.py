"""The settings are the same in docs/settings.md, the server, the VS Code extension and the Neovim plugin's help."""

import json
import re
from dataclasses import fields

from cert_lsp.settings import Settings, parse_settings
from tests.architecture.repository import ROOT

ROW = re.compile(r"^\| `(\w+)` \| `([^`]*)` \| (.*?) \| (the window|each folder) \| .* \|$", re.M)
HELP = re.compile(r"^`(\w+)` \(default: `(.*?)`\)\n((?: +\S.*\n)+)", re.M)
DOCUMENTED = {
    name: (default, kind, place)
    for name, default, kind, place in ROW.findall((ROOT / "docs" / "settings.md").read_text(encoding="utf-8"))
}
PACKAGE = json.loads((ROOT / "editors" / "vscode" / "package.json").read_text(encoding="utf-8"))
OF_VS_CODE = {
    name.removeprefix("cert."): schema
    for name, schema in PACKAGE["contributes"]["configuration"]["properties"].items()
    if name != "cert.path"  # where the server is, which the server need not be told
}


def camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def test_every_setting_is_documented() -> None:
    assert list(DOCUMENTED) == [camel_case(field.name) for field in fields(Settings)]


def test_documented_defaults_hold() -> None:
    for field in fields(Settings):
        default = field.default if isinstance(field.default, str) else json.dumps(field.default)
        assert DOCUMENTED[camel_case(field.name)][0] == default


def test_documented_names_are_taken() -> None:
    options = {camel_case(field.name): field.default for field in fields(Settings)}
    assert parse_settings(options, Settings()) == (Settings(), [])
    assert parse_settings({"misspelt": 1}, Settings())[1]


def test_documented_limits_hold() -> None:
    limits = {name: re.fullmatch(r"(\d+) to (\d+)", kind) for name, (_, kind, _) in DOCUMENTED.items()}
    assert {name for name, found in limits.items() if found} == {"threads", "candidates", "maxTokens"}
    for name, found in limits.items():
        if found:
            low, high = map(int, found.groups())
            for value, problems in ((low, 0), (high, 0), (low - 1, 1), (high + 1, 1)):
                assert len(parse_settings({name: value}, Settings())[1]) == problems


def test_another_model_is_needed_for_the_settings_of_the_window_alone() -> None:
    other = {"model": "/m", "provider": "cpu", "threads": 7, "sketch": False, "candidates": 7, "maxTokens": 7}
    for name, value in {**other, "feedback": True, "pandas": "2.2", "numpy": "2"}.items():
        changed = parse_settings({name: value}, Settings())[0].choice != Settings().choice
        assert changed == (DOCUMENTED[name][2] == "the window")


def test_vs_code_has_the_same() -> None:
    assert list(OF_VS_CODE) == list(DOCUMENTED)
    for name, (default, kind, place) in DOCUMENTED.items():
        schema = OF_VS_CODE[name]
        assert (schema["default"] if isinstance(schema["default"], str) else json.dumps(schema["default"])) == default
        assert (schema["scope"] == "resource") == (place == "each folder")
        if found := re.fullmatch(r"(\d+) to (\d+)", kind):
            assert (schema["minimum"], schema["maximum"]) == tuple(map(int, found.groups()))


def test_help_of_neovim_has_the_same() -> None:
    text = (ROOT / "editors" / "nvim" / "doc" / "cert_lsp.txt").read_text(encoding="utf-8")
    told = {name: (default, about) for name, default, about in HELP.findall(text)}
    assert list(told) == list(DOCUMENTED)
    for name, (default, kind, _) in DOCUMENTED.items():
        assert told[name][0] == default
        if re.fullmatch(r"\d+ to \d+", kind):
            assert kind in told[name][1]
