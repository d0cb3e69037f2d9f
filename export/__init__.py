"""Checkpoints become bundles: ``python -m export``.

checkpoint.py   read a checkpoint folder, merge its adapter, keep the adapter
gqa.py          Llama-shaped models -> ONNX with a shared cache
to_onnx.py      which graph a model gets, and its files
smooth.py       even out activations, so that int8 arithmetic loses less
quantize.py     8 or 4 bits
prompts.py      what verify asks
verify.py       names and shapes, logits, then greedy tokens against torch
bundle.py       all of it, in a folder that appears whole or not at all
"""
