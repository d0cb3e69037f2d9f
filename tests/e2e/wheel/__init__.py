"""The wheel alone, in an environment of its own."""
