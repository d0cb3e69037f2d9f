"""List the public API of the pandas and NumPy that run here: for other interpreters to run, see `trainer.api_index`.

This folder stands alone, on any Python from 3.8, and writes one JSON object: the names of each public module and type.
Behind a name stands what it is: its kind (`f` function, `c` class, `v` value, `m` module), what a call takes (its
keywords; `**`: any; null: not known; `*2`: at most two arguments need no name; `*`: none needs one; `!2`: there must be
at least two), the types of what it gives (empty: not known), and for NumPy's functions those for a Series and for a
DataFrame. All of it comes from the libraries themselves: introspection, their own annotations, the signatures and
"Returns" of their docstrings, and from calling what needs no arguments. No type stubs are read: those judge
(`evals.existence`).
"""

import contextlib
import datetime
import importlib
import inspect
import io
import json
import os
import re
import sys
import tempfile
import types
import warnings

import numpy as np
import pandas as pd
from signatures import arguments  # of this folder, which is what Python is given to run

# Reachable, but no API: implementation, build tools, test suites.
_PRIVATE = frozenset({"compat", "conftest", "core", "distutils", "f2py", "matrixlib", "setup", "tests", "util"})
_UNREACHED = ("numpy.typing", "numpy.lib.stride_tricks", "numpy.lib.recfunctions", "pandas.api.indexers")
_NOT_CALLED = re.compile(
    r"to_(?!frame|list|numpy|dict|series|period|timestamp|flat_index|pydatetime|julian|records)|plot|hist|boxplot|info"
    r"|tofile|dump|save|input|exit|breakpoint|close|write|read|eval|query|memmap|from_|fromfile|loadtxt|genfromtxt"
    r"|getbuffer|show|test|fromregex|set_|seterr|add_|pipe|seed|bytes|deprecate|get_include|source|lookfor|info|setbufsize"
)
_WORD = re.compile(r"[A-Za-z_][\w.]*")
_SPELLED = {
    word: kinds.split()
    for words, kinds in {
        "int ints integer": "int int64", "float floats": "float float64", "bool boolean bool_t": "bool bool_",
        "str string": "str", "tuple Tuple": "tuple", "list List": "list", "dict Dict": "dict", "bytes": "bytes",
        "complex": "complex", "slice": "slice", "scalar scalars Scalar": "scalar", "None": "NoneType",
        "array arrays ndarrays array_like NDArray": "ndarray", "datetime": "datetime", "timedelta": "timedelta",
        "date": "date", "time": "time", "Self caller": "~", "NDFrameT": "DataFrame Series ~",
    }.items()
    for word in words.split()
}  # fmt: skip
_NOTHING_SAID = frozenset(
    """or of and the a an if is in as same type shape with see above parameter for by which np pd numpy pandas core api
    typing optional otherwise int64 float64 bool_ object_ input subclass depending on default values each element python
    original index new one two three length numeric dtype""".split()  # noqa: SIM905 - a list of so many words is no better
)
_UNSAID = re.compile(
    r"\b(?:Any|object|objects|callable|function|generator|iterator|Iterator|ArrayLike|AnyArrayLike|varies|value"
    r"|type of|depends|Hashable|same type as|array-like|arrays?-like|any)\b"
)
_OF = re.compile(r"\bof\b.*?(?=,|\||\bor\b|$)")
# What neither annotations, docstrings nor a call without arguments tell, or tell wrongly.
_INDEXES = ["Index"]  # stands for all kinds of index
_EITHER = ["DataFrame", "Series"]
_WHATEVER = [*_EITHER, "scalar"]
_KNOWN = {
    "str": ["StringMethods"], "dt": ["DatetimeProperties", "PeriodProperties", "TimedeltaProperties"],
    "cat": ["CategoricalAccessor"], "plot": [], "hist": [], "boxplot": [], "style": ["Styler"], "index": _INDEXES,
    "columns": _INDEXES, "keys": _INDEXES, "resample": ["Resampler"], "xs": _EITHER, "get": [], "pipe": [],
    "dtype": [], "dtypes": [], "name": [], "apply": _WHATEVER, "agg": _WHATEVER, "aggregate": _WHATEVER,
}  # fmt: skip
_KNOWN_OF = {
    "numpy.where": ["ndarray", "tuple"], "numpy.unique": ["ndarray", "tuple"], "numpy.average": ["ndarray", "float64"],
    "numpy.random.default_rng": ["Generator"], "pandas.concat": _EITHER, "pandas.merge": ["DataFrame"],
    "pandas.to_datetime": ["DatetimeIndex", "Series", "Timestamp", "datetime"], "pandas.get_dummies": ["DataFrame"],
    "pandas.to_timedelta": ["Series", "Timedelta", "TimedeltaIndex"], "pandas.eval": [], "pandas.array": [],
    "pandas.to_numeric": ["Index", "Series", "ndarray", "scalar"], "pandas.unique": [],
    **{f"pandas.{name}": ["Categorical", "Series", "tuple"] for name in ("cut", "qcut")},
    **{f"pandas.read_{name}": ["DataFrame"] for name in ("csv", "table", "excel", "sql", "sql_query", "sql_table")},
    **{f"pandas.{name}": [*_EITHER, "ndarray", "bool"] for name in ("isna", "isnull", "notna", "notnull")},
    "pandas.crosstab": ["DataFrame"], "pandas.read_json": _EITHER, "pandas.read_html": ["list"], "Series.idxmax": [],
    **{f"ndarray.{name}": ["ndarray"] for name in ("reshape", "take", "compress", "repeat", "swapaxes", "dot")},
    "Series.idxmin": [], "ndarray.tolist": ["list", "scalar"], "ndarray.item": ["scalar"],
    "Series.values": ["Categorical", "ndarray"], "Series.array": [],
    "Index.values": ["Categorical", "ndarray"], "DataFrame.dtypes": ["Series"],
}  # fmt: skip


