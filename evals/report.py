"""A table's figures as Markdown: the whole table, and the short one for the README."""

import re
from pathlib import Path
from typing import Any

from cert_lsp.errors import EvalError

BEGIN, END = "<!-- table: written by python -m evals table -->", "<!-- end of table -->"


def markdown(told: dict[str, Any]) -> str:
    """The whole table: scores, differences, names that do not exist, pairs and times."""
    columns = list(told["tasks"])
    parts = ["# Accuracy\n", _intro(told)]
    for versions in told["versions"]:
        parts += [f"\n## pass@1, {versions}\n", *_scores(told, columns, versions)]
    if told["differences"]:
        parts += [
            f"\n## Differences, {told['versions'][0]}\n",
            "Points of pass@1; paired bootstrap over tasks, 95 %. In bold: the interval leaves out 0.\n",
            *_grid(
                ["", *columns],
                [
                    [f"{d['one']} − {d['other']}", *(_difference(d["columns"][c]) for c in columns)]  # noqa: RUF001
                    for d in told["differences"]
                ],
            ),
        ]
    parts += [
        "\n## Names that do not exist, and time\n",
        "Share of completions that name an attribute or keyword that pandas or NumPy lack: by execution under each "
        f"pair of versions, and by type stubs (pandas-stubs {told['stubs'] or 'not installed'}, newest API only).\n",
    ]
    heads = ["", "column", *told["versions"], "stubs", "ms per task (median)"]
    lines: list[list[str]] = []
    for name, row in told["rows"].items():
        for column in columns:
            figures = row["columns"][column]
            shares = [_percent(figures["versions"][v]["missing_api"]) for v in told["versions"]]
            stubs = "–" if figures["missing_by_stubs"] is None else _percent(figures["missing_by_stubs"])  # noqa: RUF001
            lines.append([name, column, *shares, stubs, f"{figures['milliseconds']:.0f}"])
    parts += _grid(heads, lines)
    judged = {name: row["pairs"] for name, row in told["rows"].items() if row["pairs"]}
    if judged:
        parts += ["\n## Held-out pairs\n"]
        heads = ["", "pairs", "sketch equal", "code equal", "edit similarity", "loss (nats a token)"]
        lines = [
            [
                name,
                str(p["pairs"]),
                _percent(p["sketch_exact"]),
                _percent(p["code_exact"]),
                _percent(p["edit_similarity"]),
                f"{p['loss']:.3f}",
            ]
            for name, p in judged.items()
        ]
        parts += _grid(heads, lines)
    return "\n".join(parts) + "\n"


def short(told: dict[str, Any]) -> str:
    """The README's table: pass@1 by row and column under the first versions, beside published figures."""
    return "\n".join(_scores(told, list(told["tasks"]), told["versions"][0]))


def write_between_markers(path: Path, text: str) -> None:
    """Put `text` between the markers of a Markdown file.

    Raises:
        EvalError: The file cannot be read, or does not have both markers.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise EvalError(f"{path} cannot be read: {error}", "The table is not in it", "Name another file") from error
    if BEGIN not in content or END not in content:
        raise EvalError(
            f"{path} has no lines {BEGIN!r} and {END!r}", "The table is not in it", "Put both lines where it belongs"
        )
    pattern = re.compile(rf"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    path.write_text(pattern.sub(lambda _: f"{BEGIN}\n{text}\n{END}", content), encoding="utf-8")


def _intro(told: dict[str, Any]) -> str:
    counts = ", ".join(f"{name}: {count}" for name, count in told["tasks"].items())
    missing = f" Not found, so left out: {', '.join(told['missing'])}." if told["missing"] else ""
    return (
        f"Tasks: {counts}.{missing} pass@1 in percent, greedy unless a row says otherwise; in brackets the 95 % "
        "interval of a bootstrap over tasks."
    )


def _scores(told: dict[str, Any], columns: list[str], versions: str) -> list[str]:
    lines: list[list[str]] = []
    for name, row in told["rows"].items():
        cells = [name]
        for column in columns:
            figures = row["columns"][column]["versions"][versions]
            cell = _estimate(figures["pass@1"])
            cells.append(
                cell
                + "".join(f"; @{k[5:]} {100 * v:.1f}" for k, v in figures.items() if k[:5] == "pass@" and k != "pass@1")
            )
        lines.append(cells)
    for other in told["published"]:
        lines.append([other["name"], *(f"{other[c]:.2f}" if c in other else "" for c in columns)])
    return _grid(["", *(f"{column} ({told['tasks'][column]})" for column in columns)], lines)


def _grid(heads: list[str], lines: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads), *(f"| {' | '.join(line)} |" for line in lines)]


def _estimate(one: dict[str, float]) -> str:
    return f"{100 * one['mean']:.1f} [{100 * one['low']:.1f}, {100 * one['high']:.1f}]"


def _difference(one: dict[str, float]) -> str:
    text = f"{100 * one['mean']:+.1f} [{100 * one['low']:+.1f}, {100 * one['high']:+.1f}]"
    return f"**{text}**" if one["low"] > 0 or one["high"] < 0 else text


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
