"""Database backends whose waiting never blocks the event loop."""
