"""Runs side by side: against a baseline, seeds taken together."""
