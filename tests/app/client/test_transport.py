"""What is sent again, what is not, and what a caller is told, against a server that misbehaves."""

from __future__ import annotations

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from app.client import (
    ApiError,
    Client,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    Patience,
    ServerError,
    TooLargeError,
    UnauthorizedError,
    UnavailableError,
    UnreachableError,
)
from tests.app.client.conftest import QUICK

PROBLEM = {"type": "urn:x", "title": "t", "status": 0, "detail": "It is so.", "code": "some_code"}


class Script:
    """A server that answers each request with the next of its answers, and keeps the requests."""

    def __init__(self):
        self.answers = []
        self.requests = []
        script = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                size = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(size)
                headers = {name.lower(): text for name, text in self.headers.items()}
                script.requests.append((self.command, self.path, headers, body))
                status, headers, content = script.answers.pop(0)
                if status is None:  # hang up without a word
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_DELETE = do_PATCH = answer  # noqa: N815 - so they are called

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def will(self, status, body=None, **headers):
        content = b"" if body is None else json.dumps(body).encode()
        kind = "application/json" if status and status < 400 else "application/problem+json"
        self.answers.append((status, {"Content-Type": kind, **headers}, content))

    def page(self, status, text="<html>"):
        self.answers.append((status, {"Content-Type": "text/html"}, text.encode()))


@pytest.fixture
def script():
    script = Script()
    yield script
    script.server.shutdown()
    script.server.server_close()


@pytest.fixture
def studio(script):
    with Client(script.url, "a token of some length", actor="Zoë", patience=QUICK) as studio:
        yield studio


NOTHING = {"items": [], "total": 0, "limit": 200, "offset": 0}


def test_a_token_and_a_name_are_sent(script, studio):
    script.will(200, NOTHING)
    assert list(studio.workers.list()) == []
    headers = script.requests[0][2]
    assert headers["authorization"] == "Bearer a token of some length"
    assert headers["unisd-actor"] == "Zoë"


@pytest.mark.parametrize("status", [429, 502, 503, 504, None])
def test_reading_is_tried_again(script, studio, status):
    script.will(status)
    script.will(200, NOTHING)
    assert list(studio.workers.list()) == []
    assert len(script.requests) == 2


@pytest.mark.parametrize("status", [502, 503, 504, None])
def test_what_may_have_been_done_is_not_done_twice(script, studio, status):
    script.will(status)
    with pytest.raises((UnavailableError, UnreachableError)):
        studio.runs.resume("abc")
    assert len(script.requests) == 1


@pytest.mark.parametrize(("status", "code"), [(429, "x"), (503, "database_busy")])
def test_what_was_surely_not_done_is_tried_again(script, studio, status, code):
    script.will(status, {**PROBLEM, "code": code})
    script.will(404, PROBLEM)
    with pytest.raises(NotFoundError):
        studio.runs.resume("abc")
    assert len(script.requests) == 2


def test_a_start_carries_one_key_through_all_its_tries(script, studio):
    script.will(None)
    script.will(504)
    script.will(422, PROBLEM)
    with pytest.raises(InvalidError):
        studio.runs.start({"preset": "sdft"})
    keys = {headers["idempotency-key"] for _, _, headers, _ in script.requests}
    assert (len(script.requests), len(keys)) == (3, 1)
    script.will(422, PROBLEM)
    with pytest.raises(InvalidError):
        studio.runs.start({"preset": "sdft"})
    assert script.requests[-1][2]["idempotency-key"] not in keys


def test_deleting_what_a_lost_answer_deleted_is_well(script, studio):
    script.will(None)
    script.will(404, PROBLEM)
    studio.runs.delete("abc")
    script.will(404, PROBLEM)
    with pytest.raises(NotFoundError):
        studio.runs.delete("abc")


def test_the_pause_that_is_asked_for_is_kept(script):
    script.will(503, PROBLEM, **{"Retry-After": "1"})
    script.will(200, NOTHING)
    patience = Patience(first_seconds=0.01)
    with Client(script.url, patience=patience) as studio:
        begin = time.monotonic()
        list(studio.workers.list())
    assert 1.0 <= time.monotonic() - begin < 5.0


def test_it_gives_up_after_some_tries(script, studio):
    for _ in range(QUICK.retries + 1):
        script.page(502)
    with pytest.raises(UnavailableError) as caught:
        list(studio.workers.list())
    assert not script.answers
    assert "502" in caught.value.detail
    assert "Try again" in caught.value.remedy


def test_an_uploaded_file_is_sent_whole_again(script, studio, tmp_path):
    file = tmp_path / "sums.jsonl"
    file.write_bytes(b'{"question": "1+1?", "answer": "2"}\n')
    script.will(503, {**PROBLEM, "code": "database_busy"})
    script.will(413, PROBLEM)
    with pytest.raises(TooLargeError):
        studio.datasets.upload(file)
    assert [body for *_, body in script.requests].count(b"") == 0
    assert "file_name=sums.jsonl" in script.requests[1][1]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidError),
        (401, UnauthorizedError),
        (403, ForbiddenError),
        (404, NotFoundError),
        (409, ConflictError),
        (413, TooLargeError),
        (422, InvalidError),
        (418, ApiError),
        (500, ServerError),
    ],
)
def test_each_refusal_is_an_exception_of_its_own(script, studio, status, kind):
    listed = [{"code": "a", "message": "One.", "field": "x.y", "line": 3, "newer": True}]
    script.will(status, {**PROBLEM, "remedy": "Do that.", "errors": listed})
    with pytest.raises(kind) as caught:
        studio.runs.get("abc")
    error = caught.value
    assert (error.status, error.code, error.detail) == (status, "some_code", "It is so.")
    assert (error.problem.field, error.problem.line) == ("x.y", 3)
    assert str(error) == "One."
    script.page(status)
    with pytest.raises(kind) as caught:
        studio.runs.get("abc")
    assert caught.value.problem.message.endswith(".")
    assert caught.value.remedy


def test_a_page_of_something_else_is_not_taken_for_an_answer(script, studio):
    script.page(200)
    with pytest.raises(ApiError) as caught:
        studio.runs.get("abc")
    assert "UNISD_API_URL" in caught.value.remedy


def test_a_studio_that_is_not_there_is_named():
    with Client("http://127.0.0.1:9", patience=Patience(retries=0)) as studio:
        with pytest.raises(UnreachableError) as caught:
            list(studio.runs.list())
        assert "http://127.0.0.1:9" in str(caught.value)
        assert "unisd up" in caught.value.remedy


def test_lists_are_read_page_by_page_and_nothing_comes_twice(script, studio):
    def item(name):
        return {"name": name, "summary": "", "formula": "", "settings": {}}

    script.will(200, {"items": [item("a"), item("b")], "total": 4, "limit": 200, "offset": 0})
    # Something new came before them: the second page begins with the last of the first.
    script.will(200, {"items": [item("b"), item("c")], "total": 5, "limit": 200, "offset": 2})
    script.will(200, {"items": [item("d")], "total": 5, "limit": 200, "offset": 4})
    assert [preset.name for preset in studio.presets.list()] == ["a", "b", "c", "d"]
    assert [path.partition("offset=")[2] for _, path, *_ in script.requests] == ["0", "2", "4"]
