"""Calls of tools: which actions, in which order, with which arguments."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from core.record import ToolCall
from worker.trainer.grading.grade import Grade

_ACTION: Final = re.compile(r"^[\s>*_`#\d.)-]*Action[\s*_`]*:(?:_+\s)?\s*(.*)$", re.M | re.I)
_INPUT: Final = re.compile(r"^[\s>*_`-]*Action[ _]Input[\s*_`]*:[\s*_]*", re.M | re.I)
_AROUND: Final = " \t\r\"'`*."
_FENCE: Final = re.compile(r"\s*```(?:json)?\s*")
_NOTHING: Final = frozenset({"", "{}", "null", "None"})
"""Arguments of a call without any."""
_DECODER: Final = json.JSONDecoder()
_MAX_DEPTH: Final = 50
Place = tuple[int, int]
"""Begin and end of a piece of a text."""


def extract_calls(text: str) -> list[ToolCall]:
    """Calls in the form “Action: …”, “Action Input: {…}”, in their order.

    Arguments are the JSON value after “Action Input:”, over several lines if need be; where there
    is none, the rest of that line.
    """
    places = list(_ACTION.finditer(text))
    begins = [*(place.start() for place in places), len(text)]
    return [
        ToolCall(action=action, arguments=_arguments(text[place.end() : begins[number + 1]]))
        for number, place in enumerate(places)
        if (action := _name(place[1]))
    ]


def call_places(text: str) -> list[tuple[Place, Place | None]]:
    """Where the names of the called tools stand, each with the place of its arguments."""
    actions = list(_ACTION.finditer(text))
    ends = [*(found.start() for found in actions[1:]), len(text)]
    places: list[tuple[Place, Place | None]] = []
    for found, end in zip(actions, ends, strict=True):
        arguments = _INPUT.search(text, found.end(), end)
        places.append((found.span(1), (arguments.end(), end) if arguments else None))
    return places


def _name(action: str) -> str:
    """The action's name: some are emphasised, quoted, calls, or the end of a sentence.

    Underscores belong to names, so they count as emphasis only where they stand on both sides.
    """
    name = action.strip(_AROUND)
    if len(name) > 2 and name[0] == name[-1] == "_":
        name = name.strip("_" + _AROUND)
    return name.removesuffix("()")


def grade_calls(right: Sequence[ToolCall], text: str) -> Grade:
    """Right if every call is, in the same order, and there is no other.

    Partial credit, apart: the share of places in the longer of the two lists at which action and
    arguments agree. `detail` has the same share for the actions alone.
    """
    given = extract_calls(text)
    if not given:
        return Grade(None, correct=False, partial=0.0)
    places = max(len(right), len(given))
    pairs = list(zip(right, given, strict=False))
    actions = sum(one.action == other.action for one, other in pairs)
    whole = sum(_same_call(one, other) for one, other in pairs)
    detail = {
        "actions": actions / places,
        "calls": [call.model_dump() for call in given],
        "invalid_json": sum(_parsed(call.arguments) is None for call in given),
    }
    shown = json.dumps([call.action for call in given], ensure_ascii=False)
    return Grade(shown, whole == places, whole / places, detail)


def _arguments(after: str) -> str:
    found = _INPUT.search(after)
    if found is None:
        return ""
    rest = after[found.end() :]
    fence = _FENCE.match(rest)
    rest = (rest[fence.end() :] if fence else rest).lstrip()
    try:
        _, end = _DECODER.raw_decode(rest)
    except (ValueError, RecursionError):
        return rest.partition("\n")[0].strip().strip("`")
    return rest[:end]


def _same_call(one: ToolCall, other: ToolCall) -> bool:
    if one.action != other.action:
        return False
    if one.arguments.strip() in _NOTHING and other.arguments.strip() in _NOTHING:
        return True
    first, second = _parsed(one.arguments), _parsed(other.arguments)
    if first is None or second is None:  # some golden calls are no JSON either
        return "".join(one.arguments.split()) == "".join(other.arguments.split())
    return bool(first == second)


def _parsed(arguments: str) -> Any:  # noqa: ANN401 - whatever the JSON holds
    """The value in a form in which equal means equal, or None if it is no JSON.

    True is not 1, but 1.0 is: models and data write numbers either way.
    """
    try:
        return _tagged(json.loads(arguments), _MAX_DEPTH)
    except (ValueError, RecursionError):
        return None


def _tagged(value: Any, depth: int) -> Any:  # noqa: ANN401 - as above
    if depth == 0:
        raise RecursionError
    if isinstance(value, dict):
        return ("object", {key: _tagged(item, depth - 1) for key, item in value.items()})
    if isinstance(value, list):
        return ("array", [_tagged(item, depth - 1) for item in value])
    if isinstance(value, bool) or value is None:
        return ("literal", str(value))
    return ("value", value)
