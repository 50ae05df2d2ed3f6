"""Exports: runs that make files of another run's weights."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Float, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import ID_LENGTH, Base


class Export(Base):
    """What an export is of and what became of it; its execution is the run of the same id."""

    __tablename__ = "exports"
    __table_args__ = (Index(None, "run_id"), Index(None, "bytes"))

    id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True
    )
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    """The run whose weights they are."""
    kind: Mapped[str] = mapped_column(String(20))
    content: Mapped[str] = mapped_column(String(20))
    checkpoint: Mapped[int | None]
    estimate_bytes: Mapped[int | None] = mapped_column(BigInteger)
    bytes: Mapped[int | None] = mapped_column(BigInteger)
    """Of the files that are kept; null before they are made."""
    files: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    directory: Mapped[str | None] = mapped_column(Text)
    """Key of their folder in the store."""
    check: Mapped[dict[str, Any] | None]
    url: Mapped[str | None] = mapped_column(String(500))
    licence: Mapped[str | None] = mapped_column(String(100))
    progress_since: Mapped[float | None] = mapped_column(Float)
    """When the current phase began, seconds since the Unix epoch."""
    secret_half: Mapped[str | None] = mapped_column(String(1100))
    """One half of a hub token, worthless without the other in Redis; gone when it is taken."""
