"""Exports: asynchronous jobs that make files of a run's weights."""
