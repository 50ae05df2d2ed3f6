"""What a model can do, and what it has kept: graded answers, and a comparison with its base."""
