"""The engine, with models that have no weights."""
