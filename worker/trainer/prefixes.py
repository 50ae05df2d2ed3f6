"""Computes once what several prompts begin with: the keys and values of their first tokens.

The views of a record begin with the same system prompt, and some of them with the same question;
the views of one kind begin with the same words for all records. A prompt's first tokens are not
changed by what follows them, so their keys and values serve every prompt that begins so.

Axes: G prefixes, P positions of the longest, B sequences, L positions after the prefix, H hidden.
"""

# ruff: noqa: N806 - capital letters in tensor names are axes
# ruff: noqa: ANN401 - the classes of models differ from model to model

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from worker.trainer.batching import like_lengths

if TYPE_CHECKING:
    from worker.trainer.model import Network

SHORTEST: Final = 16
"""Tokens; for a shorter prefix the pass of its own costs more than it saves."""

KINDS: Final = frozenset({"full_attention", "sliding_attention"})
"""Layers that see a prefix through its keys and values alone."""


class Group(NamedTuple):
    """Prompts, by their index, that share their first `length` tokens."""

    members: list[int]
    length: int

    @property
    def saved(self) -> int:
        """Tokens that need not be computed again."""
        return (len(self.members) - 1) * self.length


@dataclass
class _Branch:
    """Prompts that agree in their first `depth` tokens: those in groups already, and the others."""

    depth: int
    groups: list[Group] = field(default_factory=list)
    loose: list[int] = field(default_factory=list)

    def add(self, other: _Branch) -> None:
        """Take over another one's prompts."""
        self.groups += other.groups
        self.loose += other.loose

    def settle(self) -> None:
        """Share this depth among the loose ones, or among all, whichever saves more."""
        if self.depth < SHORTEST:
            return
        apart, loose = self.groups, self.loose
        if len(loose) > 1:
            apart, loose = [*apart, Group(loose, self.depth)], []
        whole = Group([*self.loose, *(i for g in self.groups for i in g.members)], self.depth)
        if whole.saved >= sum(group.saved for group in apart):
            apart, loose = [whole], []
        self.groups, self.loose = apart, loose


def group_by_prefix(prompts: Sequence[list[int]]) -> list[Group]:
    """Each prompt in one group, so that much is shared; in a group of length 0 nothing is.

    A prefix never takes in a prompt's last token: that one predicts the completion's first.
    """
    order = sorted(range(len(prompts)), key=lambda index: prompts[index][:-1])
    open_branches: list[_Branch] = []
    for index, after in zip_longest(order, order[1:]):
        closed = _Branch(0, loose=[index])
        depth = 0 if after is None else _common(prompts[index][:-1], prompts[after][:-1])
        while open_branches and open_branches[-1].depth > depth:
            open_branches[-1].add(closed)
            closed = open_branches.pop()
            closed.settle()
        if not open_branches or open_branches[-1].depth < depth:
            open_branches.append(_Branch(depth))
        open_branches[-1].add(closed)
    groups = [group for branch in open_branches for group in branch.groups]
    loose = [index for branch in open_branches for index in branch.loose]
    return [*groups, Group(loose, 0)] if loose else groups


def _common(one: list[int], other: list[int]) -> int:
    """How many first tokens are the same."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))


class _Layer(DynamicLayer):  # type: ignore[no-untyped-call]
    """A layer's prefixes before the rows of a batch. Nothing is kept of what is computed on."""

    def __init__(self, keys: Tensor, values: Tensor, before: Before) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.is_initialized = True
        self._prefix = keys, values
        self._before = before

    def update(
        self, key_states: Tensor, value_states: Tensor, *_arguments: Any, **_options: Any
    ) -> tuple[Tensor, Tensor]:
        """Prefix and what follows it, side by side."""
        keys, values = map(self._before.place, self._prefix)
        return torch.cat([keys, key_states], -2), torch.cat([values, value_states], -2)

    def get_seq_length(self) -> int:
        """Positions before the batch, the same for all its rows."""
        return self._before.width


class Prefixes(NamedTuple):
    """What a pass left of some prefixes, which are padded on the right.

    Attributes:
        layers: keys and values (G, heads, P, width) of each layer.
        lengths: tokens of each prefix.
        tokens: tokens that went through the network for them.
    """

    layers: list[tuple[Tensor, Tensor]]
    lengths: list[int]
    tokens: int


