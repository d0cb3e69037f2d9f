"""A docstring states the intent, in a function's body: cert-lsp complete examples/grid.py:7."""

import numpy as np


def scale_columns(x: np.ndarray) -> np.ndarray:
    """Scale each column of `x` to lie between 0 and 1."""
