"""The EMA teacher: a second adapter that follows the student's (`method` section 4)."""

from __future__ import annotations

import math

import torch

from worker.trainer.model import EMA, STUDENT, Network


def add_ema(network: Network) -> None:
    """Add the teacher's adapter, equal to the student's.

    The student's B is 0 then, so the teacher starts as the base. Started with both factors at 0,
    the product B · A would lag quadratically behind the formula.
    """
    network.peft.add_adapter(EMA, network.peft.peft_config[STUDENT])
    student, teacher = network.factors(STUDENT), network.factors(EMA)
    with torch.no_grad():
        for name, factor in teacher.items():
            factor.copy_(student[name])
            factor.requires_grad_(False)  # noqa: FBT003
    for factor in student.values():
        factor.requires_grad_(True)  # noqa: FBT003 - adding an adapter may have frozen it


@torch.no_grad()
def synchronize_ema(network: Network, decay: float) -> None:
    """θ_T ← β θ_T + (1−β) θ_S, factor by factor."""
    student = network.factors(STUDENT)
    for name, factor in network.factors(EMA).items():
        factor.lerp_(student[name], 1 - decay)


@torch.no_grad()
def ema_distance(network: Network) -> float:
    """‖θ_T − θ_S‖ / ‖θ_S‖ over all factors."""
    student, teacher = network.factors(STUDENT), network.factors(EMA)
    apart = torch.stack([(teacher[name] - value).norm() for name, value in student.items()]).norm()
    size = torch.stack([value.norm() for value in student.values()]).norm()
    return float(apart / size) if size else 0.0


def half_life(decay: float, every_steps: int) -> float:
    """Optimizer steps after which half of the teacher's distance to a student at rest is gone."""
    return every_steps * math.log(0.5) / math.log(decay) if decay else float(every_steps)
