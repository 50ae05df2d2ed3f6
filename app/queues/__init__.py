"""Queues: what waits, in which order, for what."""
