"""Several processes that train one model: what they share at each step."""

# ruff: noqa: N803 - capital letters in tensor names are axes

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from accelerate import PartialState
from torch import Tensor, distributed, nn


@dataclass(frozen=True)
class Processes:
    """This process among those that train together; alone, every exchange is free.

    Attributes:
        rank: from 0; only rank 0 writes events and files.
        count: how many there are.
    """

    rank: int = 0
    count: int = 1

    @classmethod
    def join(cls, device: str) -> Processes:
        """Join the processes that `accelerate launch` started, if it did."""
        state = PartialState(cpu=device == "cpu")
        return cls(state.process_index, state.num_processes)

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
        distributed.all_gather(sizes, torch.tensor([len(values_N)], device=values_N.device))
        most = max(int(size) for size in sizes)
        padded = torch.nn.functional.pad(values_N, (0, most - len(values_N))).contiguous()
        parts = [torch.empty_like(padded) for _ in range(self.count)]
        distributed.all_gather(parts, padded)
        return torch.cat([part[: int(size)] for part, size in zip(parts, sizes, strict=True)])

    def add(self, values: Sequence[float], device: torch.device) -> list[float]:
        """Each value summed over the processes, in float64."""
        if self.alone:
            return list(values)
        total = torch.tensor(values, dtype=torch.float64, device=device)
        distributed.all_reduce(total)
        return [float(value) for value in total]

    def any(self, flag: bool, device: torch.device) -> bool:  # noqa: FBT001
        """Whether any process says so."""
        return self.add([float(flag)], device)[0] > 0

    def add_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Sum the gradients: each process holds its share of the global batch's loss."""
        if self.alone:
            return
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        flat = torch.cat([p.grad.flatten() for p in parameters if p.grad is not None])
        distributed.all_reduce(flat)
        parts = torch.split(flat, [parameter.numel() for parameter in parameters])
        for parameter, part in zip(parameters, parts, strict=True):
            parameter.grad = part.view_as(parameter)

    def wait(self) -> None:
        """Go on when all have come here."""
        if not self.alone:
            distributed.barrier()

    def leave(self) -> None:
        """End the exchange in good order."""
        if not self.alone:
            distributed.destroy_process_group()
