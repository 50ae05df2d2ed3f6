"""Metrics: packed columns of points, the newest values at hand, and curves thinned for the eye."""
