"""An engine that looks up what a team wrote below nearly the same intent, as the server does by its settings."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cert_lsp.engine.api_index import UNKNOWN, Versions
from cert_lsp.engine.context import Context, whole_context
from cert_lsp.engine.neighbours import Neighbours

if TYPE_CHECKING:
    from cert_lsp.engine.pipeline import Engine


class LookedUp:
    """Completes with the help of a file of neighbours; a `generate.Completer` and a `pairs.Completer`."""

    def __init__(self, engine: "Engine", neighbours: Path) -> None:
        """Read the file.

        Raises:
            NeighboursError: It is missing or damaged.
        """
        self.manifest, self.runtimes = engine.manifest, engine.runtimes
        self._engine = engine
        self._neighbours = Neighbours.load(neighbours)

    def complete(self, context: Context, **options: Any) -> Sequence[Any]:
        """Complete at a context."""
        return self._engine.complete(replace(context, near=self._neighbours.sketch_for(context)), **options)

    def complete_text(self, before: str, *, versions: Versions = UNKNOWN, **options: Any) -> Sequence[Any]:
        """Go on with a text."""
        return self.complete(replace(whole_context(before), versions=versions), **options)


def looking_up(engine: "Engine", neighbours: Path | None) -> "Engine | LookedUp":
    """Return an engine that looks up a file of neighbours, if one is named.

    Raises:
        NeighboursError: It is missing or damaged.
    """
    return LookedUp(engine, neighbours) if neighbours else engine
