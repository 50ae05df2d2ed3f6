"""100,000 recorded rollouts of one run: lists, opening one, the report on agreement, as JSON.

    python benchmarks/trajectories.py [--databases sqlite postgresql] [--rollouts 100000]

Rows as the worker writes them, with texts of usual length; Parquet files of 64 rollouts with 256
tokens, 3 auxiliary teachers and 5 alternatives, and one of 2,048 tokens with 8 views. Times are
those of a client on this machine, the answer's transfer included. Not every file is its own: 4 are
linked under all the names, so they are warm.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

ROOT = Path(__file__).parent.parent
os.environ.setdefault("PYTHONPATH", str(ROOT))
sys.path.insert(0, str(ROOT))

import pyarrow as pa  # noqa: E402 - the folder comes first
import pyarrow.parquet as pq  # noqa: E402
from server_fixture import Api, answered, api, databases, new_attempt, timed  # noqa: E402
from sqlalchemy import insert, text  # noqa: E402

from app.db import Database  # noqa: E402
from app.models import Trajectory  # noqa: E402
from worker.trainer.trajectories import GROUP_ROWS, SHARD_ROWS  # noqa: E402
from worker.trainer.trajectory_schema import SCHEMA  # noqa: E402

SHARDS: Final = 4
TOKENS: Final = 256
VIEWS: Final = 3
WORDS: Final = [f" word{number}" for number in range(3000)]
SUMMARIES: Final = (
    "divergence",
    "disagreement",
    "disagreement_max",
    "weight",
    "clipped_share",
    "contrastive_share",
    "feature_distance",
    "loss",
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--databases", nargs="*", default=["sqlite", "postgresql"])
    parser.add_argument("--rollouts", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=15)
    wanted = parser.parse_args()
    found: dict[str, Any] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "rollouts": wanted.rollouts,
    }
    with tempfile.TemporaryDirectory(prefix="unisd-trajectories-") as place:
        folder = Path(place)
        found["shard_bytes"] = _write_shards(folder / "shards")
        with databases(folder, wanted.databases) as urls:
            for name, url in urls.items():
                print(f"measuring: {name}", file=sys.stderr, flush=True)
                found[name] = _measure(url, folder / name, folder / "shards", wanted)
    found["load_at_the_end"] = round(os.getloadavg()[0], 1)
    print(json.dumps(found, indent=1))


def _measure(url: str, folder: Path, shards: Path, wanted: argparse.Namespace) -> dict[str, Any]:
    database = Database(url)
    run_id, attempt_id = new_attempt(database, folder / "attempt")
    begun = time.perf_counter()
    _fill(database, run_id, attempt_id, wanted.rollouts)
    filled = time.perf_counter() - begun
    _link(folder / "attempt", shards, wanted.rollouts)
    database.close()
    with api(folder, url, _free_port()) as server:
        where = f"/api/runs/{run_id}/trajectories"
        return {"filled_s": round(filled, 1)} | _ask(server, where, wanted.rollouts, wanted.repeats)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


def _ask(server: Api, where: str, rollouts: int, repeats: int) -> dict[str, Any]:
    def listed(**query: Any) -> dict[str, Any]:
        path = f"{where}?{urlencode(query, doseq=True)}"
        total = json.loads(server.get(path))["total"]
        return {"total": total, **answered(server, path, repeats)}

    lists = {
        "latest first": listed(),
        "the last page": listed(offset=rollouts - 50),
        "a text": listed(q="word2999 word1"),
    }
    for name in (*SUMMARIES, "tokens", "step", "record_id"):
        lists[f"wrong ones, -{name}"] = listed(sort=f"-{name}", filter=["grade=0"])
    lists["three filters, -disagreement"] = listed(
        sort="-disagreement", filter=["grade=0", "truncated=false", "step>100", "weight<0.9"]
    )
    ids = [item["id"] for item in json.loads(server.get(f"{where}?sort=-disagreement"))["items"]]
    middle = f"{where}/{ids[25]}"
    worst = max(one["median_ms"] for what, one in lists.items() if what != "a text")
    longest = json.loads(server.get(f"{where}?sort=-tokens&limit=1"))["items"][0]["id"]
    return {
        "lists": lists,
        "slowest_list_median_ms": worst,
        "neighbours": answered(
            server, f"{middle}/neighbours?sort=-disagreement&filter=grade%3D0", repeats
        ),
        "overview": answered(server, f"{where}/overview", repeats),
        "distribution": answered(server, f"{where}/distribution?field=disagreement", repeats),
        "one example": answered(server, f"{where}/example?record_id=r7&pinned=true", repeats),
        "opening one": {
            "256 tokens, 3 auxiliary teachers": answered(server, middle, repeats),
            "2,048 tokens, 8 views": answered(server, f"{where}/{longest}", repeats),
        },
        "agreement": _agreement(server, f"{where}/agreement"),
    }


def _agreement(server: Api, path: str) -> dict[str, Any]:
    """The first answers, until all is read, and then later ones."""
    first = []
    while True:
        begun = time.perf_counter()
        answer = json.loads(server.get(path))
        first.append(round(1000 * (time.perf_counter() - begun)))
        if answer["complete"]:
            break
    later = timed(lambda: server.get(path), 3)._asdict()
    told = {name: answer[name] for name in ("trajectories", "read", "read_tokens")}
    return {"until_complete_ms": first, "then": later, **told}


def _fill(database: Database, run_id: str, attempt_id: int, count: int) -> None:
    chance = random.Random(0)
    texts = ["".join(chance.choices(WORDS, k=90)) for _ in range(1000)]
    for start in range(0, count, 5000):
        rows = [
            _summary(chance, texts, run_id, attempt_id, number)
            for number in range(start, min(count, start + 5000))
        ]
        if start == 0:
            rows[0] |= {"tokens": 2048, "file": "trajectories/long.parquet", "row": 0}
        with database.write() as session:
            session.execute(insert(Trajectory), rows)
    if database.engine.dialect.name == "postgresql":
        # What PostgreSQL does by itself within a minute: a list is seldom read before that.
        with database.engine.connect().execution_options(
            isolation_level="AUTOCOMMIT"
        ) as connection:
            connection.execute(text("VACUUM ANALYZE trajectories"))


def _summary(
    chance: random.Random, texts: list[str], run_id: str, attempt_id: int, number: int
) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "attempt_id": attempt_id,
        "seq": number,
        "step": 1 + number // 16,
        "record_id": f"r{number % 4000}",
        "pinned": number % 40 == 7,
        "prompt": f"{number} {texts[number % 997]}"[:400],
        "completion": f"{number} {chance.choice(texts)}",
        "reference": "A. " + chance.choice(WORDS),
        "tokens": chance.randint(20, TOKENS),
        "truncated": chance.random() < 0.1,
        "grade": None if chance.random() < 0.1 else float(chance.random() < 0.5),
        "file": f"trajectories/step-{1 + number // SHARD_ROWS:06d}.parquet",
        "row": number % SHARD_ROWS,
        **{name: chance.random() for name in SUMMARIES},
    }


def _write_shards(folder: Path) -> int:
    """Files of real size; returns the bytes of one."""
    folder.mkdir()
    chance = random.Random(1)
    for shard in range(SHARDS):
        rows = [_row(chance, TOKENS, VIEWS) for _ in range(SHARD_ROWS)]
        table = pa.Table.from_pylist(rows, schema=SCHEMA)
        pq.write_table(table, folder / f"{shard}.parquet", compression="zstd",
                       row_group_size=GROUP_ROWS)  # fmt: skip
    long = pa.Table.from_pylist([_row(chance, 2048, 6)], schema=SCHEMA)
    pq.write_table(long, folder / "long.parquet", compression="zstd")
    return (folder / "0.parquet").stat().st_size


def _link(attempt: Path, shards: Path, rollouts: int) -> None:
    folder = attempt / "trajectories"
    folder.mkdir()
    os.link(shards / "long.parquet", folder / "long.parquet")
    for number in range(-(-rollouts // SHARD_ROWS)):
        target = folder / f"step-{1 + number:06d}.parquet"
        os.link(shards / f"{number % SHARDS}.parquet", target)


def _row(chance: random.Random, tokens: int, views: int) -> dict[str, Any]:
    def numbers() -> list[float]:
        return [chance.random() for _ in range(tokens)]

    def alternatives() -> dict[str, Any]:
        ids = [chance.choices(range(len(WORDS)), k=5) for _ in range(tokens)]
        return {
            "ids": ids,
            "logprobs": [[chance.random() for _ in range(5)] for _ in range(tokens)],
            "texts": [[WORDS[one] for one in some] for some in ids],
        }

    prompt = "".join(chance.choices(WORDS, k=150))
    ids = chance.choices(range(len(WORDS)), k=tokens)
    row = {field.name: None for field in SCHEMA} | {
        "step": 1,
        "record_id": "r",
        "pinned": False,
        "truncated": False,
        "prompt": prompt,
        "reference": "A",
        "completion": "".join(WORDS[one] for one in ids),
        "student_prompt_text": prompt,
        "teacher_prompt_text": prompt,
        "auxiliary_prompt_texts": [prompt] * views,
        "negative_prompt_text": prompt,
        "token_ids": ids,
        "tokens": [WORDS[one] for one in ids],
        "parts": ["reasoning"] * (tokens - 1) + ["answer letter"],
        "auxiliary_logprobs": [numbers() for _ in range(views)],
        "counted": True,
        "objective": "divergence",
        "temperature": 0.7,
    }
    for name in SCHEMA.names:
        if row[name] is None and SCHEMA.field(name).type == pa.list_(pa.float32()):
            row[name] = numbers()
    for view in ("student", "teacher"):
        row |= {f"topk_{view}_{name}": values for name, values in alternatives().items()}
    return row


if __name__ == "__main__":
    main()
