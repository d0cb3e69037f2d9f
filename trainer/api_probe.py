"""List the public API of the pandas and NumPy that run here: a script for other interpreters, see `trainer.api_index`.

It stands alone, on any Python from 3.8, and writes one JSON object: versions, names of each public module, attributes.
"""

import contextlib
import datetime
import importlib
import inspect
import io
import json
import re
import sys
import types
import warnings

import numpy as np
import pandas as pd

# Reachable, but no API: implementation, build tools, test suites.
_PRIVATE = frozenset({"compat", "conftest", "core", "distutils", "f2py", "matrixlib", "setup", "tests", "util"})
_UNREACHED = ("numpy.typing", "numpy.lib.stride_tricks", "numpy.lib.recfunctions", "pandas.api.indexers")


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


def classes(modules: "dict[str, types.ModuleType]") -> "set[type]":
    """Return the public classes of all modules but those for test suites, and those behind readers and writers."""
    return {
        value
        for path, module in modules.items()
        if not path.startswith(("numpy.testing", "pandas.testing", "pandas.io"))
        for _, value in inspect.getmembers(module, inspect.isclass)
    }


def instances() -> "list[object]":
    """Return objects whose classes no public module names, or that have attributes that their classes have not."""
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}, index=pd.date_range("2020-01-01", periods=2))
    series, groups = frame["a"], frame.groupby("b")
    square = np.array([[2.0, 1.0], [1.0, 3.0]])
    made = [frame, series, frame.index, frame.loc, frame.iloc, frame.at, frame.iat, frame.flags, groups, groups["a"]]
    made += [group.rolling(2) for group in (frame, series, groups)]
    made += [group.expanding() for group in (frame, series, groups)]
    made += [group.ewm(2) for group in (frame, series, groups)]
    made += [group.resample("D") for group in (frame, series, groups)]
    made += [frame["b"].str, frame.index.to_series().dt, frame["b"].astype("category").cat, frame.index.values.dtype]
    made += [pd.Series([pd.Timedelta(1)]).dt, pd.Series(pd.period_range("2020", periods=1, freq="D")).dt]
    made += [pd.Series.plot, pd.DataFrame.plot, pd.Series.sparse, pd.DataFrame.sparse]
    made += [np.finfo(float), np.iinfo(int), square.flat, square.flags, square.ctypes, np.add]
    made += [np.linalg.svd(square), np.linalg.eig(square), np.linalg.qr(square), np.linalg.slogdet(square)]
    made += [re.compile("a"), re.match("a", "a"), io.StringIO(), io.BytesIO(), sys.stdout, ValueError(), len, range(1)]
    made += ["", b"", 1, 1.0, 1j, [], {}, set(), frozenset(), (), slice(1), bytearray(), memoryview(b"")]
    made.append(i for i in ())
    made += [datetime.date.min, datetime.datetime.min, datetime.time.min, datetime.timedelta()]
    made.append(datetime.timezone(datetime.timedelta()))
    made += [next(frame.itertuples())._replace(a=1)]
    with contextlib.suppress(ImportError, AttributeError):  # needs Jinja
        made.append(frame.style)
    return made


def main() -> None:
    """Write what is found to standard output."""
    warnings.simplefilter("ignore")
    for name in _UNREACHED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    modules = {**walk_modules("pandas", pd), **walk_modules("numpy", np)}
    things = [*classes(modules), *instances()]
    found = {
        "versions": {"pandas": pd.__version__, "numpy": np.__version__},
        "modules": {path: names_of(path, modules) for path in modules},
        "attributes": sorted({name for thing in things for name in public(thing)} - {"a", "b"}),
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
