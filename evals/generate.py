"""Tasks -> samples.jsonl, by the very engine that completes in the editor.

One JSON object a line: `task_id`, `sample` (its number, from 0), `completion` (as the engine gave it, not yet cut),
`sketch` (its sketch, as the engine tells it) and `milliseconds` (what the engine took). The file grows sample by
sample and a second run goes on where the first ended; `settings.json` beside it says what made the samples, and a run
with other settings is refused rather than mixed in. The seed of a sample depends on its task and number alone, so that
no two are drawn alike and a longer run begins with the shorter one's samples.
"""

import dataclasses
import hashlib
import json
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from tqdm import tqdm

from cert_lsp.contract.bundle import stamp
from cert_lsp.engine.api_index import UNKNOWN, Versions
from cert_lsp.errors import EvalError
from evals.suite import Suite

SAMPLES, SETTINGS = "samples.jsonl", "settings.json"
MAX_TOKENS = 128


class Completer(Protocol):
    """What generation needs of `cert_lsp.engine.pipeline.Engine`."""

    manifest: Any

    def complete_text(self, before: str, **options: Any) -> Sequence[Any]:
        """Candidates with `code` and `sketch` for the text before the cursor, best first."""
        ...


@dataclass(frozen=True)
class Sample:
    """One line of samples.jsonl."""

    task_id: str
    sample: int
    completion: str
    sketch: str = ""
    milliseconds: float = 0.0


@dataclass(frozen=True)
class Decoding:
    """How samples are drawn; temperature 0 is greedy.

    Attributes:
        mode: `sketch` or `nosketch`.
        temperature: As `Engine.complete`.
        top_p: As `Engine.complete`.
        max_tokens: As `Engine.complete`.
        candidates: How many the engine writes for a sample, of which the first counts: one as ghost text that comes by
            itself, three where somebody asks for it.
    """

    mode: str
    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = MAX_TOKENS
    candidates: int = 1

    def told(self) -> dict[str, Any]:
        """The settings as a file holds them; what is left out there is as it is by default."""
        return {name: value for name, value in asdict(self).items() if (name, value) != ("candidates", 1)}


def seed_of(task_id: str, sample: int) -> int:
    """The seed (32 bits) of one sample, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(f"{task_id}\n{sample}".encode(), digest_size=4).digest())


def generate(
    engine: Completer,
    suites: Sequence[Suite],
    decoding: Decoding,
    samples: int,
    folder: Path,
    without: Collection[str] = (),
    versions: Versions = UNKNOWN,
    *,
    in_file: int | None = None,
    neighbours: Path | None = None,
) -> None:
    """Draws what is still missing of `samples` completions for each task into `folder`.

    Args:
        engine: What completes; it was opened without what `without` says.
        suites: The tasks.
        decoding: How samples are drawn.
        samples: How many for each task.
        folder: Where they go.
        without: Which of the server's helps are switched off (`KNOWLEDGE` of the engine), for the settings.
        versions: The releases that the engine is told the project uses.
        in_file: Lines that `engine` puts before each task, for the settings; None if it puts none.
        neighbours: The file in which `engine` looks up what a team wrote, for the settings.

    Raises:
        EvalError: The folder holds samples made with other settings, or cannot be written.
    """
    bundle = {"name": engine.manifest.name, "sha256": _manifest_hash(engine.manifest)}
    settings = {"bundle": bundle} | settings_of(suites, decoding, without, versions)
    if in_file is not None:
        settings["in_file"] = in_file
    if neighbours:
        settings["neighbours"] = stamp(neighbours).sha256
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stamp_settings(folder / SETTINGS, settings)
        path = folder / SAMPLES
        drop_torn_line(path)
        present = {(one.task_id, one.sample) for one in read_samples(path)} if path.exists() else set()
        wanted = [(task, n) for suite in suites for task in suite.tasks for n in range(samples)]
        missing = [(task, n) for task, n in wanted if (task.task_id, n) not in present]
        with path.open("a", encoding="utf-8") as file:
            for task, n in tqdm(missing, "generate", unit="sample", initial=len(wanted) - len(missing), disable=None):
                start = time.perf_counter()
                candidates = engine.complete_text(
                    task.prompt, seed=seed_of(task.task_id, n), versions=versions, **asdict(decoding)
                )
                taken = round(1000 * (time.perf_counter() - start), 1)
                best = candidates[0] if candidates else None
                sample = Sample(task.task_id, n, best.code if best else "", best.sketch if best else "", taken)
                file.write(json.dumps(asdict(sample)) + "\n")
                file.flush()
    except OSError as error:
        raise EvalError(
            f"{folder} cannot be written: {error}",
            "The samples drawn so far are kept",
            "Make room or name another --out, then run the same command again",
        ) from error


def settings_of(
    suites: Sequence[Suite], decoding: Decoding, without: Collection[str], versions: Versions
) -> dict[str, Any]:
    """What made samples, apart from the bundle, as settings.json holds it; the arguments are those of `generate`."""
    return {
        "suites": {suite.name: suite.sha256 for suite in suites},
        "decoding": decoding.told(),
        **({"without": sorted(without)} if without else {}),
        **({"versions": asdict(versions)} if versions != UNKNOWN else {}),
    }


def read_samples(path: Path) -> Iterator[Sample]:
    """Reads a samples file; `sample` and `sketch` may be absent from a line, as other tools write it.

    Raises:
        EvalError: The file cannot be read, or a line is not a sample.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise EvalError(f"Samples {path} cannot be read: {error}", remedy="Name a samples.jsonl file") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            task_id, completion = record["task_id"], record["completion"]
            if not (isinstance(task_id, str) and isinstance(completion, str)):
                raise TypeError("task_id and completion must be strings")
        except (ValueError, TypeError, KeyError) as error:
            raise EvalError(
                f"{path}, line {number} is not a sample: {error!r}",
                "The samples cannot be scored",
                'A line is {"task_id": ..., "completion": ...}',
            ) from error
        yield Sample(
            task_id,
            record.get("sample", number),
            completion,
            record.get("sketch", ""),
            record.get("milliseconds", 0.0),
        )


def stamp_settings(path: Path, settings: dict[str, Any]) -> None:
    """Writes the settings, or compares them with those already there."""
    if not path.exists():
        partial = path.with_suffix(".tmp")
        partial.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
        partial.replace(path)
        return
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        found = {}
    if found != settings:
        different = sorted(key for key in settings | found if found.get(key) != settings.get(key))
        raise EvalError(
            f"{path.parent} holds samples made with another {' and '.join(different)}",
            "They are not mixed",
            "Name another --out, or remove that folder",
        )


def drop_torn_line(path: Path) -> None:
    """Removes a last line that an interrupted run wrote only in part."""
    if path.exists() and (content := path.read_bytes()) and not content.endswith(b"\n"):
        with path.open("r+b") as file:
            file.truncate(content.rfind(b"\n") + 1)


def _manifest_hash(manifest: Any) -> str:
    return hashlib.sha256(json.dumps(dataclasses.asdict(manifest), sort_keys=True, default=str).encode()).hexdigest()
