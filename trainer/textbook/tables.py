"""Frames, series, arrays and lists as Python literals; no pandas needed here."""

from __future__ import annotations

import ast
import datetime
import random
from dataclasses import dataclass, field

from trainer.textbook.domains import Domain, number

NAN = float("nan")
Value = str | float | bool | list[str] | None


@dataclass
class Table:
    """A small frame: column -> values, column -> kind, and what its index is."""

    columns: dict[str, list[Value]]
    kinds: dict[str, str]
    index: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    """Statements on ``{df}`` that bring the frame into shape (dates, index)."""

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(next(iter(self.columns.values())))

    def source(self, name: str, rng: random.Random, holder: str = "data") -> list[str]:
        """Lines that build the frame under `name`, in one of the layouts people use; `holder` may name its data."""
        columns = {column: _render(values) for column, values in self.columns.items()}
        index = f", index={self.index!r}" if self.index else ""
        layout = rng.choice(("lines", "lines", "lines", "line", "dict", "rows", "records"))
        pairs = [f"{column!r}: [{', '.join(values)}]" for column, values in columns.items()]
        if layout == "records" and self.size > 5:
            layout = "rows"
        if layout == "line" and sum(map(len, pairs)) > 90:
            layout = "lines"
        rows = [list(row) for row in zip(*columns.values(), strict=True)]
        match layout:
            case "line":
                lines = [f"{name} = pd.DataFrame({{{', '.join(pairs)}}}{index})"]
            case "lines":
                lines = [f"{name} = pd.DataFrame({{", *(f"    {pair}," for pair in pairs), f"}}{index})"]
            case "dict":
                body = [f"    {pair}," for pair in pairs]
                lines = [f"{holder} = {{", *body, "}", f"{name} = pd.DataFrame({holder}{index})"]
            case "rows":
                body = [f"    [{', '.join(row)}]," for row in rows]
                lines = [f"{name} = pd.DataFrame([", *body, f"], columns={list(columns)!r}{index})"]
            case _:
                body = [
                    "    {"
                    + ", ".join(f"{column!r}: {value}" for column, value in zip(columns, row, strict=True))
                    + "},"
                    for row in rows
                ]
                lines = [f"{name} = pd.DataFrame([", *body, f"]{index})"]
        return lines + [line.replace("{df}", name) for line in self.after]

    def csv(self) -> str:
        """The table as comma-separated text, dates as they are written in the literals."""
        rows = [
            ",".join("" if value is None or value != value else str(value) for value in row)
            for row in zip(*self.columns.values(), strict=True)
        ]
        return "\n".join([",".join(self.columns), *rows]) + "\n"


def make_table(
    domain: Domain, wanted: dict[str, str], traits: frozenset[str], rng: random.Random, *, short: bool = False
) -> Table:
    """A frame with the columns `wanted` (name -> kind) and up to two more; `short`: few rows, but three columns."""
    wanted = dict(wanted)
    spare = [(name, kind) for kind in ("cat", "num", "text") for name in domain.columns(kind) if name not in wanted]
    for name, kind in rng.sample(spare, k=max(0, min(len(spare), rng.choice((0, 1, 1, 2)) + 2 + short - len(wanted)))):
        wanted[name] = kind
    if "numeric" in traits:
        wanted = {name: kind for name, kind in wanted.items() if kind in ("num", "int", "float")}
        for name in domain.columns("num"):
            if len(wanted) < 2:
                wanted.setdefault(name, "num")
    size = rng.choice((5, 6, 6, 7, 8)) if len(wanted) < 4 else rng.choice((5, 6))
    if short and not traits & {"missing", "duplicates", "repeats"}:
        size = rng.choice((3, 3, 4, 5))
    columns = {name: _column(domain, name, kind, size, traits, rng) for name, kind in wanted.items()}
    names = [*wanted]
    rng.shuffle(names)
    table = Table({name: columns[name] for name in names}, {name: wanted[name] for name in names})
    if "duplicates" in traits:
        for _ in range(2):
            row = rng.randrange(size)
            for values in table.columns.values():
                values.append(values[row])
    _shape(table, domain, [name for name, kind in wanted.items() if kind == "cat"], traits, rng)
    return table


def _shape(table: Table, domain: Domain, keys: list[str], traits: frozenset[str], rng: random.Random) -> None:
    for name, kind in [*table.kinds.items()]:
        if kind == "date" and "strdate" not in traits:
            table.after.append(f"{{df}}[{name!r}] = pd.to_datetime({{df}}[{name!r}])")
    if "labels" in traits:
        labels = domain.text[next(iter(domain.text))]
        table.index = [labels[row % len(labels)] for row in range(table.size)]
        if "abc" in traits or rng.random() < 0.5:
            table.index = [*"abcdefghijkl"][: table.size]
    if "multi" in traits:
        table.after.append(f"{{df}} = {{df}}.set_index({keys[:2]!r})")


