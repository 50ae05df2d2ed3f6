"""Tables. Schema changes go through Alembic (`migrations/`) only."""

from app.models.base import Base
from app.models.datasets import Dataset, DatasetVersion, RunDataset
from app.models.projects import Experiment, Project
from app.models.runs import Artifact, Attempt, Metric, Run, RunEvent, Trajectory
from app.models.studies import Study
from app.models.workers import QueueState, Worker, WorkerSample

__all__ = [
    "Artifact",
    "Attempt",
    "Base",
    "Dataset",
    "DatasetVersion",
    "Experiment",
    "Metric",
    "Project",
    "QueueState",
    "Run",
    "RunDataset",
    "RunEvent",
    "Study",
    "Trajectory",
    "Worker",
    "WorkerSample",
]
