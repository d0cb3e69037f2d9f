"""``cert-lsp complete``: what the editor would insert at a place in a file."""

import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from cert_lsp.cli.address import parse_address, read_place
from cert_lsp.cli.output import write_candidates
from cert_lsp.engine.context import Context, build_context
from cert_lsp.store import Store

NOTHING_HERE = (
    "cert-lsp: There is nothing to offer here. Put the cursor after a comment or docstring that says what to do, "
    "or on a statement begun below one, in code that uses pandas or NumPy.\n"
)


def run(arguments: Namespace) -> int:
    """Print the candidates, best first; ``elapsed_ms`` is the time from text to answer, without loading the model.

    Raises:
        ContextError: The place does not exist.
        NeighboursError: The team's file cannot be read.
        BundleError: The model is missing or damaged.
        RuntimeUnavailableError: ONNX Runtime is missing.
    """
    text, offset = read_place(parse_address(arguments.address))
    started = perf_counter()
    context = looked_up(build_context(text, offset), arguments.neighbours)
    reading = perf_counter() - started
    if context is None:
        candidates, elapsed = [], reading
        sys.stderr.write(NOTHING_HERE)
    else:
        from cert_lsp.engine.pipeline import Engine  # late: not needed where there is nothing to offer

        engine = Engine.open(arguments.model or Store().current())
        started = perf_counter()
        candidates = engine.complete(context, candidates=arguments.candidates)
        elapsed = reading + perf_counter() - started
        if not candidates:
            sys.stderr.write("cert-lsp: The model has no valid completion for this place.\n")
    write_candidates(candidates, elapsed, as_json=arguments.json)
    return 0


def looked_up(context: Context | None, neighbours: Path | None) -> Context | None:
    """Return a context with what the team wrote below nearly the same intent.

    Raises:
        NeighboursError: The file cannot be read.
    """
    if context is None or neighbours is None:
        return context
    from cert_lsp.engine.neighbours import Neighbours

    return replace(context, near=Neighbours.load(neighbours).sketch_for(context))
