"""Benchmarks: everything that prints a figure, each beside a peer measured in the same run."""
