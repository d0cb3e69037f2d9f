"""`python -m evals`: measure how many tasks of a suite the completions solve.

Results go to standard output, progress and messages to standard error. Exit codes: 0 done, 1 an error that a person can
mend (told in one message), 2 a wrong command line, 130 interrupted.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cert_lsp.errors import CertError, EvalError
from evals.environment import pinned_python
from evals.generate import SAMPLES, Decoding, generate, read_samples
from evals.in_file import InFile
from evals.sandbox import Limits, Sandbox
from evals.score import judge, run_programs, score_suite
from evals.score import table as score_table
from evals.suite import Suite, load_suites

EXAMPLES = """\
examples:
  python -m evals env
      make the pinned environment (Python 3.11, pandas 1.5.3, NumPy 1.23.5) that samples run in; the other
      commands make it themselves when it is missing
  python -m evals check --suite evals/everyday.jsonl
      run the suite's own solutions: a known score (40 of 40) to check the installation by
  python -m evals run --suite evals/everyday.jsonl --mode sketch --out out/everyday
      let the embedded model solve the suite greedily; writes samples.jsonl, results.jsonl and score.json
  python -m evals run --suite PandasEval.jsonl NumpyEval.jsonl --bundle out/bundle --mode sketch \\
      --samples 20 --temperature 0.8 --out out/sampled
      pass@1 and pass@10 of another bundle, from twenty samples a task
  python -m evals run --suite evals/everyday.jsonl --mode sketch --in-file 400 --out out/in-file
      each task at the end of a file of 400 other lines, of which the server chooses what the model reads
  python -m evals pairs --pairs out/retrain/split/pairs.jsonl --bundle out/retrain/bundle --out out/pairs
      held-out pairs of a retraining: exact sketch and code, edit similarity, loss
  python -m evals pairs --pairs out/retrain/split/pairs.jsonl --neighbours out/retrain/split/neighbours.jsonl.gz \
      --out out/pairs-looked-up
      the same, with what the team wrote below nearly the same intents looked up
  python -m evals table --rows evals/table.toml --suites folder/of/suites --out out/table --readme README.md
      run what a rows file names and is missing; intervals, differences, names that do not exist, as Markdown and JSON
  python -m evals curve runs/joint runs/on --scores docs/curve.csv --out docs/images/learning-curve.svg
      draw loss and accuracy against tokens
  python -m evals score --suite PandasEval.jsonl --samples out/sampled/samples.jsonl
      score samples again, or samples made elsewhere
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    options = _parser().parse_args(arguments)
    try:
        if not hasattr(os, "fork"):
            raise EvalError(
                "This system cannot fork processes", "Samples cannot be run safely", "Score on Linux, macOS or in WSL"
            )
        return options.command(options)
    except CertError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted. What was done is kept: the same command goes on from here.\n")
        return 130


def run(options: argparse.Namespace) -> int:
    """Generates what is missing, then scores."""
    if options.samples > 1 and options.temperature == 0:
        raise EvalError(
            f"{options.samples} samples at temperature 0 are all alike",
            "Nothing was generated",
            "Give a --temperature above 0, or leave --samples out",
        )
    suites = load_suites(options.suite)
    python = options.python or pinned_python()  # before hours of generation, so that nothing can be missing after them
    top_p = options.top_p if options.temperature else 1.0
    decoding = Decoding(options.mode, options.temperature, top_p, candidates=options.candidates)

    from cert_lsp.engine.api_index import Versions
    from cert_lsp.engine.knowledge import KNOWLEDGE
    from cert_lsp.engine.pipeline import Engine  # heavy, and no other command needs it
    from evals.looked_up import looking_up

    if unknown := set(options.without) - KNOWLEDGE:
        raise EvalError(
            f"There is no help named {', '.join(sorted(unknown))}",
            "Nothing was generated",
            f"Choose of {', '.join(sorted(KNOWLEDGE))}",
        )
    engine = looking_up(Engine.open(options.bundle, knows=KNOWLEDGE.difference(options.without)), options.neighbours)
    versions = Versions(options.pandas, options.numpy)
    generate(
        engine if options.in_file is None else InFile(engine, options.in_file),
        suites,
        decoding,
        options.samples,
        options.out,
        options.without,
        versions,
        in_file=options.in_file,
        neighbours=options.neighbours,
    )
    drawn = (sample for sample in read_samples(options.out / SAMPLES) if sample.sample < options.samples)
    return _score(suites, drawn, python, options.out, as_json=options.json)


def score(options: argparse.Namespace) -> int:
    """Scores an existing samples file."""
    suites = load_suites(options.suite)
    samples = list(read_samples(options.samples))
    out = options.out or options.samples.parent
    return _score(suites, samples, options.python or pinned_python(), out, as_json=options.json)


