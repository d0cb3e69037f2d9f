"""Figures to JSON keys, Markdown tables and a plot; ratios first, since they travel from machine to machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.engine import LLAMA_CPP, OURS, Comparison

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from benchmarks.draft import Draft
    from benchmarks.replay import Cold, Replay
    from benchmarks.storm import Storms

_BETWEEN = re.compile(r"(?<=<!-- results -->\n).*(?=<!-- end of results -->)", re.DOTALL)


@dataclass(frozen=True)
class Results:
    """All that a run measured; `comparison.cold` and the like are in seconds, `bandwidth` in bytes per second."""

    stamp: dict[str, Any]
    cold: list[Cold]
    replay: Replay
    storms: Storms
    comparison: Comparison
    draft: Draft
    bandwidth: float
    weight_bytes: int
    missing: dict[str, str]

    @property
    def warm_ms(self) -> list[float]:
        """Times of the looks that the model had to answer."""
        return [look.milliseconds for look in self.replay.looks if not look.typed_through]

    def keys(self) -> dict[str, float | None]:
        """Return the figures that the project promises something about; None where a peer is missing."""
        speeds, compared = self.comparison.speeds, self.comparison
        llama = LLAMA_CPP in speeds
        return {
            "warm_p50_ms": _percentile(self.warm_ms, 50),
            "warm_p95_ms": _percentile(self.warm_ms, 95),
            "warm_max_ms": max(self.warm_ms),
            "cold_p50_ms": _percentile([each.milliseconds for each in self.cold], 50),
            "cold_p95_ms": _percentile([each.milliseconds for each in self.cold], 95),
            "ready_ms": _percentile([each.ready_ms for each in self.cold], 50),
            "rss_mb": max(self.replay.resident, *(each.resident for each in self.cold)) / 1e6,
            "idle_core_share": self.replay.idle_share,
            "cpu_s_per_minute": self.replay.cpu_per_minute,
            "ratio_to_llamacpp": compared.ratio(compared.cold) if llama else None,
            "warm_ratio_to_llamacpp": compared.ratio(compared.warm) if llama else None,
            "prefill_ratio_to_llamacpp": speeds[OURS].prefill / speeds[LLAMA_CPP].prefill if llama else None,
            "decode_ratio_to_llamacpp": speeds[OURS].decode / speeds[LLAMA_CPP].decode if llama else None,
            "bandwidth_share": self.share_of_bandwidth(OURS),
            "draft_pass_ratio": self.draft.ratio,
            "draft_accepted_length": self.draft.accepted,
            "draft_accepted_share": self.draft.accepted_share,
            "draft_equal_share": self.draft.equal / max(self.draft.tasks, 1),
            "storm_cancelled": min(self.storms.cancelled),
            "storm_last_ratio": self.storms.last_ratio,
            "llamacpp_warm_p50_ms": 1000 * float(np.median(compared.warm[LLAMA_CPP])) if llama else None,
        }

    def share_of_bandwidth(self, name: str) -> float:
        """Bytes of weights that an engine reads in a second while it writes, as a share of what memory gives."""
        return self.comparison.speeds[name].decode * self.weight_bytes / self.bandwidth

    def as_json(self) -> dict[str, Any]:
        """Return all figures; the keys of `keys` are at the top."""
        compared = self.comparison
        return {
            **{key: None if value is None else round(value, 4) for key, value in self.keys().items()},
            "stamp": self.stamp,
            "looks": [
                {"session": look.session, "ms": round(look.milliseconds, 1), "typed_through": look.typed_through}
                for look in self.replay.looks
            ],
            "speeds": {name: vars(speed) for name, speed in compared.speeds.items()},
            "cold_s": compared.cold,
            "warm_s": compared.warm,
            "prompt_tokens": compared.prompts,
            "code_tokens": compared.tokens,
            "draft": vars(self.draft),
            "storms": vars(self.storms),
            "bandwidth_gb_s": round(self.bandwidth / 1e9, 2),
            "weight_mb": round(self.weight_bytes / 1e6, 1),
            "missing": self.missing,
        }


def markdown(results: Results) -> str:
    """Return the tables."""
    keys = results.keys()

    def row(name: str, key: str, goal: str, form: str) -> list[str]:
        value = keys[key]
        return [name, "not measured" if value is None else form.format(value), goal]

    ratios = [
        row("sketch + code / llama.cpp's code alone, prompt not seen before", "ratio_to_llamacpp", "≤ 0.8", "{:.2f}"),
        row("the same with both prompt caches warm", "warm_ratio_to_llamacpp", "≤ 1.3", "{:.2f}"),
        row("prefill, tokens/s / llama.cpp's", "prefill_ratio_to_llamacpp", "≥ 1.5", "{:.2f}"),
        row("decode, tokens/s / llama.cpp's", "decode_ratio_to_llamacpp", "", "{:.2f}"),
        row("decode / limit of the memory's bandwidth", "bandwidth_share", "≥ 0.5", "{:.2f}"),
        row("forward passes for the code without / with the sketch as draft", "draft_pass_ratio", "≥ 2.5", "{:.2f}"),
        row("guessed tokens that a pass keeps", "draft_accepted_length", "", "{:.2f}"),
        row("share of the guessed tokens that are kept", "draft_accepted_share", "", "{:.2f}"),
        row("tasks with equal output both ways", "draft_equal_share", "1", "{:.2f}"),
        row("storm: last answer / the same request in calm", "storm_last_ratio", "≤ 1.2", "{:.2f}"),
        row("storm: requests cancelled, of 60, fewest", "storm_cancelled", "≥ 55", "{:.0f}"),
    ]
    times = [
        row("warm, median", "warm_p50_ms", "≤ 250 ms", "{:.0f} ms"),
        row("warm, 95th percentile", "warm_p95_ms", "≤ 700 ms", "{:.0f} ms"),
        row("warm, longest", "warm_max_ms", "", "{:.0f} ms"),
        row("beside it: llama.cpp, code alone, prompt in its cache, median", "llamacpp_warm_p50_ms", "", "{:.0f} ms"),
        row("cold, median", "cold_p50_ms", "", "{:.0f} ms"),
        row("cold, 95th percentile", "cold_p95_ms", "≤ 2000 ms", "{:.0f} ms"),
        row("server ready after", "ready_ms", "≤ 2000 ms", "{:.0f} ms"),
        row("resident memory, most", "rss_mb", "≤ 450 MB", "{:.0f} MB"),
        row("idle, share of a core", "idle_core_share", "< 0.05", "{:.3f}"),
        row("CPU seconds for a minute of typing", "cpu_s_per_minute", "", "{:.1f}"),
    ]
    speeds = [
        [name, f"{speed.prefill:.0f}", f"{speed.decode:.0f}", f"{results.share_of_bandwidth(name):.2f}"]
        for name, speed in results.comparison.speeds.items()
    ]
    parts = [
        _table(["ratio", "here", "goal"], ratios),
        _table(["keystroke replay", "here", "goal"], times),
        _table(["engine", "prefill, tokens/s", "decode, tokens/s", "share of bandwidth"], speeds),
        _stamp(results),
    ]
    return "\n".join(parts)


def plot(results: Results, path: Path) -> None:
    """Draw the distribution of the warm times, and the speeds beside the peers', as SVG."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "cert-lsp"
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    for name, values in (("warm", results.warm_ms), ("cold", [each.milliseconds for each in results.cold])):
        ordered = np.sort(values)
        left.step(ordered, np.arange(1, len(ordered) + 1) / len(ordered), where="post", label=name)
    left.axvline(250, color="grey", linewidth=0.8, linestyle=":")
    left.set(xlabel="ms from the last key to the answer", ylabel="share of the answers", ylim=(0, 1), xlim=(0, None))
    left.legend(frameon=False)
    names = list(results.comparison.speeds)
    for offset, (kind, colour) in enumerate((("prefill", "C0"), ("decode", "C1"))):
        heights = [getattr(speed, kind) for speed in results.comparison.speeds.values()]
        right.bar(np.arange(len(names)) + 0.4 * offset, heights, 0.38, label=kind, color=colour)
    right.set_xticks(np.arange(len(names)) + 0.2, names)
    right.set_ylabel("tokens/s")
    right.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def put_into(readme: Path, tables: str) -> None:
    """Replace what stands between the two marks of a README."""
    readme.write_text(_BETWEEN.sub(lambda _: tables, readme.read_text(encoding="utf-8")), encoding="utf-8")


