"""Answers side by side: prompts through base models, adapters, checkpoints and teacher views."""
