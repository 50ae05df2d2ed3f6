"""What is made once before training and shared between runs: contexts of the teacher views."""
