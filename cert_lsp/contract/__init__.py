"""What trainer, export and server agree on: the sketch, the prompt, the tokens and the model folder.

Standard library, LibCST and tokenizers only, so that every other room can stand on it.
"""
