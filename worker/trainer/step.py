"""One optimizer step's batch: teacher views, weights, the student's pass, loss and gradient."""

# ruff: noqa: N803, N806, N815 - capital letters in tensor names are axes

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

import torch
from torch import Tensor

from core.config import RunConfig
from core.views import Example
from worker.trainer import mechanisms
from worker.trainer.layout import completion_hidden, completion_mask, lay_out, targets
from worker.trainer.measure import StepMeasure
from worker.trainer.mechanisms import Agreement, Scales, token_contributions, unflatten
from worker.trainer.model import Network
from worker.trainer.objective import Scoring, TokenScores, score_tokens
from worker.trainer.processes import Processes
from worker.trainer.randomness import seeded
from worker.trainer.schedule import global_batch
from worker.trainer.teachers import TeacherScores, score_teachers

ALONE: Final = Processes()

Source = Literal["rollout", "reference", "presampled"]


class Completion(NamedTuple):
    """The tokens that a sequence is trained on, and whose they are."""

    ids: list[int]
    truncated: bool
    source: Source = "rollout"


class Batch(NamedTuple):
    """This process's share of a global batch, sequence by sequence."""

    examples: Sequence[Example]
    completions: Sequence[Completion]

    @property
    def ids(self) -> list[list[int]]:
        """Token ids of the completions."""
        return [completion.ids for completion in self.completions]


@dataclass(frozen=True)
class Scored:
    """A micro-batch after its pass, detached; (N,) values lie sequence after sequence.

    Attributes:
        teachers: None without a teacher.
        agreement: None without agreement.
        scales: of the disagreement in the global batch; None without agreement.
        clipped_BT: the divergence after clipping.
        ceiling: of the clipping; None where nothing is clipped.
        contrastive_BT: None without the contrastive term.
        feature_BT: None without feature matching.
        terms: weighted share of each token in the global batch's loss, by term; together they sum
            to this micro-batch's share of the logged loss. None where it is not part of a batch.
        sequences: in the global batch; None where it is not part of one.
    """

    batch: Batch
    scores: TokenScores
    teachers: TeacherScores | None
    tokens_BT: Tensor
    mask_BT: Tensor
    agreement: Agreement | None
    scales: Scales | None
    clipped_BT: Tensor
    ceiling: float | None
    contrastive_BT: Tensor | None
    feature_BT: Tensor | None
    terms: dict[str, Tensor] | None
    sequences: int | None = None


class _Prepared(NamedTuple):
    """A batch with all that is known of it before the student's pass."""

    batch: Batch
    teachers: TeacherScores | None
    tokens_BT: Tensor
    mask_BT: Tensor
    agreement: Agreement | None
    scales: Scales | None