def walk_modules(path: str, module: types.ModuleType) -> "dict[str, types.ModuleType]":
    """Return `module` and its public submodules under the dotted names by which they are reached."""
    found = {path: module}
    for name in public(module):
        value = getattr(module, name, None)
        inside = f"{path}.{name}"
        # A library's own names for its modules count (pd.offsets); deeper down, a module's imports are no API.
        if isinstance(value, types.ModuleType) and (
            value.__name__ == inside or ("." not in path and value.__name__.startswith(path + "."))
        ):
            found.update(walk_modules(inside, value))
    return found


def names_of(path: str, modules: "dict[str, types.ModuleType]") -> "list[str]":
    """Return the names of a module, less the modules that it imports for itself."""
    submodules = {name.rpartition(".")[2] for name in modules if name.rpartition(".")[0] == path}
    module = modules[path]
    own = [name for name in public(module) if not isinstance(getattr(module, name, None), types.ModuleType)]
    return sorted(submodules.union(own))


def public(thing: object) -> "list[str]":
    """Return the names that `thing` has and that are meant for its users."""
    return [name for name in dir(thing) if not name.startswith("_") and name not in _PRIVATE]


def classes(modules: "dict[str, types.ModuleType]") -> "list[type]":
    """Return the public classes of all modules but those for test suites, and those behind readers and writers."""
    found = {
        title(value): value
        for path, module in modules.items()
        if not path.startswith(("numpy.testing", "pandas.testing", "pandas.io", "numpy.dtypes", "numpy.typing"))
        for _, value in inspect.getmembers(module, inspect.isclass)
    }
    return list(found.values())


