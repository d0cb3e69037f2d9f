"""What came of a retraining: report.json for programs, report.html, one file that needs no other, for people."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

SAMPLES = 10

_NAMES = {
    "loss": "loss (nats per token; lower is better)",
    "edit_similarity": "edit similarity",
    "code_exact": "code exactly right",
    "sketch_exact": "sketch exactly right",
}
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#1c1c1c;background:#fff}
table{border-collapse:collapse;margin:.6rem 0}td,th{border:1px solid #bbb;padding:.25rem .6rem;text-align:left}
td.n{text-align:right;font-variant-numeric:tabular-nums}
pre{background:#f4f4f4;padding:.6rem;overflow-x:auto;margin:.2rem 0}
.yes{color:#14692d}.no{color:#a31515}h2{margin-top:2rem}.pair{display:grid;grid-template-columns:1fr 1fr;gap:.6rem}
figure{margin:0}svg{max-width:100%;height:auto}
"""


def curves(run: Path) -> dict[str, list[tuple[int, float]]]:
    """Training and held-out loss by step, from a run's metrics.jsonl."""
    found: dict[str, list[tuple[int, float]]] = {"loss": [], "eval_loss": []}
    for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines():
        figures = json.loads(line)
        for name, points in found.items():
            if name in figures:
                points.append((figures["step"], figures[name]))
    return found


def as_html(report: Mapping[str, Any]) -> str:
    """Lay report.json out as one page without scripts or outside files."""
    gate = report["gate"]
    verdict = "is better and was put in service" if report["published"] else "is better" if gate["passed"] else None
    said = f"The new model {verdict}." if verdict else "The new model was refused; the old one stays in service."
    reasons = "".join(f"<li>{html.escape(reason)}</li>" for reason in gate["reasons"])
    parts = [
        f"<h1>Retraining: {html.escape(', '.join(report['repositories']) or 'no records')}</h1>",
        f'<p class="{"yes" if verdict else "no"}"><strong>{said}</strong></p>',
        f"<ul>{reasons}</ul>" if reasons else "",
        "<h2>Before and after</h2>",
        _comparison(gate, report["pairs"], report["tasks"]),
        "<p>In brackets 95 % intervals of a paired bootstrap. The gate opens if the intervals of the improvement in "
        "loss and in edit similarity lie on the good side of 0, and the general suite falls by no more than "
        f"{gate['margin']:.0%}.</p>",
        "<h2>Loss while training</h2>",
        line_chart(report["curves"]),
        "<h2>The code</h2>",
        _table(("", "count"), [("files read", report["corpus"]["files"]), *report["split"].items()]),
        _table(("kind of record", "count"), report["corpus"]["kinds"].items()),
        _table(("dropped because", "count"), report["corpus"]["drops"].items()),
        f"<h2>{len(report['samples'])} held-out places, drawn at random</h2>",
        *(_sample(sample) for sample in report["samples"]),
        "<h2>What it took</h2>",
        _table(
            ("stage", "seconds", "seconds of processors", "peak memory so far (MB)"),
            [(name, used["seconds"], used["cpu_seconds"], used["peak_mb"]) for name, used in report["usage"].items()],
        ),
        f"<p>Estimated beforehand: {html.escape(report['estimate'])}.</p>",
    ]
    body = "\n".join(parts)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>CERT-LSP retraining</title><style>{_STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def line_chart(lines: Mapping[str, Sequence[tuple[float, float]]], width: int = 720, height: int = 260) -> str:
    """Curves as inline SVG: axes with their least and greatest values, one colour a curve."""
    points = [point for curve in lines.values() for point in curve]
    if not points:
        return "<p>No step was logged.</p>"
    (left, right), (low, high) = ((min(values), max(values)) for values in zip(*points, strict=True))
    pad, colours = 46, ("#1f5fa8", "#b5541c", "#3b7a3b")

    def at(x: float, y: float) -> str:
        across = (x - left) / ((right - left) or 1)
        up = (y - low) / ((high - low) or 1)
        return f"{pad + across * (width - 2 * pad):.1f},{height - pad - up * (height - 2 * pad):.1f}"

    drawn: list[str] = []
    for number, (name, curve) in enumerate(lines.items()):
        colour = colours[number % len(colours)]
        path = " ".join(at(*point) for point in curve)
        drawn.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.6" points="{path}"/>')
        drawn.append(f'<text x="{width - pad - 110}" y="{18 + 16 * number}" fill="{colour}">{html.escape(name)}</text>')
    bottom = height - pad
    labels = (
        f'<text x="4" y="{pad + 4}">{high:.2f}</text><text x="4" y="{bottom}">{low:.2f}</text>'
        f'<text x="{pad}" y="{height - 16}">step {left:g}</text>'
        f'<text x="{width - pad - 60}" y="{height - 16}">step {right:g}</text>'
    )
    axes = f'<path d="M{pad},{pad}V{bottom}H{width - pad}" fill="none" stroke="#888"/>'
    return (
        f'<figure><svg viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="loss by step" '
        f'font-size="12" font-family="sans-serif">{axes}{labels}{"".join(drawn)}</svg></figure>'
    )


def _comparison(gate: Mapping[str, Any], pairs: int, tasks: int) -> str:
    rows = [
        (f"team, {pairs} pairs: {_NAMES[name]}", gate["team_before"][name], gate["team_after"][name], improvement)
        for name, improvement in gate["team_difference"].items()
    ]
    rows.append(
        (f"general suite, {tasks} tasks", gate["general_before"], gate["general_after"], gate["general_difference"])
    )
    return _table(("", "before", "after", "improvement"), [(name, *map(_interval, each)) for name, *each in rows])


def _interval(value: Mapping[str, float]) -> str:
    return f"{value['mean']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"


def _sample(sample: Mapping[str, str]) -> str:
    head = html.escape("\n".join(sample["head"].rstrip("\n").split("\n")[-8:]))
    sides = "".join(
        f"<div><strong>{title}</strong><pre>{html.escape(sample[key].strip(chr(10))) or '(nothing)'}</pre></div>"
        for title, key in (("before", "before"), ("after", "after"))
    )
    wanted = html.escape(sample["wanted"].strip("\n"))
    return (
        f"<h3>{html.escape(sample['id'])}</h3><pre>{head}</pre><div class='pair'>{sides}</div>"
        f"<p>What stands there:</p><pre>{wanted}</pre>"
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    head = "".join(f"<th>{html.escape(each)}</th>" for each in header)
    body = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return f"<td>{html.escape(value)}</td>"
    return f'<td class="n">{value:,}</td>'
