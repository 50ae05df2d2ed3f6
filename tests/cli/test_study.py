"""Studies on this machine; a quick stand-in takes the trainer's place in all tests but the last."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from typer.testing import CliRunner

from app.studies.markdown import markdown
from cli import study_runner
from cli.main import app
from cli.study_folder import load_plan, read_record
from cli.study_report import report_of_folder
from cli.study_runner import Eta, estimate_eta, run_study
from core.errors import StudioError
from core.study import cells, parse_plan
from core.words import duration
from tests.worker.trainer.tiny import make_records, make_tiny_model, tiny_config

ROOT = Path(__file__).parents[2]

# Behaves as the seed says: 2 fails, 3 dies, 4 refuses to start, 6 waits for SIGTERM; the others
# succeed. A first attempt with a temperature of 0.5 leaves a checkpoint and dies.
STAND_IN = """
import json, os, signal, sys, time, yaml
from pathlib import Path
config = yaml.safe_load(open(sys.argv[1]))
out = Path(sys.argv[sys.argv.index("--out") + 1])
seed = config["training"]["seed"]
if seed == 4:
    print("NO SUCH MODEL")
    sys.exit(2)
out.mkdir(parents=True)
events = (out / "events.jsonl").open("a")
def emit(seq, **event):
    events.write(json.dumps({"v": 1, "seq": seq, "time": 100.0 + 2 * seq, **event}) + "\\n")
    events.flush()
def metrics(seq, step, score):
    values = {"eval/sums/accuracy": score, "tokens/student": 10.0}
    emit(seq, kind="metrics", step=step, total_steps=4, epoch=0.1, values=values)
metrics(0, 0, 0.25)
if seed == 6:
    def stop(*_):
        emit(1, kind="finished", outcome="stopped")
        sys.exit(0)
    signal.signal(signal.SIGTERM, stop)
    (out / "ready").touch()
    time.sleep(60)
if config["generation"]["temperature"] == 0.5 and "--resume" not in sys.argv:
    (out / "checkpoints" / "step-00000002").mkdir(parents=True)
    (out / "checkpoints" / "step-00000002" / "manifest.json").write_text("{}")
    events.write('{"torn')
    events.flush()
    os.kill(os.getpid(), 9)
if seed == 2:
    problem = {"code": "loss_not_finite", "message": "Not finite.", "remedy": "Less."}
    emit(1, kind="finished", outcome="failed", problem=problem)
    sys.exit(1)
if seed == 3:
    print("BROKEN " * 3)
    os.kill(os.getpid(), 11)
metrics(1, 4, 0.5 + seed / 100 + (config["teacher"]["weights"] == "ema") / 10)
emit(2, kind="finished", outcome="succeeded")
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    script = tmp_path / "trainer.py"
    script.write_text(STAND_IN)
    monkeypatch.setattr(study_runner, "TRAINER", [sys.executable, str(script)])


def plan_of(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Means",
        "base": {"data": {"path": "x.jsonl"}},
        "factors": {"ema": {"off": {}, "on": {"teacher": {"weights": "ema"}}}},
        "seeds": [1, 5],
        **changes,
    }


def run(raw: dict[str, Any], out: Path) -> tuple[dict[str, Any], list[str]]:
    plan = parse_plan(raw)
    said: list[str] = []
    return run_study(plan, cells(plan), out, said.append), said


def study_file(out: Path) -> dict[str, dict[str, Any]]:
    known = json.loads((out / "study.json").read_text())
    return {cell["name"]: cell for cell in known["cells"]}


def test_every_cell_runs_once_and_the_report_compares_them(tmp_path, stand_in):
    out = tmp_path / "out"
    run(plan_of(), out)
    assert {cell["state"] for cell in study_file(out).values()} == {"succeeded"}
    report = report_of_folder(out)
    (metric,) = report.metrics
    assert metric == "eval/sums/accuracy"
    off, on = (cell.outcomes[metric] for cell in report.cells)
    assert off.final.estimate == pytest.approx(0.53)
    assert on.gain.estimate == pytest.approx(0.38)
    assert report.cells[0].cost.seconds == 8
    (effect,) = report.effects[0].effects
    assert effect.interval.estimate == pytest.approx(0.1)
    text = markdown(report)
    assert "| on | 2/2 | 0.63 ± 0.25 (n=2) | +0.38 ± 0.25 (n=2) | 8 s | 40 |" in text
    assert "| ema=on | ema=off | +0.1 ± " in text
    again, said = run(plan_of(), out)
    assert said == []
    assert all(record.attempts == 1 for record in again.values())


