"""Writes answers: greedy or sampled, in batches of like length, going on where it was cut off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from core.config import ModelConfig
from core.evaluation_config import EvaluationSet
from worker.trainer.evaluation.questions import Questions
from worker.trainer.interrupt import Interrupt
from worker.trainer.model import Network
from worker.trainer.preparation.cache import Cache
from worker.trainer.preparation.identity import model_identity
from worker.trainer.randomness import derive_seed
from worker.trainer.rollout import Rollout, Sampling, TransformersSampler

Weights = Literal["base", "student"]


class Item(NamedTuple):
    """One answer to write: which question, and which of the answers to it."""

    question: int
    sample: int


@dataclass(frozen=True)
class Writer:
    """Writes answers with one model.

    Attributes:
        model: the base; what it writes is kept and shared by all who ask the same.
        seed: of sampled answers.
    """

    network: Network
    model: ModelConfig
    interrupt: Interrupt
    seed: int

    def write(
        self,
        questions: Questions,
        items: Sequence[Item],
        weights: Weights,
        finished: Callable[[Sequence[Item], Sequence[Rollout]], None],
    ) -> None:
        """Write the answers `items`, and tell of each batch of them.

        Raises:
            StopRequested: a stop was asked for.
        """
        if weights == "base":
            items = self._tell_known(questions, items, finished)
        if not items:
            return

        def tell(batch: Sequence[int], rollouts: Sequence[Rollout]) -> None:
            done = [items[place] for place in batch]
            if weights == "base":
                self._keep(questions, done, rollouts)
            finished(done, rollouts)

        sampler = TransformersSampler(
            self.network, self.interrupt, questions.of.batch_size, weights
        )
        prompts = [questions.asked[item.question].prompt for item in items]
        seeds = [self._seed(questions, item) for item in items]
        sampler.sample(prompts, sampling(questions.of), seeds, tell)

    def _tell_known(
        self,
        questions: Questions,
        items: Sequence[Item],
        finished: Callable[[Sequence[Item], Sequence[Rollout]], None],
    ) -> list[Item]:
        """Tell of the base's answers that are known already. Returns the others."""
        cache = self._cache(questions)
        known, missing = [], []
        for item in items:
            kept = cache.get(self._key(questions, item))
            if kept is None:
                missing.append(item)
            else:
                known.append((item, Rollout(list(kept[0]), bool(kept[1]))))
        size = questions.of.batch_size
        for start in range(0, len(known), size):
            self.interrupt.check()
            batch = known[start : start + size]
            finished([item for item, _ in batch], [rollout for _, rollout in batch])
        return missing

    def _keep(
        self, questions: Questions, items: Sequence[Item], rollouts: Sequence[Rollout]
    ) -> None:
        cache = self._cache(questions)
        for item, rollout in zip(items, rollouts, strict=True):
            cache.put(self._key(questions, item), [rollout.ids, rollout.truncated])

    def _cache(self, questions: Questions) -> Cache:
        return Cache("answers", [*self.identity(), sampling(questions.of)._asdict()])

    def _key(self, questions: Questions, item: Item) -> list[Any]:
        # A greedy answer is the same whatever its seed.
        seed = self._seed(questions, item) if questions.of.temperature else None
        return [questions.asked[item.question].prompt, seed]

    def _seed(self, questions: Questions, item: Item) -> int:
        record = questions.asked[item.question].record
        return derive_seed(self.seed, "answer", record.id, record.line, item.sample)

    def identity(self) -> list[Any]:
        """What tells this base from another, as plain data."""
        model = self.model
        return [
            model_identity(model.name, model.revision),
            str(self.network.head_VH.dtype),
            model.quantization,
            self.network.device.type,
        ]


def sampling(wanted: EvaluationSet) -> Sampling:
    """How a set's answers are drawn."""
    return Sampling(wanted.temperature, wanted.top_p, 0, wanted.max_new_tokens)
