"""What models have kept of their base: over a set, on every example, and across checkpoints."""