def test_a_failed_cell_keeps_its_problem_and_the_others_run(tmp_path, stand_in):
    out = tmp_path / "out"
    _, said = run(plan_of(seeds=[1, 2, 3, 4], factors={}), out)
    found = study_file(out)
    assert [cell["state"] for cell in found.values()] == ["succeeded", *["failed"] * 3]
    codes = [cell["problem"] and cell["problem"]["code"] for cell in found.values()]
    assert codes == [None, "loss_not_finite", "trainer_died", "run_refused"]
    assert "BROKEN" in found["seed=3"]["problem"]["message"]
    assert "signal 11" in found["seed=3"]["problem"]["message"]
    assert "NO SUCH MODEL" in found["seed=4"]["problem"]["message"]
    assert any("Not finite." in line for line in said)
    report = report_of_folder(out)
    assert [gap.run for gap in report.gaps] == ["seed=2", "seed=3", "seed=4"]
    assert report.cells[0].states == {"succeeded": 1, "failed": 3}
    assert "BROKEN" in markdown(report)
    assert report.cells[0].outcomes["eval/sums/accuracy"].final.low is None
    records, _ = run(plan_of(seeds=[1, 2, 3, 4], factors={}), out)
    assert [record.attempts for record in records.values()] == [1, 2, 2, 0]


def test_a_cell_with_a_checkpoint_resumes(tmp_path, stand_in):
    out = tmp_path / "out"
    raw = plan_of(
        seeds=[1], factors={}, base={**plan_of()["base"], "generation": {"temperature": 0.5}}
    )
    records, _ = run(raw, out)
    assert records["seed=1"].state == "failed"
    records, said = run(raw, out)
    assert said[0].endswith("resumes")
    record = records["seed=1"]
    assert (record.state, record.attempts, record.tokens) == ("succeeded", 2, 30)
    assert (out / "seed=1" / "attempt-1" / "events.jsonl").is_file()


def test_sigterm_stops_the_trainer_in_order_and_the_study(tmp_path, stand_in):
    out = tmp_path / "out"
    plan = parse_plan(plan_of(seeds=[6, 1], factors={}))

    def terminate():
        while not (out / "seed=6" / "run" / "ready").exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=terminate)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run_study(plan, cells(plan), out, print)
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is before
    assert '"stopped"' in (out / "seed=6" / "run" / "events.jsonl").read_text()
    assert [cell["state"] for cell in study_file(out).values()] == ["interrupted", "waiting"]


def test_progress_is_told_while_a_cell_runs(tmp_path, stand_in, monkeypatch):
    monkeypatch.setattr(study_runner, "_STOP_SECONDS", 5.0)
    plan = parse_plan(plan_of(seeds=[6], factors={}))
    said = []

    def say(line):
        said.append(line)
        if "step 0/4" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(plan, cells(plan), tmp_path / "out", say, every=0.1)
    assert said[-1] == "[1/1] seed=6  step 0/4  time left not known yet"


def test_other_configurations_in_the_same_folder_are_refused(tmp_path, stand_in):
    out = tmp_path / "out"
    run(plan_of(factors={}), out)
    more, _ = run(plan_of(), out)
    assert len(more) == 4
    changed = plan_of(factors={}, base={"data": {"path": "other.jsonl"}})
    with pytest.raises(StudioError) as error:
        run(changed, out)
    assert error.value.problem.code == "study_changed"


def test_one_process_per_folder(tmp_path, stand_in):
    import fcntl

    out = tmp_path / "out"
    out.mkdir()
    with (out / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StudioError) as error:
            run(plan_of(), out)
    assert error.value.problem.code == "study_busy"


