"""`python -m benchmarks`: speed and memory of the server as it is shipped, beside its peers.

Tables go to standard output, progress and messages to standard error. Exit codes: 0 done, 1 an error that a person can
mend (told in one message), 2 a wrong command line, 130 interrupted.
"""

import argparse
import json
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from tqdm import tqdm

from benchmarks.bandwidth import measure_bandwidth
from benchmarks.draft import measure_draft
from benchmarks.editor import Editor
from benchmarks.engine import Comparison, Model, compare
from benchmarks.peers import Genai, LlamaCpp, Peer
from benchmarks.recording import HERE, Recording, read_recordings
from benchmarks.replay import Cold, play_all, play_cold
from benchmarks.report import Results, markdown, plot, put_into
from benchmarks.stamp import load, make_stamp
from benchmarks.storm import STORMS, play_storms
from cert_lsp.contract.bundle import EMBEDDED
from cert_lsp.engine.context import build_context
from cert_lsp.errors import CertError
from evals.suite import load_suites

EXAMPLES = """\
examples:
  python -m benchmarks
      everything, about a quarter of an hour; writes the tables and the plot of benchmarks/README.md anew
  python -m benchmarks --quick --json out/quick.json
      a few sessions and prompts in less than four minutes; the README stays as it is
  python -m benchmarks --suite DIR/PandasEval.dev.jsonl DIR/NumpyEval.dev.jsonl
      the draft on published tasks, which are not part of this repository (evals/README.md)
  python -m benchmarks --quick --bundle out/bundle
      another bundle; its weights are given to the peers as well

Let nothing else run meanwhile: the stamp tells the load average.
"""

T = TypeVar("T")


@dataclass(frozen=True)
class Size:
    """How much is measured: sessions, cold starts, prompts, rounds, seconds for the draft's tasks, and of idling."""

    sessions: int
    starts: int
    prompts: int
    rounds: int
    draft: float
    idle: float


QUICK = Size(sessions=4, starts=4, prompts=3, rounds=3, draft=40, idle=2)
FULL = Size(sessions=99, starts=12, prompts=9, rounds=5, draft=120, idle=10)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        results = measure(options.bundle, QUICK if options.quick else FULL, options.suite)
        tables = markdown(results)
        sys.stdout.write(tables)
        if options.json:
            options.json.parent.mkdir(parents=True, exist_ok=True)
            options.json.write_text(json.dumps(results.as_json(), indent=2) + "\n", encoding="utf-8")
        if not options.quick:
            put_into(HERE / "README.md", tables)
            plot(results, HERE / "results.svg")
        return 0
    except CertError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted; nothing was written.\n")
        return 130


def measure(bundle: Path, size: Size, paths: Sequence[Path]) -> Results:
    """Measure everything, the draft on the tasks of the suites at `paths`.

    Raises:
        CertError: If the server, a recording or the bundle cannot be used; a missing peer is only noted.
    """
    recordings = _spread(read_recordings(), size.sessions)
    suites = load_suites(paths)
    tasks = [task for suite in suites for task in suite.tasks]
    random.Random(0).shuffle(tasks)  # as many as there is time for are then a fair sample
    model = Model.open(bundle)
    threads = model.runtime.describe().threads
    stamp = {**make_stamp(bundle, threads), "rounds": size.rounds, "suites": [suite.name for suite in suites]}
    starts = _spread(recordings, size.starts)
    total = size.prompts * size.rounds + len(tasks) + len(starts) + len(recordings) + STORMS
    with tqdm(total=total, unit="step", dynamic_ncols=True) as bar, TemporaryDirectory() as folder:

        def tick(what: str) -> None:
            bar.set_description(what)
            bar.update()

        bandwidth = measure_bandwidth(threads)
        comparison, missing = _compare(model, bundle, recordings, size, Path(folder), threads, lambda: tick("engine"))
        draft = measure_draft(model, tasks, size.draft, lambda: tick("draft"))
        bar.total -= len(tasks) - draft.looked_at
        cold: list[Cold] = []
        for recording in starts:
            cold.append(play_cold(recording, bundle))
            tick("cold starts")
        with Editor(bundle) as editor:
            replay = play_all(editor, recordings, size.idle, lambda: tick("replay"))
        storms = play_storms(bundle, lambda: tick("storms"))
    stamp["load_after"] = load()
    weights = sum(file.bytes for name, file in model.manifest.files.items() if name.endswith(".data"))
    return Results(stamp, cold, replay, storms, comparison, draft, bandwidth, weights, missing)


def _compare(
    model: Model,
    bundle: Path,
    recordings: Sequence[Recording],
    size: Size,
    folder: Path,
    threads: int,
    tick: Callable[[], None],
) -> tuple[Comparison, dict[str, str]]:
    """Open the peers that can be had, and measure; returns also why one is missing."""
    peers: list[Peer] = []
    missing: dict[str, str] = {}
    for kind in (LlamaCpp, Genai):
        place = folder / kind.__name__
        place.mkdir()
        try:
            peers.append(kind(bundle, place, threads))
        except (ImportError, CertError, RuntimeError) as error:
            missing[kind.name] = str(error).rstrip(".")
    intents = [build_context(*next(recording.intents())) for recording in _spread(recordings, size.prompts)]
    contexts = [context for context in intents if context is not None]
    return compare(model, peers, contexts, size.rounds, tick), missing


def _spread(items: Sequence[T], count: int) -> list[T]:
    """Take `count` of the items, evenly."""
    count = min(count, len(items))
    return [items[index * len(items) // count] for index in range(count)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m benchmarks",
        description="Measure speed and memory of the server, beside llama.cpp and onnxruntime-genai.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="less of everything; leaves the README alone")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    parser.add_argument(
        "--bundle", type=Path, default=EMBEDDED, metavar="DIR", help="joint model folder (default: the embedded one)"
    )
    parser.add_argument(
        "--suite",
        type=Path,
        nargs="+",
        default=[HERE.parent / "evals" / "everyday.jsonl"],
        metavar="FILE",
        help="tasks on which the draft is measured (default: evals/everyday.jsonl)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
