"""Experiments: definitions that runs execute."""
