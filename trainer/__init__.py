"""Everything that makes a model: base weights, corpus, training. Runs from a checkout and is not part of the wheel.

A trained checkpoint is a Hugging Face folder with a ``cert.json`` beside the weights (see :mod:`trainer.checkpoint`);
``export`` turns it into a bundle. The trainer meets the server only in :mod:`cert_lsp.contract`.
"""
