"""Comparisons of results, each made once: what was answered does not change any more."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Final

from sqlalchemy.orm import Session

from app.evaluations.comparison import compare
from app.evaluations.schemas import Comparison
from app.evaluations.service import find_examples, find_result
from app.settings import Settings

_KEPT: Final = 512
_Key = tuple[tuple[str, ...], tuple[str, ...]]
_made: OrderedDict[_Key, Comparison] = OrderedDict()
_lock = Lock()


def compare_results(
    session: Session, settings: Settings, first: Sequence[str], second: Sequence[str]
) -> Comparison:
    """Compare results named `RUN:CURSOR`, one of each model for every seed.

    Bootstraps of large sets take seconds, and a page asks for the same pairs again and again.

    Raises:
        NotFoundError: there is no such result.
        StudioError: they cannot be compared.
        UnavailableError: their files are not to be had.
    """
    key = (tuple(first), tuple(second))
    for name in dict.fromkeys([*first, *second]):
        find_result(session, name)
    with _lock:
        if key in _made:
            _made.move_to_end(key)
            return _made[key]
    sides = [[find_examples(session, settings, name) for name in names] for names in key]
    found = compare(*sides)
    with _lock:
        _made[key] = found
        while len(_made) > _KEPT:
            _made.popitem(last=False)
    return found
