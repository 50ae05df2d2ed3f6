"""Answers side by side: one base model kept warm, and adapters that are swapped on it."""
