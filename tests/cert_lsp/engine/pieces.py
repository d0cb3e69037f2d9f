"""Code written piece by piece before a filter, as tokens come."""

from typing import Protocol


class Filter(Protocol):
    """What looks at each token of an answer."""

    def allows(self, answer: str, since: int, /) -> bool:
        """Say whether `answer` may go on as it does behind its first `since` characters."""
        ...


def refused(judge: Filter, code: str, width: int = 1) -> str | None:
    """Return what is written when the filter refuses to go on, if it does; `width` characters are a token."""
    written = 0
    for end in [*range(width, len(code), width), len(code)]:
        if not judge.allows(code[:end], written):
            return code[:end]
        written = end
    return None
