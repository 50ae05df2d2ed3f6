"""A process alone among those that train together."""

from __future__ import annotations

import pytest
import torch

from worker.trainer.interrupt import Interrupt, StopRequested
from worker.trainer.processes import Processes


def test_alone_every_exchange_is_free():
    alone = Processes()
    values = torch.arange(3.0)
    assert alone.gather(values) is values
    assert alone.gather_tensors({"cpu": values}) == [{"cpu": values}]
    assert alone.add([1.5], values.device) == [1.5]
    assert alone.any(True, values.device)
    assert alone.lead(lambda: 3, Interrupt()) == 3
    alone.add_gradients([])
    alone.leave()


def test_alone_a_request_to_stop_is_carried_out_at_once():
    interrupt = Interrupt()
    Processes().check(interrupt, torch.device("cpu"))
    interrupt.requested = True
    with pytest.raises(StopRequested):
        Processes().check(interrupt, torch.device("cpu"))
