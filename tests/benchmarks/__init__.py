"""Benchmarks: what they measure is what they say."""
