"""The index is made of what each interpreter tells, with a bit for each release that has a name."""

import gzip
import json
import sys
from pathlib import Path

import pytest

from cert_lsp.errors import CorpusError
from trainer.__main__ import main
from trainer.api_index import merge, probe


def told(pandas: str, frame: dict[str, list[object]]) -> dict[str, object]:
    return {
        "versions": {"pandas": pandas, "numpy": "2.0.0"},
        "modules": {
            "pandas": {"DataFrame": ["c", ["data"], ["DataFrame"]]},
            "numpy": {"log": ["f", ["x"], [], [["Series"], []]]},
        },
        "types": {"DataFrame": {"library": "pandas", "members": frame}},
    }


def test_releases_keep_what_is_theirs() -> None:
    old = told("1.5.3", {"append": ["f", ["other"], ["DataFrame"]], "map": ["f", None, []]})
    new = told("3.0.0", {"map": ["f", ["func", "**"], ["DataFrame"]]})
    index = merge([old, new])
    frame = index["types"]["DataFrame"]
    assert index["versions"] == {"pandas": ["1.5.3", "3.0.0"], "numpy": ["2.0.0"]}
    assert frame["append"][0] == 0b01
    assert frame["map"][0] == 0b11
    assert index["keywords"][frame["append"][2]] == {"other": 0b01}
    assert index["keywords"][frame["map"][2]] == {"**": 0b11, "func": 0b10}
    assert index["results"][frame["append"][3]] == ["DataFrame"]
    assert index["results"][frame["map"][3]] == []  # one of them does not tell
    assert [index["results"][at] for at in index["modules"]["numpy"]["log"][3:]] == [[], ["Series"], []]


def test_what_runs_here_is_listed(tmp_path: Path) -> None:
    out = tmp_path / "index.json.gz"
    assert main(["api-index", "--out", str(out), "--python", sys.executable]) == 0
    index = json.loads(gzip.decompress(out.read_bytes()))
    frame, numpy = index["types"]["DataFrame"], index["modules"]["numpy"]
    assert index["results"][frame["head"][3]] == ["DataFrame"]
    assert "ascending" in index["keywords"][frame["sort_values"][2]]
    assert "**" in index["keywords"][frame["assign"][2]]
    assert "**" not in index["keywords"][frame["mean"][2]]  # takes any by its signature, and refuses them
    assert {"axis", "dtype"} <= set(index["keywords"][numpy["concatenate"][2]])  # by its docstring
    assert index["results"][index["types"]["SeriesGroupBy"]["mean"][3]] == ["Series"]
    assert {"*1", "*"} <= set(index["keywords"][frame["combine_first"][2]])
    assert "*" not in index["keywords"][frame["drop"][2]]  # most of what it takes needs a name
    assert {"*3", "!2"} <= set(index["keywords"][numpy["maximum"][2]])
    assert "!1" in index["keywords"][frame["merge"][2]]
    assert not any(keyword[0] == "!" for keyword in index["keywords"][frame["head"][2]])  # needs nothing
    assert not any(keyword[0] == "*" for keyword in index["keywords"][numpy["meshgrid"][2]])  # takes any number
    assert "str" in index["types"]["Series"]
    dates = index["types"]["DatetimeIndex"]
    assert index["keywords"][dates["to_pydatetime"][2]].keys() == {"*", "*0"}  # told by the array within
    assert {"freq", "ambiguous"} < set(index["keywords"][index["types"]["DatetimeProperties"]["floor"][2]])
    taken = index["keywords"][index["modules"]["pandas"]["Timedelta"][2]]
    assert {"value", "days", "weeks"} < set(taken)  # which it tells by refusing others
    assert "**" not in taken
    masked = index["modules"]["numpy.ma"]
    assert index["results"][masked["masked_equal"][3]] == ["MaskedArray"]  # seen, as nothing tells
    assert {"float64", "ndarray"} < set(index["results"][numpy["std"][3]])
    assert {"a", "b"}.isdisjoint(frame)


def test_an_interpreter_without_the_libraries_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="cannot list its API"):
        probe(tmp_path / "python")
