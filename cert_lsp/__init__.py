"""CERT-LSP: comments and docstrings become pandas and NumPy code, on the user's own machine."""
