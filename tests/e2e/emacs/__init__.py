"""Emacs without a terminal, against the real server."""
