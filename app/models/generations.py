"""Answers side by side: what was asked of which models, what they said, and who liked what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Enum, Float, ForeignKey, Index, String, Text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import ID_LENGTH, Base, new_id, utc_now
from app.models.runs import BigId
from core.generation_job import GenerationStatus


class Generation(Base):
    """A comparison: a prompt, the columns that answer it, and how far they are."""

    __tablename__ = "generations"
    __table_args__ = (Index(None, "created_at"), Index(None, "status", "created_at"))

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True, default=new_id)
    name: Mapped[str | None] = mapped_column(String(200))
    """Given by people; what has a name is saved."""
    title: Mapped[str] = mapped_column(Text)
    """The beginning of what is asked."""
    asked: Mapped[dict[str, Any]]
    """The request, to ask the same again."""
    columns: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """Whose answers they are, as people are told, in the order in which they are shown."""
    job: Mapped[dict[str, Any]]
    """The same as a worker is told."""
    prompts: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    """Each column's prompt as the chat template wrote it, once it is known."""
    blind: Mapped[bool]
    revealed: Mapped[bool]
    labels: Mapped[list[str]] = mapped_column(JSON, default=list)
    status: Mapped[GenerationStatus] = mapped_column(
        Enum(
            GenerationStatus,
            native_enum=False,
            length=20,
            name="status",
            create_constraint=True,
            values_callable=lambda states: [state.value for state in states],
        ),
        default=GenerationStatus.QUEUED,
    )
    detail: Mapped[str] = mapped_column(String(500), default="")
    problem: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    created_by: Mapped[str] = mapped_column(String(200))
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    first_token_seconds: Mapped[float | None] = mapped_column(Float)
    """From the worker's taking it to the first token."""
    generating_seconds: Mapped[float | None] = mapped_column(Float)
    """From the first token to the last."""
    cancelling: Mapped[bool] = mapped_column(default=False)
    worker_id: Mapped[str | None] = mapped_column(ForeignKey("workers.id", ondelete="SET NULL"))
    lease_token: Mapped[str | None] = mapped_column(String(32))
    lease_expires_at: Mapped[float | None] = mapped_column(Float)
    attempts: Mapped[int] = mapped_column(default=0)
    cursor: Mapped[int] = mapped_column(BigInteger, default=0)
    """Counts what has become known of it."""


class GenerationChunk(Base):
    """What has come since the chunk before it; they go a while after the answers are whole."""

    __tablename__ = "generation_chunks"

    generation_id: Mapped[str] = mapped_column(
        ForeignKey("generations.id", ondelete="CASCADE"), primary_key=True
    )
    cursor: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    tokens: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


class GenerationAnswer(Base):
    """An answer of a column, exactly as it was generated."""

    __tablename__ = "generation_answers"

    generation_id: Mapped[str] = mapped_column(
        ForeignKey("generations.id", ondelete="CASCADE"), primary_key=True
    )
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Which column."""
    sample: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(Text)
    """Without the token that ends it."""
    count: Mapped[int]
    """Tokens, the one that ends it included."""
    end: Mapped[str | None] = mapped_column(String(10))
    """`end`, `length`, or null where it was cut off."""
    mean_logprob: Mapped[float | None] = mapped_column(Float)
    tokens: Mapped[list[dict[str, Any]]] = mapped_column(JSON, deferred=True)
    """Identifier, text, log-probability and likeliest alternatives of each."""


class GenerationVote(Base):
    """Which column somebody liked best, or (null) that none was better."""

    __tablename__ = "generation_votes"
    __table_args__ = (Unique("generation_id", "sample", "actor"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    generation_id: Mapped[str] = mapped_column(ForeignKey("generations.id", ondelete="CASCADE"))
    sample: Mapped[int]
    winner: Mapped[int | None]
    blind: Mapped[bool]
    """Whether the columns were unnamed when it was given."""
    actor: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
