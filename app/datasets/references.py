"""Makes files of the references to data sets in a configuration.

The stored configuration keeps the reference; check and trainer are given the path, the format and
the mapping, so that neither asks the database for data.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any, Final, TypeVar

from sqlalchemy.orm import Session

from app.datasets import repository
from app.datasets.files import Store
from app.errors import NotFoundError
from app.models import DatasetVersion, Run, RunDataset
from app.settings import Settings
from core.config import RunConfig
from core.data_config import DataFields, Source
from core.errors import Problem, StudioError
from core.evaluation_job import EvaluationJob
from core.states import RunKind

_REFERENCE: Final = re.compile(r"([A-Za-z0-9._-]+)(?:@([0-9]{1,9}))?")
SourceT = TypeVar("SourceT", bound=Source)
Config = TypeVar("Config", RunConfig, EvaluationJob)


class Resolver:
    """Looks data sets up, in a project first, and remembers which versions were found.

    Args:
        session: the request's or task's.
        settings: say where files are.
        project_id: where names are looked up.
        bring: whether the files are to be on this host afterwards.
    """

    def __init__(
        self,
        session: Session,
        settings: Settings,
        project_id: str | None,
        *,
        bring: bool = True,
    ) -> None:
        self.found: dict[str, DatasetVersion] = {}
        """Versions by identifier."""
        self.warnings: list[Problem] = []
        self._session = session
        self._store = Store.of(settings) if bring else Store(settings.datasets_directory)
        self._bring = bring
        self._project_id = project_id

    def resolve(self, config: Config) -> Config:
        """The configuration with files in place of data sets.

        Raises:
            StudioError: every reference that cannot be used, with its field.
        """
        if isinstance(config, RunConfig):
            return config.model_copy(update={"data": self.source(config.data)})
        problems: list[Problem] = []
        sets = []
        for one in config.sets:
            try:
                sets.append(self.source(one))
            except StudioError as error:
                problems.extend(error.problems)
        if problems:
            raise StudioError(*problems)
        return config.model_copy(update={"sets": tuple(sets)})

    def source(self, source: SourceT) -> SourceT:
        """One source with a file in place of a data set.

        Raises:
            StudioError: `dataset_unknown`, or `dataset_unusable` without any good row.
        """
        if source.dataset is None:
            return source
        version = self._find(source.dataset)
        field = f"{source.place}.dataset"
        if version is None:
            raise _unknown(source.dataset, field)
        good, broken = version.report["good"], version.report["broken"]
        if not good:
            raise StudioError(
                Problem(
                    code="dataset_unusable",
                    message=f"No row of the data set {source.dataset} can be used.",
                    remedy="Mend its mapping; its report says what is wrong.",
                    field=field,
                )
            )
        if broken:
            self.warnings.append(
                Problem(
                    code="broken_rows",
                    message=f"{broken} of {good + broken} rows of the data set {source.dataset} "
                    "cannot be used and will be left out.",
                    remedy="Its report names them.",
                    field=field,
                )
            )
        self.found[version.id] = version
        if self._bring:
            with suppress(NotFoundError):  # the check of the file tells it, with its field
                self._store.present(version.file)
        update = {
            "dataset": None,
            "path": str(self._store.path(version.file)),
            "format": "records",
            "fields": DataFields.model_validate(version.mapping),
            "skip_broken": True,
        }
        return source.model_copy(update=update)

    def _find(self, reference: str) -> DatasetVersion | None:
        named = _REFERENCE.fullmatch(reference)
        if named is None:
            return None
        name, number = named.groups()
        if number is None:
            return self._session.get(DatasetVersion, name)
        dataset = repository.find_dataset(self._session, self._project_id, name)
        return repository.find_version(self._session, dataset.id, int(number)) if dataset else None

    def remember(self, run: Run) -> None:
        """Note that the run needs what was found; until it is over nobody can delete it."""
        for version_id in self.found:
            self._session.add(RunDataset(run_id=run.id, version_id=version_id))
        self._session.flush()


def _unknown(reference: str, field: str) -> StudioError:
    return StudioError(
        Problem(
            code="dataset_unknown",
            message=f"There is no data set “{reference}” in the project.",
            remedy="Write `name@number`, or a version's identifier; `unisd datasets list` shows "
            "them.",
            field=field,
        )
    )


def placed(problem: Problem, config: RunConfig | EvaluationJob) -> Problem:
    """A problem with a file, told at the field that named the data set instead."""
    sources = [config.data] if isinstance(config, RunConfig) else list(config.sets)
    place = sources[0].place
    by_reference = all(source.dataset is not None for source in sources)
    if not by_reference or problem.field not in (f"{place}.path", "data.path"):
        return problem
    return problem.model_copy(update={"field": f"{place}.dataset"})


def resolve_run(session: Session, settings: Settings, run_id: str) -> dict[str, Any]:
    """A stored run's configuration as its trainer takes it.

    Raises:
        StudioError: a data set is no longer there.
    """
    run = session.get_one(Run, run_id)
    if run.kind is RunKind.EXPORT:
        return run.config  # it reads no data
    resolver = Resolver(session, settings, run.project_id, bring=False)
    if run.kind is RunKind.EVALUATION:
        if not any(one.get("dataset") for one in run.config["sets"]):
            return run.config
        job = EvaluationJob.model_validate(run.config)
        return resolver.resolve(job).model_dump(mode="json")
    if not run.config["data"].get("dataset"):
        return run.config
    return resolver.resolve(RunConfig.model_validate(run.config)).model_dump(mode="json")
