"""Segments to token ids, segment by segment, for trainer and server alike.

A tokenizer applied to the joined text could merge characters across a segment's border, so that the loss mask, or the
point where the server starts to generate, would fall inside a token. Encoding each segment by itself keeps the border.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol, Self, cast

from tokenizers import Tokenizer as UntypedTokenizer

from cert_lsp.contract.prompt import Marker, Segment
from cert_lsp.errors import PromptError


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids and, for each, whether it is learned. Both lists have the same length."""

    ids: list[int]
    learned: list[bool]


class Encoding(Protocol):
    """The part of ``tokenizers.Encoding`` that is used here."""

    ids: list[int]


class AddedToken(Protocol):
    """The part of ``tokenizers.AddedToken`` that is used here."""

    special: bool


class Tokenizer(Protocol):
    """The part of ``tokenizers.Tokenizer`` that is used here; the package itself carries no types."""

    encode_special_tokens: bool

    def token_to_id(self, token: str) -> int | None: ...  # noqa: D102
    def get_vocab_size(self, with_added_tokens: bool = True) -> int: ...  # noqa: D102
    def get_vocab(self, with_added_tokens: bool = True) -> dict[str, int]: ...  # noqa: D102
    def get_added_tokens_decoder(self) -> dict[int, AddedToken]: ...  # noqa: D102
    def encode(self, sequence: str, *, add_special_tokens: bool = True) -> Encoding: ...  # noqa: D102


class Encoder:
    """A byte-level BPE tokenizer together with the three markers of the prompt layouts."""

    def __init__(self, tokenizer: Tokenizer, markers: Mapping[Marker, str]) -> None:
        """Bind `tokenizer` to `markers`.

        Raises:
            PromptError: If a marker is not one token of the vocabulary.
        """
        self._tokenizer = tokenizer
        tokenizer.encode_special_tokens = True  # a reserved token that a text spells out stays text
        self._markers: dict[Marker, int] = {}
        for marker, token in markers.items():
            token_id = tokenizer.token_to_id(token)
            if token_id is None:
                raise PromptError(
                    f"the tokenizer has no token {token!r} for the marker '{marker}'",
                    "prompts cannot be laid out",
                    "name another reserved token of its vocabulary as the marker",
                )
            self._markers[marker] = token_id

    @classmethod
    def load(cls, path: Path, markers: Mapping[Marker, str]) -> Self:
        """Read a ``tokenizer.json``.

        Raises:
            PromptError: If the file is missing, unreadable, or lacks a marker.
        """
        try:
            tokenizer = cast("Tokenizer", UntypedTokenizer.from_file(str(path)))  # pyright: ignore[reportUnknownMemberType]
        except Exception as error:  # tokenizers raises bare Exception for every fault of the file
            raise PromptError(
                f"{path.name} cannot be read ({error})",
                "the model has no tokenizer",
                "restore the file from its source",
            ) from error
        return cls(tokenizer, markers)

    @property
    def vocab_size(self) -> int:
        """Number of token ids, added tokens included."""
        return self._tokenizer.get_vocab_size(with_added_tokens=True)

    @cached_property
    def special_ids(self) -> frozenset[int]:
        """Ids that stand for no text: markers and the base's other reserved tokens."""
        added = self._tokenizer.get_added_tokens_decoder()
        return frozenset(token_id for token_id, token in added.items() if token.special) | frozenset(
            self._markers.values()
        )

    def marker_id(self, marker: Marker) -> int:
        """Return the token id of `marker`.

        Raises:
            PromptError: If this tokenizer was given no such marker.
        """
        try:
            return self._markers[marker]
        except KeyError:
            raise PromptError(f"no token is named for the marker '{marker}'", "this layout cannot be used") from None

    def encode(self, segments: Sequence[Segment]) -> Encoded:
        """Encode segment by segment; text that looks like a reserved token stays plain text.

        Lone surrogates, which UTF-8 cannot hold, are read as U+FFFD.
        """
        ids: list[int] = []
        learned: list[bool] = []
        for segment in segments:
            part = [self.marker_id(segment.marker)] if segment.marker else self.encode_text(segment.text)
            ids += part
            learned += [segment.learned] * len(part)
        return Encoded(ids, learned)

    def encode_text(self, text: str) -> list[int]:
        """Encode plain text; ``<|endoftext|>`` in a user's file is text, not the end of the answer."""
        return self._tokenizer.encode(text.encode("utf-8", "replace").decode(), add_special_tokens=False).ids

    def decode(self, ids: Sequence[int]) -> str:
        """Decode to text; incomplete UTF-8 sequences become U+FFFD, reserved tokens vanish."""
        return b"".join(self.token_bytes(token_id) for token_id in ids).decode("utf-8", "replace")

    def token_bytes(self, token_id: int) -> bytes:
        """Return the UTF-8 bytes that a token stands for; empty for reserved tokens and unknown ids."""
        return self._bytes[token_id] if 0 <= token_id < len(self._bytes) else b""

    @cached_property
    def _bytes(self) -> list[bytes]:
        alphabet = _byte_alphabet()
        table = [b""] * self.vocab_size
        special = self.special_ids
        for token, token_id in self._tokenizer.get_vocab(with_added_tokens=True).items():
            if token_id in special:
                continue
            try:
                table[token_id] = bytes(alphabet[char] for char in token)
            except KeyError:
                table[token_id] = token.encode()
        return table


def _byte_alphabet() -> dict[str, int]:
    """The printable characters that byte-level BPE writes for bytes (Radford et al., GPT-2, 2019)."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    alphabet = {chr(byte): byte for byte in printable}
    others = (byte for byte in range(256) if byte not in alphabet.values())
    return alphabet | {chr(256 + index): byte for index, byte in enumerate(others)}