def pairs(options: argparse.Namespace) -> int:
    """Judges a bundle by held-out pairs of intent and code: exact matches, edit similarity, loss."""
    from cert_lsp.contract.bundle import EMBEDDED
    from cert_lsp.engine.pipeline import Engine
    from evals.looked_up import looking_up
    from evals.pairs import judge_pairs, mean_figures, read_pairs

    bundle = options.bundle or EMBEDDED
    processes, looked_up = options.processes, options.neighbours
    engine = looking_up(Engine.open(bundle), looked_up) if processes == 1 else None
    judged = judge_pairs(
        engine, bundle, read_pairs(options.pairs), options.out, processes=processes, neighbours=looked_up
    )
    figures = {"pairs": len(judged), **mean_figures(judged)}
    told = "\n".join(f"{name:<16} {value:.4g}" for name, value in figures.items())
    sys.stdout.write((json.dumps(figures) if options.json else told) + "\n")
    return 0


def check(options: argparse.Namespace) -> int:
    """Runs each suite's listed solutions and tells which tasks none of them solves."""
    suites = load_suites(options.suite)
    report: dict[str, Any] = {"suites": {}}
    with Sandbox(options.python or pinned_python()) as sandbox:
        for suite in suites:
            programs = {task.task_id: [task.program(s) for s in task.canonical_solution] for task in suite.tasks}
            outcomes = run_programs((program for several in programs.values() for program in several), sandbox)
            unsolved = {
                task_id: sorted({outcomes[program].kind for program in several})
                for task_id, several in programs.items()
                if not any(outcomes[program].passed for program in several)
            }
            passed = len(programs) - len(unsolved)
            report["suites"][suite.name] = {"tasks": len(programs), "passed": passed, "unsolved": unsolved}
        report["sandbox"] = sandbox.facts
    if options.json:
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
        return 0
    for name, one in report["suites"].items():
        sys.stdout.write(f"{name}: {one['passed']} of {one['tasks']} tasks have a listed solution that passes\n")
        sys.stdout.writelines(f"  {task_id}: {', '.join(kinds)}\n" for task_id, kinds in one["unsolved"].items())
    return 0