def frames() -> "list[object]":
    """Return the objects of pandas that most is called on."""
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}, index=pd.date_range("2020-01-01", periods=2))
    numbers = frame[["a"]]
    series, groups, group = numbers["a"], frame.groupby("b")[["a"]], frame.groupby("b")["a"]
    made = [numbers, series, frame.index, pd.Index(["x", "y"]), pd.RangeIndex(3), groups, group]
    made += [pd.MultiIndex.from_product([[1], [2]]), pd.CategoricalIndex(["a"]), pd.interval_range(0, 2)]
    made += [pd.period_range("2020", periods=2, freq="D"), pd.timedelta_range("1D", periods=2)]
    for make in (lambda x: x.rolling(2), lambda x: x.expanding(), lambda x: x.ewm(2), lambda x: x.resample("D")):
        made += [make(thing) for thing in (series, numbers, groups, group)]
    made += [numbers.rolling(2, win_type="boxcar")] if importlib.util.find_spec("scipy") else []
    made += [numbers.to_period("D").resample("D"), numbers.set_index(pd.timedelta_range("1D", periods=2)).resample("D")]
    made += [
        frame["b"].str,
        frame.index.to_series().dt,
        frame["b"].astype("category").cat,
        frame["b"].astype("category"),
    ]
    made += [pd.Series([pd.Timedelta(1)]).dt, pd.Series(pd.period_range("2020", periods=1, freq="D")).dt]
    made += [pd.Timestamp("2020-01-01"), pd.Timedelta(1), pd.Period("2020"), pd.Interval(0, 1), pd.Categorical(["a"])]
    return made


def arrays() -> "list[object]":
    """Return the objects of NumPy that most is called on."""
    square = np.array([[2.0, 1.0], [1.0, 3.0]])
    made = [square, np.float64(1), np.int64(1), np.bool_(True), np.dtype(float), np.random.default_rng(0)]
    made += [getattr(np.polynomial, name)([1, 2]) for name in ("Polynomial", "Chebyshev", "Legendre", "Hermite")]
    return [*made, np.random.RandomState(0), np.ma.array([1.0]), np.datetime64("2020-01-01"), np.poly1d([1, 2])]


def instances() -> "list[object]":
    """Return objects whose classes no public module names, or that have attributes that their classes have not."""
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}, index=pd.date_range("2020-01-01", periods=2))
    square = np.array([[2.0, 1.0], [1.0, 3.0]])
    made = [*frames(), *arrays(), frame.loc, frame.iloc, frame.at, frame.iat, frame.flags, frame.index.values.dtype]
    made += [pd.Series.sparse, pd.DataFrame.sparse]
    made += [np.finfo(float), np.iinfo(int), square.flat, square.flags, square.ctypes, np.add]
    made += [np.linalg.svd(square), np.linalg.eig(square), np.linalg.qr(square), np.linalg.slogdet(square)]
    made += [re.compile("a"), re.match("a", "a"), io.StringIO(), io.BytesIO(), sys.stdout, ValueError(), len, range(1)]
    made += ["", b"", 1, 1.0, 1j, True, [], {}, set(), frozenset(), (), slice(1), bytearray(), memoryview(b""), None]
    made.append(i for i in ())
    made += [datetime.date.min, datetime.datetime.min, datetime.time.min, datetime.timedelta()]
    made.append(datetime.timezone(datetime.timedelta()))
    made += [next(frame.itertuples())._replace(a=1)]
    with contextlib.suppress(ImportError, AttributeError):  # needs Jinja
        made.append(frame.style)
    return made


def said(text: str, known: "set[str]", owner: str) -> "list[str]":
    """Return the types that an annotation or a line of a docstring names; [] if it names one that is not known."""
    text = _OF.sub("", re.sub(r"\[[^\[\]]*\]|\([^()]*\)", "", text))
    if _UNSAID.search(text):
        return []
    found = []
    for word in _WORD.findall(text):
        last = word.rpartition(".")[2]
        if word in _SPELLED or last in _SPELLED:
            found += _SPELLED.get(word) or _SPELLED[last]
        elif last in known and last not in _NOTHING_SAID:
            found.append(last)
        elif last.lower() not in _NOTHING_SAID:
            return []
    if "~" in found and owner in ("DataFrame", "Series"):
        return [owner]
    own = owner if not owner.endswith("GroupBy") and "Series" not in found else None
    return sorted({own or "" if each == "~" else each for each in found} - {""})


