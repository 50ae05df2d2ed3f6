"""One optimizer step against a computation that shares no code with it; rollouts; randomness."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from core.config import RunConfig
from core.prompts import example_messages, negative_messages
from core.records import read_records
from tests.worker.trainer.tiny import tiny_config
from worker.trainer.chat import Chat, load_tokenizer
from worker.trainer.event_log import EventLog
from worker.trainer.interrupt import Interrupt, StopRequested
from worker.trainer.measure import StepMeasure
from worker.trainer.model import load_network
from worker.trainer.randomness import derive_seed, seeded
from worker.trainer.rollout import Sampling, TransformersSampler, choose
from worker.trainer.saving import History, save_adapters
from worker.trainer.step import Batch, Completion, Scorer

CPU = torch.device("cpu")
LENGTHS = [5, 1, 8, 3, 2, 7, 4, 6]


class Setup:
    """A network, its examples and made-up rollouts of unequal length."""

    def __init__(
        self, model, records, *, batch_size, accumulation, dropout=0.0, noise=0.1, **parts
    ):
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
        self.completions = [
            Completion(
                torch.randint(3, 259, (length,), generator=generator).tolist(), truncated=True
            )
            for length in LENGTHS
        ]
        self.batch = Batch(self.examples, self.completions)
        with torch.no_grad():  # B = 0 at the start; move it so that student and base differ
            for index, parameter in enumerate(self.network.trainable()):
                draw = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(index))
                parameter.add_(noise * draw)

    def accumulate(self):
        scorer, measure = Scorer(self.network, self.config), StepMeasure(self.network)
        self.scored = list(scorer.accumulate(self.batch, measure, dropout_seeds=[5] * 8))
        gradients = [parameter.grad for parameter in self.network.trainable()]
        return measure, gradients


def naive_loss(setup: Setup) -> torch.Tensor:
    """Sequence by sequence, unpadded, through the whole model, from the definition."""
    model, tau = setup.network.peft, setup.config.generation.temperature
    model.eval()
    per_sequence = []
    for example, rollout in zip(setup.examples, setup.completions, strict=True):
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


STAR = {
    "objective": {
        "alpha": 0.3,
        "agreement": {"statistic": "range", "gamma": 0.7},
        "contrastive": {"weight": 0.2, "margin": 0.4},
        "feature_matching": {"weight": 0.3},
        "clipping": {"quantile": 0.8},
        "mask_truncated": True,
    }
}


def star(model, records, *, batch_size, accumulation):
    """All mechanisms at once, behind prompts that begin as those of a run do."""
    setup = Setup(model, records, batch_size=batch_size, accumulation=accumulation, **STAR)
    chat, shown = Chat(load_tokenizer(setup.config.model), setup.config), setup.examples

    def auxiliary(index, other):
        record = shown[index].record
        messages = example_messages(record, shown[index - other].record, setup.config)
        return chat.view(messages, record)

    def negative(index):
        record = shown[index].record
        return chat.view(negative_messages(record, f"It is {index}.", setup.config), record)

    setup.examples = [
        example._replace(
            auxiliary=tuple(auxiliary(index, other) for other in (1, 2, 3)),
            negative=negative(index) if index != 5 else None,
        )
        for index, example in enumerate(setup.examples)
    ]
    setup.completions = [
        completion._replace(truncated=index == 2)
        for index, completion in enumerate(setup.completions)
    ]
    setup.batch = Batch(setup.examples, setup.completions)
    return setup


def naive_star(setup: Setup) -> torch.Tensor:
    """Section by section of the method, a sequence and a token at a time."""
    model, tau = setup.network.peft, setup.config.generation.temperature
    model.eval()

    def run(prompt, ids):
        output = model(input_ids=torch.tensor([prompt + ids]), output_hidden_states=True)
        span = slice(-len(ids) - 1, -1)
        return output.logits[0, span], output.hidden_states[-1][0, span]

    divergences, disagreements, contrasts, features = [], [], [], []
    for example, completion in zip(setup.examples, setup.completions, strict=True):
        ids = completion.ids
        picks = torch.tensor(ids)[:, None]
        with torch.no_grad(), model.disable_adapter():
            teacher, teacher_hidden = run(example.teacher.ids, ids)
            heard = [
                run(view.ids, ids)[0].log_softmax(-1).gather(1, picks)[:, 0]
                for view in example.auxiliary
            ]
            negative = None
            if example.negative is not None:
                logits, _ = run(example.negative.ids, ids)
                negative = (logits / tau).log_softmax(-1).gather(1, picks)[:, 0]
        student, hidden = run(example.student.ids, ids)
        q, p = torch.softmax(student / tau, -1), torch.softmax(teacher / tau, -1)
        m = 0.7 * q + 0.3 * p
        kl_p = (p * (p.log() - m.log())).sum(-1)
        kl_q = (q * (q.log() - m.log())).sum(-1)
        divergences.append(0.3 * kl_p + 0.7 * kl_q)
        stacked = torch.stack(heard)
        disagreements.append(stacked.max(0).values - stacked.min(0).values)
        s, t = (x.log().gather(1, picks)[:, 0] for x in (q, p))
        contrast = torch.zeros_like(s)
        if negative is not None:
            contrast = (0.4 + (s - t).abs() - (s - negative).abs()).clamp_min(0)
        contrasts.append(contrast)
        features.append((hidden - teacher_hidden).square().mean(-1))
    kept = [not completion.truncated for completion in setup.completions]
    pooled = torch.cat([d.detach() for d, keep in zip(divergences, kept, strict=True) if keep])
    ceiling = torch.quantile(pooled, 0.8)
    spread = torch.cat([d for d, keep in zip(disagreements, kept, strict=True) if keep])
    scale = torch.quantile(spread, 0.95)
    total = torch.zeros(())
    for index, keep in enumerate(kept):
        if keep:
            weight = 1 / (1 + 0.7 * (disagreements[index] / scale).clamp_max(10))
            clipped = torch.minimum(divergences[index], ceiling)
            total = total + (weight * clipped).mean()
            total = total + 0.2 * contrasts[index].mean() + 0.3 * features[index].mean()
    return total / len(kept)


def test_all_mechanisms_together_equal_an_independent_computation(tiny_model, records):
    setup = star(tiny_model, records, batch_size=8, accumulation=1)
    measure, gradients = setup.accumulate()
    ours = [gradient.clone() for gradient in gradients]
    setup.network.peft.zero_grad()
    loss = naive_star(setup)
    loss.backward()
    assert measure.loss == pytest.approx(loss.item(), rel=1e-5)
    for mine, parameter in zip(ours, setup.network.trainable(), strict=True):
        torch.testing.assert_close(mine, parameter.grad, rtol=2e-3, atol=2e-6)
    views = [
        view
        for example in setup.examples
        for view in (example.teacher, *example.auxiliary, *filter(None, [example.negative]))
    ]
    # What the prompts begin with went through the network once.
    assert measure.processed["teacher"] < 0.7 * sum(len(view.ids) for view in views)
    metrics = measure.metrics()
    assert metrics["train/contrastive/without_negative"] == 1 / 8
    assert 0 < metrics["train/clipped_share"] < 0.5
    assert metrics["train/masked_share"] == LENGTHS[2] / sum(LENGTHS)


def test_all_mechanisms_accumulated_equal_the_large_batch(tiny_model, records):
    """Quantiles and scales are those of the whole global batch, however it is cut."""
    results = []
    for batch_size in (8, 2, 1):
        setup = star(tiny_model, records, batch_size=batch_size, accumulation=8 // batch_size)
        measure, gradients = setup.accumulate()
        results.append((measure.loss, gradients))
    for loss, gradients in results[1:]:
        assert loss == pytest.approx(results[0][0], rel=1e-5)
        for one, other in zip(results[0][1], gradients, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-6)


def test_gradient_checkpointing_changes_nothing(tiny_model, records):
    plain = star(tiny_model, records, batch_size=4, accumulation=2)
    _, expected = plain.accumulate()
    leaner = star(tiny_model, records, batch_size=4, accumulation=2)
    leaner.network.causal.activation_checkpointing_enable({"use_reentrant": False})
    _, found = leaner.accumulate()
    for one, other in zip(expected, found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-8)


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
    save_adapters(setup.network, setup.config, History(total_steps=1, data_sha256="0"), log)
    log.close()
    base = AutoModelForCausalLM.from_pretrained(tiny_model)
    loaded = PeftModel.from_pretrained(base, tmp_path / "adapter").eval()
    setup.network.peft.eval()
    ids = torch.tensor([setup.examples[0].student.ids])
    with torch.no_grad():
        expected = setup.network.causal(input_ids=ids).logits
        torch.testing.assert_close(loaded(input_ids=ids).logits, expected, rtol=1e-5, atol=1e-4)
        with loaded.disable_adapter():
            assert not torch.allclose(loaded(input_ids=ids).logits, expected, atol=0.1)


def test_dropout_acts_on_the_student_alone_and_follows_its_seed(tiny_model, records):
    setup = Setup(tiny_model, records, batch_size=8, accumulation=1, dropout=0.5)
    with_dropout, _ = setup.accumulate()
    again, _ = setup.accumulate()
    scorer = Scorer(setup.network, setup.config)
    observed = scorer.observe(setup.batch)
    assert with_dropout.loss == again.loss
    without = naive_loss(setup).item()
    assert abs(with_dropout.loss - without) > 1e-4
    first = observed.scores.divergence_N[:5].mean()
    assert torch.isfinite(first)
    repeated = scorer.observe(setup.batch)
    assert torch.equal(observed.scores.divergence_N, repeated.scores.divergence_N)


def test_the_live_teacher_uses_the_students_weights(tiny_model, records):
    live = Setup(tiny_model, records, batch_size=8, accumulation=1, teacher={"weights": "student"})
    base = Setup(tiny_model, records, batch_size=8, accumulation=1)
    (live_measure, _), (base_measure, _) = live.accumulate(), base.accumulate()
    name = "teacher_logprob"
    assert live_measure.sums["student_logprob"] == base_measure.sums["student_logprob"]
    assert abs(live_measure.sums[name] - base_measure.sums[name]) > 0.1


def test_a_micro_batch_adds_its_gradient_only_when_the_caller_goes_on(tiny_model, records):
    setup = Setup(tiny_model, records, batch_size=8, accumulation=1)
    scorer, measure = Scorer(setup.network, setup.config), StepMeasure(setup.network)
    micro_batches = scorer.accumulate(setup.batch, measure, dropout_seeds=[5])
    next(micro_batches)
    assert all(parameter.grad is None for parameter in setup.network.trainable())
    assert next(micro_batches, None) is None
    assert all(parameter.grad is not None for parameter in setup.network.trainable())


@pytest.fixture(scope="module")
def sampling(tiny_model, records):
    return Setup(
        tiny_model, records, batch_size=8, accumulation=1, generation={"max_completion_length": 40}
    )


def draw(setup, seed=0, prompts=None, network=None, batch_size=None, **changes):
    how = Sampling.of(setup.config.generation.model_copy(update=changes))
    prompts = prompts or [example.student.ids for example in setup.examples]
    sampler = TransformersSampler(network or setup.network, Interrupt(), batch_size)
    return sampler.sample(prompts, how, [seed * 10_000 + index for index in range(len(prompts))])


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
    ended = [rollout for rollout in draw(sampling, network=network) if not rollout.truncated]
    assert any(rollout.ids[-1] >= 100 for rollout in ended)


def test_a_stop_ends_sampling_within_a_token(sampling):
    interrupt = Interrupt()
    interrupt.requested = True
    sampler = TransformersSampler(sampling.network, interrupt)
    with pytest.raises(StopRequested):
        sampler.sample([[5, 6]], Sampling.of(sampling.config.generation), [0])


def test_a_rollout_does_not_depend_on_its_batch(sampling):
    """Unequal lengths, ends at unequal times, rows that leave: each row as if it were alone."""
    network = replace(sampling.network, end_ids=(2, *range(100, 106)))
    options = {"temperature": 3.0, "max_completion_length": 60, "network": network}
    together = draw(sampling, **options)
    assert len({len(rollout.ids) for rollout in together}) > 3
    assert draw(sampling, batch_size=1, **options) == together
    assert draw(sampling, batch_size=3, **options) == together


@pytest.mark.parametrize(("top_k", "top_p"), [(0, 1.0), (5, 1.0), (0, 0.6)])
def test_choice_follows_the_distribution(top_k, top_p):
    logits = torch.randn(700, generator=torch.Generator().manual_seed(0)) * 2
    how = Sampling(1.3, top_p, top_k, 1)
    chances = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000
    counts = torch.bincount(choose(logits.repeat(20_000, 1), how, chances), minlength=700)
    expected = torch.softmax(logits / 1.3, -1)
    if top_k:
        expected[expected < expected.topk(top_k).values[-1]] = 0
    if top_p < 1:
        ordered, index = expected.sort(descending=True)
        expected[index[ordered.cumsum(-1) - ordered >= top_p]] = 0
    torch.testing.assert_close(counts / 20_000, expected / expected.sum(), rtol=0, atol=1.1e-4)


@pytest.mark.parametrize("chance", [0.0, 1 - 2**-53])
def test_choice_never_takes_what_cannot_be_drawn(chance):
    logits = torch.full((1, 600), float("-inf"))
    logits[0, [3, 299]] = 0.0
    ends = torch.tensor([chance], dtype=torch.float64)
    logits.clamp_min_(-1e30)
    assert int(choose(logits, Sampling(1.0, 1.0, 0, 1), ends)) in (3, 299)


def test_sampling_never_touches_the_base_and_drops_its_copies(sampling):
    layers = sampling.network.layers
    before = [layer.get_base_layer().weight.clone() for layer in layers]
    for seed in range(5):
        draw(sampling, seed)
    for layer, weight in zip(layers, before, strict=True):
        assert torch.equal(layer.get_base_layer().weight, weight)
        assert layer.folded is None


def test_streams_of_randomness_are_apart():
    assert derive_seed(1, "order", 0) != derive_seed(1, "order", 1) != derive_seed(2, "order", 1)
    assert derive_seed(1, "a") == derive_seed(1, "a") < 2**63
    with seeded(7, CPU):
        one = torch.rand(3)
    with seeded(7, CPU):
        assert torch.equal(one, torch.rand(3))
