"""Runs: creating, listing, stopping, and following them live."""