class Before:
    """Which prefix stands before each row of a batch.

    Prefixes end together, so that distances between positions are those between columns, which is
    what masks of sliding windows count.

    Args:
        prefixes: what was computed.
        rows: index of each row's prefix.
    """

    def __init__(self, prefixes: Prefixes, rows: Sequence[int]) -> None:
        lengths = [prefixes.lengths[row] for row in rows]
        device = prefixes.layers[0][0].device
        self.width = max(lengths)
        self._is_even = min(lengths) == self.width
        self._row_B = torch.tensor(list(rows), device=device)
        self.length_B = torch.tensor(lengths, device=device)
        shift_BP = torch.arange(self.width, device=device) - self.width + self.length_B[:, None]
        self._column_BP = shift_BP.clamp_min(0)
        self._there_BP = shift_BP >= 0
        self._layers = prefixes.layers

    def place(self, states: Tensor) -> Tensor:
        """Keys or values (B, heads, width of the prefixes, …), a copy for each row."""
        if self._is_even:
            return states[:, :, : self.width].index_select(0, self._row_B)
        return states[self._row_B[:, None], :, self._column_BP].transpose(1, 2)

    def inputs(self, length: int) -> dict[str, Any]:
        """What a model needs to go on for `length` positions."""
        device = self.length_B.device
        position_BL = self.length_B[:, None] + torch.arange(length, device=device)
        there_BL = self._there_BP.new_ones(1, length).expand(len(position_BL), -1)
        layers = [_Layer(keys, values, self) for keys, values in self._layers]
        cache = DynamicCache()
        cache.layers = layers  # type: ignore[assignment]
        return {
            "position_ids": position_BL,
            "attention_mask": None if self._is_even else torch.cat([self._there_BP, there_BL], 1),
            "cache": cache,
            "use_cache": True,
        }


@torch.no_grad()
def read(network: Network, prompts: Sequence[list[int]], rows: int, longest: int) -> Prefixes:
    """Send prefixes through the network, in passes of at most `rows` × `longest` tokens.

    What all of them begin with, such as the system prompt, is itself computed once.
    """
    root = _common(min(prompts), max(prompts)) if len(prompts) > 1 else 0
    before: _States = _read_on(network, [], [prompts[0][:root]]) if root >= SHORTEST else []
    start = root if before else 0
    lengths = list(map(len, prompts))
    passes = like_lengths([n - start for n in lengths], rows, network.device.type, longest)
    # A prefix that ends with the root has filler behind it, which nobody looks at.
    found = [
        _read_on(network, before, [prompts[index][start:] or [network.pad_id] for index in batch])
        for batch in passes
    ]
    order = torch.tensor([index for batch in passes for index in batch], device=network.device)
    layers = [
        (
            _joined([keys for keys, _ in parts], order),
            _joined([values for _, values in parts], order),
        )
        for parts in zip(*found, strict=True)
    ]
    return Prefixes(layers, lengths, sum(lengths) - start * (len(prompts) - 1))


_States = list[tuple[Tensor, Tensor]]
"""Keys and values (rows, heads, positions, width) of each layer."""


def _read_on(network: Network, before: _States, rows: Sequence[list[int]]) -> _States:
    """Keys and values of rows that all follow what is `before` them; of both together."""
    # Without the configuration no layer forgets what has left its window: shorter prefixes in the
    # same batch still need it.
    cache = DynamicCache()
    for index, (keys, values) in enumerate(before):
        shape = (len(rows), -1, -1, -1)
        cache.update(keys.expand(shape), values.expand(shape), index)
    network.causal.base_model(input_ids=network.padded(rows), cache=cache, use_cache=True)
    layers: list[Any] = cache.layers
    return [(layer.keys, layer.values) for layer in layers]


def _joined(parts: Sequence[Tensor], order: Tensor) -> Tensor:
    """Rows of several passes, as wide as the widest and put back: `order` says whose each was."""
    width = max(part.shape[2] for part in parts)
    first = parts[0]
    joined = first.new_zeros(len(order), first.shape[1], width, first.shape[3])
    for part, places in zip(parts, torch.split(order, list(map(len, parts))), strict=True):
        joined[places, :, : part.shape[2]] = part
    return joined


@torch.no_grad()
def can_share(network: Network) -> bool:
    """Whether the model says the same behind prefixes that were computed apart."""
    kinds = getattr(network.causal.config.get_text_config(), "layer_types", None) or ()
    if not KINDS.issuperset(kinds):
        return False
    root = list(range(SHORTEST))
    prompts, rows = [[*root, 3, 1, 4, 1, 5], [*root, 9, 2], root], (0, 1, 2, 0)
    after = [[3, 5, 8], [9, 7, 9], [3, 2, 3], [8, 4, 6]]
    whole = [prompts[row] + ids for row, ids in zip(rows, after, strict=True)]
    theirs = torch.stack([network.hidden(network.padded([ids]))[0, -3:] for ids in whole]).float()
    try:
        before = Before(read(network, prompts, len(prompts), len(prompts[0])), rows)
        ours = network.hidden(network.padded(after), before).float()
    except (RuntimeError, TypeError, ValueError, AttributeError, LookupError):
        return False  # what it remembers is something else
    allowed = 1e-3 if network.head_VH.dtype == torch.float32 else 0.05
    return bool((ours - theirs).norm() <= allowed * theirs.norm())
