"""Count which token mostly follows which, in the text that a model was trained on (see `cert_lsp.engine.idioms`)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cert_lsp.contract.prompt import render
from cert_lsp.engine.idioms import ORDERS, Idioms, key
from cert_lsp.errors import ExportError

if TYPE_CHECKING:
    from cert_lsp.contract.prompt import Role
    from cert_lsp.contract.tokens import Encoder

_LEAST_COUNT = 2
_LEAST_SHARE = 0.2
_LIKE = 0.1
_HEAD = 80  # characters of the text before the answer that can reach into a context


def count_idioms(corpora: Sequence[Path], roles: Iterable[Role], encoder: Encoder) -> Idioms:
    """Count the idioms of ``train.parquet`` in every folder of `corpora`.

    Raises:
        ExportError: If one cannot be read.
    """
    followers: defaultdict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
    for record in _records(corpora):
        for role in roles:
            opening = 0  # the marker behind which the model writes; none yet
            ids: list[int] = []
            for segment in render(role, record["head"][-_HEAD:], record["sketch"], record["code"]):
                tokens = [encoder.marker_id(segment.marker)] if segment.marker else encoder.encode_text(segment.text)
                for token in tokens:
                    for order in ORDERS if opening else ():
                        if order <= len(ids):
                            followers[opening, *ids[-order:]][token] += 1
                    ids.append(token)
                opening = tokens[0] if segment.marker else opening
    return Idioms.of({key(opening, context): best for (opening, *context), best in _telling(followers).items()})


def _telling(followers: Mapping[tuple[int, ...], Counter[int]]) -> dict[tuple[int, ...], tuple[int, float]]:
    """Return what mostly follows each context that tells something else than its own end does."""
    telling: dict[tuple[int, ...], tuple[int, float]] = {}
    for context, counts in sorted(followers.items(), key=lambda item: (len(item[0]), item[0])):
        token, count = counts.most_common(1)[0]
        share = count / (counts.total() + 0.5)  # half a count for what was never seen
        if count < _LEAST_COUNT or share < _LEAST_SHARE:
            continue
        opening, *tokens = context
        ends = (telling.get((opening, *tokens[start:])) for start in range(1, len(tokens)))
        shorter = next(filter(None, ends), None)
        if not (shorter and shorter[0] == token and abs(shorter[1] - share) < _LIKE):
            telling[context] = (token, share)
    return telling


def _records(corpora: Sequence[Path]) -> Iterable[Mapping[str, str]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    for folder in corpora:
        file = folder / "train.parquet"
        try:
            yield from pq.read_table(file, columns=["head", "code", "sketch"]).to_pylist()
        except (OSError, pa.ArrowException) as error:
            raise ExportError(
                f"{file} cannot be read ({error})",
                "nothing is exported",
                "name a folder made by `python -m trainer corpus` or `textbook`",
            ) from error
