"""`unisd exports` and `unisd runs export|bundle|import` with a real server."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
import termios
import threading
import time
import zipfile

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.app.conftest import client, config, model
from tests.app.test_exports_api import FILES, finish, make, trained
from tests.live import serving

__all__ = ["client", "config", "model", "trained"]


@pytest.fixture(autouse=True)
def studio(settings, monkeypatch):
    with serving(settings) as port:
        monkeypatch.setenv("UNISD_API_URL", f"http://127.0.0.1:{port}")
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield


def unisd(*arguments):
    return CliRunner().invoke(app, [*map(str, arguments)])


def done(*arguments):
    ended = unisd(*arguments)
    assert ended.exit_code == 0, ended.output
    return ended


def test_an_export_is_made_waited_for_and_fetched(client, database, settings, trained, tmp_path):
    out, ended = tmp_path / "new" / "folder", []
    queued = json.loads(done("runs", "export", trained, "--kind", "merged", "--json").stdout)
    assert queued["kind"] == "merged"
    assert "queued" in done("exports", "list", "--kind", "merged").stdout
    assert "cancelled" in done("exports", "cancel", queued["id"]).stdout
    export = make(client, database, settings, trained)
    waiting = threading.Thread(target=lambda: ended.append(unisd("exports", "wait", export)))
    waiting.start()
    time.sleep(1)  # it sees the export go on
    finish(database, export)
    waiting.join(30)
    assert ended[0].exit_code == 0, ended[0].output
    assert "exporting Writing" in ended[0].stderr
    assert unisd("exports", "wait", queued["id"]).exit_code == 1
    out.mkdir(parents=True)
    archive = done("exports", "download", export[:8], "--out", out).stdout.strip()
    with zipfile.ZipFile(archive) as found:
        assert len(found.namelist()) == len(FILES)
    nowhere = unisd("exports", "download", export, "--out", tmp_path / "not" / "there")
    assert (nowhere.exit_code, "cannot be written" in nowhere.stderr) == (2, True)
    shown = done("exports", "show", export).stdout
    assert "adapter_config.json" in shown
    done("exports", "delete", export, "--yes")
    refused = unisd("exports", "show", export)
    assert (refused.exit_code, "There is no export" in refused.stderr) == (2, True)


def test_a_push_needs_a_token_from_the_environment(trained):
    refused = unisd("runs", "export", trained, "--kind", "hub", "--repository", "me/mine")
    assert (refused.exit_code, "HF_TOKEN" in refused.stderr) == (2, True)


def test_a_token_is_asked_for_at_a_terminal_and_not_shown(trained, monkeypatch):
    secret, kept = "hf_typedByHand", []
    monkeypatch.setattr("app.exports.secrets.keep", lambda _, token: kept.append(token) or "half")
    command = ["runs", "export", trained, "--kind", "hub", "--repository", "me/mine"]
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "cli.main", *command],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,  # else it would ask at the terminal of whoever runs the tests
    ) as child:
        os.close(theirs)
        shown = b""
        while b"Access token of the hub" not in shown:
            shown += os.read(ours, 1000)
        while termios.tcgetattr(ours)[3] & termios.ECHO:  # what comes before that is dropped
            time.sleep(0.02)
        os.write(ours, f"{secret}\n".encode())
        with contextlib.suppress(OSError):  # the terminal's end is told so
            while piece := os.read(ours, 1000):
                shown += piece
    os.close(ours)
    assert child.returncode == 0, shown
    assert kept == [secret]
    assert secret.encode() not in shown


def test_a_bundle_goes_out_and_in(trained, tmp_path):
    file = tmp_path / "a.json"
    assert done("runs", "bundle", trained, "--out", file).stdout.strip() == str(file)
    assert json.loads(file.read_text()) == json.loads(done("runs", "bundle", trained).stdout)
    folder = done("runs", "bundle", trained, "--out", tmp_path).stdout.strip()
    assert folder == str(tmp_path / f"{trained}.unisd.json")
    nowhere = unisd("runs", "bundle", trained, "--out", tmp_path / "not" / "there")
    assert (nowhere.exit_code, "cannot be written" in nowhere.stderr) == (2, True)
    assert "The data is" in done("runs", "import", file, "--dry-run").stderr
    again = done("runs", "import", file, "--name", "again").stdout.strip()
    assert json.loads(done("runs", "show", "again", "--json").stdout)["id"] == again
    file.write_text('{"a": 1}')
    refused = unisd("runs", "import", file)
    assert (refused.exit_code, "is no bundle" in refused.stderr) == (2, True)
    assert unisd("runs", "import", tmp_path / "nowhere").exit_code == 2
