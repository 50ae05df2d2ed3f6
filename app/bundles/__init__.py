"""Reproduction bundles: all that a run was made of as one file, out and in."""
