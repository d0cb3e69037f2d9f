"""What a client can set, typed, with defaults.

A client sends these as ``initializationOptions`` and under ``cert`` in its configuration. A value that is not valid
gives the default and a line for the one message that the user sees; it never stops the server.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast

Provider = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The server's settings.

    Attributes:
        model: Folder of the model bundle; None is the one that comes with the package.
        provider: Where the model runs; ``auto`` takes CUDA when it works, else the CPU.
        threads: CPU threads for the model; None takes two, of more than two cores all but one, at most four.
        sketch: Whether a sketch is written before the code.
        candidates: How many answers an explicit request offers, and the list of an editor without ghost text.
        max_tokens: Longest answer, in tokens.
        feedback: Whether what is shown, accepted and kept is logged, on this machine alone, for retraining.
        pandas: The release of pandas that the code is for; None looks into the project's environment and lock files.
        numpy: The same for NumPy.
        neighbours: File in which nearly the same intents of the team are looked up; None looks up none.
    """

    model: Path | None = None
    provider: Provider = "auto"
    threads: int | None = None
    sketch: bool = True
    candidates: int = 3
    max_tokens: int = 96
    feedback: bool = False
    pandas: str | None = None
    numpy: str | None = None
    neighbours: Path | None = None

    @property
    def choice(self) -> tuple[Path | None, Provider, int | None]:
        """What another model must be loaded for when it changes."""
        return self.model, self.provider, self.threads


def _path(value: object) -> Path:
    if not isinstance(value, str) or not value:
        raise ValueError("a path")
    return Path(value).expanduser()


def _provider(value: object) -> Provider:
    if value not in ("auto", "cpu", "cuda"):
        raise ValueError("'auto', 'cpu' or 'cuda'")
    return value


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _release(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"\d{1,4}(\.\d{1,4}){0,2}", value):
        raise ValueError("a release such as '2.2' or '2.2.3'")
    return value


def _integer(low: int, high: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return parse


OPTIONS: dict[str, tuple[str, Callable[[object], object]]] = {
    "model": ("model", _path),
    "provider": ("provider", _provider),
    "threads": ("threads", _integer(1, 256)),
    "sketch": ("sketch", _boolean),
    "candidates": ("candidates", _integer(1, 10)),
    "maxTokens": ("max_tokens", _integer(1, 512)),
    "feedback": ("feedback", _boolean),
    "pandas": ("pandas", _release),
    "numpy": ("numpy", _release),
    "neighbours": ("neighbours", _path),
}
"""Option as clients write it -> (field, parser that raises ValueError naming what it expects)."""


def parse_settings(options: object, defaults: Settings) -> tuple[Settings, list[str]]:
    """Read an object of options.

    Args:
        options: Any JSON value; None (at the top or as a value) means "not set".
        defaults: What holds where nothing valid is set.

    Returns:
        The settings, and one sentence for each option that was not taken.
    """
    if options is None:
        return defaults, []
    if not isinstance(options, dict):
        return defaults, ["The settings must be an object of options."]
    settings, problems = defaults, list[str]()
    for option, value in cast("dict[object, object]", options).items():
        if value is None:
            continue
        field, parse = OPTIONS.get(str(option), (None, None))
        if field is None or parse is None:
            problems.append(f"There is no setting {str(option)[:40]!r}.")
            continue
        try:
            settings = replace(settings, **{field: parse(value)})
        except ValueError as error:
            default = getattr(defaults, field)
            problems.append(f"{option!r} must be {error}; {'its default' if default is None else default} is used.")
    return settings, problems
