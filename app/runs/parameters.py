"""The plain fields of configurations by their dotted paths, as their schemas describe them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, Literal

from core.config import RunConfig
from core.evaluation_job import EvaluationJob

ParameterKind = Literal["text", "number", "flag"]
_KINDS: Final[dict[str, ParameterKind]] = {
    "string": "text",
    "number": "number",
    "integer": "number",
    "boolean": "flag",
}


@lru_cache
def parameters() -> dict[str, ParameterKind]:
    """Every field that holds one text, number or switch, of trainings and of evaluations."""
    found: dict[str, ParameterKind] = {}
    for model in (EvaluationJob, RunConfig):
        schema = model.model_json_schema()
        found.update(_leaves(schema, schema.get("$defs", {}), ""))
    return found


def _leaves(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], head: str
) -> Iterator[tuple[str, ParameterKind]]:
    for name, field in schema.get("properties", {}).items():
        for form in field.get("anyOf", [field]):
            target = form.get("$ref")
            if target is not None:
                inner = definitions[target.rpartition("/")[2]]
                yield from _leaves(inner, definitions, f"{head}{name}.")
            kind = _KINDS.get(_type(form))
            if kind is not None:
                yield f"{head}{name}", kind


def _type(form: Mapping[str, Any]) -> str:
    if "const" in form or "enum" in form:
        return {bool: "boolean", str: "string"}.get(
            type(form["const"] if "const" in form else form["enum"][0]), "number"
        )
    return str(form.get("type", ""))