def lookup_table(table: Table, key: str, other: str, rng: random.Random) -> Table:
    """A second frame with one row for most values of column `key` of `table`, and a new column."""
    values = sorted({value for value in table.columns[key] if isinstance(value, str)})
    if len(values) > 2 and rng.random() < 0.4:
        values.pop()
    rng.shuffle(values)
    return Table({key: [*values], other: [rng.randint(1, 90) for _ in values]}, {key: "cat", other: "num"})


def _column(domain: Domain, name: str, kind: str, size: int, traits: frozenset[str], rng: random.Random) -> list[Value]:
    values: list[Value]
    if kind == "col":
        kind = "num" if name in domain.numbers else "cat" if name in domain.cat else "text"
    match kind:
        case "num" | "int" | "float":
            values = [*_numbers(domain, name, size, traits, rng)]
        case "cat":
            pool = domain.cat.get(name) or next(iter(domain.cat.values()))
            values = [pool[i % len(pool)] if i < 2 else rng.choice(pool) for i in range(size)]
            if "multi" in traits:
                values = [pool[i % len(pool)] for i in range(size)] if rng.random() < 0.5 else sorted(map(str, values))
        case "text":
            values = [*domain.text.get(name, next(iter(domain.text.values())))[:size]]
            if "messy" in traits:
                values = [rng.choice((" {} ", "{}  ", "  {}", "{}")).format(value) for value in values]
            if "lists" in traits:
                pool = [*next(iter(domain.cat.values()))]
                values = [rng.sample(pool, k=rng.choice((1, 2))) for _ in range(size)]
        case "flag":
            values = [i % 2 == 0 if i < 2 else rng.random() < 0.5 for i in range(size)]
        case _:
            values = [*_dates(size, traits, rng)]
    if "missing" in traits and kind in ("num", "int", "float", "text"):
        for row in rng.sample(range(size), k=rng.choice((1, 2))):
            values[row] = NAN if kind in ("num", "int", "float") else None
    return values


def _numbers(domain: Domain, name: str, size: int, traits: frozenset[str], rng: random.Random) -> list[Value]:
    low, high = domain.numbers.get(name, (1, 100))
    if "negative" in traits:
        low = -high if low >= 0 else low
    values: list[Value] = [number(rng, low, high) for _ in range(size)]
    if "zeros" in traits:
        values[rng.randrange(size)] = 0
    if "repeats" in traits:
        values[-1], values[-2] = values[0], values[1]
    if "strnum" in traits:
        return [str(value) for value in values]
    return values


def _day(rng: random.Random) -> datetime.date:
    return datetime.date(rng.randint(2015, 2024), rng.randint(1, 12), rng.randint(1, 28))


def _dates(size: int, traits: frozenset[str], rng: random.Random) -> list[str]:
    start, step = _day(rng), rng.choice((1, 2, 7, 20, 31))
    days = [start + datetime.timedelta(days=step * i + rng.choice((0, 0, 1))) for i in range(size)]
    rng.shuffle(days)
    if "clock" in traits:
        return [f"{day.isoformat()} {rng.randint(0, 23):02d}:{rng.choice((0, 5, 15, 30, 45)):02d}" for day in days]
    return [day.isoformat() for day in days]


def _render(values: list[Value]) -> list[str]:
    return ["np.nan" if value != value else repr(value) for value in values]


def day_span(table: Table | None, column: str, rng: random.Random) -> tuple[str, str]:
    """Two days, in order, within the column's dates if there are any."""
    values = sorted(str(value)[:10] for value in (table.columns.get(column) if table else None) or ())
    if len(values) < 3:
        first = _day(rng)
        return first.isoformat(), (first + datetime.timedelta(days=rng.choice((7, 30, 90)))).isoformat()
    return values[1], values[-2]


def numbers_in(lines: list[str]) -> list[float]:
    """Every number written in the lines' lists."""
    values: list[float] = []
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.List):
            for item in node.elts:
                sign = -1 if isinstance(item, ast.UnaryOp) else 1
                item = item.operand if isinstance(item, ast.UnaryOp) else item
                if isinstance(item, ast.Constant) and isinstance(item.value, (int, float)):
                    values.append(sign * item.value)
    return values or [2, 3, 5, 7, 8]


def strings_in(lines: list[str]) -> list[str]:
    """Every string written in the lines' lists."""
    nodes = [node for node in ast.walk(ast.parse("\n".join(lines))) if isinstance(node, ast.List)]
    found = {i.value for node in nodes for i in node.elts if isinstance(i, ast.Constant) and isinstance(i.value, str)}
    return sorted(found)
