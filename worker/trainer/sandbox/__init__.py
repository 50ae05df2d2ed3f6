"""Runs code that a model wrote, away from everything that it could harm."""

from worker.trainer.sandbox.run import run_many, run_program
from worker.trainer.sandbox.types import Isolation, Limits, Outcome, Status

__all__ = ["Isolation", "Limits", "Outcome", "Status", "run_many", "run_program"]
