"""What pandas and NumPy have, version by version; neither is imported here.

`api_index.json.gz` comes from ``python -m trainer api-index``: for every public module its names, for every type of its
objects (and of Python's own) their attributes, for what can be called its keywords and what it gives. An `Api` is the
view of one pair of versions, or of all of them together where the project's is not known.
"""

import gzip
import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

_FILE = Path(__file__).with_suffix(".json.gz")
# What a value of which nothing is known may be: not what hardly anyone holds in a variable, such as an accessor.
_OF_PANDAS = re.compile(
    r"DataFrame|Series|\w*Index|\w*GroupBy|\w*Groupby|Rolling|Window|Expanding|Exponential\w*|\w*Resampler|Categorical"
    r"|Interval|Period|Timestamp|Timedelta|Styler|Excel\w*|(?!Masked)\w*Array|Grouper|_\w*Indexer|Pandas"
)
_OF_OTHERS = re.compile(
    r"ndarray|MaskedArray|matrix|recarray|chararray|Generator|RandomState|\w+64|bool_|str_|poly1d|Polynomial|dtype"
    r"|[fi]info|flatiter|str|bytes|int|float|complex|bool|list|dict|set|frozenset|tuple|slice|range|generator|date|time"
    r"|datetime|timedelta|timezone|Match|Pattern|TextIOWrapper|StringIO|BytesIO|ValueError|\w+Result|NoneType"
)
_INDEX = "Index"  # where an index of any kind may come, the libraries say this
_SCALARS = ("int", "float", "bool", "str", "int64", "float64", "bool_", "Timestamp", "Timedelta", "datetime")


@dataclass(frozen=True, slots=True)
class Versions:
    """The releases that a project uses, such as ``2.2.3`` or ``2.2``; None where that is not known."""

    pandas: str | None = None
    numpy: str | None = None


UNKNOWN = Versions()
"""Any release: a name that one of them has exists."""


class Entry(NamedTuple):
    """What stands behind a name.

    Attributes:
        kind: ``f`` function or method, ``c`` class, ``v`` value, ``m`` module.
        keywords: What a call takes by name; None if anything.
        results: The types of what it gives or is, empty if not known; for NumPy's functions two more: what comes of a
            Series and of a DataFrame.
        named: The keywords that are its own where it takes any, to pass them on.
        places: How many arguments a call takes at most without a name; None if any number, or if that is not known.
        all_by_place: Whether it takes nothing else.
        needed: How many arguments a call has at least; 0 too if that is not known.
    """

    kind: str
    keywords: frozenset[str] | None
    results: tuple[frozenset[str], ...]
    named: frozenset[str] = frozenset()
    places: int | None = None
    all_by_place: bool = False
    needed: int = 0


