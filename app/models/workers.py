"""Workers: processes on GPU hosts that execute runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Float, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import ID_LENGTH, Base, new_id, utc_now


class Worker(Base):
    """One worker process; `last_seen` is by the database's clock."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(255))
    hostname: Mapped[str] = mapped_column(String(255))
    pid: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_seen: Mapped[float] = mapped_column(Float)
    gone: Mapped[bool] = mapped_column(default=False)
    run_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    hardware: Mapped[dict[str, Any]]
    usage: Mapped[dict[str, Any]]
    versions: Mapped[dict[str, Any]]