def item_type(item: str, known: "set[str]", owner: str) -> "list[str]":
    """Return the types that an item of a "Returns" section tells: "out : ndarray", or "DataFrame"."""
    name, colon, told = item.partition(" : ")
    return (
        said(told, known, owner) or ([name.strip()] if name.strip() in known else [])
        if colon
        else said(item, known, owner)
    )


def returned(thing: object, known: "set[str]", owner: str) -> "list[str]":
    """Return the types of a callable's result by its own annotation, else by its docstring."""
    noted = getattr(inspect.unwrap(thing) if callable(thing) else thing, "__annotations__", {}).get("return", "")
    noted = noted if isinstance(noted, str) else getattr(noted, "__name__", "")
    if noted and (found := said(noted, known, owner)):
        return found
    text = inspect.getdoc(thing) or ""
    section = re.search(r"^Returns\n-+\n(.*?)(?=\n\n?\S[^\n]*\n-{3,}|\Z)", text, re.S | re.M)
    if not section:
        return []
    items = [line for line in section[1].split("\n") if line[:1].strip()]
    told = [item_type(item, known, owner) for item in items]
    if len(told) > 1 and "optional" in items[1]:
        return [*told[0], "tuple"] if told[0] else []
    if len(told) > 1:
        return ["tuple"] if all(" : " in item for item in items) and owner == "" else []
    return told[0] if told else []


def called(thing: object, names: "set[str]") -> "list[str]":
    """Return the type of what a callable gives without arguments; [] if it needs some."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            result = thing()
    except BaseException:
        return []
    return named(result, names)


def named(value: object, names: "set[str]") -> "list[str]":
    """Return the name of a value's type, if it is one that is listed."""
    return next(([title(kind)] for kind in type(value).__mro__[:-1] if title(kind) in names), [])


def title(kind: type) -> str:
    """Return the name that a type is listed by; NumPy 2 calls a type of its own ``bool``."""
    return "bool_" if kind is np.bool_ else kind.__name__


def members(kind: type, thing: object, try_calls: bool, names: "set[str]") -> "dict[str, list[object]]":
    """Describe what objects of a type have, `thing` among them; `try_calls` says whether its methods are called."""
    owner = title(kind)
    found = {}
    for name in sorted({*public(kind), *(public(thing) if thing is not None else ())}):
        value = getattr(kind, name, None)
        if name in ("a", "b") and (value is None or issubclass(kind, tuple)):
            continue  # columns of the frames that are looked into
        try:
            here = getattr(thing, name) if thing is not None else None
        except Exception:
            here = None
        known = named(here, names) if here is not None and not isinstance(here, type) else []
        if callable(value) and not isinstance(value, (type, property)):
            bound = here if try_calls and not _NOT_CALLED.match(name) else None
            found[name] = method(kind, name, value, bound, names)
        elif callable(here) and not known and not isinstance(here, type):
            found[name] = ["f", arguments(here, name), returned(here, names, owner)]
        else:
            found[name] = ["v", None, known]
        if owner + "." + name in _KNOWN_OF:
            found[name][2] = _KNOWN_OF[owner + "." + name]
        elif name in _KNOWN and kind.__module__.startswith("pandas") and not owner.endswith(("Methods", "Accessor")):
            found[name][2] = [each for each in _KNOWN[name] if each in names or each == "scalar"]
    return found


def method(kind: type, name: str, value: object, bound: object, names: "set[str]") -> "list[object]":
    """Describe a method: what is said of its result, widened or (where both are open) narrowed by what a call gives."""
    told = returned(value, names, title(kind))
    if bound is not None:
        seen = called(bound, names)
        inherited = name not in vars(kind) and title(kind).endswith("GroupBy")
        if issubclass(kind, np.ndarray) and seen and seen[0] not in names.intersection(["list", "tuple", "NoneType"]):
            seen = [*seen, title(kind)]  # along an axis
        if inherited and set(told) == set(_EITHER) and seen and seen[0] in told:
            told = seen
        elif told or "Returns\n" not in (inspect.getdoc(value) or "") or kind.__module__ == "builtins":
            told = sorted({*told, *seen})
    if issubclass(kind, np.ndarray) and "ndarray" in told:
        told = sorted({*told, title(kind)})
    taken = arguments(value, name, bound)
    return ["f", taken[1:] if taken and taken[0] == "self" else taken, told]


