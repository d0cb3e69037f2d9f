"""Tests of the features, mirroring the tree."""
