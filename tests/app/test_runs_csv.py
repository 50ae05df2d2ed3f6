"""The list of runs as CSV: whole, or refused before its first line."""

from __future__ import annotations

import csv
import io

import pytest


@pytest.mark.parametrize("wrong", [{"sort": "param:no.such"}, {"column": "no_such"}])
def test_what_is_not_known_is_refused_before_the_first_line(client, wrong):
    refused = client.get("/api/runs/csv", params=wrong)
    assert (refused.status_code, refused.json()["code"]) == (422, "field_unknown")


def test_every_run_is_a_line_in_the_wanted_order(client, config):
    for name in ("b", "=a"):
        client.post("/api/runs", json={"config": config, "name": name})
    answer = client.get("/api/runs/csv", params={"sort": "name", "column": ["name", "status"]})
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows == [["name", "status"], ["'=a", "queued"], ["b", "queued"]]
    assert client.get("/api/runs/csv", params={"q": "zzz"}).text.startswith("id,")
