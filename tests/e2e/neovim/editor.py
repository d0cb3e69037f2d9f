"""Drives a headless Neovim as a person would: by keys, watching the screen."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Timer
from typing import Any

import pynvim

from tests.e2e.neovim.screen import Cell, Screen

WIDTH, HEIGHT = 72, 12
PATIENCE = 60.0  # seconds until a test gives up on what it waits for; loading the model is the longest wait
CONNECTION_ENDED = (OSError, EOFError)

DRAWN = """
local buf, names = ...
local lines = {}
for name, namespace in pairs(vim.api.nvim_get_namespaces()) do
  if vim.list_contains(names, name) then
    for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(buf, namespace, 0, -1, { details = true })) do
      for _, chunks in ipairs({ mark[4].virt_text, unpack(mark[4].virt_lines or {}) }) do
        table.insert(lines, chunks[1][1])
      end
    end
  end
end
return table.concat(lines, '\\n')
"""

WATCH = """
local channel = ...
vim.o.showcmd = false -- beside it, on a narrow screen, a message of one line would wait for the Enter key
-- Not all that a test waits for is drawn.
vim.uv.new_timer():start(50, 50, vim.schedule_wrap(function() vim.rpcnotify(channel, 'tick') end))
_G.requests = { pending = {}, complete = {}, cancel = {} }
vim.api.nvim_create_autocmd('LspRequest', { callback = function(event)
  local request = event.data.request
  for kind, ids in pairs(_G.requests) do
    ids[event.data.request_id] = request.type == kind and request.method or nil
  end
end })
"""
REQUESTS = """
local kind, method = ...
return #vim.tbl_filter(function(each) return each == method end, vim.tbl_values(_G.requests[kind]))
"""


class Editor:
    """One Neovim with a file open."""

    def __init__(self, program: Path, init: Path, file: Path, state: Path, environment: dict[str, str]) -> None:
        """Start Neovim.

        Args:
            program: The ``nvim`` executable.
            init: Lua file read at the start; the user's own configuration is not.
            file: File to open.
            state: New folder for what Neovim keeps, its logs among it.
            environment: Variables beside those of this process.
        """
        self.screen = Screen()
        self.frames: list[tuple[list[list[Cell]], float]] = []
        homes = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"), state)
        variables = [f"{name}={value}" for name, value in {**homes, **environment}.items()]
        command = ["env", "-C", str(file.parent), *variables, str(program), "--embed", "-u", str(init), file.name]
        self._file = file
        self._runs = True
        self._nvim = pynvim.attach("child", argv=command)
        self._nvim.ui_attach(WIDTH, HEIGHT, rgb=True, ext_linegrid=True)
        self.lua(WATCH, self._nvim.channel_id)
        self._pid = self._nvim.funcs.getpid()

    def type(self, keys: str) -> None:
        """Press keys, written as in mappings: ``<Esc>``, ``<Tab>``."""
        self._nvim.input(keys)

    def command(self, command: str) -> None:
        """Run a command, as typed behind a colon."""
        self._nvim.command(command)

    def lua(self, code: str, *arguments: object) -> Any:
        """Run Lua code; what it returns."""
        return self._nvim.exec_lua(code, *arguments)

    def text(self) -> str:
        """The buffer."""
        return "\n".join(self._nvim.current.buffer[:]) + "\n"

    def saved(self) -> bytes:
        """The file, after `:write`."""
        self.command("silent write")
        return self._file.read_bytes()

    def cursor(self) -> tuple[int, int]:
        """Line from 1, column from 0 in bytes."""
        line, column = self._nvim.current.window.cursor
        return line, column

    def ghost(self) -> str:
        """The ghost text, its lines joined by newlines; empty if there is none."""
        return self.lua(DRAWN, 0, ["nvim.lsp.inline_completion", "cert_lsp.ghost"])

    def has_server(self) -> bool:
        """Whether a language server answers for the buffer."""
        return self.lua("return #vim.lsp.get_clients({ bufnr = 0 }) > 0")

    def requests(self, kind: str, method: str = "textDocument/inlineCompletion") -> int:
        """How many requests are ``pending``, or were ``complete`` or asked to ``cancel``."""
        return self.lua(REQUESTS, kind, method)

    def sketched(self) -> str:
        """The code that is drawn in the file because it follows from the shown sketch."""
        return self.lua(DRAWN, 1, ["cert_lsp.sketch"])

    def messages(self) -> str:
        """What the user was told."""
        return self._nvim.command_output("messages")

    def capture(self, seconds: float) -> None:
        """Keep what the screen shows as a frame of the picture."""
        self.frames.append((self.screen.snapshot(), seconds))

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Look at `condition` after every change of the screen, and else at intervals, until it holds.

        Raises:
            AssertionError: It did not hold in time; tells what the screen showed.
        """
        timer = Timer(PATIENCE, os.kill, (self._pid, signal.SIGKILL))
        timer.start()
        try:
            while not condition():
                self._next_change()
        except CONNECTION_ENDED:
            raise AssertionError(f"waited {PATIENCE:g} s for {what}; the screen:\n{self.screen.text()}") from None
        finally:
            timer.cancel()
            timer.join()

    def close(self) -> None:
        """End Neovim, and with it its connection to the server."""
        if self._runs:
            self._runs = False
            with suppress(*CONNECTION_ENDED):  # it leaves without an answer
                self._nvim.command("qall!")
            self._nvim.close()

    def _next_change(self) -> None:
        """Wait until the screen was redrawn or time has passed."""
        while True:
            _, name, arguments = self._nvim.next_message()
            if name != "redraw":
                return
            self.screen.apply(arguments)
            if any(batch[0] == "flush" for batch in arguments):
                return
