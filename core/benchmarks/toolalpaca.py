"""ToolAlpaca: which calls of an API answer an instruction."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from core.benchmarks.benchmark import Benchmark, Split
from core.data_config import Source
from core.record import Record, ToolCall
from core.record_fields import Row, broken, identifier, required, text

PROMPT: Final = """You can call the functions of this API.

{name}: {description}

{documentation}

Which calls fulfil the request? Write for each call, in order, two lines:
Action: the function's name
Action Input: its arguments as a JSON object

Request: {instruction}"""


def written(calls: Sequence[ToolCall]) -> str:
    """Calls as a completion shows them."""
    return "\n".join(f"Action: {call.action}\nAction Input: {call.arguments}" for call in calls)


def parse(row: Row, number: int, source: Source) -> Iterator[Record]:  # noqa: ARG001
    """A row is an API with many instructions, or one instruction with its prompt."""
    if "Name" in row or "Instructions" in row:
        yield from _api(row, number)
    elif "golden_answer" in row:
        calls = _calls(row["golden_answer"], "golden_answer", number)
        yield _record(f"{row.get('name')}-{number}", number, text(row, "prompt", number), calls)
    else:
        calls = _calls(_json(text(row, "answer", number), number), "answer", number)
        own = identifier(row, number, "idx")
        yield _record(own, number, text(row, "prompt", number), calls)


def _api(row: Row, number: int) -> Iterator[Record]:
    parts = {
        "name": text(row, "Name", number),
        "description": text(row, "Description", number),
        "documentation": text(row, "NLDocumentation", number),
    }
    instructions = required(row, "Instructions", number)
    answers = required(row, "Golden_Answers", number)
    if (
        not isinstance(instructions, list)
        or not isinstance(answers, list)
        or len(instructions) != len(answers)
    ):
        raise broken(
            number,
            "has no “Golden_Answers” for each of its “Instructions”",
            "Write two lists of the same length.",
        )
    for index, (instruction, answer) in enumerate(zip(instructions, answers, strict=True)):
        asked = text({"Instructions": instruction}, "Instructions", number).strip()
        prompt = PROMPT.format_map({**parts, "instruction": asked})
        calls = _calls(answer, "Golden_Answers", number)
        yield _record(f"{parts['name']}-{index}", number, prompt, calls)


def _record(own: str, number: int, prompt: str, calls: Sequence[ToolCall]) -> Record:
    shown = written(calls)
    return Record(
        id=own[:200], line=number, prompt=prompt, answer=shown, written=shown, calls=tuple(calls)
    )


def _calls(given: Any, field: str, number: int) -> list[ToolCall]:  # noqa: ANN401
    if not isinstance(given, list) or not given:
        raise broken(number, f"has no list of calls in “{field}”", "See the ToolAlpaca format.")
    calls = []
    for one in given:
        if not isinstance(one, Mapping):
            raise broken(number, f"has a call in “{field}” that is no object", "Mend the record.")
        arguments = one.get("Action_Input", "{}")
        if isinstance(arguments, Mapping):
            arguments = json.dumps(arguments, ensure_ascii=False)
        calls.append(
            ToolCall(
                action=text(one, "Action", number),
                arguments=text({"Action_Input": arguments}, "Action_Input", number),
            )
        )
    return calls


def _json(given: str, number: int) -> Any:  # noqa: ANN401
    try:
        return json.loads(given)
    except (ValueError, RecursionError):
        raise broken(number, "has no valid JSON in “answer”", "Mend the record.") from None


BENCHMARK: Final = Benchmark(
    name="toolalpaca",
    title="ToolAlpaca",
    licence="Apache-2.0",
    repository="",
    splits={
        "train": Split(("toolalpaca/train_data.json", "data/train_data.json")),
        "simulated": Split(("toolalpaca/eval_simulated.json", "data/eval_simulated.json")),
        "real": Split(("toolalpaca/eval_real.json", "data/eval_real.json")),
        "react": Split(("tooluse_react/eval_data.jsonl.gz", "tooluse_react/eval_data.json")),
        "sdpo": Split(("tooluse_react/sdpo_tooluse_test.jsonl.gz", "tooluse/test.json")),
    },
    train="train",
    evaluate="simulated",
    parse=parse,
)
