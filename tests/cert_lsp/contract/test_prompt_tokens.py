"""Prompts and tokens: the layouts, healing at the cursor, and masks that fit the ids."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from cert_lsp.contract.prompt import Layout, Marker, Role, Segment, render, render_without_sketch, split_cursor
from cert_lsp.contract.tokens import Encoder
from cert_lsp.errors import PromptError

MARKERS = {Marker.SKETCH: "<sketch>", Marker.CODE: "<code>", Marker.END: "<end>"}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=list(MARKERS.values()),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["df = df.groupby('carrier')['delay'].mean()\n    return df\n"] * 20, trainer)
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tokenizer.save(str(path))
    return Encoder.load(path, MARKERS)


def spell(segments: list[Segment]) -> str:
    return "".join(f"<{part.marker}>" if part.marker else part.text for part in segments)


def learned(segments: list[Segment]) -> str:
    return spell([part for part in segments if part.learned])


@pytest.mark.parametrize(
    ("role", "sketch", "text", "target"),
    [
        (Role.JOINT, "S", "H<sketch>S<code>C<end>", "S<code>C<end>"),
        (Role.JOINT, None, "H<code>C<end>", "C<end>"),
        (Role.SKETCHER, "S", "H<sketch>S<end>", "S<end>"),
        (Role.GENERATOR, "S", "S\n# [segmentation]\nH<code>C<end>", "C<end>"),
        (Role.GENERATOR, None, "H<code>C<end>", "C<end>"),
        (Role.PLAIN, None, "HC<end>", "C<end>"),
    ],
)
def test_layouts_for_training(role: Role, sketch: str | None, text: str, target: str) -> None:
    segments = render(role, "H", sketch, "C")
    assert spell(segments) == text
    assert learned(segments) == target


@pytest.mark.parametrize("role", Role)
def test_inference_is_the_beginning_of_training(role: Role) -> None:
    full = spell(render(role, "H", "S", "C"))
    assert full.startswith(spell(render(role, "H", "S", None)).removesuffix("<code>"))
    asked = render(role, "H", None, None)
    assert not any(part.learned for part in asked)
    if role in (Role.JOINT, Role.SKETCHER, Role.PLAIN):
        assert full.startswith(spell(asked))
    if role is not Role.SKETCHER:
        assert spell(render(role, "H", None, "C")).startswith(spell(render_without_sketch(role, "H")))


def test_roles_know_their_layout() -> None:
    assert [role.layout for role in Role] == [Layout.JOINT, Layout.PAPER, Layout.PAPER, Layout.PLAIN]


@pytest.mark.parametrize(
    ("before", "forced"),
    [
        ("x = df.gro", "gro"),
        ("    return ", " "),
        ("    return", "    return"),
        ("# mean\n", ""),
        ("# mean\n    ", "    "),
        ("x =", ""),
        ("x = 12", ""),
        ("x = größe", " größe"),
        ("", ""),
    ],
)
def test_split_cursor(before: str, forced: str) -> None:
    assert split_cursor(before) == (before.removesuffix(forced) if forced else before, forced)


@given(st.text())
def test_split_cursor_loses_nothing(before: str) -> None:
    head, forced = split_cursor(before)
    assert head + forced == before
    assert "\n" not in forced


@given(head=st.text(), sketch=st.none() | st.text(), code=st.text(), role=st.sampled_from(Role))
def test_mask_fits_and_text_survives(encoder: Encoder, head: str, sketch: str | None, code: str, role: Role) -> None:
    segments = render(role, head, sketch, code)
    encoded = encoder.encode(segments)
    assert len(encoded.ids) == len(encoded.learned)
    text = "".join(part.text for part in segments)
    assert encoder.decode(encoded.ids) == text.encode("utf-8", "replace").decode()
    target = [token for token, is_learned in zip(encoded.ids, encoded.learned, strict=True) if is_learned]
    assert target == encoder.encode([part for part in segments if part.learned]).ids


def test_reserved_tokens_in_a_text_are_text(encoder: Encoder) -> None:
    ids = encoder.encode_text("a <end> b")
    assert encoder.marker_id(Marker.END) not in ids
    assert encoder.decode(ids) == "a <end> b"
    assert encoder.token_bytes(encoder.marker_id(Marker.END)) == b""


def test_faults_have_a_message(encoder: Encoder, tmp_path: Path) -> None:
    broken = tmp_path / "tokenizer.json"
    broken.write_text("{")
    with pytest.raises(PromptError, match="cannot be read"):
        Encoder.load(broken, MARKERS)
    good = tmp_path / "good.json"
    Tokenizer(models.BPE()).save(str(good))
    with pytest.raises(PromptError, match="no token"):
        Encoder.load(good, MARKERS)
