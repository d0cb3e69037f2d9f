"""The index: what each release has, and what is read where the project's release is not in it."""

import pytest

from cert_lsp.engine.api_index import Versions, api_of

OLD, NEW, ANY = Versions("1.5.3", "1.23.5"), Versions("3.1.1", "2.4.6"), Versions()


@pytest.mark.parametrize(
    ("title", "name", "old", "new"),
    [
        ("DataFrame", "append", True, False),
        ("DataFrame", "map", False, True),
        ("DataFrame", "groupby", True, True),
        ("DataFrame", "groupy", False, False),
        ("Series", "str", True, True),
        ("StringMethods", "removeprefix", True, True),
        ("ndarray", "ptp", True, False),
        ("Generator", "integers", True, True),
    ],
)
def test_attributes_by_release(title: str, name: str, old: bool, new: bool) -> None:
    assert [api_of(versions).of_type(title, name) is not None for versions in (OLD, NEW, ANY)] == [old, new, old or new]


@pytest.mark.parametrize(
    ("path", "name", "old", "new"),
    [
        ("numpy", "in1d", True, False),
        ("numpy", "trapezoid", False, True),
        ("numpy.linalg", "inv", True, True),
        ("numpy.random", "default_rng", True, True),
        ("pandas", "read_csv", True, True),
        ("pandas", "Int64Index", True, False),
    ],
)
def test_names_of_modules_by_release(path: str, name: str, old: bool, new: bool) -> None:
    assert [api_of(versions).in_module(path, name) is not None for versions in (OLD, NEW, ANY)] == [
        old,
        new,
        old or new,
    ]


@pytest.mark.parametrize(
    ("version", "has_map"),
    [("1.4", False), ("2.0.3", False), ("2.1.4", False), ("2", True), ("2.3.3", True), ("9", True)],
)
def test_a_release_that_is_not_in_the_index_is_read_as_the_next_older_one(version: str, has_map: bool) -> None:
    assert (api_of(Versions(version)).of_type("DataFrame", "map") is not None) == has_map


def test_keywords_by_release() -> None:
    def keywords(versions: Versions) -> frozenset[str]:
        entry = api_of(versions).of_type("DataFrame", "to_csv")
        assert entry
        assert entry.keywords
        return entry.keywords

    assert "lineterminator" in keywords(OLD)
    assert "sep" in keywords(NEW)
    assert "seperator" not in keywords(ANY)


@pytest.mark.parametrize("name", ["array", "concatenate", "arange", "where", "add", "isnan"])
def test_keywords_of_functions_without_a_signature_come_from_their_docstrings(name: str) -> None:
    for versions in (OLD, NEW):
        entry = api_of(versions).in_module("numpy", name)
        assert entry
        assert entry.keywords is not None
        assert {"dtype", "out", "x"} & entry.keywords or name == "where"


@pytest.mark.parametrize("name", ["assign", "agg", "apply"])
def test_any_keyword_goes_where_names_are_the_users(name: str) -> None:
    entry = api_of(NEW).of_type("DataFrame", name)
    assert entry
    assert entry.keywords is None


def test_beginnings() -> None:
    names = api_of(NEW).attributes(frozenset({"DataFrame"}))
    assert names.begin_with("sort_va")
    assert names.begin_with("mean")
    assert not names.begin_with("sort_by")
    assert "sort_va" not in names
