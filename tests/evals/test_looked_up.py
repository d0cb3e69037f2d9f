"""An engine that looks up neighbours is asked with them, in both ways of asking."""

from pathlib import Path
from types import SimpleNamespace

from cert_lsp.contract.neighbours import Neighbour, write_neighbours
from cert_lsp.engine.api_index import Versions
from cert_lsp.engine.context import Context, whole_context
from evals.looked_up import LookedUp

PROMPT = "import pandas as pd\n# plot the bookings\n"


class Asked:
    """Remembers what it was asked."""

    manifest, runtimes = SimpleNamespace(name="asked"), {}

    def __init__(self) -> None:
        self.contexts: list[Context] = []

    def complete(self, context: Context, **options: object) -> list[object]:
        self.contexts.append(context)
        return [options]


def test_the_sketch_of_a_neighbour_is_handed_on(tmp_path: Path) -> None:
    write_neighbours(tmp_path / "n.gz", [Neighbour("plot the bookings", "show($number)", body=False)])
    asked = Asked()
    engine = LookedUp(asked, tmp_path / "n.gz")
    assert engine.complete_text(PROMPT, versions=Versions("2.2"), seed=3) == [{"seed": 3}]
    assert engine.complete(whole_context("# mean delay\n")) == [{}]
    first, second = asked.contexts
    assert (first.near, first.versions, first.intent) == ("show($number)", Versions("2.2"), "plot the bookings")
    assert second.near is None