def like(function: object, names: "set[str]") -> "list[list[str]]":
    """Return the types that a NumPy function gives for a Series and for a DataFrame."""
    told = []
    for given in (pd.Series([1.0, 2.0]), pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})):
        seen = []
        for rest in ((), (1,), (given,), (0, 1), (given, 0)):
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    seen = named(function(given, *rest), names)
                break
            except BaseException:
                continue
        told.append(seen)
    return told


def tried(path: str, name: str, function: object, names: "set[str]") -> "list[str]":
    """Return the types that a NumPy function gives for arrays, with and without an axis; [] if that is not all."""
    if _NOT_CALLED.match(name) or any(each.startswith(("return", "full")) for each in arguments(function, name) or ()):
        return []
    make = (lambda values: np.ma.masked_less(values, 1.5)) if path == "numpy.ma" else np.array
    seen = set()
    for shape in ([2.0, 1.0], [[2.0, 1.0], [1.0, 3.0]]):
        for rest in ((), (1,), (make(shape),), (0, 1)):
            for axis in ({}, {"axis": 0}):
                try:
                    with contextlib.redirect_stdout(io.StringIO()):
                        result = function(make(shape), *rest, **axis)
                except BaseException:
                    continue
                if not (found := named(result, names)):
                    return []
                seen.update(found)
    return sorted(seen | ({"scalar"} if "float64" in seen else set()))


def describe(path: str, name: str, value: object, names: "set[str]") -> "list[object]":
    """Describe a name of a module."""
    if isinstance(value, types.ModuleType):
        return ["m", None, []]
    if isinstance(value, type):
        known = [value.__name__] if value.__name__ in names else []
        return ["c", arguments(value, name), known]
    if not callable(value):
        return ["v", None, named(value, names)]
    gives = _KNOWN_OF.get(path + "." + name, returned(value, names, ""))
    if not gives and path in ("numpy", "numpy.ma"):
        gives = tried(path, name, value, names)
    masked = ["MaskedArray"] if path.startswith("numpy.ma") and "ndarray" in gives else []
    of_pandas = [like(value, names)] if path == "numpy" and not _NOT_CALLED.match(name) else []
    return ["f", arguments(value, name), [*masked, *gives], *of_pandas]


def main() -> None:
    """Write what is found to standard output."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    for name in _UNREACHED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    modules = {**walk_modules("pandas", pd), **walk_modules("numpy", np)}
    kinds = {kind.__name__: (kind, None) for kind in classes(modules)}
    for thing in instances():
        for kind in reversed(type(thing).__mro__[:-1]):
            base = kind.__name__ in ("Resampler", "GroupBy", "Rolling", "Window")
            if (base or kind is type(thing)) and kinds.get(title(kind), (kind, None))[1] is None:
                kinds[title(kind)] = kind, thing if kind is type(thing) else None
    names = set(kinds)
    called_on = {title(type(thing)) for thing in (*frames(), *arrays())}
    described = {
        name: {"library": kind.__module__.partition(".")[0], "members": members(kind, thing, name in called_on, names)}
        for name, (kind, thing) in sorted(kinds.items())
    }
    listed = {
        path: {name: describe(path, name, getattr(module, name, None), names) for name in names_of(path, modules)}
        for path, module in modules.items()
    }
    versions = {"pandas": pd.__version__, "numpy": np.__version__}
    json.dump({"versions": versions, "modules": listed, "types": described}, sys.stdout)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:  # for what is written by a method that is called blindly
        os.chdir(scratch)
        main()
