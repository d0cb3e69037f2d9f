"""What a corpus holds, for people (`report.md`) and scripts (`report.json`)."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

SHOWN = 20


@dataclass
class Built:
    """What came of a build: records and drops by reason, and a few records to look at."""

    kinds: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    drops: Counter[str] = field(default_factory=Counter)
    files: int = 0
    samples: list[dict[str, str]] = field(default_factory=list)


def write(built: Built, folder: Path) -> None:
    """Write both reports into `folder`."""
    (folder / "report.json").write_text(json.dumps(as_json(built), indent=1, ensure_ascii=False), encoding="utf-8")
    (folder / "report.md").write_text(as_markdown(built), encoding="utf-8")


def as_json(built: Built) -> dict[str, object]:
    """Counts (highest first) and samples as plain data."""
    return {
        name: dict(value.most_common()) if isinstance(value, Counter) else value for name, value in vars(built).items()
    }


def as_markdown(built: Built) -> str:
    """The same as tables, with the first samples laid out as the model reads them."""
    parts = [f"# Corpus\n\n{sum(built.splits.values()):,} records from {built.files:,} files."]
    for title, counts in (
        ("Split", built.splits),
        ("Kind", built.kinds),
        ("Source", built.sources),
        ("Dropped because", built.drops),
    ):
        rows = [f"| {name} | {count:,} |" for name, count in counts.most_common() if count]
        parts.append("\n".join([f"| {title} | count |", "| --- | ---: |", *rows]))
    parts.append(f"## {min(SHOWN, len(built.samples))} random records\n\n`⟦ ⟧` encloses what the model must write.")
    for record in built.samples[:SHOWN]:
        parts.append(
            f"**{record['kind']}**, {record['source']}, `{record['path']}`\n\n"
            f"````python\n{record['head']}⟦{record['code']}⟧\n````\n\nsketch: `{record['sketch'].strip()}`"
        )
    return "\n\n".join(parts) + "\n"
