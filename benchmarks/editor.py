"""An editor without a screen: starts the server, speaks the protocol over stdio, notes when each answer came."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, cast

import psutil

from cert_lsp.errors import BenchmarkError

if TYPE_CHECKING:
    from pathlib import Path

_PATIENCE = 60.0  # seconds; a server that takes longer is broken
_AUTOMATIC = 2  # a trigger of `textDocument/inlineCompletion`: while typing, not by a command
_CAPABILITIES = {"textDocument": {"inlineCompletion": {}}, "window": {"workDoneProgress": True}}


class Buffer:
    """A document open in the editor, ASCII text and a cursor; every edit goes to the server."""

    def __init__(self, editor: Editor, uri: str, text: str) -> None:
        self._editor = editor
        self._version = itertools.count(2)
        self.uri, self.text, self.cursor = uri, text, len(text)
        item = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        editor.notify("textDocument/didOpen", {"textDocument": item})

    @property
    def before(self) -> str:
        """The text before the cursor."""
        return self.text[: self.cursor]

    def edit(self, erased: int, inserted: str) -> None:
        """Erase characters before the cursor, then insert some."""
        start = self.cursor - erased
        span = {"start": self._position(start), "end": self._position(self.cursor)}
        self.text = self.text[:start] + inserted + self.text[self.cursor :]
        self.cursor = start + len(inserted)
        document = {"uri": self.uri, "version": next(self._version)}
        changes = [{"range": span, "text": inserted}]
        self._editor.notify("textDocument/didChange", {"textDocument": document, "contentChanges": changes})

    def ask(self) -> Answer:
        """Ask for ghost text at the cursor, as an editor does after each key."""
        place = {"textDocument": {"uri": self.uri}, "position": self._position(self.cursor)}
        return self._editor.request("textDocument/inlineCompletion", {**place, "context": {"triggerKind": _AUTOMATIC}})

    def close(self) -> None:
        """Close the document."""
        self._editor.notify("textDocument/didClose", {"textDocument": {"uri": self.uri}})

    def _position(self, offset: int) -> dict[str, int]:
        return {"line": self.text.count("\n", 0, offset), "character": offset - self.text.rfind("\n", 0, offset) - 1}


class Answer:
    """The response to a request, perhaps still to come."""

    def __init__(self, number: int, asked: float) -> None:
        self.number, self.asked = number, asked
        self.came = 0.0
        self.message: dict[str, Any] | None = None
        self._event = threading.Event()

    def arrive(self, message: dict[str, Any]) -> None:
        """Take the response; called by the thread that reads."""
        self.came, self.message = time.perf_counter(), message
        self._event.set()

    def wait(self) -> Self:
        """Wait for the response.

        Raises:
            BenchmarkError: If none comes.
        """
        if not self._event.wait(_PATIENCE):
            raise BenchmarkError(f"the server did not answer within {_PATIENCE:.0f} s", "the benchmark ends here")
        return self

    @property
    def milliseconds(self) -> float:
        """Time from question to answer."""
        return (self.came - self.asked) * 1000

    @property
    def offer(self) -> str:
        """The text of the first item; "" if there is none, or the request was cancelled."""
        result = (self.message or {}).get("result") or {}
        items = cast("list[dict[str, str]]", result.get("items", []))
        return items[0]["insertText"] if items else ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process uses at one moment: resident bytes, and CPU seconds since its start."""

    resident: int
    cpu: float


class Editor:
    """A server process and the connection to it; ready when the constructor returns.

    Attributes:
        ready_ms: From the start of the process until the model was loaded.
    """

    def __init__(self, bundle: Path | None = None) -> None:
        begun = time.perf_counter()
        self._server = subprocess.Popen(
            [sys.executable, "-m", "cert_lsp", "serve", "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._process = psutil.Process(self._server.pid)
        self._numbers = itertools.count(1)
        self._open: dict[int, Answer] = {}
        self._lock = threading.Lock()
        self._loaded = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        options = {"model": str(bundle)} if bundle else {}
        parameters = {"processId": None, "rootUri": None, "capabilities": _CAPABILITIES}
        self.request("initialize", {**parameters, "initializationOptions": options}).wait()
        self.notify("initialized", {})
        if not self._loaded.wait(_PATIENCE):
            raise BenchmarkError("the server does not get ready", remedy="see what `cert-lsp doctor` says")
        self.ready_ms = (time.perf_counter() - begun) * 1000

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.request("shutdown", None).wait()
            self.notify("exit", None)
            self._server.wait(10)
        finally:
            self._server.kill()
            self._reader.join()
            with self._server:  # closes the pipes
                pass

    def request(self, method: str, params: object) -> Answer:
        """Send a request."""
        answer = Answer(next(self._numbers), time.perf_counter())
        self._open[answer.number] = answer
        self._write({"id": answer.number, "method": method, "params": params})
        return answer

    def notify(self, method: str, params: object) -> None:
        """Send a notification."""
        self._write({"method": method, "params": params})

    def cancel(self, answer: Answer) -> None:
        """Say that an answer is not wanted any more, unless it is there."""
        if answer.message is None:
            self.notify("$/cancelRequest", {"id": answer.number})

    def usage(self) -> Usage:
        """Look at the server's process."""
        times = self._process.cpu_times()
        return Usage(self._process.memory_info().rss, times.user + times.system)

    def _write(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._server.stdin
        with self._lock:
            self._server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            self._server.stdin.flush()

    def _read(self) -> None:
        stream = self._server.stdout
        assert stream
        while header := stream.readline():
            while stream.readline().strip():
                pass
            message = json.loads(stream.read(int(header.split(b":")[1])))
            if "method" not in message:
                self._open.pop(message["id"]).arrive(message)
            elif "id" in message:  # the server asks for a progress bar
                self._write({"id": message["id"], "result": None})
            elif message["method"] == "$/progress" and message["params"]["value"]["kind"] == "end":
                self._loaded.set()
