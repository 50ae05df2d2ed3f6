"""Numbers that no database column holds are refused, or name nothing; never an error of ours."""

from __future__ import annotations

from tests.reporting import ReportingRun

PLACES = [
    "runs/{run}/metrics?attempt={number}",
    "runs/{run}/trajectories?attempt={number}",
    "runs/{run}/trajectories/{number}",
    "runs/{run}/logs?before={number}",
    "runs/{run}/events?after={number}",
    "runs/{run}/evaluations/{number}/examples",
    "datasets/{run}/versions/{number}/preview",
]


NUMBERS = [2**31, 2**63, 10**30]


def test_a_number_may_be_of_any_size(client, database):
    run = ReportingRun(database)
    run.finish()
    for place in PLACES:
        for number in NUMBERS:
            path = place.format(run=run.id, number=number)
            answer = client.get(f"/api/{path}")
            assert answer.status_code in {200, 404, 422}, (path, answer.text)
    for number in NUMBERS:
        answer = client.delete(f"/api/runs/{run.id}?version={number}")
        assert answer.status_code in {409, 422}, answer.text
