"""Secrets and personal data have no place in a model: records that hold any are dropped.

Secrets are found by detect-secrets, with all its detectors and their published thresholds; e-mail addresses by their
form. What was found is counted by its kind and never written anywhere.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

_MAIL = re.compile(r"[\w.+-]+@(?!example\.)[\w-]+\.[\w.-]*[a-zA-Z]{2,}")


def reasons(texts: Sequence[str]) -> list[str]:
    """For each text the reason to drop it, such as `secret: AWS Access Key`, or the empty string.

    All texts are looked at as one file, because the scanner's thresholds hold for files alone.
    """
    from detect_secrets import SecretsCollection
    from detect_secrets.settings import default_settings

    found = ["" for _ in texts]
    owner: list[int] = []  # of each line
    with tempfile.TemporaryDirectory(prefix="cert-") as scratch:
        path = Path(scratch) / "texts.py"
        with path.open("w", encoding="utf-8", errors="replace", newline="\n") as file:
            for number, text in enumerate(texts):
                if _MAIL.search(text):
                    found[number] = "personal data: e-mail address"
                lines = text.splitlines() or [""]
                owner += [number] * len(lines)
                file.writelines(f"{line}\n" for line in lines)
        secrets = SecretsCollection()
        with default_settings():
            secrets.scan_file(str(path))
    for _, secret in secrets:
        number = owner[min(secret.line_number, len(owner)) - 1]
        found[number] = found[number] or f"secret: {secret.type}"
    return found
