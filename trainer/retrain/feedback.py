"""Completions that a user took and kept: records beside those of the repositories, to train on and never to judge by.

They are what a model wrote, so that code of people's own stays the measure. The log is that of `cert_lsp.feedback`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cert_lsp.contract.sketch import sketch
from cert_lsp.errors import CorpusError, SketchError
from trainer.retrain.secrets import reasons

KIND = "feedback"


def kept(log: Path, drops: Counter[str]) -> list[dict[str, str]]:
    """Records of what was kept, adding the rest to `drops` by reason.

    Args:
        log: `feedback.jsonl`; the older one beside it is read first.
        drops: Counts what is left out.

    Raises:
        CorpusError: It cannot be read.
    """
    shown: dict[str, dict[str, Any]] = {}
    good: list[dict[str, Any]] = []
    for event in _events(log):
        if event["event"] == "shown":
            shown[event["id"]] = event
        elif event["event"] == "kept" and event["id"] in shown:
            if event["kept"]:
                good.append(shown[event["id"]])
            else:
                drops["feedback: changed or deleted after it was taken"] += 1
    records = [record for event in good if (record := _record(event, drops))]
    told = reasons([record["head"] + record["code"] for record in records]) if records else []
    drops.update(reason for reason in told if reason)
    return [record for record, reason in zip(records, told, strict=True) if not reason]


def _events(log: Path) -> Iterator[dict[str, Any]]:
    older = log.with_name("feedback.1.jsonl")
    try:
        for file in (older, log) if older.is_file() else (log,):
            yield from map(json.loads, file.read_text(encoding="utf-8").splitlines())
    except (OSError, ValueError) as error:
        raise CorpusError(
            f"the log {log} cannot be read: {error}",
            "what was taken and kept cannot be learned from",
            "set `feedback` in the editor and wait for completions to be taken, or leave --feedback out",
        ) from error


def _record(event: dict[str, Any], drops: Counter[str]) -> dict[str, str] | None:
    head, code = event["head"], event["code"].replace("\r\n", "\n")
    try:
        wire = sketch(code, before=head.rpartition("\n")[2]).wire
        (head + code).encode()
    except (SketchError, UnicodeEncodeError):
        drops["code: no sketch"] += 1
        return None
    return {
        "head": head,
        "code": code,
        "sketch": wire,
        "kind": KIND,
        "source": KIND,
        "path": "feedback.jsonl",
        "split": "train",
        "license": "",
        "key": f"\n{code.strip()}",
    }
