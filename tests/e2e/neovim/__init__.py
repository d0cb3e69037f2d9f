"""A real Neovim, without a terminal, against the real server."""
