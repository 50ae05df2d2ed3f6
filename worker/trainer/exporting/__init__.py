"""Makes files of a run's weights, and proves that they answer like the original."""
