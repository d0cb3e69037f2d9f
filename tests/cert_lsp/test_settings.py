"""Client options: typed, with defaults, and one message for what is not valid."""

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cert_lsp.settings import OPTIONS, Settings, parse_settings

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def test_every_setting_is_an_option_and_the_other_way_round() -> None:
    assert sorted(field for field, _ in OPTIONS.values()) == sorted(field.name for field in fields(Settings))


def test_valid_options_are_taken() -> None:
    options = {"model": "/m", "provider": "cpu", "threads": 2, "sketch": False, "candidates": 1, "maxTokens": 20}
    options["feedback"] = True
    expected = Settings(Path("/m"), "cpu", 2, False, 1, 20, True)
    assert parse_settings(options, Settings()) == (expected, [])


@pytest.mark.parametrize("options", [None, {}, {"model": None, "threads": None}])
def test_nothing_set_means_the_defaults(options: object) -> None:
    defaults = Settings(model=Path("/d"))
    assert parse_settings(options, defaults) == (defaults, [])


@pytest.mark.parametrize(
    "options",
    [
        {"model": 3},
        {"model": ""},
        {"provider": "tpu"},
        {"provider": []},
        {"threads": 0},
        {"threads": True},
        {"threads": 1.5},
        {"sketch": "yes"},
        {"candidates": 11},
        {"maxTokens": "many"},
        {"max_tokens": 3},
        [1],
        "x",
    ],
)
def test_value_that_is_not_valid_gives_the_default_and_a_sentence(options: object) -> None:
    settings, problems = parse_settings(options, Settings())
    assert settings == Settings()
    assert len(problems) == 1


@given(st.dictionaries(st.sampled_from([*OPTIONS, "other"]), JSON) | JSON)
def test_no_json_value_breaks_it(options: object) -> None:
    settings, problems = parse_settings(options, Settings())
    assert isinstance(settings, Settings)
    assert all(problem.endswith(".") for problem in problems)