def _percentile(values: Sequence[float], percent: float) -> float:
    return float(np.percentile(values, percent))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _stamp(results: Results) -> str:
    stamp, compared = results.stamp, results.comparison
    versions = ", ".join(f"{name} {version}" for name, version in stamp["versions"].items())
    looks = results.replay.looks
    sentences = [
        f"{stamp['date']}, commit {stamp['commit']}, bundle {stamp['bundle']} with the manifest "
        f"{stamp['bundle_sha256']} (SHA-256). {stamp['cpu']}; {stamp['cores']} cores, "
        f"{stamp['threads']} threads each; {stamp['system']}, Python {stamp['python']}; {versions}.",
        f"Load average {stamp['load_before']} before and {stamp['load_after']} after the run."
        + (" Other programs were running: no figure is to be quoted." if stamp["load_before"] > 1 else ""),
        f"{len(looks)} looks in {len({look.session for look in looks})} sessions, of which "
        f"{sum(look.typed_through for look in looks)} typed through and left out; {len(results.cold)} cold starts; "
        f"{len(compared.prompts)} prompts of {min(compared.prompts)} to {max(compared.prompts)} tokens with code of "
        f"{min(compared.tokens)} to {max(compared.tokens)} tokens, medians of {stamp['rounds']}; memory gives "
        f"{results.bandwidth / 1e9:.1f} GB/s, the weights are {results.weight_bytes / 1e6:.0f} MB; the draft was "
        f"measured on {results.draft.tasks} tasks with placeholders of {results.draft.looked_at} of "
        f"{', '.join(stamp['suites'])}; the storm's figures are those of {len(results.storms.cancelled)} storms.",
        *(f"{name} was not measured: {reason}." for name, reason in results.missing.items()),
    ]
    return "\n".join(sentences) + "\n"
