"""`unisd datasets` and an installation."""

from __future__ import annotations

import json
import re

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.live import serving


@pytest.fixture(autouse=True)
def studio(settings, monkeypatch):
    """A real server, which the command line is told of as a person tells it."""
    with serving(settings) as port:
        monkeypatch.setenv("UNISD_API_URL", f"http://127.0.0.1:{port}")
        yield


def datasets(*arguments):
    return CliRunner().invoke(app, ["datasets", *map(str, arguments)])


@pytest.fixture
def file(tmp_path):
    rows = [{"q": f"What is {n} + 1?", "reply": str(n + 1)} for n in range(12)]
    path = tmp_path / "sums.v1.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_file_is_uploaded_mapped_looked_at_and_deleted(file):
    uploaded = datasets("upload", file)
    assert uploaded.exit_code == 0, uploaded.output
    assert "sums@1" in uploaded.output
    assert "0 of 12 rows are examples" in uploaded.output
    assert "… 12 in all" in uploaded.output
    mapped = datasets("map", "sums", "prompt=q", "answer=reply", "rationale=")
    assert mapped.exit_code == 0, mapped.output
    assert "sums@2" in mapped.output
    assert "12 of 12 rows are examples (12 text)" in mapped.output
    assert "mapping prompt=q answer=reply" in mapped.output
    listed = datasets("list")
    assert re.search(r"^sums@2 +12 +0 +461$", listed.stdout, re.MULTILINE)
    assert json.loads(datasets("list", "--json").stdout)[0]["rows"] == 12
    shown = datasets("preview", "sums", "--limit", 1, "--offset", 3)
    assert "line 4\n  prompt: What is 3 + 1?\n  answer: 4\n" in shown.output
    assert "What is" not in datasets("preview", "sums@1").output
    assert "SHA-256" in datasets("show", "sums@1").output
    asked = CliRunner().invoke(app, ["datasets", "delete", "sums@1"], input="n\n")
    assert asked.exit_code == 1
    assert "sums@1 is deleted" in datasets("delete", "sums@1", "--yes").output
    assert datasets("show", "sums@1").exit_code == 2
    assert "sums with all its versions" in datasets("delete", "sums", "--yes").output
    assert datasets("list").output == ""


def test_the_check_ends_with_one_where_something_is_to_be_mended(tmp_path):
    for name, prompts in (("train", "abc"), ("asked", "cd"), ("clean", "xy"), ("twice", "xX")):
        lines = [json.dumps({"question": prompt, "answer": "1"}) + "\n" for prompt in prompts]
        (tmp_path / f"{name}.jsonl").write_text("".join(lines))
        assert datasets("upload", tmp_path / f"{name}.jsonl").exit_code == 0
    leaked = datasets("check", "train", "asked")
    assert leaked.exit_code == 1
    assert "1 of 2 examples are also trained on\n  line 1 is line 3 of train@1" in leaked.output
    assert datasets("check", "train", "clean").exit_code == 0
    assert datasets("check", "twice").exit_code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("upload", "/nowhere.jsonl"),
        ("upload", __file__),
        ("show", "none"),
        ("preview", "none@1"),
        ("list", "--project", "none"),
        ("delete", "none", "--yes"),
    ],
)
def test_mistakes_are_told_without_a_traceback(arguments):
    answer = datasets(*arguments)
    assert answer.exit_code == 2
    assert answer.output.strip()
    assert "Traceback" not in answer.output


def test_a_part_that_does_not_exist_is_told(file):
    datasets("upload", file)
    answer = datasets("map", "sums", "colour=q")
    assert answer.exit_code == 2
    assert "tool_calls" in answer.output
