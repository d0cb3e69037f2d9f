"""``cert-lsp sketch``: the sketches behind the answers at a place, or the sketch of given code."""

import sys
from argparse import Namespace
from dataclasses import asdict
from time import perf_counter

from cert_lsp.cli.address import parse_address, read_place
from cert_lsp.cli.complete import NOTHING_HERE, looked_up
from cert_lsp.cli.output import write_candidates, write_json
from cert_lsp.contract.sketch import Variant, sketch
from cert_lsp.errors import ContextError
from cert_lsp.store import Store


def run(arguments: Namespace) -> int:
    """Print sketches.

    Raises:
        SketchError: The code on standard input does not parse.
        ContextError: The place does not exist, or standard input is not UTF-8.
        BundleError: The model is missing or damaged.
        RuntimeUnavailableError: ONNX Runtime is missing.
    """
    if arguments.address == "-":
        return _of_code(arguments)
    from cert_lsp.engine.context import build_context
    from cert_lsp.engine.pipeline import Engine

    started = perf_counter()
    context = looked_up(build_context(*read_place(parse_address(arguments.address))), arguments.neighbours)
    elapsed = perf_counter() - started
    if context is None:
        sys.stderr.write(NOTHING_HERE)
        candidates = []
    else:
        engine = Engine.open(arguments.model or Store().current())
        started = perf_counter()
        candidates = engine.complete(context, candidates=arguments.candidates)
        elapsed += perf_counter() - started
    write_candidates(candidates, elapsed, as_json=arguments.json)
    return 0


def _of_code(arguments: Namespace) -> int:
    try:
        code = sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ContextError(f"Standard input is not UTF-8 text (byte {error.start + 1})") from error
    made = sketch(code, variant=Variant(arguments.variant))
    if arguments.json:
        places = [asdict(each) for each in made.placeholders]
        write_json({"sketch": made.text, "wire": made.wire, "variant": arguments.variant, "placeholders": places})
    else:
        sys.stdout.write(made.text if made.text.endswith("\n") else made.text + "\n")
    return 0
