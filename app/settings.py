"""One place for everything that the environment configures (prefix `UNISD_`)."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from pathlib import Path

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.schedule import Label, Queue

MINIMUM_TOKEN_LENGTH = 16


def is_loopback(host: str) -> bool:
    """Whether listening on `host` reaches this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Settings(BaseSettings):
    """Settings of API, workers and reaper."""

    model_config = SettingsConfigDict(env_prefix="UNISD_", frozen=True)

    home: Path = Field(
        default=Path("~/.unisd"),
        description="Folder for the database file, models, data sets and runs.",
    )
    database_url: str | None = Field(
        default=None, description="SQLAlchemy URL. Unset: an SQLite file in the home folder."
    )
    database_seconds: float = Field(
        default=60.0,
        gt=0,
        description="A PostgreSQL server that does not answer for so long counts as gone; nor may "
        "a transaction wait for its client longer.",
    )
    redis_url: str | None = Field(
        default=None, description="Redis URL. Unset: `unisd up` starts a private server."
    )
    host: str = Field(default="127.0.0.1", description="Address that the API listens on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port that the API listens on.")
    token: SecretStr | None = Field(
        default=None,
        description="Access token. Needed to listen beyond loopback; then every request needs it.",
    )
    allowed_hosts: tuple[str, ...] = Field(
        default=(), description="Host names under which the page may be reached, besides loopback."
    )
    data_roots: tuple[Path, ...] = Field(
        default=(),
        description="Folders from which data files may be read. Empty: any, for a single user.",
    )
    max_upload_bytes: int = Field(
        default=8 * 2**30, ge=1, description="Largest data file that is taken, in bytes."
    )
    lease_seconds: float = Field(
        default=180.0, gt=0, description="A run whose worker is silent for so long is taken back."
    )
    stale_seconds: float = Field(
        default=60.0, gt=0, description="A worker that is silent for so long is shown as stale."
    )
    heartbeat_seconds: float = Field(
        default=5.0, gt=0, description="Time between heartbeats of a worker."
    )
    stop_grace_seconds: float = Field(
        default=120.0, gt=0, description="Time that a stopping trainer gets before it is killed."
    )
    force_seconds: float = Field(
        default=10.0, gt=0, description="The same for a trainer that is ended by force."
    )
    max_attempts: int = Field(
        default=3, ge=1, description="Starts of a run before it counts as crashed for good."
    )
    retry_seconds: float = Field(
        default=10.0,
        ge=0,
        description="Pause before an attempt after one that went wrong; doubles each time.",
    )
    retry_longest_seconds: float = Field(default=600.0, ge=0, description="The longest such pause.")
    visibility_seconds: int = Field(
        default=30 * 24 * 3600,
        ge=1,
        description="Redis hands a task that nobody acknowledged to someone else after so long. "
        "Harmless at any value, since the lease decides; a small one costs idle deliveries.",
    )
    artifacts_url: str | None = Field(
        default=None,
        description="fsspec URL of the artifact store, such as `s3://bucket/prefix`. Unset: the "
        "home folder, which API and workers then share.",
    )
    artifact_cache_bytes: int = Field(
        default=2 * 2**30,
        ge=0,
        description="Bytes of the store's files that this host keeps to read them again.",
    )
    keep_local_runs: bool = Field(
        default=True,
        description="Whether a worker keeps the files of runs that are over and whole in the "
        "store, until its disk runs low.",
    )
    disk_reserve_bytes: int = Field(
        default=5 * 2**30, ge=0, description="Free bytes below which a worker's disk is low."
    )
    warm_seconds: float = Field(
        default=300.0,
        ge=0,
        description="So long a worker keeps the model of a side-by-side comparison loaded after "
        "its last answer, unless a run needs the device.",
    )
    worker_name: str | None = Field(
        default=None, description="Name of this worker. Unset: its host and GPUs."
    )
    worker_labels: tuple[Label, ...] = Field(
        default=(), description="Labels of this worker, for runs that ask for them."
    )
    worker_queues: tuple[Queue, ...] = Field(
        default=tuple(Queue), min_length=1, description="Queues that this worker serves."
    )

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().absolute()

    @field_validator("artifacts_url")
    @classmethod
    def _given(cls, artifacts_url: str | None) -> str | None:
        return artifacts_url or None

    @field_validator("token")
    @classmethod
    def _strong(cls, token: SecretStr | None) -> SecretStr | None:
        if token is None or not token.get_secret_value():
            return None
        if len(token.get_secret_value()) < MINIMUM_TOKEN_LENGTH:
            raise ValueError(
                f"UNISD_TOKEN must have at least {MINIMUM_TOKEN_LENGTH} characters; "
                "make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'"
            )
        return token

    @model_validator(mode="after")
    def _protected(self) -> Settings:
        if self.token is None and not is_loopback(self.host):
            raise ValueError(
                f"listening on {self.host} would open the studio to the network without "
                "authentication: set UNISD_TOKEN, or listen on 127.0.0.1"
            )
        return self

    @property
    def sqlalchemy_url(self) -> str:
        """The database's URL; plain `postgresql://` is given its driver."""
        if self.database_url is None:
            return f"sqlite:///{self.home / 'unisd.sqlite'}"
        for prefix in ("postgresql://", "postgres://"):
            if self.database_url.startswith(prefix):
                return "postgresql+psycopg://" + self.database_url.removeprefix(prefix)
        return self.database_url

    @property
    def runs_directory(self) -> Path:
        """Where workers keep the files of runs."""
        return self.home / "runs"

    @property
    def datasets_directory(self) -> Path:
        """Where the files of data sets are kept."""
        return self.home / "datasets"

    @property
    def artifact_cache_directory(self) -> Path:
        """Where copies of the store's files are kept to be read again."""
        return self.home / "cache" / "artifacts"


@lru_cache
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
