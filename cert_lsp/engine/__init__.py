"""From the text around a cursor to ranked completions: context, sketch, code, order.

No LSP in here and no torch. What is read from a buffer (`context`) is pure and may run in any thread; what runs the
model (`pipeline`, `request`, `decode`) keeps one key-value cache per model and belongs to one worker thread at a time.
"""
