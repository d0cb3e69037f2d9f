"""A log of what was shown, accepted and kept, on this machine alone: what a team's retraining can learn from.

Off unless the user sets `feedback`. One JSON object a line (JSONL), in the user's folder for state, readable by the
user alone; it holds code of the user's. Events, all with `time` (seconds since the epoch), `event` and `id`:

    shown      head, code, sketch, score, rank, model: `head` is what the model read, `code` what stands behind it
    accepted
    kept       kept: whether the document still had it, unchanged, half a minute later

`id` is unique in the file. A file that grows beyond its limit is kept as `feedback.1.jsonl`, in place of the last such.
"""

import json
import os
import time
from pathlib import Path

from platformdirs import user_state_path

_LIMIT = 10_000_000


class FeedbackLog:
    """The log of one user; nothing is made before the first record."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or user_state_path("cert-lsp", appauthor=False)

    @property
    def file(self) -> Path:
        """Where the records are."""
        return self._folder / "feedback.jsonl"

    @property
    def _older(self) -> Path:
        return self._folder / "feedback.1.jsonl"

    def write(self, event: str, identifier: str, **details: object) -> None:
        """Add a record.

        Raises:
            OSError: It cannot be written.
        """
        record = {"time": round(time.time(), 3), "event": event, "id": identifier, **details}
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # A lone surrogate, which an editor may hold, must not be lost or end the log: JSON escapes it.
        line = json.dumps(record, ensure_ascii=True) + "\n"
        with os.fdopen(os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as file:
            file.write(line.encode())
            full = file.tell() > _LIMIT
        if full:
            self.file.replace(self._older)

    def clear(self) -> bool:
        """Delete all records; whether there were any.

        Raises:
            OSError: They cannot be deleted.
        """
        there = [file for file in (self.file, self._older) if file.exists()]
        for file in there:
            file.unlink(missing_ok=True)
        return bool(there)
