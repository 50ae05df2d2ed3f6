"""Recorded rollouts and their per-token values."""
