"""Data for one sample: inputs with names and literals, columns and values for the operation's slots.

Inputs: ``<df>``, ``<df2>`` (with trait `alike` the same columns, else the first ``<cat>`` column and ``<other>``),
``<ser> <ser2>`` (numbers; traits `labels`), ``<strs>`` (strings), ``<times>`` (dates), ``<ts>`` (numbers by date),
``<arr> <arr2> <farr> <srt> <mask> <words> <idx>`` (1-D arrays: ints, ints, floats, sorted, truth values, strings,
positions), ``<mat> <mat2> <fmat> <square> <square2> <cube> <vec>`` (2-D and 3-D; `vec` fits a row of `mat`),
``<nums> <nums2> <names> <rows>`` (lists).
Columns: ``<num> <num2> <num3> <int> <float> <cat> <cat2> <text> <date> <date2> <flag> <col>``.
Values: ``<value> <value2> <values>`` (of ``<cat>``, ``<strs>`` or ``<words>``), ``<x> <lo> <hi>`` (near the numbers),
``<n> <k>`` (small), ``<fill>``, ``<new> <new2>`` (column names), ``<sub>`` (part of the strings), ``<day> <day2>``
(dates), ``<seed>``, ``<file>``.
Traits of frames and series: `missing`, `duplicates` (rows), `labels` (strings as index; with `abc` always letters),
`multi` (index of ``<cat>`` and ``<cat2>``), `alike`, `numeric` (no other columns), `strnum` and `strdate` (as text),
`messy` (blanks around strings), `lists` (in ``<text>``), `clock` (dates with a time), `long` (more days in ``<ts>``).
Of arrays: `missing`, `negative`, `zeros`, `repeats`, `distinct`, `floats`, `paired` (six elements, like ``<arr2>``),
`twelve` (elements), `symmetric`. Of both: `small` (``<n>`` at most 3), `random` (no worked
example), `literal` (no file).
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from trainer.textbook import inputs, tables, words
from trainer.textbook.domains import Domain, domains, spoken_domains
from trainer.textbook.operations import Operation

COLUMNS = ("num", "int", "float", "cat", "text", "date", "flag", "col")
_NAMES = {
    "df": ("df", "df", "df", "df", "data", "frame"),
    "df2": ("df2", "other", "right", "extra", "df_b"),
    "ser": ("s", "s", "ser", "series", "values"),
    "ser2": ("s2", "t", "other"),
    "strs": ("s", "names", "words", "ser"),
    "times": ("s", "dates", "times", "ser"),
    "ts": ("ts", "s", "series"),
    "arr": ("a", "arr", "x", "arr", "data", "values"),
    "arr2": ("b", "y", "other", "arr2"),
    "farr": ("x", "a", "arr", "data", "y"),
    "srt": ("edges", "bins", "arr", "a", "sorted_arr"),
    "mask": ("mask", "flags", "cond"),
    "words": ("words", "names", "arr", "labels"),
    "idx": ("idx", "indices", "ind"),
    "mat": ("a", "arr", "m", "x", "matrix", "A"),
    "mat2": ("b", "B", "other", "arr2"),
    "fmat": ("X", "a", "data", "arr", "m"),
    "square": ("A", "a", "M", "matrix"),
    "square2": ("B", "b", "N"),
    "cube": ("a", "arr", "x", "cube", "images"),
    "vec": ("v", "b", "row", "vec"),
    "nums": ("lst", "nums", "values", "numbers"),
    "nums2": ("other", "lst2", "ys"),
    "names": ("names", "labels", "words"),
    "rows": ("rows", "data", "records"),
}
INPUTS = frozenset(_NAMES)
_PARAMETERS = {
    "num": ("col", "column", "value_col", "target"),
    "num2": ("other", "col2", "second"),
    "num3": ("col3", "third"),
    "int": ("col", "column"),
    "float": ("col", "column", "feature"),
    "cat": ("key", "by", "group_col", "col"),
    "cat2": ("key2", "second_key", "columns"),
    "text": ("col", "column", "text_col"),
    "date": ("date_col", "time_col", "when"),
    "date2": ("end_col",),
    "flag": ("flag", "flag_col"),
    "col": ("col", "column", "name"),
    "value": ("value", "val"),
    "value2": ("new_value", "replacement"),
    "values": ("values", "wanted", "allowed"),
    "x": ("threshold", "limit", "x", "value"),
    "lo": ("low", "lower", "lo", "start"),
    "hi": ("high", "upper", "hi", "stop"),
    "n": ("n", "n", "k", "size"),
    "k": ("k", "m", "shift"),
    "fill": ("fill_value", "fill", "default"),
    "new": ("new_col", "new_name", "name"),
    "new2": ("name2", "second_name"),
    "sub": ("pattern", "text", "substring", "word"),
    "day": ("day", "start", "since"),
    "day2": ("end", "until"),
    "seed": ("seed",),
    "file": ("path", "filename"),
}
_NEW = {
    "new": ("total", "ratio", "result", "score2", "level", "rank", "group", "new", "diff", "share", "bucket", "flag2"),
    "new2": ("extra", "second", "count2", "avg", "label"),
    "other": ("code", "manager", "budget_cap", "weighting", "zone_id", "rate2"),
}


@dataclass
class Scene:
    """What the slots of one sample stand for.

    Attributes:
        names: Input slot -> variable name.
        build: Input slot -> source lines that bind the name.
        code: Slot -> code (a literal).
        raw: Slot -> the same without quotes, as `<slot!>` and phrasings use it.
        about: Slot of an input -> words that describe it.
        table: The frame behind `<df>`, if there is one.
        domain: What it is about.
    """

    domain: Domain
    names: dict[str, str] = field(default_factory=dict)
    build: dict[str, list[str]] = field(default_factory=dict)
    code: dict[str, str] = field(default_factory=dict)
    raw: dict[str, str] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)
    table: tables.Table | None = None

    def column_of(self, slot: str) -> str:
        """The column that `slot` is, or that its value belongs to; empty where it is neither."""
        owners = {"value": ("cat",), "value2": ("cat",), "x": ("num", "int", "float")}
        owners |= {"lo": owners["x"], "hi": owners["x"]}
        return next((self.raw[owner] for owner in owners.get(slot, (slot,)) if owner in self.raw), "")

    def parameters(self, slots: set[str], rng: random.Random) -> dict[str, str]:
        """Names under which a function takes the values of `slots`, all different."""
        taken, chosen = set(self.names.values()), {}
        for slot in sorted(slots & _PARAMETERS.keys(), key=[*_PARAMETERS].index):
            options = [name for name in _PARAMETERS[slot] if name not in taken] or [slot]
            chosen[slot] = rng.choice(options)
            taken.add(chosen[slot])
        return chosen


def make_scene(
    operation: Operation, slots: frozenset[str], rng: random.Random, asked: Mapping[str, frozenset[str]]
) -> Scene:
    """Draw names, columns and values for `slots` with the operation's traits; `asked`: slot -> the forms it is said in.

    Raises:
        ValueError: No subject has columns with these forms.
    """
    needed = words.of_columns(asked)
    subjects = _speaking(needed) if operation.speaks else domains()
    scene = Scene(rng.choice(subjects))
    if "df" in slots and slots & {"value", "value2", "values"}:
        slots |= {"cat"}
    if "multi" in operation.traits:
        slots |= {"cat", "cat2"}
    if "df2" in slots and "alike" not in operation.traits:
        slots |= {"cat", "other"}
    for slot in sorted(slots & INPUTS, key=[*_NAMES].index):
        taken = set(scene.names.values())
        options = [name for name in _NAMES[slot] if name not in taken]
        if slot == "df" and rng.random() < 0.3:
            options = [name for name in scene.domain.frames if name not in taken] or options
        scene.names[slot] = rng.choice(options)
    _columns(scene, slots, needed, rng)
    if "df" in slots:
        _frames(scene, operation, slots, rng)
    for slot in [slot for slot in scene.names if slot not in ("df", "df2")]:
        value, lines = inputs.build_input(slot, scene.names[slot], operation.traits, scene.domain, rng)
        scene.build[slot] = lines
        scene.about[slot] = value
    _values(scene, operation.traits, slots, rng)
    return scene


def _speaking(needed: Mapping[str, frozenset[str]]) -> tuple[Domain, ...]:
    def speaks(domain: Domain) -> bool:
        return all(
            sum(forms <= domain.words.get(column, {}).keys() for column in domain.columns(slot.rstrip("0123456789")))
            >= (2 if slot[-1].isdigit() else 1)
            for slot, forms in needed.items()
        )

    found = tuple(domain for domain in spoken_domains() if speaks(domain))
    if not found:
        raise ValueError(f"no subject has words for {dict(needed)}")
    return found


def _columns(scene: Scene, slots: frozenset[str], needed: Mapping[str, frozenset[str]], rng: random.Random) -> None:
    taken: set[str] = set()
    for slot in sorted(slots, key=lambda slot: (slot not in needed, slot)):
        kind = slot.rstrip("0123456789")
        if kind not in COLUMNS:
            continue
        options = [name for name in scene.domain.columns(kind) if name not in taken]
        if forms := needed.get(slot):
            options = [name for name in options if forms <= scene.domain.words.get(name, {}).keys()]
        column = rng.choice(options or [f"{scene.domain.columns(kind)[0]}_{slot}"])
        taken.add(column)
        scene.code[slot], scene.raw[slot] = repr(column), column
    for slot, names in _NEW.items():
        if slot in slots:
            name = rng.choice([name for name in names if name not in taken])
            scene.code[slot], scene.raw[slot] = repr(name), name


def _frames(scene: Scene, operation: Operation, slots: frozenset[str], rng: random.Random) -> None:
    traits, short = operation.traits, operation.speaks
    wanted = {scene.raw[slot]: slot.rstrip("0123456789") for slot in scene.raw if slot not in _NEW}
    table = tables.make_table(scene.domain, wanted, traits, rng, short=short)
    scene.table = table
    holder = "data" if "data" not in scene.names.values() else "d"
    scene.build["df"] = table.source(scene.names["df"], rng, holder)
    if "df2" in slots:
        if "alike" in traits:
            second = tables.make_table(scene.domain, dict(table.kinds), traits, rng, short=short)
        else:
            second = tables.lookup_table(table, scene.raw["cat"], scene.raw["other"], rng)
        scene.build["df2"] = second.source(scene.names["df2"], rng, "d2")
    key = table.columns.get(scene.raw.get("cat", ""))
    if key:
        present = sorted({value for value in key if isinstance(value, str)})
        _strings(scene, present, rng)
    words = table.columns.get(scene.raw.get("text", "")) or []
    if words := [word for word in words if isinstance(word, str)]:
        word = rng.choice(words).strip()
        scene.raw["sub"] = word[: max(2, len(word) // 2)].strip()
        scene.code["sub"] = repr(scene.raw["sub"])
    numbers = table.columns.get(scene.raw.get("num") or scene.raw.get("int") or scene.raw.get("float") or "")
    if numbers:
        _numbers(scene, [value for value in numbers if isinstance(value, (int, float))], rng)


def _strings(scene: Scene, present: list[str], rng: random.Random) -> None:
    first, *rest = rng.sample(present, k=min(3, len(present)))
    second = rest[0] if rest else first
    for slot, value in (("value", first), ("value2", second)):
        scene.code[slot], scene.raw[slot] = repr(value), value
    scene.code["values"] = repr([first, second])
    scene.raw["values"] = f"{first} or {second}"
    scene.raw["sub"] = first[: max(1, len(first) // 2)]
    scene.code["sub"] = repr(scene.raw["sub"])


def _numbers(scene: Scene, numbers: list[float], rng: random.Random) -> None:
    known = sorted(value for value in numbers if value == value)
    if not known:
        return
    low, middle, high = known[len(known) // 4], known[len(known) // 2], known[-(len(known) // 4) - 1]
    if all(isinstance(value, int) for value in known) and high > 40:
        low, middle, high = (value // 10 * 10 for value in (low, middle, high))
    if low >= high:
        high = low + 1
    for slot, value in (("x", middle), ("lo", low), ("hi", high)):
        scene.code[slot] = scene.raw[slot] = repr(value)


def _values(scene: Scene, traits: frozenset[str], slots: frozenset[str], rng: random.Random) -> None:
    pool = {"fill": [0, 0, -1, 1, 99], "n": [2, 3, 3, 2] if "small" in traits else [2, 3, 4], "k": [1, 2, 3]}
    pool["seed"] = [0, 1, 7, 42, 42, 123]
    for slot, options in pool.items():
        scene.code[slot] = scene.raw[slot] = repr(rng.choice(options))
    days = tables.day_span(scene.table, scene.raw.get("date", ""), rng)
    for slot, day in zip(("day", "day2"), days, strict=True):
        scene.code.setdefault(slot, repr(day))
        scene.raw.setdefault(slot, day)
    stem = rng.choice([scene.domain.name, *scene.domain.frames, "data", "output"])
    scene.code.setdefault("file", repr(stem + ".csv"))
    scene.raw.setdefault("file", stem + ".csv")
    for slot in ("ser", "ts", "arr", "farr", "mat", "fmat", "nums", "srt", "cube"):
        if slot in slots and "x" not in scene.code:
            _numbers(scene, tables.numbers_in(scene.build[slot]), rng)
    for slot in ("strs", "words", "names"):
        if slot in slots and "value" not in scene.code:
            _strings(scene, tables.strings_in(scene.build[slot]), rng)
