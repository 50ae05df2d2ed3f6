"""What must stay true of the repository itself."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from app.settings import Settings

ROOT = Path(__file__).parent.parent.parent
GENERATED = {"frontend/src/api/schema.d.ts", "frontend/package-lock.json", "frontend/openapi.json"}


def _tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return [ROOT / name for name in listed if name not in GENERATED and (ROOT / name).is_file()]


def test_files_keep_to_one_idea() -> None:
    limits = {".py": 500, ".ts": 250, ".tsx": 250}
    too_long = [
        f"{path.relative_to(ROOT)}: {count}"
        for path in _tracked("*.py", "*.ts", "*.tsx")
        if (count := len(path.read_text().splitlines())) > limits[path.suffix]
    ]
    assert not too_long


def test_nothing_large_or_built_is_tracked() -> None:
    assert not [path for path in _tracked() if path.stat().st_size > 600_000]
    assert not [
        path
        for path in _tracked()
        if path.suffix in {".safetensors", ".gguf", ".pt", ".bin", ".pkl", ".whl", ".sqlite"}
    ]


def test_no_code_unpickles_or_trusts_remote_code() -> None:
    forbidden = re.compile(
        r"import pickle|pickle\.load|torch\.load\(|trust_remote_code=True|dill|joblib"
    )
    sources = _tracked("core/*.py", "app/*.py", "worker/*.py", "cli/*.py")
    assert sources
    assert not [path for path in sources if forbidden.search(path.read_text())]


def test_every_setting_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    for name in Settings.model_fields:
        assert f"`UNISD_{name.upper()}`" in readme


def test_links_in_the_documents_lead_somewhere() -> None:
    for document in _tracked("*.md"):
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", document.read_text()):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.name}: {target}"


class TestCompose:
    """docker-compose.yml, read as Compose reads it."""

    @pytest.fixture
    def services(self) -> dict[str, dict[str, object]]:
        loaded = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
        services: dict[str, dict[str, object]] = loaded["services"]
        return services

    def test_all_parts_are_there_and_watched(self, services: dict[str, dict[str, object]]) -> None:
        assert set(services) == {"postgres", "redis", "migrate", "api", "worker", "reaper"}
        assert all("healthcheck" in services[name] for name in set(services) - {"migrate"})

    def test_a_worker_elsewhere_is_given_its_addresses_and_serves_as_here(
        self, services: dict[str, dict[str, object]]
    ) -> None:
        text = (ROOT / "docker-compose.worker.yml").read_text()
        (worker,) = yaml.safe_load(text)["services"].values()
        for same in ("build", "command", "stop_grace_period", "deploy", "healthcheck"):
            assert worker[same] == services["worker"][same]
        for address in ("UNISD_DATABASE_URL", "UNISD_REDIS_URL", "UNISD_ARTIFACTS_URL"):
            assert worker["environment"][address].startswith(f"${{{address}:?")

    def test_every_secret_must_be_given(self) -> None:
        text = (ROOT / "docker-compose.yml").read_text()
        for secret in ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "UNISD_TOKEN"):
            uses = re.findall(rf"\$\{{{secret}([^}}]*)\}}", text)
            assert uses
            assert all(use.startswith(":?") for use in uses)
            assert re.search(rf"^{secret}=$", (ROOT / ".env.example").read_text(), re.MULTILINE)

    def test_commands_exist(self, services: dict[str, dict[str, object]]) -> None:
        from cli.main import app

        known = {
            command.callback.__name__ for command in app.registered_commands if command.callback
        }
        for service in services.values():
            command = service.get("command")
            if isinstance(command, list) and command[0] == "unisd":
                assert command[1] in known
