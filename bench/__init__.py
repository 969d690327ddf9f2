"""Benchmarks of the server against its peers; run with `make bench`, described in docs/benchmarks.md."""
