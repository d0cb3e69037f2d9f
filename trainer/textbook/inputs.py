"""Series, arrays and lists as source lines, with words that describe them."""

from __future__ import annotations

import datetime
import random

from trainer.textbook.domains import Domain, number


def build_input(
    slot: str, name: str, traits: frozenset[str], domain: Domain, rng: random.Random
) -> tuple[str, list[str]]:
    """Words for the input, and the lines that bind `name` to it."""
    match slot:
        case "ser" | "ser2" | "strs" | "times" | "ts" | "flags":
            return _series(slot, name, traits, domain, rng)
        case "mat" | "mat2" | "fmat" | "square" | "square2" | "cube" | "vec":
            return _matrix(slot, name, traits, rng)
        case _:
            return _flat(slot, name, traits, domain, rng)


def _ints(rng: random.Random, size: int, traits: frozenset[str]) -> list[float | str]:
    low, high = rng.choice(((0, 9), (1, 20), (1, 100), (10, 99)))
    if "negative" in traits:
        low = -high
    if "small" in traits:
        low, high = 0, 5
    values: list[float | str] = [rng.randint(low, high) for _ in range(size)]
    if "zeros" in traits:
        values[rng.randrange(size)] = 0
    if "repeats" in traits:
        values[-1], values[-2] = values[0], values[1]
    if "distinct" in traits:
        values = [*rng.sample(range(low, max(high, low + size) + 1), k=size)]
    if "missing" in traits:
        for row in rng.sample(range(size), k=rng.choice((1, 2))):
            values[row] = "np.nan"
    return values


def _floats(rng: random.Random, size: int, traits: frozenset[str]) -> list[float | str]:
    low, high = (-5.0, 5.0) if "negative" in traits else rng.choice(((0.0, 1.0), (0.5, 10.0), (10.0, 99.0)))
    values: list[float | str] = [number(rng, low, high) for _ in range(size)]
    if "missing" in traits:
        for row in rng.sample(range(size), k=rng.choice((1, 2))):
            values[row] = "np.nan"
    return values


def _text(values: list[float | str]) -> str:
    return "[" + ", ".join(str(value) for value in values) + "]"


def _series(slot: str, name: str, traits: frozenset[str], domain: Domain, rng: random.Random) -> tuple[str, list[str]]:
    size = rng.choice((5, 6, 7, 8))
    index = ""
    if "labels" in traits:
        index = f", index={[*'abcdefghijkl'][:size]!r}"
    match slot:
        case "ser" | "ser2":
            values = _ints(rng, size, traits) if rng.random() < 0.6 else _floats(rng, size, traits)
            return "a Series of numbers", [f"{name} = pd.Series({_text(values)}{index})"]
        case "strs":
            pool = rng.choice([*domain.cat.values(), *domain.text.values()])
            if "repeats" in traits:
                pool = rng.choice([*domain.cat.values()])
            words: list[str | None] = [pool[i % len(pool)] if i < 2 else rng.choice(pool) for i in range(size)]
            if "strnum" in traits:
                words = [str(rng.randint(1, 99)) for _ in words]
            if "messy" in traits:
                words = [rng.choice((" {} ", "{}  ", " {}")).format(word) for word in words]
            if "missing" in traits:
                words[-2] = None
            return "a Series of strings", [f"{name} = pd.Series({words!r}{index})"]
        case "times":
            day = datetime.date(rng.randint(2016, 2024), rng.randint(1, 12), rng.randint(1, 28))
            days = [(day + datetime.timedelta(days=rng.randint(0, 400))).isoformat() for _ in range(size)]
            if "clock" in traits:
                days = [f"{d} {rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}:00" for d in days]
            if "strdate" in traits:
                return "a Series of date strings", [f"{name} = pd.Series({days!r})"]
            return "a Series of dates", [f"{name} = pd.to_datetime(pd.Series({days!r}))"]
        case "ts":
            day = datetime.date(rng.randint(2016, 2024), rng.randint(1, 12), rng.randint(1, 28))
            size = rng.choice((10, 12, 14)) if "long" in traits else size
            values = _ints(rng, size, traits)
            dates = f"pd.date_range({day.isoformat()!r}, periods={size}, freq='D')"
            if rng.random() < 0.4:
                return "a daily time series", [f"idx = {dates}", f"{name} = pd.Series({_text(values)}, index=idx)"]
            return "a daily time series", [f"{name} = pd.Series({_text(values)}, index={dates})"]
        case _:
            return "a boolean Series", [f"{name} = pd.Series({[True, False] + [rng.random() < 0.5 for _ in range(3)]})"]


