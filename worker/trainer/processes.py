"""Several processes that train one model: what they share at each step."""

# ruff: noqa: N803 - capital letters in tensor names are axes

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

import torch
from accelerate import PartialState
from torch import Tensor, distributed, nn

from core.errors import StudioError
from worker.trainer.failures import PeerLostError, failure
from worker.trainer.interrupt import Interrupt, StopRequested

TIMEOUT_VARIABLE: Final = "UNISD_EXCHANGE_TIMEOUT_SECONDS"
TIMEOUT_SECONDS: Final = 1800.0
"""How long a process waits in an exchange for the others, which may have longer texts."""
_PATIENCE: Final = timedelta(days=7)

_T = TypeVar("_T")


@dataclass(frozen=True)
class Processes:
    """This process among those that train together; alone, every exchange is free.

    Exchanges raise `PeerLostError` when another process is gone, and a `StudioError`
    (`process_unresponsive`) when one does not answer in time.

    Attributes:
        rank: from 0; only rank 0 writes events and files.
        count: how many there are.
        patient: a second group of all, over the CPU, whose members wait for the one that leads as
            long as its work takes.
    """

    rank: int = 0
    count: int = 1
    patient: distributed.ProcessGroup | None = None

    @classmethod
    def join(cls, device: str) -> Processes:
        """Join the processes that `accelerate launch` started, if it did."""
        timeout = timedelta(seconds=_timeout())
        with _exchange():
            state = PartialState(cpu=device == "cpu", timeout=timeout)
            together = state.num_processes > 1
            patient = distributed.new_group(backend="gloo", timeout=_PATIENCE) if together else None
        return cls(state.process_index, state.num_processes, patient)

    @property
    def alone(self) -> bool:
        """Whether there is no other process."""
        return self.count == 1

    @property
    def leads(self) -> bool:
        """Whether this one writes events and files."""
        return self.rank == 0

    def gather(self, values_N: Tensor) -> Tensor:
        """The values of all processes, one after another, though their numbers differ."""
        if self.alone:
            return values_N
        sizes = [
            torch.zeros(1, dtype=torch.long, device=values_N.device) for _ in range(self.count)
        ]
        with _exchange():
            own = torch.tensor([len(values_N)], device=values_N.device)
            distributed.all_gather(sizes, own)
            most = max(int(size) for size in sizes)
            padded = torch.nn.functional.pad(values_N, (0, most - len(values_N))).contiguous()
            parts = [torch.empty_like(padded) for _ in range(self.count)]
            distributed.all_gather(parts, padded)
        return torch.cat([part[: int(size)] for part, size in zip(parts, sizes, strict=True)])

    def gather_tensors(self, own: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
        """The named CPU tensors of each process, by rank."""
        if self.alone:
            return [dict(own)]
        every: list[dict[str, Tensor]] = [{} for _ in range(self.count)]
        with _exchange(math.inf):
            distributed.all_gather_object(every, dict(own), group=self.patient)
        return every

    def add(self, values: Sequence[float], device: torch.device) -> list[float]:
        """Each value summed over the processes, in float64."""
        if self.alone:
            return list(values)
        total = torch.tensor(values, dtype=torch.float64, device=device)
        with _exchange():
            distributed.all_reduce(total)
            return [float(value) for value in total]

    def any(self, flag: bool, device: torch.device) -> bool:  # noqa: FBT001
        """Whether any process says so."""
        return self.add([float(flag)], device)[0] > 0

    def check(self, interrupt: Interrupt, device: torch.device) -> None:
        """Stop all here if any of them was asked to.

        Raises:
            StopRequested: in all of them or in none.
        """
        if self.any(interrupt.requested, device):
            raise StopRequested

    def lead(self, work: Callable[[], _T], interrupt: Interrupt) -> _T | None:
        """Let the one that leads do `work`, while the others wait as long as it takes.

        Args:
            work: may look at the interrupt; when it stops, all stop.
            interrupt: this process's.

        Returns:
            What `work` returned; None in those that waited.

        Raises:
            StopRequested: in all of them or in none.
        """
        if self.alone:
            return work()
        result, stopped = None, False
        if self.leads:
            interrupt.patient = False
            try:
                result = work()
            except StopRequested:
                stopped = True
            finally:
                interrupt.patient = True
        told = torch.tensor([stopped])
        with _exchange(math.inf):
            distributed.broadcast(told, src=0, group=self.patient)
        if told.item():
            raise StopRequested
        return result

    def add_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Sum the gradients: each process holds its share of the global batch's loss."""
        if self.alone:
            return
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        flat = torch.cat([p.grad.flatten() for p in parameters if p.grad is not None])
        with _exchange():
            distributed.all_reduce(flat)
        parts = torch.split(flat, [parameter.numel() for parameter in parameters])
        for parameter, part in zip(parameters, parts, strict=True):
            parameter.grad = part.view_as(parameter)

    def leave(self) -> None:
        """End the exchange in good order."""
        if not self.alone:
            distributed.destroy_process_group()


def _timeout() -> float:
    return float(os.environ.get(TIMEOUT_VARIABLE, TIMEOUT_SECONDS))


@contextmanager
def _exchange(patience: float | None = None) -> Iterator[None]:
    """Name the failure of an exchange: a lost connection, or no answer within so many seconds."""
    limit = _timeout() if patience is None else patience
    begun = time.monotonic()
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        if time.monotonic() - begun >= limit:
            raise _unresponsive(limit) from error
        reason = " ".join(str(error).split())
        raise PeerLostError(f"Another process of this run is gone: {reason}") from error


def _unresponsive(seconds: float) -> StudioError:
    return failure(
        "process_unresponsive",
        f"Another process of this run did not answer within {seconds:g} s.",
        f"Resume from the last checkpoint. If a step may take so long, raise {TIMEOUT_VARIABLE}.",
    )
