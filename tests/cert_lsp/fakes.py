"""A stand-in for the engine: answers after a number of small steps, looking at the cancel event in between."""

import threading
import time
from dataclasses import dataclass, replace
from types import SimpleNamespace

from cert_lsp.engine.context import Context
from cert_lsp.errors import DecodeCancelled, PromptError


@dataclass(frozen=True)
class FakeCandidate:
    code: str
    sketch: str
    score: float
    template: str = "df.sum()"
    api_exists: bool = True


class FakeEngine:
    """Says in its answer how many decodes were begun and how many were ended early."""

    def __init__(self, seconds: float = 0.0, name: str = "fake") -> None:
        self.manifest = SimpleNamespace(name=name)
        self.steps = round(seconds / 0.01)
        self.begun = 0
        self.cancelled = 0
        self.ahead: list[str] = []

    def complete(
        self,
        context: Context,
        *,
        candidates: int = 1,
        mode: str = "sketch",
        max_tokens: int = 96,
        cancel: threading.Event | None = None,
    ) -> list[FakeCandidate]:
        self.begun += 1
        if "explode" in context.intent:
            raise ValueError(context.intent)
        for _ in range(self.steps):
            if cancel and cancel.is_set():
                self.cancelled += 1
                raise DecodeCancelled("cancelled")
            time.sleep(0.01)
        code = f"{context.lead}df.sum()  # {context.intent}; begun {self.begun}, cancelled {self.cancelled}"
        if "twice" in context.intent:
            code = f"{context.lead}first = df.sum()\nsecond = first + {self.begun}"
        if context.near:
            code = f"{context.lead}{context.near}"
        if "quoted" in context.intent:
            code = f"{context.lead}df['a'].head(3)"
        codes = [code, *(f"{code}  # {rank}" for rank in range(1, candidates))]
        if "twins" in context.intent:  # which differ in style alone
            codes = [f"{context.lead}df[{quote}a{quote}]" for quote in "'\""]
        return [FakeCandidate(code, "df.sum()", -float(rank)) for rank, code in enumerate(codes)]

    def read_ahead(self, context: Context, *, mode: str = "sketch", cancel: threading.Event | None = None) -> None:
        self.ahead.append(context.intent)
        for _ in range(self.steps):
            if cancel and cancel.is_set():
                self.cancelled += 1
                raise DecodeCancelled("cancelled")
            time.sleep(0.01)

    def complete_from(
        self,
        context: Context,
        sketch: str,
        *,
        candidates: int = 1,
        max_tokens: int = 96,
        cancel: threading.Event | None = None,
    ) -> list[FakeCandidate]:
        if len(sketch) > 1_000:
            raise PromptError("a prompt of many tokens", "it cannot be read")
        found = self.complete(context, candidates=candidates, cancel=cancel)
        return [replace(each, code=context.lead + sketch.replace("$string", "'a'"), template=sketch) for each in found]
