r"""The one renderer of prompts: text segments, and which of them a model learns.

Training and inference call the same function, so that a model never meets a layout that it has not been trained on.
Two layouts carry the idea of CERT (Zan et al., IJCAI 2022); a third has no sketch and serves an untrained base:

* ``joint``: one model in both roles. ``head <sketch> sketch <code> code <end>``. The code is written in the sketch's
  own key-value cache, so the prompt is read once. Without a sketch: ``head <code> code <end>``.
* ``paper``: two models. Sketcher: ``head <sketch> sketch <end>``. Generator: ``sketch \n# [segmentation]\n
  head <code> code <end>``.
* ``plain``: ``head code <end>``.

``head`` is the file's text up to the cursor, less the unfinished word at the cursor: a byte-pair tokenizer has seen
``" return"`` and ``" df"`` as tokens, hardly ever ``" "`` followed by ``"df"``. `split_cursor` takes that tail off, and
the model writes it again as the first characters of its answer ("token healing").
"""

import re
from dataclasses import dataclass
from enum import StrEnum

PROMPT_VERSION = 1

SEGMENTATION = "\n# [segmentation]\n"
"""What stands between sketch and prompt in the generator's input (paper, section 3.2)."""

_UNFINISHED = re.compile(r"[^\S\n]*(?:[^\W\d]\w*)?\Z")


class Layout(StrEnum):
    """How sketch, prompt and code are laid out for the models of a bundle."""

    JOINT = "joint"
    PAPER = "paper"
    PLAIN = "plain"


class Role(StrEnum):
    """What one model does within its layout."""

    JOINT = "joint"
    SKETCHER = "sketcher"
    GENERATOR = "generator"
    PLAIN = "plain"

    @property
    def layout(self) -> Layout:
        """The layout that this role belongs to."""
        return Layout.PAPER if self in (Role.SKETCHER, Role.GENERATOR) else Layout(self.value)


class Marker(StrEnum):
    """A reserved token of the base's vocabulary; the bundle's manifest says which."""

    SKETCH = "sketch"
    CODE = "code"
    END = "end"


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of input: either plain text or one marker.

    Attributes:
        text: The text; empty when the segment is a marker.
        marker: The marker, or None for text.
        learned: Whether the training loss counts the tokens of this segment.
    """

    text: str
    marker: Marker | None
    learned: bool


def split_cursor(before: str) -> tuple[str, str]:
    r"""Split the text before the cursor into what the model reads and what its answer must start with.

    >>> split_cursor("df = load()\nx = df.gro")
    ('df = load()\nx = df.', 'gro')
    >>> split_cursor("    return ")
    ('    return', ' ')

    Args:
        before: All text up to the cursor, lines ended by ``\n``.

    Returns:
        ``(head, forced)`` with ``head + forced == before``.
    """
    match = _UNFINISHED.search(before)
    cut = match.start() if match else len(before)
    return before[:cut], before[cut:]


def render(role: Role, head: str, sketch: str | None, code: str | None) -> list[Segment]:
    """Lay out one example for training (`code` given) or one request for inference (`code` None).

    Args:
        role: The model that reads the segments.
        head: The text before the cursor, without its unfinished word (see `split_cursor`).
        sketch: The sketch's wire text. None asks a joint model for the sketch when `code` is None, and leaves the
            sketch out when `code` is given; a generator without one sees the prompt alone.
        code: What stands at the cursor, unfinished word included; None at inference.

    Returns:
        The segments in order. At inference they end where the model must go on.
    """
    training = code is not None
    segments = [Segment(head, None, False)]
    match role:
        case Role.JOINT:
            if sketch is not None:
                segments += [_marker(Marker.SKETCH, False), Segment(sketch, None, True), _marker(Marker.CODE, True)]
            else:
                segments.append(_marker(Marker.CODE if training else Marker.SKETCH, False))
        case Role.SKETCHER:
            segments.append(_marker(Marker.SKETCH, False))
            return [*segments, Segment(sketch or "", None, True), _marker(Marker.END, True)] if training else segments
        case Role.GENERATOR:
            if sketch:
                segments.insert(0, Segment(sketch + SEGMENTATION, None, False))
            segments.append(_marker(Marker.CODE, False))
        case Role.PLAIN:
            pass
    if code is not None:
        segments += [Segment(code, None, True), _marker(Marker.END, True)]
    return segments


def render_without_sketch(role: Role, head: str) -> list[Segment]:
    """Lay out a request that asks a joint, generator or plain model for code alone."""
    if role is Role.JOINT:
        return [Segment(head, None, False), _marker(Marker.CODE, False)]
    return render(role, head, None, None)


def _marker(marker: Marker, learned: bool) -> Segment:
    return Segment("", marker, learned)
