"""Drives a headless Neovim as a person would: by keys, watching the screen."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Timer

import pynvim

from tests.e2e.neovim.screen import Cell, Screen

WIDTH, HEIGHT = 72, 12
PATIENCE = 60.0  # seconds until a test gives up on what it waits for; loading the model is the longest wait
CONNECTION_ENDED = (OSError, EOFError)

GHOST = """
local lines = {}
for name, namespace in pairs(vim.api.nvim_get_namespaces()) do
  if name == 'nvim.lsp.inline_completion' or name == 'cert_lsp.ghost' then
    for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { details = true })) do
      for _, chunks in ipairs({ mark[4].virt_text, unpack(mark[4].virt_lines or {}) }) do
        table.insert(lines, chunks[1][1])
      end
    end
  end
end
return table.concat(lines, '\\n')
"""

TELL_OF_SERVERS = """
local channel = ...
vim.api.nvim_create_autocmd('LspAttach', { callback = function() vim.rpcnotify(channel, 'server') end })
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
        self._nvim = pynvim.attach("child", argv=command)
        self._nvim.ui_attach(WIDTH, HEIGHT, rgb=True, ext_linegrid=True)
        self._nvim.exec_lua(TELL_OF_SERVERS, self._nvim.channel_id)
        self._pid = self._nvim.funcs.getpid()

    def type(self, keys: str) -> None:
        """Press keys, written as in mappings: ``<Esc>``, ``<Tab>``."""
        self._nvim.input(keys)

    def text(self) -> str:
        """The buffer."""
        return "\n".join(self._nvim.current.buffer[:]) + "\n"

    def cursor(self) -> tuple[int, int]:
        """Line from 1, column from 0 in bytes."""
        line, column = self._nvim.current.window.cursor
        return line, column

    def ghost(self) -> str:
        """The ghost text, its lines joined by newlines; empty if there is none."""
        return str(self._nvim.exec_lua(GHOST))

    def has_server(self) -> bool:
        """Whether a language server answers for the buffer."""
        return bool(self._nvim.exec_lua("return #vim.lsp.get_clients({ bufnr = 0 }) > 0"))

    def capture(self, seconds: float) -> None:
        """Keep what the screen shows as a frame of the picture."""
        self.frames.append((self.screen.snapshot(), seconds))

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Look at `condition` after every change until it holds.

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
        """End Neovim, and with it the server."""
        with suppress(*CONNECTION_ENDED):  # it leaves without an answer
            self._nvim.command("qall!")
        self._nvim.close()

    def _next_change(self) -> None:
        """Wait until the screen was redrawn or a server has come."""
        while True:
            _, name, arguments = self._nvim.next_message()
            if name != "redraw":
                return
            self.screen.apply(arguments)
            if any(batch[0] == "flush" for batch in arguments):
                return
