"""Data sets: people's own files in immutable versions."""
