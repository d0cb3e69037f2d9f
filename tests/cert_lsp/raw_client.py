"""A client that sends what it is told, right or wrong, and keeps every message that comes back."""

import contextlib
import json
import queue
import socket
import subprocess
import sys
import threading
import time
from typing import Any, BinaryIO

URI = "file:///work.py"
TEXT = "import pandas as pd\ndf = pd.read_csv('a.csv')\n# total of each column"


class RawClient:
    """Speaks to a server process or socket; use as a context manager."""

    def __init__(self, reader: BinaryIO, writer: BinaryIO, process: subprocess.Popen[bytes] | None = None) -> None:
        self.process = process
        self._reader, self._writer = reader, writer
        self.received: list[dict[str, Any]] = []
        self._queue: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._last_id = 0
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
    def fake(cls, loading: float = 0, decoding: float = 0) -> "RawClient":
        return cls.spawn("-m", "tests.cert_lsp.fake_server", str(loading), str(decoding))

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

    def write(self, body: bytes) -> None:
        self._writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._writer.flush()

    def notify(self, method: str, params: object) -> None:
        self.write(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode())

    def request(self, method: str, params: object = None) -> int:
        self._last_id += 1
        message = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params}
        self.write(json.dumps(message).encode())
        return self._last_id

    def next(self, timeout: float = 10) -> dict[str, Any]:
        message = self._queue.get(timeout=timeout)
        assert message is not None, "the server closed the connection"
        self.received.append(message)
        return message

    def response(self, request_id: int | None, timeout: float = 10) -> dict[str, Any]:
        """The response to a request, read already or still to come; progress bars are granted meanwhile."""
        deadline = time.monotonic() + timeout
        while True:
            for message in self.received:
                if "method" not in message and message["id"] == request_id:
                    return message
            message = self.next(max(deadline - time.monotonic(), 0.001))
            if message.get("method") == "window/workDoneProgress/create":
                self.write(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": None}).encode())

    def wait_for(self, method: str, timeout: float = 10) -> dict[str, Any]:
        """The next notification or request of a method, read already or still to come."""
        for message in self.received:
            if message.get("method") == method:
                return message
        while (message := self.next(timeout)).get("method") != method:
            pass
        return message

    def drain(self, quiet: float = 0.2) -> None:
        """Read until nothing has come for a while, or the connection is closed."""
        with contextlib.suppress(queue.Empty):
            while (message := self._queue.get(timeout=quiet)) is not None:
                self.received.append(message)

    def initialize(
        self, capabilities: dict[str, Any] | None = None, options: object = None, process_id: int | None = None
    ) -> dict[str, Any]:
        params = {"processId": process_id, "rootUri": None, "capabilities": capabilities or {}}
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

    def exit_code(self, timeout: float = 10) -> int:
        assert self.process
        return self.process.wait(timeout)

    def stderr(self) -> str:
        """What the ended server wrote on standard error."""
        assert self.process
        assert self.process.stderr
        return self.process.stderr.read().decode()