def _matrix(slot: str, name: str, traits: frozenset[str], rng: random.Random) -> tuple[str, list[str]]:
    rows, columns = (3, 4)
    match slot:
        case "square" | "square2":
            size = rng.choice((2, 3))
            if "symmetric" in traits:
                a, b, c = rng.sample(range(1, 9), k=3)
                return "a symmetric matrix", [f"{name} = np.array([[{a + 6}, {b}], [{b}, {c + 9}]])"]
            size = 2 if slot == "square2" else size
            values = [[rng.randint(1, 9) + (7 * size if i == j else 0) for j in range(size)] for i in range(size)]
            return f"a {size}x{size} matrix", [f"{name} = np.array({values})"]
        case "cube":
            return "a 3-D array", [f"{name} = np.arange(24).reshape(2, 3, 4)"]
        case "vec":
            return "a vector", [f"{name} = np.array({[rng.randint(1, 9) for _ in range(columns)]})"]
        case _:
            make = _floats if slot == "fmat" else _ints
            values = [make(rng, columns, traits) for _ in range(rows)]
            if slot == "mat" and not traits and rng.random() < 0.2:
                return "a 2-D array", [f"{name} = np.arange({rows * columns}).reshape({rows}, {columns})"]
            if "repeats" in traits:
                values[-1] = values[0]
            body = ", ".join(_text(row) for row in values)
            if rng.random() < 0.3:
                lines = [f"{name} = np.array([", *(f"    {_text(row)}," for row in values), "])"]
                return "a 2-D array", lines
            return "a 2-D array", [f"{name} = np.array([{body}])"]


def _flat(slot: str, name: str, traits: frozenset[str], domain: Domain, rng: random.Random) -> tuple[str, list[str]]:
    size = 6 if slot in ("arr2", "mask", "nums2") or "paired" in traits else rng.choice((5, 6, 7, 8))
    size = 12 if "twelve" in traits else size
    match slot:
        case "farr":
            return "an array of floats", [f"{name} = np.array({_text(_floats(rng, size, traits))})"]
        case "srt":
            values = sorted(rng.sample(range(1, 60), k=5))
            return "a sorted array", [f"{name} = np.array({values})"]
        case "mask":
            values = [True, False, *(rng.random() < 0.5 for _ in range(4))]
            return "a boolean mask", [f"{name} = np.array({values})"]
        case "words":
            pool = rng.choice([*domain.cat.values(), *domain.text.values()])
            words = [pool[i % len(pool)] if i < 2 else rng.choice(pool) for i in range(size)]
            if "strnum" in traits:
                words = [str(rng.randint(1, 99)) for _ in words]
            return "an array of strings", [f"{name} = np.array({words!r})"]
        case "idx":
            return "an array of positions", [f"{name} = np.array({rng.sample(range(5), k=3)})"]
        case "nums" | "nums2":
            return "a list of numbers", [f"{name} = {_text(_ints(rng, size, traits))}"]
        case "names":
            pool = rng.choice([*domain.text.values()])
            return "a list of strings", [f"{name} = {rng.sample(pool, k=6 if 'paired' in traits else 5)!r}"]
        case "rows":
            pool = rng.choice([*domain.text.values()])
            low, high = rng.choice([*domain.numbers.values()])
            rows = [[word, number(rng, low, high)] for word in rng.sample(pool, k=4)]
            return "a list of rows", [f"{name} = {rows!r}"]
        case _:
            values = _floats(rng, size, traits) if "floats" in traits else _ints(rng, size, traits)
            if not traits and rng.random() < 0.12:
                return "an array", [f"{name} = np.arange({rng.choice((6, 8, 10, 12))})"]
            return "an array of numbers", [f"{name} = np.array({_text(values)})"]
