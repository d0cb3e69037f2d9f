"""Whole paths: a real editor, a real protocol client, the wheel alone in an environment."""
