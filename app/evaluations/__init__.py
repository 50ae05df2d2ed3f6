"""Evaluations: runs that only answer and grade, and the results of every run's evaluations."""
