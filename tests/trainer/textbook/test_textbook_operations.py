"""The catalogue's format: what is refused, and why."""

from pathlib import Path

import pytest

from cert_lsp.errors import CorpusError
from trainer.textbook.operations import load, load_all

GOOD = """
[[operation]]
name = "doubled"
code = ["<arr> * <by>", "<arr> + <arr>"]
pick.by = ["2:two|twice"]
say = '''
! double <arr>
= <arr> times <by>
'''
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_teams_file_is_read_like_the_catalogue(tmp_path: Path) -> None:
    (operation,) = load(write(tmp_path, GOOD))
    assert operation.key == "own/doubled"
    assert operation.slots == {"arr"}
    assert operation.picks == {"by": (("2", ("two", "twice")),)}
    assert operation.say == {"order": ("double <arr>",), "noun": ("<arr> times <by>",)}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('name = "doubled"', ""), "no 'name'"),
        ((', "<arr> + <arr>"', ""), "nothing checks the answer"),
        (('name = "doubled"', 'name = "doubled"\ndata = "tall"'), "unknown trait 'tall'"),
        ((', "<arr> + <arr>"', ', "<arr> * <by>"'), "nothing checks the answer"),
        (("! double", "double"), "without a style sign"),
        (('name = "doubled"', 'name = "doubled"\ncolour = "red"'), "unknown key 'colour'"),
    ],
)
def test_a_faulty_operation_is_refused_with_its_name(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    with pytest.raises(CorpusError, match=said):
        load(write(tmp_path, GOOD.replace(*change)))


def test_two_operations_of_one_name_in_a_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="own/doubled"):
        load_all(write(tmp_path, GOOD + GOOD))


def test_every_operation_of_the_catalogue_is_asked_in_eight_ways() -> None:
    operations = load_all()
    few = [operation.key for operation in operations if sum(map(len, operation.say.values())) < 8]
    assert len(operations) >= 400
    assert not few