class Names:
    """A set of names that can be asked for beginnings."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._sorted = sorted(self._names)

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def begin_with(self, prefix: str) -> bool:
        """Say whether any of the names begins with `prefix`."""
        at = bisect_left(self._sorted, prefix)
        return at < len(self._sorted) and self._sorted[at].startswith(prefix)


class Api:
    """The API of one pair of versions."""

    def __init__(self, versions: Versions) -> None:
        """Take the view of `versions`; a release that the index lacks is read as the next older one of its line."""
        found = _load()
        self._types: dict[str, dict[str, list[Any]]] = found["types"]
        self._modules: dict[str, dict[str, list[Any]]] = found["modules"]
        self._keywords: list[dict[str, int]] = found["keywords"]
        self._results: list[list[str]] = found["results"]
        numpy = _bits(found["versions"]["numpy"], versions.numpy)
        pandas = _bits(found["versions"]["pandas"], versions.pandas)
        self._bits = {"numpy": numpy, "pandas": pandas}
        self._bits_of_types = {title: numpy for path in self._modules if path.startswith("numpy")
                               for title in self._modules[path] if title in self._types}  # fmt: skip
        self._bits_of_types |= {title: numpy for title in ("ndarray", "nditer", "flatiter")}
        self._known: dict[tuple[str, str], Entry | None] = {}
        self._unions: dict[frozenset[str], Names] = {}
        self._indexes = frozenset(title for title in self._types if title.endswith(_INDEX))
        self.outside_pandas = frozenset(title for title in self._types if _OF_OTHERS.fullmatch(title))
        self.every = self.outside_pandas.union(title for title in self._types if _OF_PANDAS.fullmatch(title))

    def has_module(self, path: str) -> bool:
        """Say whether there is a module of that dotted name."""
        return path in self._modules

    def in_module(self, path: str, name: str) -> Entry | None:
        """Return what a name of a module stands for."""
        return self._entry(path, name, self._modules[path].get(name), self._bits[path.partition(".")[0]])

    def names_in(self, path: str) -> Names:
        """Return the names of a module."""
        key = frozenset({path})
        if key not in self._unions:
            self._unions[key] = Names(_there(self._modules[path], self._bits[path.partition(".")[0]]))
        return self._unions[key]

    def of_type(self, title: str, name: str) -> Entry | None:
        """Return what an attribute of a type's objects is; None too for a type that is not listed."""
        return self._entry(title, name, self._types.get(title, {}).get(name), self._bits_of(title))

    def attributes(self, titles: frozenset[str]) -> Names:
        """Return the names that objects of any of the types have."""
        if titles not in self._unions:
            each = (_there(self._types.get(title, {}), self._bits_of(title)) for title in titles)
            self._unions[titles] = Names(name for names in each for name in names)
        return self._unions[titles]

    def _bits_of(self, title: str) -> int:
        return self._bits_of_types.get(title, self._bits["pandas"])

    def _entry(self, owner: str, name: str, raw: list[Any] | None, bits: int) -> Entry | None:
        if raw is None or not raw[0] & bits:
            return None
        if (owner, name) not in self._known:
            _, kind, taken, *gives = raw
            told = self._keywords[int(taken)] if taken >= 0 else {"**": bits}
            named = frozenset(keyword for keyword, those in told.items() if those & bits and keyword[0] not in "*!")
            taken_by_name = None if told.get("**", 0) & bits else named
            results = tuple(self._widened(self._results[int(at)]) for at in gives)
            here = raw[0] & bits
            all_by_place = told.get("*", 0) & here == here
            most, least = max(_counts(told, "*", here), default=None), min(_counts(told, "!", here), default=0)
            self._known[owner, name] = Entry(kind, taken_by_name, results, named, most, all_by_place, least)
        return self._known[owner, name]

    def _widened(self, found: Iterable[str]) -> frozenset[str]:
        titles = frozenset(found)
        if _INDEX in titles:
            titles |= self._indexes
        return titles | set(_SCALARS) if "scalar" in titles else titles


def _counts(told: Mapping[str, int], mark: str, bits: int) -> list[int]:
    """Return the counts of arguments behind `mark`, of all versions in `bits`; none unless each of them tells one."""
    counts = {int(each[1:]): those & bits for each, those in told.items() if each[0] == mark and each[1:].isdigit()}
    said = 0
    for those in counts.values():
        said |= those
    return [count for count, those in counts.items() if those] if said == bits else []


def _there(names: Mapping[str, list[Any]], bits: int) -> Iterable[str]:
    return (name for name, raw in names.items() if raw[0] & bits)


@cache
def api_of(versions: Versions) -> Api:
    """Return the view of a pair of versions."""
    return Api(versions)


@cache
def _load() -> dict[str, Any]:
    return json.loads(gzip.decompress(_FILE.read_bytes()))


def _bits(known: list[str], version: str | None) -> int:
    """Return the bit of the newest release in `known` that is not newer than `version`; all bits without a version."""
    if version is None or not (wanted := _numbers(version)):
        return (1 << len(known)) - 1
    at = max((n for n, each in enumerate(known) if _numbers(each)[: len(wanted)] <= wanted), default=0)
    return 1 << at


def _numbers(version: str) -> tuple[int, ...]:
    numbers: list[int] = []
    for part in version.split(".")[:3]:
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)
