"""The tables of the benchmark as Django models."""
