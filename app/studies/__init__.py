"""Studies: many runs that answer one question, and what they tell together."""
