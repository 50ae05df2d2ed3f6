"""One optimizer step against a computation that shares no code with it; rollouts; randomness."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from core.config import RunConfig
from core.records import read_records
from tests.worker.trainer.tiny import tiny_config
from worker.trainer.chat import Chat, load_tokenizer
from worker.trainer.event_log import EventLog
from worker.trainer.failures import RunFailureError
from worker.trainer.interrupt import Interrupt, StopRequested
from worker.trainer.measure import StepMeasure
from worker.trainer.model import load_network
from worker.trainer.randomness import derive_seed, seeded
from worker.trainer.rollout import Rollout, sample
from worker.trainer.saving import History, save_adapter
from worker.trainer.step import Scorer

CPU = torch.device("cpu")
LENGTHS = [5, 1, 8, 3, 2, 7, 4, 6]


class Setup:
    """A network, its examples and made-up rollouts of unequal length."""

    def __init__(self, model, records, *, batch_size, accumulation, dropout=0.0, **parts):
        raw = tiny_config(model, records, **parts)
        raw["model"]["lora"]["dropout"] = dropout
        raw["training"] |= {
            "batch_size": batch_size,
            "gradient_accumulation_steps": accumulation,
        }
        self.config = RunConfig.model_validate(raw)
        tokenizer = load_tokenizer(self.config.model)
        chat = Chat(tokenizer, self.config)
        self.examples = [chat.example(record) for record in read_records(self.config.data)][:8]
        self.network = load_network(self.config.model, tokenizer, CPU, torch.float32, seed=1)
        generator = torch.Generator().manual_seed(3)
        self.rollouts = [
            Rollout(torch.randint(3, 259, (length,), generator=generator).tolist(), truncated=True)
            for length in LENGTHS
        ]
        with torch.no_grad():  # B = 0 at the start; move it so that student and base differ
            for index, parameter in enumerate(self.network.trainable()):
                noise = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(index))
                parameter.add_(0.1 * noise)

    def accumulate(self, **options):
        size = self.config.training.batch_size
        scorer, measure = Scorer(self.network, self.config), StepMeasure(self.network)
        for start in range(0, 8, size):
            part = slice(start, start + size)
            scorer.accumulate(
                self.examples[part], self.rollouts[part], measure, dropout_seed=5, **options
            )
        gradients = [parameter.grad for parameter in self.network.trainable()]
        return measure, gradients


def naive_loss(setup: Setup) -> torch.Tensor:
    """Sequence by sequence, unpadded, through the whole model, from the definition."""
    model, tau = setup.network.peft, setup.config.generation.temperature
    model.eval()
    per_sequence = []
    for example, rollout in zip(setup.examples, setup.rollouts, strict=True):
        count = len(rollout.ids)
        with torch.no_grad(), model.disable_adapter():
            teacher_ids = torch.tensor([example.teacher.ids + rollout.ids])
            p = torch.softmax(model(input_ids=teacher_ids).logits[0, -count - 1 : -1] / tau, -1)
        student_ids = torch.tensor([example.student.ids + rollout.ids])
        q = torch.softmax(model(input_ids=student_ids).logits[0, -count - 1 : -1] / tau, -1)
        per_sequence.append((p * (p.log() - q.log())).sum(-1).mean())
    return torch.stack(per_sequence).mean()


def test_loss_and_gradients_equal_an_independent_computation(tiny_model, records):
    setup = Setup(tiny_model, records, batch_size=8, accumulation=1)
    measure, gradients = setup.accumulate()
    ours = [gradient.clone() for gradient in gradients]
    setup.network.peft.zero_grad()
    loss = naive_loss(setup)
    loss.backward()
    assert measure.loss == pytest.approx(loss.item(), rel=1e-5)
    for mine, parameter in zip(ours, setup.network.trainable(), strict=True):
        torch.testing.assert_close(mine, parameter.grad, rtol=1e-3, atol=1e-6)


def test_one_batch_of_eight_equals_eight_accumulated_ones(tiny_model, records):
    results = []
    for batch_size in (8, 1):
        setup = Setup(tiny_model, records, batch_size=batch_size, accumulation=8 // batch_size)
        measure, gradients = setup.accumulate()
        results.append((measure.loss, gradients))
    (whole, whole_gradients), (parts, parts_gradients) = results
    assert parts == pytest.approx(whole, rel=1e-5)
    for one, other in zip(whole_gradients, parts_gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-7)


def test_a_step_updates_the_adapter_as_adamw_does_and_never_the_base(tiny_model, records):
    setup = Setup(tiny_model, records, batch_size=8, accumulation=1)
    plain = AutoModelForCausalLM.from_pretrained(tiny_model).state_dict()
    optimizer = torch.optim.AdamW(setup.network.trainable(), lr=0.01)
    before = [parameter.detach().clone() for parameter in setup.network.trainable()]
    _, gradients = setup.accumulate()
    optimizer.step()
    for old, new, gradient in zip(before, setup.network.trainable(), gradients, strict=True):
        # AdamW's first step by hand: the bias-corrected moments are g and g².
        expected = old * (1 - 0.01 * 0.01) - 0.01 * gradient / (gradient.abs() + 1e-8)
        torch.testing.assert_close(new.detach(), expected)
    base = setup.network.peft.unload().state_dict()
    assert all(torch.equal(plain[name], base[name]) for name in plain)


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")
def test_the_saved_adapter_is_the_student(tiny_model, records, tmp_path):
    setup = Setup(tiny_model, records, batch_size=8, accumulation=1)
    log = EventLog(tmp_path)
    save_adapter(setup.network, setup.config, History(total_steps=1, data_sha256="0"), log)
    log.close()
    base = AutoModelForCausalLM.from_pretrained(tiny_model)
    loaded = PeftModel.from_pretrained(base, tmp_path / "adapter").eval()
    setup.network.peft.eval()
    ids = torch.tensor([setup.examples[0].student.ids])
    with torch.no_grad():
        expected = setup.network.causal(input_ids=ids).logits
        assert torch.equal(loaded(input_ids=ids).logits, expected)
        with loaded.disable_adapter():
            assert not torch.allclose(loaded(input_ids=ids).logits, expected, atol=0.1)


def test_dropout_acts_on_the_student_alone_and_follows_its_seed(tiny_model, records):
    setup = Setup(tiny_model, records, batch_size=8, accumulation=1, dropout=0.5)
    with_dropout, _ = setup.accumulate()
    again, _ = setup.accumulate()
    scorer = Scorer(setup.network, setup.config)
    observed = scorer.observe(setup.examples, setup.rollouts)
    assert with_dropout.loss == again.loss
    without = naive_loss(setup).item()
    assert abs(with_dropout.loss - without) > 1e-4
    first = observed.scores.divergence_N[:5].mean()
    assert torch.isfinite(first)
    repeated = scorer.observe(setup.examples, setup.rollouts)
    assert torch.equal(observed.scores.divergence_N, repeated.scores.divergence_N)


def test_the_live_teacher_uses_the_students_weights(tiny_model, records):
    live = Setup(tiny_model, records, batch_size=8, accumulation=1, teacher={"weights": "student"})
    base = Setup(tiny_model, records, batch_size=8, accumulation=1)
    (live_measure, _), (base_measure, _) = live.accumulate(), base.accumulate()
    name = "train/logprob/teacher"
    assert live_measure.sums["train/logprob/student"] == base_measure.sums["train/logprob/student"]
    assert abs(live_measure.sums[name] - base_measure.sums[name]) > 0.1


def test_a_loss_that_is_not_finite_is_refused_before_any_gradient(tiny_model, records):
    setup = Setup(tiny_model, records, batch_size=8, accumulation=1)
    with torch.no_grad():
        setup.network.trainable()[-1].fill_(float("nan"))
    with pytest.raises(RunFailureError) as caught:
        setup.accumulate()
    assert caught.value.problem.code == "loss_not_finite"
    assert all(parameter.grad is None for parameter in setup.network.trainable())


@pytest.fixture(scope="module")
def sampling(tiny_model, records):
    return Setup(
        tiny_model, records, batch_size=8, accumulation=1, generation={"max_completion_length": 40}
    )


def draw(setup, seed=0, prompts=None, **changes):
    how = setup.config.generation.model_copy(update=changes)
    prompts = prompts or [example.student.ids for example in setup.examples]
    return sample(setup.network, prompts, how, seed, Interrupt())


def test_rollouts_end_with_the_end_token_or_are_truncated(sampling):
    rollouts = draw(sampling, temperature=5.0, max_completion_length=200)
    assert {rollout.truncated for rollout in rollouts} == {True, False}
    for rollout in rollouts:
        assert 2 not in rollout.ids[:-1]
        assert (rollout.ids[-1] != 2) == rollout.truncated
        assert not rollout.truncated or len(rollout.ids) == 200


def test_sampling_follows_its_seed_and_leaves_the_others_alone(sampling):
    state = torch.get_rng_state()
    assert draw(sampling, seed=1) == draw(sampling, seed=1) != draw(sampling, seed=2)
    assert torch.equal(state, torch.get_rng_state())


def test_padding_does_not_change_a_rollout(sampling):
    """At a very low temperature sampling is greedy, so each prompt alone must give the same."""
    prompts = [example.teacher.ids for example in sampling.examples[:3]]
    prompts[0] = prompts[0][-20:]
    options = {"temperature": 0.05, "top_k": 1}
    together = draw(sampling, prompts=prompts, **options)
    alone = [draw(sampling, prompts=[prompt], **options)[0] for prompt in prompts]
    assert together == alone


def test_the_distribution_that_is_sampled_is_the_one_that_is_scored(tiny_model, records):
    """4000 first tokens against softmax(logits / τ): no penalty, no top-k from elsewhere."""
    setup = Setup(tiny_model, records, batch_size=1, accumulation=1)
    prompt = setup.examples[0].student.ids
    rollouts = draw(setup, prompts=[prompt] * 4000, temperature=2.0, max_completion_length=1)
    counts = torch.bincount(torch.tensor([rollout.ids[0] for rollout in rollouts]), minlength=259)
    with torch.no_grad():
        logits = setup.network.causal(input_ids=torch.tensor([prompt])).logits[0, -1]
    expected = torch.softmax(logits / 2.0, -1)
    distance = 0.5 * (counts / 4000 - expected).abs().sum()
    assert distance < 0.12  # about 0.09 by chance with 259 words; far more with a top-k of 50


def test_every_end_token_ends_a_rollout(sampling):
    network = replace(sampling.network, end_ids=(2, *range(100, 259)))
    rollouts = sample(
        network, [sampling.examples[0].student.ids] * 8, sampling.config.generation, 0, Interrupt()
    )
    ended = [rollout for rollout in rollouts if not rollout.truncated]
    assert any(rollout.ids[-1] >= 100 for rollout in ended)


def test_a_stop_ends_sampling_within_a_token(sampling):
    interrupt = Interrupt()
    interrupt.requested = True
    with pytest.raises(StopRequested):
        sample(
            sampling.network,
            [sampling.examples[0].student.ids],
            sampling.config.generation,
            0,
            interrupt,
        )


def test_streams_of_randomness_are_apart():
    assert derive_seed(1, "order", 0) != derive_seed(1, "order", 1) != derive_seed(2, "order", 1)
    assert derive_seed(1, "a") == derive_seed(1, "a") < 2**63
    with seeded(7, CPU):
        one = torch.rand(3)
    with seeded(7, CPU):
        assert torch.equal(one, torch.rand(3))
