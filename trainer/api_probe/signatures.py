"""What a callable takes: by its signature, else by the signatures that its docstring begins with."""

import contextlib
import inspect
import io
import re

import numpy as np

_SIGNATURE = re.compile(r"(?:[\w.]+\.)?(\w+)\(((?:[^()]|\([^()]*\))*)\)")
_OF_UFUNCS = "out where casting order dtype subok signature sig axes axis keepdims".split()  # noqa: SIM905


def arguments(thing: object, name: str, bound: object = None) -> "list[str] | None":
    """Return what may be given to a callable, by name and how much without; None if that is not known."""
    thing = within(thing, name, bound)
    taken = keywords(thing, name, bound)
    return taken if taken is None else [*taken, *places(thing)]


def within(thing: object, name: str, bound: object) -> object:
    """Return the method that a method of pandas hands all of its arguments on to: that of the array in an index."""
    try:
        kinds = [p.kind for p in inspect.signature(thing).parameters.values() if p.name != "self"]
    except (TypeError, ValueError):
        return thing
    if kinds != [inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD]:
        return thing
    owner = getattr(bound, "__self__", None)
    is_accessor = type(owner).__name__.endswith("Properties")
    values = owner._get_values() if is_accessor else getattr(owner, "_data", None)
    inner = getattr(values, name, None)
    return within(inner, name, inner) if inspect.ismethod(inner) and values is not owner else thing


def places(thing: object) -> "list[str]":
    """Return how many arguments there may be, as far as anything tells.

    `*N`: at most N of them without a name; `*`: none needs one; `!N`: at least N, with a name or without.
    """
    if isinstance(thing, np.ufunc):
        return [f"*{thing.nargs}", f"!{thing.nin}"]
    try:
        parameters = [p for p in inspect.signature(thing).parameters.values() if p.name != "self"]
    except (TypeError, ValueError):
        return []
    needed = sum(p.default is p.empty for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD))
    least = [f"!{needed}"] if needed else []
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return least
    unnamed = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
    return [f"*{unnamed}", *["*"][unnamed < len(parameters) :], *least]


def keywords(thing: object, name: str, bound: object = None) -> "list[str] | None":
    """Return what may be given to a callable by name; None if anything may, or if nothing tells.

    What takes any keyword by its signature may refuse it inside, which is tried on `bound`, the method of an object.
    """
    try:
        parameters = list(inspect.signature(thing).parameters.values())
        found = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        if any(p.kind is p.VAR_KEYWORD for p in parameters):
            if listed := allowed(thing):
                return [*found, *listed]
            if bound is None or set(found) <= {"self"} or not refuses(bound):
                return [*found, "**"]
            found += {"dtype", "out", "keepdims", "axis"}.difference(found)
        if found or not any(p.kind is p.VAR_POSITIONAL for p in parameters):
            return found
    except (TypeError, ValueError):
        pass
    return documented(thing, name)


def allowed(thing: object) -> "list[str]":
    """Return the keywords that a class says it allows where it gets one that nobody has, as `Timedelta` does."""
    if not isinstance(thing, type) or "Available kwargs" not in (inspect.getdoc(thing) or ""):
        return []
    try:
        thing(no_such_keyword=1)
    except Exception as error:
        listed = re.search(r"allowed keywords are \[([^\]]*)\]", str(error))
        return re.findall(r"\w+", listed[1]) if listed else []
    return []


def refuses(thing: object) -> bool:
    """Say whether a callable does not take a keyword that nobody has."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            thing(no_such_keyword=1)
    except BaseException as error:
        return "unexpected keyword argument 'no_such_keyword'" in str(error)
    return False


def documented(thing: object, name: str) -> "list[str] | None":
    """Return the keywords by the signatures that a docstring begins with, as C code has them."""
    is_ufunc, seen = isinstance(thing, np.ufunc), False
    found = [*_OF_UFUNCS] if is_ufunc else []
    for line in re.sub(r",\n\s+", ", ", inspect.getdoc(thing) or "").split("\n")[:12]:
        match = _SIGNATURE.search(line)
        if not match or match[1] != name or line[match.end() :].strip()[:2] not in ("", "->", "--"):
            continue
        seen = True
        for part in re.split(r",", re.sub(r"\([^()]*\)|\{[^{}]*\}|\[(?=,)|\]", "", match[2].replace("[", ""))):
            word = part.strip().split("=")[0].split(":")[0].strip()
            if word == "/":
                found = [*_OF_UFUNCS] if is_ufunc else []
            elif word.startswith("**"):
                found += [] if is_ufunc else ["**"]
            elif word.isidentifier():
                found.append(word)
    return sorted(set(found)) if seen else None
