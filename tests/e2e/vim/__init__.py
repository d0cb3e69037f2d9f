"""Vim with ALE, in a terminal, against the real server."""