@dataclass(frozen=True)
class Scorer:
    """Scores completions under student and teachers, as the configuration says."""

    network: Network
    config: RunConfig
    processes: Processes = ALONE

    def observe(self, batch: Batch) -> Scored:
        """Score without gradient and dropout: what a recording of a pinned example shows."""
        self.network.peft.eval()
        prepared = self._prepare(batch, ALONE)
        clipping = self.config.objective.clipping
        # A quantile is one of a global batch, which this is not.
        ceiling = clipping.static_ceiling if clipping.enabled else None
        top_k = self.config.recording.top_k
        with torch.no_grad():
            return self._pass(prepared, ceiling, top_k=top_k, sequences=None)

    def accumulate(
        self,
        batch: Batch,
        measure: StepMeasure,
        *,
        dropout_seeds: Sequence[int],
        top_k: Sequence[int] = (),
    ) -> Iterator[Scored]:
        """Add the gradient of the global batch's loss, micro-batch by micro-batch.

        Args:
            batch: this process's share.
            measure: takes in times and sums.
            dropout_seeds: one per micro-batch.
            top_k: alternatives wanted per micro-batch; none where it is shorter.

        Yields:
            Each micro-batch after its pass. Its gradient is added only when the next one is asked
            for, so that a caller can refuse it.
        """
        with measure.part("teacher"):
            prepared = self._prepare(batch, self.processes)
        if prepared.teachers is not None:
            measure.processed["teacher"] += prepared.teachers.tokens
        ceiling = self._ceiling(prepared, measure, dropout_seeds)
        self.network.peft.train()
        sequences = global_batch(self.config.training) * self.processes.count
        for micro, part in enumerate(self._micro_batches(prepared)):
            with measure.part("student"), seeded(dropout_seeds[micro], self.network.device):
                k = top_k[micro] if micro < len(top_k) else 0
                live = self._pass(part, ceiling, top_k=k, sequences=sequences)
            detached = _detached(live)
            measure.add(detached, ceiling)
            yield detached
            with measure.part("student"):
                _loss(live).backward()  # type: ignore[no-untyped-call]

    def _prepare(self, batch: Batch, processes: Processes) -> _Prepared:
        """Teacher views, masks and weights. Weights depend on the whole global batch."""
        objective = self.config.objective
        tokens_BT = completion_mask(batch.ids, self.network.device)
        mask_BT = tokens_BT
        if objective.mask_truncated:
            whole = [not completion.truncated for completion in batch.completions]
            mask_BT = tokens_BT & torch.tensor(whole, device=tokens_BT.device)[:, None]
        teachers = None
        if objective.needs_teacher:
            teachers = score_teachers(self.network, self.config, batch.examples, batch.ids)
        agreement, scales = None, None
        if teachers is not None and objective.agreement.enabled:
            agreement, scales = self._agreement(teachers, tokens_BT, mask_BT, processes)
        return _Prepared(batch, teachers, tokens_BT, mask_BT, agreement, scales)

    def _agreement(
        self, teachers: TeacherScores, tokens_BT: Tensor, mask_BT: Tensor, processes: Processes
    ) -> tuple[Agreement, Scales]:
        how = self.config.objective.agreement
        logprobs_KBT = torch.stack(
            [unflatten(logprobs_N, tokens_BT) for logprobs_N in teachers.auxiliary_KN]
        )
        # By the other statistic, too: a record shows what that one would have done.
        variance_BT = mechanisms.spread(logprobs_KBT, "variance", unbiased=True)
        range_BT = mechanisms.spread(logprobs_KBT, "range", unbiased=True)
        scales = Scales(*(self._scale(one[mask_BT], processes) for one in (variance_BT, range_BT)))
        if how.level == "sequence":
            agreement = mechanisms.sequence_agreement(
                logprobs_KBT, mask_BT, how.statistic, how.gamma
            )
        elif how.statistic == "range":
            agreement = mechanisms.token_agreement(range_BT, mask_BT, scales.range, how.gamma)
        else:
            agreement = mechanisms.token_agreement(variance_BT, mask_BT, scales.variance, how.gamma)
        return agreement, scales

    @staticmethod
    def _scale(disagreement_N: Tensor, processes: Processes) -> Tensor:
        everywhere_N = processes.gather(disagreement_N)
        return mechanisms.quantile(everywhere_N, mechanisms.SCALE_QUANTILE)

    def _ceiling(
        self, prepared: _Prepared, measure: StepMeasure, dropout_seeds: Sequence[int]
    ) -> Tensor | float | None:
        """The ceiling of the divergence; a quantile of the global batch costs a pass of its own."""
        clipping = self.config.objective.clipping
        if not clipping.enabled:
            return None
        if clipping.quantile is None:
            return clipping.static_ceiling
        self.network.peft.train()
        values = []
        for micro, part in enumerate(self._micro_batches(prepared)):
            with (
                measure.part("student"),
                torch.no_grad(),
                seeded(dropout_seeds[micro], self.network.device),
            ):
                scored = self._pass(part, None, top_k=0, sequences=None)
            values.append(unflatten(scored.scores.divergence_N, part.tokens_BT)[part.mask_BT])
        everywhere_N = self.processes.gather(torch.cat(values))
        return mechanisms.quantile(everywhere_N, clipping.quantile)

    def _micro_batches(self, prepared: _Prepared) -> Iterator[_Prepared]:
        size = self.config.training.batch_size
        first = 0
        for start in range(0, len(prepared.batch.examples), size):
            rows = slice(start, start + size)
            batch = Batch(prepared.batch.examples[rows], prepared.batch.completions[rows])
            tokens = slice(first, first + sum(map(len, batch.ids)))
            first = tokens.stop
            yield _Prepared(
                batch,
                None if prepared.teachers is None else prepared.teachers.part(rows, tokens),
                prepared.tokens_BT[rows],
                prepared.mask_BT[rows],
                None
                if prepared.agreement is None
                else Agreement(*(values[rows] for values in prepared.agreement)),
                prepared.scales,
            )

    def _pass(
        self,
        prepared: _Prepared,
        ceiling: Tensor | float | None,
        *,
        top_k: int,
        sequences: int | None,
    ) -> Scored:
        """The student's pass and the terms of the loss; without `sequences` no terms."""
        batch, teachers, tokens_BT, mask_BT, agreement, scales = prepared
        prompts = [example.student.ids for example in batch.examples]
        layout = lay_out(prompts, batch.ids, self.network)
        student_NH = completion_hidden(self.network, layout)
        scores = score_tokens(
            student_NH,
            None if teachers is None else teachers.hidden_NH,
            self.network.head_VH,
            targets(batch.ids, self.network.device),
            self._scoring(top_k),
        )
        divergence_BT = unflatten(scores.divergence_N, tokens_BT)
        clipped_BT = divergence_BT if ceiling is None else mechanisms.clip(divergence_BT, ceiling)
        scored = Scored(
            batch,
            scores,
            teachers,
            tokens_BT,
            mask_BT,
            agreement,
            scales,
            clipped_BT,
            None if ceiling is None else float(ceiling),
            self._contrastive(scores, teachers, tokens_BT),
            self._features(student_NH, teachers, tokens_BT),
            None,
        )
        return scored if sequences is None else self._with_terms(scored, sequences)

    def _scoring(self, top_k: int) -> Scoring:
        objective = self.config.objective
        imitates = objective.loss == "cross_entropy"
        return Scoring(
            alpha=objective.alpha,
            # A divergence is taken at the temperature of the rollout, imitation at 1.
            temperature=1.0 if imitates else self.config.generation.temperature,
            top_k=top_k,
            train_divergence=objective.uses_divergence,
            train_logprob=imitates or objective.contrastive.enabled,
        )

    def _contrastive(
        self, scores: TokenScores, teachers: TeacherScores | None, tokens_BT: Tensor
    ) -> Tensor | None:
        """(B, T); 0 where a sequence has no negative."""
        how = self.config.objective.contrastive
        if teachers is None or not how.enabled:
            return None
        known_N = teachers.negative_N.isfinite()
        negative_N = torch.where(known_N, teachers.negative_N, 0)
        values_N = mechanisms.contrastive(
            scores.student_logprob_N, scores.teacher_logprob_N, negative_N, how.margin
        )
        return unflatten(torch.where(known_N, values_N, 0), tokens_BT)

    def _features(
        self, student_NH: Tensor, teachers: TeacherScores | None, tokens_BT: Tensor
    ) -> Tensor | None:
        if teachers is None or not self.config.objective.feature_matching.enabled:
            return None
        return unflatten(mechanisms.feature_distance(student_NH, teachers.hidden_NH), tokens_BT)

    def _with_terms(self, scored: Scored, sequences: int) -> Scored:
        objective, mask_BT = self.config.objective, scored.mask_BT
        terms: dict[str, Tensor] = {}
        if objective.loss == "cross_entropy":
            imitation_BT = unflatten(-scored.scores.student_logprob_N, scored.tokens_BT)
            terms["cross_entropy"] = token_contributions(imitation_BT, mask_BT)
        if objective.uses_divergence:
            weights = None if scored.agreement is None else scored.agreement.weight
            terms["divergence"] = token_contributions(
                scored.clipped_BT, mask_BT, weights, objective.normalize_by
            )
        if scored.contrastive_BT is not None:
            share_BT = token_contributions(scored.contrastive_BT, mask_BT)
            terms["contrastive"] = objective.contrastive.weight * share_BT
        if scored.feature_BT is not None:
            joint = objective.feature_matching.mode == "joint"
            share_BT = token_contributions(scored.feature_BT, mask_BT)
            terms["feature_matching"] = (
                objective.feature_matching.weight if joint else 1.0
            ) * share_BT
        shares = {name: values / sequences for name, values in terms.items()}
        return replace(scored, terms=shares, sequences=sequences)


def _loss(scored: Scored) -> Tensor:
    """This micro-batch's share of the global batch's loss."""
    return torch.stack([term.sum() for term in (scored.terms or {}).values()]).sum()


def _detached(scored: Scored) -> Scored:
    def free(values: Tensor | None) -> Tensor | None:
        return None if values is None else values.detach()

    return replace(
        scored,
        scores=TokenScores(*(values.detach() for values in scored.scores)),
        clipped_BT=scored.clipped_BT.detach(),
        contrastive_BT=free(scored.contrastive_BT),
        feature_BT=free(scored.feature_BT),
        terms={name: term.detach() for name, term in (scored.terms or {}).items()},
    )
