"""A client that sends what it is told, right or wrong, and keeps every message that comes back."""

import contextlib
import json
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, BinaryIO

URI = "file:///work.py"
PATIENCE = 60.0  # seconds: on a machine with other work a server takes long to start
TEXT = "import pandas as pd\ndf = pd.read_csv('a.csv')\n# total of each column"


class RawClient:
    """Speaks to a server process or socket; use as a context manager.

    Attributes:
        received: All messages that were read.
        answers: What makes the answers to the server's requests, by their methods; others get none.
    """

    def __init__(self, reader: BinaryIO, writer: BinaryIO, process: subprocess.Popen[bytes] | None = None) -> None:
        self.process = process
        self._reader, self._writer = reader, writer
        self.received: list[dict[str, Any]] = []
        self._queue: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._last_id = 0
        self.answers: dict[str, Callable[[Any], object]] = {"window/workDoneProgress/create": lambda params: None}
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @classmethod
    def spawn(cls, *arguments: str, env: dict[str, str] | None = None) -> "RawClient":
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env,
        )
        assert process.stdin
        assert process.stdout
        return cls(process.stdout, process.stdin, process)

    @classmethod
    def fake(cls, loading: float = 0, decoding: float = 0, env: dict[str, str] | None = None) -> "RawClient":
        return cls.spawn("-m", "tests.cert_lsp.fake_server", str(loading), str(decoding), env=env)

    @classmethod
    def connect(cls, host: str, port: int) -> "RawClient":
        with socket.create_connection((host, port)) as connection:  # the streams keep it open
            return cls(connection.makefile("rb"), connection.makefile("wb"))

    def __enter__(self) -> "RawClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        if self.process:
            self.process.kill()
            self.process.wait()
            assert self.process.stderr
            self.process.stderr.close()
        self._thread.join(5)
        self._reader.close()

    def close(self) -> None:
        """Close the server's input."""
        with contextlib.suppress(BrokenPipeError, ConnectionError):
            self._writer.close()

    def _read(self) -> None:
        while header := self._reader.readline():
            length = int(header.split(b":")[1])
            while self._reader.readline().strip():
                pass
            self._queue.put(json.loads(self._reader.read(length)))
        self._queue.put(None)

    def write(self, body: bytes, header: bytes = b"Content-Length: %d\r\n") -> None:
        self._writer.write(header % len(body) + b"\r\n" + body)
        self._writer.flush()

    def notify(self, method: str, params: object) -> None:
        self.write(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode())

    def request(self, method: str, params: object = None) -> int:
        self._last_id += 1
        message = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params}
        self.write(json.dumps(message).encode())
        return self._last_id

    def next(self, timeout: float = PATIENCE) -> dict[str, Any]:
        message = self._queue.get(timeout=timeout)
        if message is None:
            raise ConnectionError("the server closed the connection")
        self.received.append(message)
        if "id" in message and (answer := self.answers.get(message.get("method", ""))):
            self.reply(message, answer(message.get("params")))
        return message

    def reply(self, request: dict[str, Any], result: object) -> None:
        self.write(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}).encode())

    def response(self, request_id: int | None, timeout: float = PATIENCE) -> dict[str, Any]:
        """The response to a request, read already or still to come."""
        deadline = time.monotonic() + timeout
        while True:
            for message in self.received:
                if "method" not in message and message["id"] == request_id:
                    return message
            self.next(max(deadline - time.monotonic(), 0.001))

    def wait_for(self, method: str, timeout: float = PATIENCE) -> dict[str, Any]:
        """The next notification or request of a method, read already or still to come."""
        for message in self.received:
            if message.get("method") == method:
                return message
        while (message := self.next(timeout)).get("method") != method:
            pass
        return message

    def wait_until(self, holds: Callable[[], bool], timeout: float = PATIENCE) -> None:
        """Read messages until something holds."""
        deadline = time.monotonic() + timeout
        while not holds():
            assert time.monotonic() < deadline
            with contextlib.suppress(queue.Empty):
                self.next(0.05)

    def drain(self, quiet: float = 0.2) -> None:
        """Read until nothing has come for a while, or the connection is closed."""
        with contextlib.suppress(queue.Empty, ConnectionError):
            while True:
                self.next(quiet)

    def initialize(
        self,
        capabilities: dict[str, Any] | None = None,
        options: object = None,
        process_id: int | None = None,
        folders: tuple[str, ...] = (),
    ) -> dict[str, Any]:
        params: dict[str, Any] = {"processId": process_id, "rootUri": None, "capabilities": capabilities or {}}
        if folders:
            params["workspaceFolders"] = [{"uri": folder, "name": folder} for folder in folders]
        if options is not None:
            params["initializationOptions"] = options
        result = self.response(self.request("initialize", params))
        self.notify("initialized", {})
        return result["result"]

    def open(self, text: str = TEXT, uri: str = URI) -> None:
        item = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def inline(self, line: int = 2, character: int = 22, uri: str = URI, kind: int = 2) -> int:
        position = {"line": line, "character": character}
        params = {"textDocument": {"uri": uri}, "position": position, "context": {"triggerKind": kind}}
        return self.request("textDocument/inlineCompletion", params)

    def command(self, name: str, *arguments: object) -> Any:
        """The result of a command."""
        request = self.request("workspace/executeCommand", {"command": name, "arguments": list(arguments)})
        return self.response(request)["result"]

    def change(self, *edits: tuple[tuple[int, int], tuple[int, int], str], uri: str = URI, version: int = 2) -> None:
        """Replace ranges, each given as two (line, character), by text."""
        changes = [
            {"range": {"start": {"line": a, "character": b}, "end": {"line": c, "character": d}}, "text": text}
            for (a, b), (c, d), text in edits
        ]
        document = {"uri": uri, "version": version}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": changes})

    def notifications(self, method: str) -> list[Any]:
        """The parameters of the notifications of a method that were read."""
        return [each["params"] for each in self.received if each.get("method") == method]

    def exit_code(self, timeout: float = PATIENCE) -> int:
        assert self.process
        return self.process.wait(timeout)

    def stderr(self) -> str:
        """What the ended server wrote on standard error."""
        assert self.process
        assert self.process.stderr
        return self.process.stderr.read().decode()
