"""Tasks at the end of a long file, asked for as an editor does: what is put into the model's window is chosen.

A task's own imports stand on top, then functions of other data, then the task. `Engine.complete_text`, which the other
figures are made with, reads all of a prompt; here `build_context` chooses, so that a file of no other lines beside one
of 400 tells what choosing costs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice, product
from typing import Any, Protocol

from cert_lsp.engine.api_index import UNKNOWN, Versions
from cert_lsp.engine.context import Context, build_context

_SUBJECTS = ("invoices", "sensors", "tickets", "parcels", "patients", "matches", "tweets", "loans", "trees", "servers")
_FUNCTIONS = (
    '''
def load_{name}(path):
    """Read the {name} and parse their dates."""
    table = pd.read_csv(path, parse_dates=["created"])
    table.columns = [column.strip().lower() for column in table.columns]
    return table[table["created"].notna()]
''',
    """
def latest_{name}(table, count):
    # newest first, without those that were withdrawn
    kept = table[~table["withdrawn"]]
    kept = kept.sort_values("created", ascending=False)
    return kept.head(count)
""",
    '''
def {name}_by_region(table):
    """Number of {name} and their mean value in each region."""
    grouped = table.groupby("region")
    summary = grouped.agg(count=("value", "size"), mean=("value", "mean"))
    for region, row in summary.iterrows():
        print(region, row["count"], round(row["mean"], 2))
    return summary
''',
    """
def smooth_{name}(values, width=5):
    # moving average; the edges stay as they are
    weights = np.ones(width) / width
    smooth = np.convolve(values, weights, mode="same")
    half = width // 2
    smooth[:half], smooth[-half:] = values[:half], values[-half:]
    return smooth
""",
)


class Asked(Protocol):
    """What is needed of `cert_lsp.engine.pipeline.Engine`."""

    manifest: Any

    def complete(self, context: Context, **options: Any) -> Sequence[Any]:
        """Candidates for a context, best first."""
        ...


class InFile:
    """Completes tasks that stand at the end of a file of at least `lines` other lines; a `generate.Completer`."""

    def __init__(self, engine: Asked, lines: int) -> None:
        self.manifest = engine.manifest
        self._engine = engine
        self._lines = lines

    def complete_text(self, before: str, *, versions: Versions = UNKNOWN, **options: Any) -> Sequence[Any]:
        """Complete at the end of the file; nothing where an editor would be offered nothing."""
        text = placed(before, self._lines)
        context = build_context(text, len(text))
        return self._engine.complete(replace(context, versions=versions), **options) if context else []


def placed(prompt: str, lines: int) -> str:
    """Return `prompt` with at least `lines` lines of other functions between its leading imports and the rest."""
    own = prompt.split("\n")
    top = next((place for place, line in enumerate(own) if line and not line.startswith(("import ", "from "))), 0)
    filler = list(islice(_filler(), lines))
    while filler and filler[-1]:  # to the end of a function
        filler.pop()
    return "\n".join([*own[:top], *filler, *own[top:]])


def _filler() -> Iterator[str]:
    yield from ("import numpy as np", "import pandas as pd", "")
    for number in range(1, 1000):
        for subject, function in product(_SUBJECTS, _FUNCTIONS):
            yield from f"{function.format(name=subject if number == 1 else f'{subject}_{number}')}\n".split("\n")[:-1]