def table(options: argparse.Namespace) -> int:
    """Runs what a rows file names and is missing, and writes table.md and table.json."""
    from evals.report import markdown, short, write_between_markers
    from evals.rows import read_rows
    from evals.table import make_table

    rows = read_rows(options.rows, options.suites)
    if rows.missing:
        sys.stderr.write(f"Not found, so left out: {', '.join(rows.missing)}. Name their folder by --suites.\n")
    told = make_table(rows, options.python or [pinned_python()], options.out)
    try:
        (options.out / "table.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
        (options.out / "table.md").write_text(markdown(told), encoding="utf-8")
    except OSError as error:
        raise EvalError(
            f"{options.out} cannot be written: {error}", "The table is lost", "Name another --out"
        ) from error
    if options.readme:
        write_between_markers(options.readme, short(told))
    sys.stdout.write(json.dumps(told, indent=2) + "\n" if options.json else markdown(told))
    return 0


def curve(options: argparse.Namespace) -> int:
    """Draws loss and accuracy against tokens, of runs that follow each other."""
    from evals.curve import draw, read_losses, read_scores

    draw(read_losses(options.runs, options.before), read_scores(options.scores) if options.scores else [], options.out)
    sys.stdout.write(f"{options.out}\n")
    return 0


def env(options: argparse.Namespace) -> int:
    """Makes the pinned environment and prints its interpreter's path."""
    sys.stdout.write(f"{pinned_python(force=options.force)}\n")
    return 0


def _score(suites: Sequence[Suite], samples: Any, python: Path, out: Path, *, as_json: bool) -> int:
    with Sandbox(python) as sandbox:
        results = judge(suites, samples, sandbox)
        facts = {**sandbox.facts, **asdict(Limits())}
    score = {"suites": {suite.name: score_suite(suite, results) for suite in suites}, "sandbox": facts}
    lines = [
        json.dumps({"task_id": one.sample.task_id, "sample": one.sample.sample, **asdict(one.outcome)}) + "\n"
        for one in results
    ]
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "results.jsonl").write_text("".join(lines), encoding="utf-8")
        (out / "score.json").write_text(json.dumps(score, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise EvalError(f"{out} cannot be written: {error}", "The score is lost", "Name another --out") from error
    sys.stdout.write((json.dumps(score, indent=2) if as_json else score_table(score)) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "python -m evals",
        description="Measure how many tasks of a suite the completions solve (pass@k).",
        epilog=EXAMPLES,
        formatter_class=formatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(function: Any, summary: str) -> argparse.ArgumentParser:
        added = commands.add_parser(function.__name__, help=summary, description=function.__doc__)
        added.set_defaults(command=function)
        return added

    def scoring(added: argparse.ArgumentParser) -> None:
        added.add_argument(
            "--suite", type=Path, nargs="+", required=True, metavar="FILE", help="JSON Lines files of tasks"
        )
        added.add_argument(
            "--python",
            type=Path,
            metavar="FILE",
            help="interpreter with pandas and NumPy that runs the samples (default: the pinned environment)",
        )
        added.add_argument("--json", action="store_true", help="print JSON in place of the table")

    def neighbours(added: argparse.ArgumentParser) -> None:
        added.add_argument(
            "--neighbours",
            type=Path,
            metavar="FILE",
            help="look up what a team wrote below nearly the same intent, as the server's setting of this name does",
        )

    running = command(run, "generate completions, then score them")
    scoring(running)
    running.add_argument("--bundle", type=Path, metavar="DIR", help="model folder (default: the embedded one)")
    running.add_argument(
        "--mode",
        choices=["sketch", "nosketch"],
        required=True,
        help="write a sketch first, or the code at once",
    )
    running.add_argument("--samples", type=_positive, default=1, metavar="N", help="completions a task (default: 1)")
    running.add_argument(
        "--candidates",
        type=_positive,
        default=1,
        metavar="N",
        help="answers that are written for a completion, of which the best counts: 1, as for ghost text that comes by "
        "itself (the default), or 3, as on request",
    )
    running.add_argument("--temperature", type=_not_negative, default=0.0, metavar="T", help="0 is greedy (default: 0)")
    running.add_argument(
        "--top-p",
        type=_share,
        default=0.9,
        metavar="P",
        help="nucleus when sampling (default: 0.9, as in published figures)",
    )
    running.add_argument(
        "--in-file",
        type=_line_count,
        metavar="LINES",
        help="put each task behind so many lines of other code and ask as an editor does (default: the task alone, "
        "all of it read)",
    )
    running.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for the results; goes on with what is there"
    )

    neighbours(running)
    running.add_argument(
        "--without",
        nargs="+",
        default=[],
        metavar="HELP",
        help="switch off what the server knows: api_filter, api_order, both_ways, column_filter, name_filter, "
        "successors, syntax_filter",
    )
    for library in ("pandas", "numpy"):
        running.add_argument(
            f"--{library}",
            metavar="VERSION",
            help=f"the release of {library} that the server is told of (default: none)",
        )

    scored = command(score, "score a samples.jsonl file")
    scoring(scored)
    scored.add_argument("--samples", type=Path, required=True, metavar="FILE", help="the samples.jsonl to score")
    scored.add_argument("--out", type=Path, metavar="DIR", help="folder for score.json (default: the samples' own)")

    judging = command(pairs, "judge a bundle by held-out pairs of intent and code")
    judging.add_argument("--pairs", type=Path, required=True, metavar="FILE", help="JSON Lines: id, head, code, sketch")
    judging.add_argument(
        "--processes", type=_positive, default=1, metavar="N", help="pairs judged at a time, a core each (default: 1)"
    )
    neighbours(judging)
    judging.add_argument("--bundle", type=Path, metavar="DIR", help="model folder (default: the embedded one)")
    judging.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for pairs.jsonl; goes on with what is there"
    )
    judging.add_argument("--json", action="store_true", help="print JSON")

    scoring(command(check, "run a suite's listed solutions: does the installation score right?"))

    tabling = command(table, "run the rows of a table that are missing, and write it")
    tabling.add_argument("--rows", type=Path, required=True, metavar="FILE", help="TOML, see evals/rows.py")
    tabling.add_argument("--suites", type=Path, metavar="DIR", help="a further folder to look for suites in")
    tabling.add_argument(
        "--python",
        type=Path,
        action="append",
        metavar="FILE",
        help="interpreter that scores; may be repeated, the first is the table's own (default: the pinned environment)",
    )
    tabling.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for all results; goes on with what is there"
    )
    tabling.add_argument(
        "--readme", type=Path, metavar="FILE", help="write the short table between this file's markers"
    )
    tabling.add_argument("--json", action="store_true", help="print JSON in place of Markdown")

    curving = command(curve, "draw loss and accuracy against tokens")
    curving.add_argument(
        "runs", type=Path, nargs="+", metavar="RUN", help="folders of runs, in order, each with metrics.jsonl"
    )
    curving.add_argument(
        "--before", type=int, default=0, metavar="N", help="tokens trained on before the first run (default: 0)"
    )
    curving.add_argument(
        "--scores", type=Path, metavar="FILE", help="CSV: tokens, then a column of percentages a suite"
    )
    curving.add_argument("--out", type=Path, required=True, metavar="FILE", help="the picture, .svg or .png")

    making = command(env, "make the pinned environment")
    making.add_argument("--force", action="store_true", help="make it anew even if it is there")
    return parser


def _positive(text: str) -> int:
    if (value := int(text)) < 1:
        raise ValueError(text)
    return value


def _line_count(text: str) -> int:
    if (value := int(text)) < 0:
        raise ValueError(text)
    return value


def _not_negative(text: str) -> float:
    if not 0 <= (value := float(text)) < float("inf"):
        raise ValueError(text)
    return value


def _share(text: str) -> float:
    if not 0 < (value := float(text)) <= 1:
        raise ValueError(text)
    return value


if __name__ == "__main__":
    sys.exit(main())
