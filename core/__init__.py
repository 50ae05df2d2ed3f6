"""Contracts shared by the web application, the workers and the trainer.

Nothing here imports more than pydantic and the standard library.
"""
