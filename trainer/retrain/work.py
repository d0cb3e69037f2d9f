"""The stages of a retraining, one method each, and what they come to together."""

from __future__ import annotations

import argparse
import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cert_lsp.errors import ConfigError
from trainer.retrain import corpus, gate, replay, split
from trainer.retrain.blend import blend
from trainer.retrain.report import SAMPLES, curves
from trainer.retrain.served import Served, carry

if TYPE_CHECKING:
    from trainer.config import TrainConfig
    from trainer.retrain.cli import Profile
    from trainer.retrain.repository import Repository
    from trainer.retrain.stages import Run

EPOCHS = 4
"""Most often that a team's records are read: more only teaches them by heart."""


class Work:
    """One retraining."""

    def __init__(
        self,
        args: argparse.Namespace,
        run: Run,
        config: TrainConfig,
        profile: Profile,
        served: Served,
        repositories: Sequence[Repository],
        drops: Counter[str],
    ) -> None:
        """Prepare to do what `args` ask for, in the folder of `run`."""
        self._args, self._run, self._config, self._profile = args, run, config, profile
        self._served, self._repositories, self._drops = served, repositories, drops

    def all(self, estimate: str) -> dict[str, Any]:
        """Do all stages and judge; returns what report.json says, not yet published."""
        base = self._trained_from(self._base())
        corpus = self._corpus()
        parts = self._split(corpus)
        before = self._judge("before", self._served.bundle, parts)
        training = self._train(base, parts, self._replay(parts))
        bundle = self._export(base, parts, training)
        after = self._judge("after", bundle, parts)
        return self._report(corpus, parts, training, (before, after), estimate)

    def _base(self) -> Path:
        from trainer.base import read_cert

        base: Path | None = self._args.base or self._served.weights
        if base is None:
            base = self._run.out / "base"
            self._run.program("trainer", "base", "--out", base)
        named = read_cert(base)["base"]
        if named["sha256"] != self._served.base.get("sha256"):
            raise ConfigError(
                f"{base} is {named['name']}, the model in service was trained from {self._served.base.get('name')}",
                "its adapter does not fit",
                "name the right base by --base",
            )
        return base

    @property
    def _whole(self) -> bool:
        """Whether all weights are trained."""
        return self._config.lora is None

    def _trained_from(self, base: Path) -> Path:
        """The base; if all weights are trained, with the adapter in service merged into it."""
        if not self._whole or not self._served.adapter:
            return base
        merged = self._run.out / f"merged-{self._served.sha256[:8]}"
        self._run.program(
            "trainer", "base", "--from", base, "--adapter", self._served.adapter, "--name", self._served.name,
            "--out", merged,
        )  # fmt: skip
        return merged

    def _corpus(self) -> Path:
        stamps = {str(repository.folder): repository.stamp() for repository in self._repositories}
        log: Path | None = self._args.feedback
        inputs = {"repositories": stamps, "drops": self._drops, "code": corpus.code_version()}
        inputs["feedback"] = _sha256(log) if log and log.is_file() else ""

        def build(folder: Path) -> None:
            shards = self._run.out / "shards"
            corpus.build(self._repositories, self._drops, folder, shards, processes=self._args.processes, log=log)

        return self._run.stage("corpus", inputs, build)

    def _split(self, records: Path) -> Path:
        most = self._profile.pairs
        return self._run.stage("split", {"most": most}, lambda folder: _ignore(split.split(records, folder, most=most)))

    def _replay(self, parts: Path) -> Path:
        import pyarrow.parquet as pq

        general, share, python = self._args.general, self._args.share, self._args.python
        count = replay.wanted(pq.read_metadata(parts / "train.parquet").num_rows, share)

        def write(folder: Path) -> None:
            if not count:
                return
            if general:
                replay.draw(general, count, folder)
            else:
                replay.write_textbook(self._run, count, folder, python)

        return self._run.stage("replay", {"general": str(general), "count": count}, write)

    def _train(self, base: Path, parts: Path, replayed: Path) -> Path:
        settings = [f"optimizer.warmup={min(self._config.optimizer.warmup, self._steps(base, parts) // 4)}"]
        settings.append(f"steps={self._steps(base, parts)}")
        start = None if self._whole else self._served.adapter
        if start and (found := self._served.rank()):
            settings += [f"lora.rank={found[0]}", f"lora.alpha={found[1]}"]
        settings += self._args.set
        command = ["train", "--config", self._args.config, "--corpus", parts, "--base", base]
        if (replayed / "train.parquet").is_file():
            command += ["--textbook", replayed]
        if start:
            command += ["--start", start]
        command += [f"--set={setting}" for setting in settings]
        inputs = {"config": asdict(self._config), "settings": settings, "served": self._served.sha256}
        return self._run.stage(
            "train", inputs, lambda folder: self._run.program("trainer", *command, "--out", folder), keeps=True
        )

    def _steps(self, base: Path, parts: Path) -> int:
        """Steps for the profile's tokens, or for as many epochs of the team's and the replayed records."""
        from cert_lsp.contract.prompt import Marker
        from cert_lsp.contract.tokens import Encoder
        from trainer.base import read_cert
        from trainer.data import open_records

        markers = {Marker(kind): token for kind, token in read_cert(base)["markers"].items()}
        encoder = Encoder.load(base / "tokenizer.json", markers)
        records = open_records([parts], "train", self._run.out / "cache")
        window = self._config.data.window
        tokens = sum(
            min(window, len(encoder.encode_text(record["head"] + record["sketch"] + record["code"])))
            for record in records
        )
        batch = self._config.micro_batch * self._config.accumulation * window
        read = min(self._profile.tokens, EPOCHS * tokens / (1 - self._args.share))
        return max(2, math.ceil(read / batch))

    def _export(self, base: Path, parts: Path, training: Path) -> Path:
        name, share = f"{self._served.base['name'].removesuffix('-team')}-team", self._args.blend
        start = base if self._whole else self._served.adapter

        def export(folder: Path) -> None:
            made, model = folder / "bundle", training / "model"
            if start and share < 1:
                model = folder / "model"
                blend(start, training / "model", model, share)
            command = ["export", model, "--out", made, "--name", name, "--corpus", parts]
            if self._whole:
                self._run.program(*command)
                self._run.program("trainer", "base", "--from", model, "--name", name, "--out", folder / "weights")
                carry(made, weights=folder / "weights")
            else:
                self._run.program(*command, "--base", base, "--adapter-out", folder / "adapter")
                carry(made, adapter=folder / "adapter", weights=self._served.weights)

        return self._run.stage("export", {"name": name, "blend": share}, export) / "bundle"

    def _judge(self, name: str, bundle: Path, parts: Path) -> Path:
        def judge(folder: Path) -> None:
            self._run.program(
                "evals", "pairs", "--pairs", parts / split.PAIRS, "--bundle", bundle, "--out", folder / "pairs",
                "--processes", self._args.processes,
            )  # fmt: skip
            python = ["--python", self._args.python] if self._args.python else []
            self._run.program(
                "evals", "run", "--suite", self._args.suite, "--bundle", bundle, "--mode", "sketch",
                "--out", folder / "general", *python,
            )  # fmt: skip

        inputs = {"suite": _sha256(self._args.suite), "served": self._served.sha256}
        return self._run.stage(name, inputs, judge, keeps=True, feeds=False)

    def _report(
        self, records: Path, parts: Path, training: Path, judged: tuple[Path, Path], estimate: str
    ) -> dict[str, Any]:
        pairs = _lines(parts / split.PAIRS)
        before, after = (_lines(folder / "pairs" / "pairs.jsonl") for folder in judged)
        general = tuple(_solved(folder / "general" / "results.jsonl") for folder in judged)
        samples = [
            {"id": pair["id"], "head": pair["head"], "wanted": pair["code"]}
            | {"before": old["completion"], "after": new["completion"]}
            for pair, old, new in zip(pairs[:SAMPLES], before, after, strict=False)
        ]
        cert = json.loads((training / "model" / "cert.json").read_text(encoding="utf-8"))
        return {
            "gate": gate.judge((_columns(before), _columns(after)), (general[0], general[1]), self._args.margin),
            "published": None,
            "model_before": self._served.name,
            "repositories": [repository.name for repository in self._repositories],
            "pairs": len(pairs),
            "tasks": len(general[0]),
            "corpus": json.loads((records / corpus.REPORT).read_text(encoding="utf-8")),
            "split": json.loads((parts / split.REPORT).read_text(encoding="utf-8")),
            "training": {key: cert["training"][key] for key in ("steps", "tokens", "eval_loss")},
            "curves": curves(training),
            "samples": samples,
            "usage": self._run.usage(),
            "estimate": estimate,
        }


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _columns(judged: list[dict[str, Any]]) -> dict[str, list[float]]:
    return {name: [one[name] for one in judged] for name in ("loss", "edit_similarity", "code_exact", "sketch_exact")}


def _solved(results: Path) -> list[float]:
    """1 for each task that is solved, else 0, in the order of the tasks' ids."""
    told = {line["task_id"]: float(line["passed"]) for line in _lines(results)}
    return [told[task] for task in sorted(told)]


def _sha256(path: Path) -> str:
    from cert_lsp.contract.bundle import stamp

    return stamp(path).sha256


def _ignore(_: object) -> None:
    return None
