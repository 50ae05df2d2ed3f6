"""What runs measured: packed points by attempt and metric, and each run's newest values.

A chunk's `data` is laid out as `app.metrics.points` says. Only the newest chunk of a metric grows.
"""

from __future__ import annotations

from sqlalchemy import Float, ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base
from core.events import NonFinite


class MetricName(Base):
    """A metric's path, known to the other tables by a small number."""

    __tablename__ = "metric_names"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)


class MetricChunk(Base):
    """Successive points of a metric in one attempt; steps rise within and across chunks.

    `first` and `last` are null where that point is not finite; `minimum`, `maximum` and `total` are
    of the finite points.
    """

    __tablename__ = "metric_chunks"

    attempt_id: Mapped[int] = mapped_column(
        ForeignKey("attempts.id", ondelete="CASCADE"), primary_key=True
    )
    name_id: Mapped[int] = mapped_column(ForeignKey("metric_names.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    points: Mapped[int]
    first_step: Mapped[int]
    last_step: Mapped[int]
    first: Mapped[float | None] = mapped_column(Float)
    last: Mapped[float | None] = mapped_column(Float)
    minimum: Mapped[float | None] = mapped_column(Float)
    maximum: Mapped[float | None] = mapped_column(Float)
    total: Mapped[float] = mapped_column(Float)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class RunMetric(Base):
    """A run's newest value of a metric and its extremes, for lists.

    `last` is null where it is not finite; `last_name` then says which of the three it was.
    `points` and `sketch` are of the latest attempt that reported the metric, the extremes of all.
    """

    __tablename__ = "run_metrics"
    __table_args__ = (Index(None, "name_id", "last", "run_id"), Index(None, "attempt_id"))

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    name_id: Mapped[int] = mapped_column(ForeignKey("metric_names.id"), primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempts.id", ondelete="CASCADE"))
    points: Mapped[int]
    last_step: Mapped[int]
    last: Mapped[float | None] = mapped_column(Float)
    last_name: Mapped[NonFinite | None] = mapped_column(String(9))
    minimum: Mapped[float | None] = mapped_column(Float)
    maximum: Mapped[float | None] = mapped_column(Float)
    sketch: Mapped[bytes] = mapped_column(LargeBinary)
