"""Applications under test, one per peer; each runs in the virtual environment of its peer, not in the harness."""
