from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr, ValidationError

from app.deps import get_settings
from app.main import create_app
from app.settings import Settings, is_loopback

TOKEN = "a-token-of-more-than-sixteen-characters"


@pytest.fixture
def guarded(settings: Settings) -> Iterator[TestClient]:
    protected = settings.model_copy(update={"token": SecretStr(TOKEN)})
    app = create_app(protected)
    app.dependency_overrides[get_settings] = lambda: protected
    with TestClient(app, base_url="http://studio.example") as client:
        yield client


def test_without_the_token_the_api_is_closed(guarded: TestClient) -> None:
    answer = guarded.get("/api/runs")
    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthorized"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert guarded.get("/api/openapi.json").status_code == 401
    assert guarded.get("/healthz").status_code == 200
    for wrong in ("Bearer wrong", f"Basic {TOKEN}", "Bearer ", "Bearer é"):
        headers = {"Authorization": wrong.encode()}
        assert guarded.get("/api/runs", headers=headers).status_code == 401


def test_the_token_opens_it_as_bearer_and_as_cookie(guarded: TestClient) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert guarded.get("/api/runs", headers=headers).status_code == 200
    assert guarded.get("/api/session").json() == {
        "authentication_required": True,
        "authenticated": False,
    }
    assert guarded.post("/api/session", json={"token": "wrong"}).status_code == 401
    answer = guarded.post("/api/session", json={"token": TOKEN})
    assert answer.status_code == 204
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    assert guarded.get("/api/runs").status_code == 200
    guarded.delete("/api/session")
    assert guarded.get("/api/runs").status_code == 401


def test_a_page_of_another_origin_changes_nothing(client: TestClient) -> None:
    foreign = {"Origin": "http://evil.example"}
    assert client.post("/api/projects", json={"name": "x"}, headers=foreign).status_code == 403
    own = {"Origin": "http://127.0.0.1"}
    assert client.post("/api/projects", json={"name": "x"}, headers=own).status_code == 201


def test_without_a_token_only_loopback_names_are_answered(client: TestClient) -> None:
    assert client.get("/api/runs", headers={"Host": "rebound.example"}).status_code == 403
    assert client.get("/api/runs", headers={"Host": "localhost:8000"}).status_code == 200
    assert client.get("/api/runs", headers={"Host": "[::1]:8000"}).status_code == 200


def test_without_a_token_a_connection_to_another_address_is_refused(settings: Settings) -> None:
    with TestClient(create_app(settings), base_url="http://192.168.1.7") as client:
        answer = client.get("/api/runs", headers={"Host": "localhost"})
    assert answer.status_code == 403


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "studio.example"])
def test_listening_beyond_loopback_needs_a_token(host: str) -> None:
    with pytest.raises(ValidationError, match="UNISD_TOKEN"):
        Settings(host=host)
    assert Settings(host=host, token=SecretStr(TOKEN)).host == host


def test_a_short_token_is_refused_and_never_shown() -> None:
    with pytest.raises(ValidationError, match="at least 16") as raised:
        Settings(token=SecretStr("hunter2"))
    assert "hunter2" not in str(raised.value)
    assert TOKEN not in repr(Settings(token=SecretStr(TOKEN)))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_what_loopback_is(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
