"""The server's answers, one method of the protocol a file.

Handlers are coroutines on the event loop: they look at the session, hand work to the scheduler's threads and turn the
result into the protocol's words.
"""
