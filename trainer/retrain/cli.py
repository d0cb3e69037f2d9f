"""Retrain the model in service on your own repositories, and put the new one in service if it is proven better.

    python -m trainer retrain --repo ~/code/reports ~/code/models --out runs/team
    python -m trainer retrain --repo git+file:///srv/git/reports.git@main --profile quick --out runs/team
    python -m trainer retrain --repo ~/code/reports --out runs/team --dry-run

Everything stays on this machine. The same command goes on after an interruption of any kind, with the same outcome;
when code has changed it begins anew. OUT/report.html shows what came of it, OUT/report.json says it to programs;
docs/retraining.md tells the rest.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cert_lsp.errors import ConfigError
from cert_lsp.feedback import FeedbackLog

if TYPE_CHECKING:
    from trainer.retrain.estimate import Estimate
    from trainer.retrain.repository import Repository
    from trainer.retrain.served import Served

STAGES = ("corpus", "split", "before", "replay", "train", "export", "after")
REFUSED = 3
_SUITE = Path(__file__).parents[2] / "evals" / "everyday.jsonl"


@dataclass(frozen=True)
class Profile:
    """How much is done: tokens trained on at most, and held-out pairs judged at most."""

    tokens: int
    pairs: int


PROFILES = {"quick": Profile(24_000, 40), "standard": Profile(400_000, 240)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``python -m trainer retrain``."""
    parser.add_argument(
        "--repo", nargs="+", action="extend", required=True, metavar="DIR|URL", help="folders, or git+file://PATH[@REV]"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the run")
    parser.add_argument("--profile", choices=PROFILES, default="standard", help="quick: ten minutes on two cores")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done and what it would take")
    parser.add_argument(
        "--store", type=Path, metavar="DIR", help="model store (default: $CERT_LSP_STORE or the user's)"
    )
    parser.add_argument("--no-publish", action="store_true", help="judge the new model, but put nothing in service")
    code = parser.add_argument_group("which code")
    code.add_argument("--exclude", action="append", default=[], metavar="PATTERN", help="leave out, as in .gitignore")
    code.add_argument(
        "--deny-licence", action="append", default=[], metavar="SPDX", help="leave out files that name it, such as GPL"
    )
    code.add_argument(
        "--feedback",
        type=Path,
        nargs="?",
        const=FeedbackLog().file,
        metavar="FILE",
        help="learn from completions that were kept as well, by the log that the server writes if `feedback` is set",
    )
    code.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1), metavar="N", help="readers")
    train = parser.add_argument_group("training")
    train.add_argument("--base", type=Path, metavar="DIR", help="the model's base (default: made in OUT/base)")
    train.add_argument("--start", type=Path, metavar="DIR", help="adapter to start from, in place of the model's own")
    train.add_argument("--general", type=Path, metavar="DIR", help="corpus to replay (default: a textbook is written)")
    train.add_argument("--share", type=float, default=0.5, metavar="S", help="share of it in training (default: 0.5)")
    settings = "settings of the training: retrain (an adapter; default), retrain-full (all weights), or a file"
    train.add_argument("--config", default="retrain", metavar="NAME|FILE", help=settings)
    train.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change one of them")
    train.add_argument(
        "--blend", type=float, default=0.5, metavar="S", help="share of the trained model in the new one (default: 0.5)"
    )
    gate = parser.add_argument_group("gate")
    gate.add_argument("--suite", type=Path, default=_SUITE, metavar="FILE", help="general suite (default: everyday)")
    gate.add_argument("--margin", type=float, default=0.05, metavar="M", help="how much of it may be lost (0.05)")
    gate.add_argument("--python", type=Path, metavar="FILE", help="interpreter with pandas for suite and textbook")
    parser.epilog = (
        "exit status: 0 better and in service (or --no-publish, --dry-run), 1 error, "
        "3 not better: the old model stays, 130 or 143 interrupted: the same command goes on"
    )


