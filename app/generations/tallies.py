"""Who wins against whom, over all votes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.generations.schemas import Tally, TallyList
from app.models import Generation, GenerationVote
from app.statistics import wilson


@dataclass
class _Pair:
    first: tuple[str, str]
    second: tuple[str, str]
    wins: int = 0
    losses: int = 0
    ties: int = 0

    @property
    def votes(self) -> int:
        return self.wins + self.losses + self.ties


def tallies(session: Session, *, blind_only: bool) -> TallyList:
    """All pairs of columns that stood in one comparison with a vote.

    A vote for one of several columns is a win over each of the others, and says nothing of these
    among themselves. A tie is one of every pair. What is still blind does not count: who is who
    could be told from it.
    """
    statement = (
        select(GenerationVote.winner, Generation.columns)
        .join(Generation, Generation.id == GenerationVote.generation_id)
        .where(Generation.blind.is_(False) | Generation.revealed.is_(True))
        .order_by(GenerationVote.created_at, GenerationVote.id)
    )
    if blind_only:
        statement = statement.where(GenerationVote.blind.is_(True))
    pairs: dict[tuple[str, str], _Pair] = {}
    votes = 0
    for winner, columns in session.execute(statement):
        votes += 1
        named = [(column["key"], column["label"]) for column in columns]
        for one, other in combinations(range(len(named)), 2):
            if winner not in {None, one, other} or named[one][0] == named[other][0]:
                continue
            _count(pairs, named, one, other, winner)
    found = sorted(pairs.values(), key=lambda pair: (-pair.votes, pair.first, pair.second))
    return TallyList(items=[_shown(pair) for pair in found], blind_only=blind_only, votes=votes)


def _count(
    pairs: dict[tuple[str, str], _Pair],
    named: list[tuple[str, str]],
    one: int,
    other: int,
    winner: int | None,
) -> None:
    # The pair is the same in whichever order its columns stood.
    first, second = sorted((one, other), key=lambda place: named[place][0])
    key = (named[first][0], named[second][0])
    pair = pairs.setdefault(key, _Pair(named[first], named[second]))
    pair.first, pair.second = named[first], named[second]  # the newest names
    if winner is None:
        pair.ties += 1
    elif winner == first:
        pair.wins += 1
    else:
        pair.losses += 1


def _shown(pair: _Pair) -> Tally:
    return Tally(
        first=pair.first[0],
        first_label=pair.first[1],
        second=pair.second[0],
        second_label=pair.second[1],
        wins=pair.wins,
        losses=pair.losses,
        ties=pair.ties,
        rate=wilson(pair.wins, pair.wins + pair.losses),
    )