def test_the_time_left_is_told_with_what_it_rests_on():
    assert estimate_eta([], 3, 5.0, None) is None
    assert estimate_eta([], 3, 20.0, 80.0) == Eta(380, 380, 380, "the present cell's pace")
    assert estimate_eta([100.0, 200.0], 2, 30.0, None) == Eta(420, 270, 570, "2 finished")
    assert estimate_eta([100.0], 0, 130.0, None) == Eta(0, 0, 0, "1 finished")
    assert [duration(seconds) for seconds in (42, 780, 7500)] == ["42 s", "13 min", "2 h 05 min"]


def test_plans_are_read_as_they_are_written(tmp_path):
    file = tmp_path / "plan.yaml"
    file.write_text(
        """
name: words
base: {data: {path: x}, objective: {contrastive: {enabled: true}}}
factors:
  ema: {off: {}, on: {teacher: {weights: ema}}}
  rate: {1e-3: {training: {learning_rate: 1e-3}}, 0.10: {training: {learning_rate: 0.10}}}
baseline: {ema: on}
exclude: [{ema: off, rate: 1e-3}]
"""
    )
    plan = load_plan(file)
    assert list(plan.factors["ema"]) == ["off", "on"]
    assert list(plan.factors["rate"]) == ["1e-3", "0.10"]
    assert (plan.baselines["ema"], plan.base["objective"]["contrastive"]["enabled"]) == ("on", True)
    assert len(cells(plan)) == 3
    file.write_text(json.dumps(plan_of()))
    assert load_plan(file).seeds == (1, 5)
    for text in ("- 1", "a: [", "name: x"):
        file.write_text(text)
        with pytest.raises(StudioError):
            load_plan(file)


def test_the_command_line(tmp_path, stand_in):
    file = tmp_path / "plan.yaml"
    file.write_text(yaml.safe_dump(plan_of()))
    out = tmp_path / "out"
    dry = CliRunner().invoke(app, ["study", str(file), "--dry-run"])
    assert (dry.exit_code, dry.output.splitlines()[-1]) == (0, "4 cells")
    assert not out.exists()
    assert CliRunner().invoke(app, ["study", "--out", str(out), str(file)]).exit_code == 0
    shown = CliRunner().invoke(app, ["study", "report", str(out)])
    assert shown.output.startswith("# Means\n")
    told = json.loads(CliRunner().invoke(app, ["study", "report", str(out), "--json"]).output)
    assert told["cells"][0]["states"] == {"succeeded": 2}
    none = CliRunner().invoke(app, ["study", "report", str(tmp_path)])
    assert (none.exit_code, "study.json" in none.output) == (2, True)
    file.write_text(yaml.safe_dump(plan_of(factors={"ema": {"x": {"teacher": {"no": 1}}}})))
    wrong = CliRunner().invoke(app, ["study", str(file), "--out", str(out)])
    assert wrong.exit_code == 2
    assert "factors.ema.x.teacher.no" in wrong.output


def test_a_real_study_goes_on_where_it_was_cut_off(tmp_path):
    config = tiny_config(make_tiny_model(tmp_path / "model"), make_records(tmp_path / "r.jsonl"))
    config["training"] |= {"max_steps": 40, "checkpoint_every_steps": 5}
    plan = plan_of(base=config, seeds=[1], metrics=["train/loss"])
    plan["factors"] = {"method": {"sft": {"preset": "sft"}}}
    file, out = tmp_path / "plan.json", tmp_path / "out"
    file.write_text(json.dumps(plan))
    command = [sys.executable, "-m", "cli.main", "study", str(file), "--out", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    cell = out / "method=sft,seed=1"

    process = subprocess.Popen(command, env=environment)
    deadline = time.monotonic() + 60
    while not list((cell / "run").glob("checkpoints/step-*/manifest.json")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    psutil.wait_procs(children, timeout=20)  # the trainer leaves with whoever started it
    assert not any(child.is_running() for child in children)
    assert read_record(cell).state == "interrupted"

    assert subprocess.run(command, env=environment, timeout=120).returncode == 0
    record = read_record(cell)
    assert (record.state, record.attempts, record.step) == ("succeeded", 2, 40)
    assert "Resumed after step" in (cell / "run" / "events.jsonl").read_text()
    assert report_of_folder(out).cells[0].outcomes["train/loss"].final.n == 1