def run(args: argparse.Namespace) -> int:
    """Retrain; returns the exit status."""
    from cert_lsp.contract.bundle import EMBEDDED
    from cert_lsp.store import Store
    from trainer.config import load_config
    from trainer.retrain.estimate import estimate
    from trainer.retrain.repository import Rules, find, look_over
    from trainer.retrain.served import in_service
    from trainer.retrain.stages import Run, Stopped
    from trainer.retrain.work import Work

    if not 0 <= args.share < 1:
        raise ConfigError(f"--share {args.share} is no share", remedy="give a number from 0 to less than 1")
    if not 0 < args.blend <= 1:
        raise ConfigError(f"--blend {args.blend} leaves nothing new", remedy="give a number from above 0 to 1")
    config, _ = load_config(args.config, args.set)
    drops: Counter[str] = Counter()
    rules = Rules(tuple(args.exclude), tuple(args.deny_licence))
    repositories = [look_over(find(each, args.out / "clones"), rules, drops) for each in dict.fromkeys(args.repo)]
    store, stages = Store(args.store), Run(args.out, STAGES)
    profile = PROFILES[args.profile]
    request = _digest(args, repositories)
    noted = stages.remember(request) or {}
    served = in_service(Path(noted["bundle"]) if noted else store.current() or EMBEDDED, args.start)
    batch_tokens = config.micro_batch * config.accumulation * config.data.window
    expected = estimate(
        repositories, args.base, tokens=profile.tokens, pairs=profile.pairs, tasks=40, batch_tokens=batch_tokens,
        whole=config.lora is None,
    )  # fmt: skip
    _tell(repositories, drops, served, expected, args, whole=config.lora is None)
    if args.dry_run:
        return 0
    with stages.locked():
        _check_disk(args.out, served, whole=config.lora is None)
        stages.remember(request, {"bundle": str(served.bundle)})
        try:
            report = Work(args, stages, config, profile, served, repositories, drops).all(expected.as_text())
        except Stopped as stopped:
            sys.stderr.write("stopped; run the same command to go on\n")
            return stopped.status
        return _finish(args, store, report)


def _finish(args: argparse.Namespace, store: Any, report: dict[str, Any]) -> int:
    """Publish if the gate is open, and write the reports."""
    from trainer.checkpoint import write_atomically
    from trainer.retrain.report import as_html

    gate = report["gate"]
    if gate["passed"] and not args.no_publish:
        report["published"] = store.publish(args.out / "export" / "bundle").name
    write_atomically(args.out / "report.json", json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    write_atomically(args.out / "report.html", as_html(report))
    for name, better in gate["team_difference"].items():
        sys.stdout.write(f"{name:<16} {better['mean']:+.4f} [{better['low']:+.4f}, {better['high']:+.4f}]\n")
    change = gate["general_difference"]
    sys.stdout.write(f"{'general suite':<16} {change['mean']:+.4f} [{change['low']:+.4f}, {change['high']:+.4f}]\n")
    said = f"in service: {report['published']}" if report["published"] else "better" if gate["passed"] else "refused"
    sys.stdout.writelines(f"{reason}\n" for reason in gate["reasons"])
    sys.stdout.write(f"{said}; read {args.out / 'report.html'}\n")
    return 0 if gate["passed"] else REFUSED


def _digest(args: argparse.Namespace, repositories: list[Repository]) -> str:
    """What is asked for: the same again goes on with what is there."""
    asked = {key: str(value) for key, value in vars(args).items() if key not in ("run", "dry_run", "processes")}
    stamps = {str(repository.folder): repository.stamp() for repository in repositories}
    return hashlib.sha256(json.dumps([asked, stamps], sort_keys=True).encode()).hexdigest()


def _check_disk(out: Path, served: Served, *, whole: bool) -> None:
    """Refuse early what cannot end well.

    Raises:
        ConfigError: The disk has no room for the run.
    """
    bundle = sum(path.stat().st_size for path in served.bundle.rglob("*") if path.is_file())
    needed, free = (40 if whole else 8) * bundle + 100e6, shutil.disk_usage(out).free
    if free < needed:
        raise ConfigError(
            f"the disk of {out} has {free / 1e9:.1f} GB free, the run needs about {needed / 1e9:.1f} GB",
            "nothing is begun; the model in service stays",
            "make room or choose another --out",
        )


def _tell(
    repositories: list[Repository],
    drops: Counter[str],
    served: Served,
    expected: Estimate,
    args: argparse.Namespace,
    *,
    whole: bool,
) -> None:
    files = sum(len(repository.members) for repository in repositories)
    names = ", ".join(repository.name for repository in repositories)
    sys.stderr.write(f"{files:,} files of {names}; left out: {dict(drops) or 'none'}\n")
    start = "all weights" if whole else "a fresh adapter" if served.adapter is None else served.adapter
    sys.stderr.write(f"from {served.name} ({start}), profile {args.profile}: {asdict(PROFILES[args.profile])}\n")
    sys.stderr.write(f"it will take {expected.as_text()}\n")
