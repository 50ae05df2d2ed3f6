"""What was made by requests that may come again."""

from __future__ import annotations

from sqlalchemy import Float, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import ID_LENGTH, Base


class Creation(Base):
    """What a request with an `Idempotency-Key` has made, so that its repetition makes nothing."""

    __tablename__ = "creations"

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    request: Mapped[str] = mapped_column(String(64))
    """Hash of what was asked for."""
    made: Mapped[str] = mapped_column(String(ID_LENGTH))
    """Identifier; empty while the transaction that makes it is under way."""
    created_at: Mapped[float] = mapped_column(Float, index=True)
    """By the database's clock."""
