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
    from detect_secrets.settings import default_settings, get_settings

    found = ["personal data: e-mail address" if _MAIL.search(text) else "" for text in texts]
    with tempfile.TemporaryDirectory(prefix="cert-") as scratch:
        path = Path(scratch) / "texts.py"
        path.write_text("\n".join(texts), encoding="utf-8", errors="replace")
        secrets = SecretsCollection()
        with default_settings():
            # It takes every `x = f(...)` for harmless, whatever stands in the brackets.
            get_settings().disable_filters("detect_secrets.filters.heuristic.is_indirect_reference")
            secrets.scan_file(str(path))
    values = {secret.secret_value: secret.type for _, secret in sorted(secrets, key=lambda each: each[1].type)}
    for number, text in enumerate(texts):  # of a secret that is told twice, the scanner names one place
        kinds = [kind for value, kind in values.items() if value and value in text]
        found[number] = found[number] or (f"secret: {kinds[0]}" if kinds else "")
    return found
