"""The model process: reads orders from standard input, and writes what it says to standard output.

It ends when nothing was asked of it for a while, and at once when its worker is gone.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
import traceback
from typing import BinaryIO, Final

import torch
from transformers.utils import logging as transformers_logging

from core.errors import Problem, StudioError
from core.generation_job import GenerationJob, Order, TokenTold, Told
from worker.trainer import device as devices
from worker.trainer.generation.speaking import speak, write_prompts
from worker.trainer.generation.warm import WarmModel, free_memory
from worker.trainer.interrupt import exit_orphaned
from worker.trainer.model import out_of_memory

_FIRST_SECONDS: Final = 60.0
"""A process is started for an order, and waits at least so long for the first."""
TELL_SECONDS: Final = 0.05
"""Tokens that come within this time are told together."""


class Orders:
    """Reads orders in a thread, so that a cancellation is heard while answers are generated."""

    def __init__(self, lines: BinaryIO) -> None:
        self._waiting: queue.Queue[Order] = queue.Queue()
        self._cancelled: set[str] = set()
        self._lines = lines
        threading.Thread(target=self._read, name="orders", daemon=True).start()

    def next(self, seconds: float) -> Order | None:
        """The next thing to generate; None if nothing was asked for within so many seconds."""
        try:
            return self._waiting.get(timeout=seconds)
        except queue.Empty:
            return None

    def is_cancelled(self, name: str) -> bool:
        """Whether it is wanted no more."""
        return name in self._cancelled

    def done(self, name: str) -> None:
        """Forget about it."""
        self._cancelled.discard(name)

    def _read(self) -> None:
        for line in self._lines:
            order = Order.model_validate_json(line)
            if order.kind == "cancel":
                self._cancelled.add(order.id)
            else:
                self._waiting.put(order)
        # The worker closed the pipe, or died.
        exit_orphaned()


class Server:
    """Answers orders one after another with one warm model."""

    def __init__(self, orders: Orders, out: BinaryIO) -> None:
        self._orders = orders
        self._out = out
        self._warm: WarmModel | None = None

    def serve(self, idle_seconds: float) -> None:
        """Answer until nothing was asked for during so many seconds."""
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        patience = max(idle_seconds, _FIRST_SECONDS)
        while (order := self._orders.next(patience)) is not None:
            patience = idle_seconds
            if order.job is not None:
                self._answer(order.id, order.job)
            self._orders.done(order.id)

    def _answer(self, name: str, job: GenerationJob) -> None:
        try:
            whole = self._generate(name, job)
            self._say(Told(kind="done" if whole else "cancelled", id=name))
        except StudioError as error:
            self._say(Told(kind="failed", id=name, problem=error.problem))
        except (torch.OutOfMemoryError, MemoryError):
            self._give_memory_back()
            self._say(Told(kind="failed", id=name, problem=_out_of_memory()))
        except Exception as error:  # noqa: BLE001 - the last place where a bug can be told
            traceback.print_exc()
            self._warm = None
            free_memory()
            self._say(Told(kind="failed", id=name, problem=_internal(error)))

    def _generate(self, name: str, job: GenerationJob) -> bool:
        warm = self._warmed(name, job)
        prompts = write_prompts(warm, job)
        adapters = []
        for number, column in enumerate(job.columns, 1):
            if self._orders.is_cancelled(name):
                return False
            self._say(
                Told(kind="loading", id=name, detail=f"Column {number} of {len(job.columns)}")
            )
            adapters.append(warm.adapter_of(column))
        warm.forget_others(adapters)
        self._say(
            Told(
                kind="prompts",
                id=name,
                prompts=tuple(prompt.text for prompt in prompts),
                prompt_tokens=tuple(len(prompt.ids) for prompt in prompts),
            )
        )
        teller = _Teller(self, name)
        try:
            return speak(
                warm, job, prompts, adapters, teller.tell, lambda: self._orders.is_cancelled(name)
            )
        finally:
            teller.flush()
            warm.speak_as(None)

    def _warmed(self, name: str, job: GenerationJob) -> WarmModel:
        """The base model: the one that is loaded, or in its place another."""
        warm, wanted = self._warm, job.model
        if warm is not None and _base(warm.model) == _base(wanted):
            return warm
        self._warm = warm = None
        free_memory()
        self._say(Told(kind="loading", id=name, detail=f"Loading {wanted.name}"))
        device = devices.choose_device(job.device)
        dtype = devices.choose_dtype(wanted.dtype, device)
        self._warm = WarmModel.load(wanted, device, dtype)
        return self._warm

    def _give_memory_back(self) -> None:
        try:
            if self._warm is not None:
                self._warm.forget_all()
        except RuntimeError:
            self._warm = None
            free_memory()

    def _say(self, told: Told) -> None:
        self._out.write(told.model_dump_json().encode() + b"\n")
        self._out.flush()

    def say_tokens(self, name: str, tokens: list[TokenTold]) -> None:
        """Tell of tokens."""
        self._say(Told(kind="tokens", id=name, tokens=tuple(tokens)))


class _Teller:
    """Tells the first tokens at once, and those after it in batches."""

    def __init__(self, server: Server, name: str) -> None:
        self._server = server
        self._name = name
        self._held: list[TokenTold] = []
        self._last = 0.0

    def tell(self, tokens: list[TokenTold]) -> None:
        self._held += tokens
        if time.monotonic() - self._last >= TELL_SECONDS:
            self.flush()

    def flush(self) -> None:
        if self._held:
            self._server.say_tokens(self._name, self._held)
            self._held = []
        self._last = time.monotonic()


def _base(model: object) -> object:
    """What tells one loaded base from another."""
    return model.model_dump(exclude={"lora"})  # type: ignore[attr-defined]


def _out_of_memory() -> Problem:
    found = out_of_memory("generating")
    assert isinstance(found, StudioError)  # noqa: S101 - for the type checker
    return found.problem.model_copy(
        update={"remedy": "Compare fewer columns or samples, or allow shorter answers."}
    )


def _internal(error: Exception) -> Problem:
    return Problem(
        code="internal_error",
        message=f"The model process broke: {type(error).__name__}: {error}",
        remedy="This is a bug; please report it with the traceback in the worker's log.",
    )


def serve(idle_seconds: float, out: BinaryIO) -> None:
    """Serve the orders on standard input."""
    Server(Orders(sys.stdin.buffer), out).serve(idle_seconds)
