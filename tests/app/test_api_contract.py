"""Whatever is sent, the API answers as its document says, and never with an internal error."""

from __future__ import annotations

import json
from typing import Any

import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from app.main import create_app
from app.settings import Settings

TOKEN = "a-token-of-more-than-sixteen-characters"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=8,
)


settings_for_contract = settings(
    max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


def test_every_operation_keeps_its_contract(settings: Settings, client: TestClient) -> None:
    del client  # the application's servers are up
    # With a token the guard takes any host name, that of the test transport too.
    app = create_app(settings.model_copy(update={"token": SecretStr(TOKEN)}))
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", app, headers=AUTHORIZED)
    seen = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        if "events" in operation.path:  # a stream; tested by itself
            continue
        _check(operation)
        seen += 1
    assert seen >= 20


def _check(operation: Any) -> None:
    @given(case=operation.as_strategy())
    @settings_for_contract
    def contract(case: Any) -> None:
        answer = case.call(headers=AUTHORIZED)
        assert answer.status_code != 500, answer.text
        documented = operation.definition.raw["responses"]
        assert str(answer.status_code) in documented, (operation.label, answer.text)
        if answer.status_code >= 400 and operation.path != "/readyz":
            body = answer.json()
            assert answer.headers["content-type"] == ["application/problem+json"]
            assert body["status"] == answer.status_code
            assert body["code"]

    contract()


@settings_for_contract
@given(config=JSON)
def test_any_configuration_is_taken_or_refused_with_reasons(
    client: TestClient, config: Any
) -> None:
    content = json.dumps({"config": config}).encode()
    headers = {"Content-Type": "application/json"}
    answer = client.post("/api/runs/validate", content=content, headers=headers)
    assert answer.status_code in {200, 422}
    problem = answer.json()
    assert problem["errors"] or problem.get("valid")
