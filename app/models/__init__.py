"""Tables. Schema changes go through Alembic (`migrations/`) only."""

from app.models.base import Base
from app.models.creations import Creation
from app.models.datasets import Dataset, DatasetVersion, RunDataset
from app.models.exports import Export
from app.models.generations import (
    Generation,
    GenerationAnswer,
    GenerationChunk,
    GenerationVote,
)
from app.models.metrics import MetricChunk, MetricName, RunMetric
from app.models.projects import Experiment, Project, SavedView
from app.models.runs import Artifact, Attempt, Run, RunEvent, RunTag, Trajectory
from app.models.studies import Study
from app.models.workers import QueueState, Worker, WorkerSample

__all__ = [
    "Artifact",
    "Attempt",
    "Base",
    "Creation",
    "Dataset",
    "DatasetVersion",
    "Experiment",
    "Export",
    "Generation",
    "GenerationAnswer",
    "GenerationChunk",
    "GenerationVote",
    "MetricChunk",
    "MetricName",
    "Project",
    "QueueState",
    "Run",
    "RunDataset",
    "RunEvent",
    "RunMetric",
    "RunTag",
    "SavedView",
    "Study",
    "Trajectory",
    "Worker",
    "WorkerSample",
]
