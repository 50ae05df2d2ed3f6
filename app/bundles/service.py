"""Finds the data of a bundle by its hash, compares versions, and starts the same run."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.bundles.schemas import BundleImport, BundleVerdict, VersionDifference
from app.datasets.references import Resolver
from app.exports.options import connected
from app.models import Dataset, DatasetVersion, Run
from app.preflight.check import Findings
from app.projects.service import default_project, find_default_project, get_project
from app.runs import lifecycle
from app.runs.service import check_resolved
from app.settings import Settings
from core.bundle import Bundle
from core.config import RunConfig
from core.data_config import DataConfig, DataFields
from core.errors import Problem, StudioError
from core.records import data_file

_STUDIO: Final = "unisd-studio"
_FIELD: Final = "data"


@dataclass
class Import:
    """What a bundle becomes here.

    Attributes:
        verified: whether the data has the bundle's hash.
    """

    config: RunConfig
    resolver: Resolver
    findings: Findings
    verified: bool
    differences: list[VersionDifference] = field(default_factory=list)

    @property
    def data(self) -> Literal["verified", "unverified"]:
        """The same in a word."""
        return "verified" if self.verified else "unverified"


def check_bundle(session: Session, wanted: BundleImport, settings: Settings) -> BundleVerdict:
    """What importing it would do, without doing it."""
    project_id = wanted.project_id and get_project(session, wanted.project_id).id
    found = _prepare(session, wanted, settings, project_id or find_default_project(session))
    source = found.config.data
    return BundleVerdict(
        name=wanted.name or wanted.bundle.name,
        config=found.config,
        data=found.data,
        data_from=str(source.dataset or source.benchmark or source.path),
        differences=found.differences,
        errors=found.findings.errors,
        warnings=found.findings.warnings,
    )


def import_bundle(
    session: Session, wanted: BundleImport, settings: Settings, *, actor: str
) -> tuple[Run, Import]:
    """Start the same run.

    Raises:
        StudioError: its data is not here, or it cannot run; nothing was stored.
        NotFoundError: there is no such project.
    """
    project = wanted.project_id
    project_id = get_project(session, project).id if project else default_project(session).id
    found = _prepare(session, wanted, settings, project_id)
    if found.findings.errors:
        raise StudioError(*found.findings.errors)
    run = Run(
        project_id=project_id,
        name=(wanted.name or wanted.bundle.name).strip(),
        config=found.config.model_dump(mode="json"),
    )
    lifecycle.submit(session, run, wanted.schedule, settings, actor=actor)
    found.resolver.remember(run)
    origin = wanted.bundle.run_id or wanted.bundle.name
    lifecycle.record_steering(session, run, actor, {"from bundle of": [None, origin]})
    return run, found


def _prepare(
    session: Session, wanted: BundleImport, settings: Settings, project_id: str | None
) -> Import:
    bundle = wanted.bundle
    resolver = Resolver(session, settings, project_id)
    data = _place(session, wanted, project_id)
    model = bundle.config.model
    if wanted.model is not None:  # a folder has another name on every machine
        model = model.model_copy(update={"name": wanted.model})
    config = bundle.config.model_copy(update={"data": data, "model": model})
    findings = check_resolved(config, resolver, settings)
    errors, warnings = list(findings.errors), list(findings.warnings)
    verified = False
    if not any(_is_of_data(problem) for problem in errors):
        try:
            verified = _verify(bundle, resolver.resolve(config))
        except StudioError as error:
            errors.extend(error.problems)
        if not verified and not errors:
            warnings.append(_unverified(bundle))
    elif wanted.data is None and bundle.data.sha256:
        errors = [one for one in errors if not _is_of_data(one)] + [_missing(bundle)]
    differences = _differences(session, settings, bundle)
    found = Findings(errors, list(dict.fromkeys(warnings)))
    return Import(config, resolver, found, verified, differences)


def _is_of_data(problem: Problem) -> bool:
    return (problem.field or "").startswith("data.")


def _place(session: Session, wanted: BundleImport, project_id: str | None) -> DataConfig:
    """Where the data is to be read from here."""
    bundle = wanted.bundle
    data = bundle.config.data
    if wanted.data is not None:
        path = Path(wanted.data).expanduser()
        if path.is_absolute() or "/" in wanted.data or path.is_file():
            return _from_path(data, str(path), bundle)
        return _from_dataset(data, wanted.data)
    if data.benchmark is not None:
        return data
    reference = _same_bytes(session, bundle, project_id)
    return data if reference is None else _from_dataset(data, reference)


def _from_path(data: DataConfig, path: str, bundle: Bundle) -> DataConfig:
    update: dict[str, Any] = {"path": path, "dataset": None, "benchmark": None}
    if data.dataset is not None:  # it had the mapping
        fields = bundle.data.fields or DataFields()
        update |= {"format": "records", "fields": fields, "skip_broken": True}
    return data.model_copy(update=update)


def _from_dataset(data: DataConfig, reference: str) -> DataConfig:
    update = {"dataset": reference, "path": None, "benchmark": None}
    return data.model_copy(update=update | {"format": "records", "fields": DataFields()})


def _same_bytes(session: Session, bundle: Bundle, project_id: str | None) -> str | None:
    """An uploaded data set of the same bytes under the same mapping."""
    data = bundle.config.data
    if bundle.data.sha256 is None or data.format != "records":
        return None
    wanted = bundle.data.fields if data.dataset is not None else data.fields
    statement = (
        select(Dataset.name, DatasetVersion)
        .join(Dataset, Dataset.id == DatasetVersion.dataset_id)
        .where(DatasetVersion.sha256 == bundle.data.sha256, Dataset.project_id == project_id)
        .order_by(DatasetVersion.created_at.desc(), DatasetVersion.id)
    )
    for name, version in session.execute(statement):
        if wanted is None or _reads_alike(version, wanted):
            return f"{name}@{version.number}"
    return None


def _reads_alike(version: DatasetVersion, wanted: DataFields) -> bool:
    """Whether a mapping means the same columns; those that the file lacks mean nothing."""
    columns = {column["name"] for column in version.report["columns"]}

    def meant(fields: DataFields) -> dict[str, str]:
        named = fields.model_dump()
        return {part: column for part, column in named.items() if column in columns}

    return meant(DataFields.model_validate(version.mapping)) == meant(wanted)


def _verify(bundle: Bundle, resolved: RunConfig) -> bool:
    """Whether the data is the bundle's; False where that cannot be told.

    Raises:
        StudioError: `bundle_data_differs`.
    """
    expected = bundle.data.sha256
    if expected is None:
        return False
    try:
        path = data_file(resolved.data, training=True)
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except StudioError:  # a benchmark that only the worker has
        return False
    except OSError as error:
        raise StudioError(_missing(bundle)) from error
    if found != expected:
        raise StudioError(_different(bundle, str(resolved.data.path or path), found))
    return True


def _missing(bundle: Bundle) -> Problem:
    data = bundle.data
    rows = "" if data.records is None else f" with {data.records} records"
    return Problem(
        code="bundle_data_missing",
        message=f"The data of this bundle is not here: “{data.name}”{rows}, SHA-256 {data.sha256}.",
        remedy="Upload that file as a data set, with the same columns mapped, and import again; or "
        "say where it is.",
        field=_FIELD,
    )


def _different(bundle: Bundle, where: str, found: str) -> Problem:
    return Problem(
        code="bundle_data_differs",
        message=f"{where} is not the data of this bundle: its SHA-256 is {found}, not "
        f"{bundle.data.sha256}.",
        remedy="Give the file that the run was made with. To train on other data, clone the run's "
        "configuration instead.",
        field=_FIELD,
    )


def _unverified(bundle: Bundle) -> Problem:
    if bundle.data.sha256 is None:
        message = "The bundle was made before the run had read its data, so its hash is not known."
        remedy = "The new run reads what is there now."
    else:
        message = (
            f"Whether {bundle.data.name} is the same here can only be told by the worker that "
            "reads it."
        )
        remedy = f"Compare its SHA-256 in the System tab with {bundle.data.sha256}."
    return Problem(code="bundle_data_unverified", message=message, remedy=remedy, field=_FIELD)


def _differences(session: Session, settings: Settings, bundle: Bundle) -> list[VersionDifference]:
    """What the connected workers have in another version than the run was made with."""
    then = dict(bundle.environment.versions)
    if bundle.environment.studio:
        then[_STUDIO] = bundle.environment.studio
    now: dict[str, set[str]] = defaultdict(set)
    for worker in connected(session, settings):
        for name, version in worker.versions.items():
            now[name].add(version)
    return [
        VersionDifference(name=name, then=version, now=", ".join(sorted(now[name])))
        for name, version in sorted(then.items())
        if name in now and now[name] != {version}
    ]
