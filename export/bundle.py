"""One or two checkpoints become a bundle, in a folder that appears whole and verified, or not at all."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from cert_lsp.contract.bundle import Manifest, ModelSpec, load_manifest, write_manifest
from cert_lsp.contract.prompt import Layout, Role, render
from cert_lsp.contract.tokens import Encoder
from cert_lsp.engine.golden import Golden, record, write_golden
from cert_lsp.engine.runtime import Runtime, open_runtime
from cert_lsp.errors import ExportError
from export.checkpoint import Checkpoint, load_model, read_checkpoint
from export.idioms import count_idioms
from export.prompts import PROMPTS
from export.to_onnx import Precision, write_graph
from export.verify import Report, check_shapes, compare, judge

CONTEXT = 2048
"""Tokens of prompt and answer together: a few hundred lines. A cache takes memory as tokens come in."""

IDIOMS = "idioms.npz"

_GOLDENS = 4
_PAIR = {Role.SKETCHER, Role.GENERATOR}


def export_bundle(
    folders: Sequence[Path],
    out: Path,
    *,
    precision: Precision | None = None,
    base: Path | None = None,
    name: str | None = None,
    context: int = CONTEXT,
    corpora: Sequence[Path] = (),
) -> list[Report]:
    """Export, verify and write a bundle.

    Args:
        folders: One checkpoint of the joint or plain layout, or a sketcher's and a generator's.
        out: Folder to write; must not exist.
        precision: Format of the weights; 8 bits for the CPU by default.
        base: The base's folder, for adapters.
        name: What the manifest calls the bundle; the base's name and the role by default.
        context: Longest sequence in tokens.
        corpora: Folders of the text that the models were trained on, whose idioms make them faster.

    Returns:
        One report for each model.

    Raises:
        ExportError: If a checkpoint is unfit, a check fails, or the disk is full. `out` doesn't exist then.
        PromptError: If the tokenizer can't be read or lacks a marker.
    """
    precision = precision or Precision()
    checkpoints = [read_checkpoint(folder, base=base) for folder in folders]
    layout = _layout(checkpoints)
    if out.exists():
        raise ExportError(f"{out} exists already", "nothing is exported", "give --out a folder that doesn't exist")
    with _folder_beside(out) as partial:
        first = checkpoints[0]
        shutil.copyfile(first.tokenizer, partial / "tokenizer.json")
        encoder = Encoder.load(partial / "tokenizer.json", first.markers)
        specs: dict[Role, ModelSpec] = {}
        for checkpoint in checkpoints:
            _say(f"{checkpoint.role}: writing the graph ({precision.label})")
            file = partial / f"{checkpoint.role}.onnx"
            texts = [encoder.encode(render(checkpoint.role, head, sketch, "")).ids for head, sketch in PROMPTS]
            specs[checkpoint.role] = write_graph(load_model(checkpoint), file, precision, context=context, texts=texts)
            check_shapes(specs[checkpoint.role], file)
        if corpora:
            _say("counting idioms")
            count_idioms(corpora, specs, encoder).save(partial / IDIOMS)
        manifest = Manifest(
            name=name or f"{first.base['name']}-{layout}",
            layout=layout,
            models=specs,
            markers=first.markers,
            quantization=precision.label,
            base=first.base,
            training=first.training if len(checkpoints) == 1 else {str(c.role): c.training for c in checkpoints},
            idioms=IDIOMS if corpora else None,
        )
        write_manifest(partial, manifest)
        reports: list[Report] = []
        goldens: list[Golden] = []
        for checkpoint in checkpoints:  # with the manifest in place, the runtime opens the bundle as the server will
            runtime = open_runtime(partial, checkpoint.role, provider="cpu")
            report = compare(load_model(checkpoint), runtime, encoder, checkpoint.role, precision.label)
            judge(report)
            reports.append(report)
            goldens += [_golden(checkpoint.role, head, sketch, encoder, runtime) for head, sketch in PROMPTS[:_GOLDENS]]
        write_golden(partial, goldens)
        write_manifest(partial, manifest)
    return reports


def verify_bundle(
    bundle: Path, folders: Sequence[Path], *, base: Path | None = None, prompts: int = len(PROMPTS)
) -> list[Report]:
    """Compare a finished bundle with the checkpoints that it came from.

    Args:
        bundle: The bundle's folder.
        folders: Its checkpoints, one for each model.
        base: The base's folder, for adapters.
        prompts: How many prompts to ask.

    Raises:
        ExportError: If the checkpoints aren't of the bundle's roles, or can't be read.
        BundleError: If the bundle can't be loaded.
    """
    manifest = load_manifest(bundle)
    checkpoints = [read_checkpoint(folder, base=base) for folder in folders]
    if {checkpoint.role for checkpoint in checkpoints} != set(manifest.models):
        raise ExportError(
            f"{bundle} holds the models {', '.join(manifest.models)}, "
            f"the checkpoints are {', '.join(checkpoint.role for checkpoint in checkpoints)}",
            "they cannot be compared",
            "name one checkpoint for each model",
        )
    encoder = Encoder.load(bundle / manifest.tokenizer, manifest.markers)
    return [
        compare(
            load_model(checkpoint),
            open_runtime(bundle, checkpoint.role, provider="cpu"),
            encoder,
            checkpoint.role,
            manifest.quantization,
            PROMPTS[:prompts],
        )
        for checkpoint in checkpoints
    ]


def _layout(checkpoints: Sequence[Checkpoint]) -> Layout:
    roles = {checkpoint.role for checkpoint in checkpoints}
    if len(checkpoints) == 1 and not roles & _PAIR:
        return checkpoints[0].role.layout
    if len(checkpoints) != 2 or roles != _PAIR:
        raise ExportError(
            f"checkpoints of the roles {', '.join(checkpoint.role for checkpoint in checkpoints)} make no bundle",
            "nothing is exported",
            "name one joint or plain checkpoint, or a sketcher's and with --generator its generator's",
        )
    if checkpoints[0].markers != checkpoints[1].markers or _vocabularies_differ(checkpoints):
        raise ExportError("sketcher and generator have different tokenizers", "one bundle has one tokenizer")
    return Layout.PAPER


def _vocabularies_differ(checkpoints: Sequence[Checkpoint]) -> bool:
    one, other = (checkpoint.tokenizer.read_bytes() for checkpoint in checkpoints)
    return one != other


def _golden(role: Role, head: str, sketch: str, encoder: Encoder, runtime: Runtime) -> Golden:
    return record(role, head, sketch if role is Role.GENERATOR else None, encoder, runtime)


@contextlib.contextmanager
def _folder_beside(out: Path) -> Iterator[Path]:
    """A folder on the disk of `out` that is renamed to it on success and removed on any failure."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        try:
            yield partial
            partial.chmod(0o755)
            partial.rename(out)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise ExportError(
            f"{out} cannot be written ({error})",
            "no bundle is written",
            "free some disk space, or choose another --out",
        ) from error


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
