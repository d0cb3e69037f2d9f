"""CERT-LSP: comments and docstrings become pandas and NumPy code, on the user's own machine."""

__version__ = "0.1.0"
