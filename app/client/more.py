"""Projects, experiments and presets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.client.errors import not_found
from app.client.finding import path
from app.client.paging import each, plain
from app.client.transport import Transport
from app.experiments.schemas import ExperimentOut
from app.presets.schemas import PresetOut
from app.projects.schemas import ProjectOut
from core.config import RunConfig


class Projects:
    """What can be done with projects."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, name: str | None = None, most: int | None = None) -> Iterator[ProjectOut]:
        """Projects, newest first."""
        return each(self._transport, "/api/projects", {"name": name}, ProjectOut, most)

    def get(self, project_id: str) -> ProjectOut:
        """One project."""
        return ProjectOut.model_validate(self._transport.get(path("projects", project_id)))

    def find(self, name: str) -> ProjectOut:
        """A project by its name.

        Raises:
            NotFoundError: there is none.
        """
        for project in self.list(name=name):
            return project
        raise not_found(f"There is no project “{name}”.", "Make it, or leave it out.")

    def create(self, name: str, description: str = "") -> ProjectOut:
        """Create a project."""
        body = {"name": name, "description": description}
        return ProjectOut.model_validate(self._transport.post("/api/projects", body))


class Experiments:
    """What can be done with experiments: definitions that runs execute."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self, *, project_id: str | None = None, most: int | None = None
    ) -> Iterator[ExperimentOut]:
        """Experiments, newest first."""
        query = {"project_id": project_id}
        return each(self._transport, "/api/experiments", query, ExperimentOut, most)

    def get(self, experiment_id: str) -> ExperimentOut:
        """One experiment."""
        answer = self._transport.get(path("experiments", experiment_id))
        return ExperimentOut.model_validate(answer)

    def create(
        self,
        project_id: str,
        name: str,
        config: RunConfig | Mapping[str, Any],
        description: str = "",
    ) -> ExperimentOut:
        """Create a definition that runs can execute."""
        body = {
            "project_id": project_id,
            "name": name,
            "description": description,
            "config": plain(config),
        }
        return ExperimentOut.model_validate(self._transport.post("/api/experiments", body))


class Presets:
    """What there is to start from."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> Iterator[PresetOut]:
        """Every mechanism alone, the baselines, and UniSD*."""
        return each(self._transport, "/api/presets", {}, PresetOut, key="name")
