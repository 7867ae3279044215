"""compose.yaml, as far as it can be checked without an engine that runs it."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from bot.cli import app
from bot.settings import Settings, variable

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((REPOSITORY / "compose.yaml").read_text(encoding="utf-8"))
    return found


def test_there_are_a_database_two_workers_and_a_proxy(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"db", "index", "worker", "proxy"}
    assert compose["services"]["worker"]["deploy"]["replicas"] == 2


def test_what_services_refer_to_exists(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert set(service.get("depends_on", {})) <= set(compose["services"])
        named = {volume.split(":")[0] for volume in service.get("volumes", ()) if not volume.startswith(".")}
        assert named <= set(compose["volumes"])
        assert {config["source"] for config in service.get("configs", ())} <= set(compose["configs"])
    for name in ("knowledge", ".env.example", "Dockerfile"):
        assert (REPOSITORY / name).exists()


def test_who_waits_for_health_waits_for_one_who_tells_it(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert compose["services"][other]["healthcheck"]["test"]


def test_all_that_the_bot_is_told_are_settings(compose: dict[str, Any]) -> None:
    known = {variable(name) for name in Settings.model_fields}
    for name in ("index", "worker"):
        assert set(compose["services"][name]["environment"]) <= known


def test_commands_exist(compose: dict[str, Any]) -> None:
    text = " ".join(" ".join(compose["services"][name]["command"]) for name in ("index", "worker"))
    assert set(re.findall(r"guichet (\w+)", text)) <= set(typer.main.get_group(app).commands)


def test_only_the_proxy_is_reachable_and_no_secret_is_written_down(compose: dict[str, Any]) -> None:
    assert [name for name, service in compose["services"].items() if "ports" in service] == ["proxy"]
    text = (REPOSITORY / "compose.yaml").read_text(encoding="utf-8")
    for line in text.splitlines():
        if re.search(r"PASSWORD\w*:|TOKEN\w*:|:[^/]*@", line) and not line.lstrip().startswith("#"):
            assert "${POSTGRES_PASSWORD" in line


def test_the_guide_names_only_commands_that_exist() -> None:
    group = typer.main.get_group(app)
    guide = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
    used = set(re.findall(r"`guichet (\w+)", guide)) | set(re.findall(r"^guichet (\w+)", guide, re.MULTILINE))
    assert {"status", "backup", "restore", "index", "run", "doctor"} <= used <= set(group.commands)


def test_links_of_the_guide_lead_somewhere() -> None:
    guide = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)", guide):
        assert (REPOSITORY / "docs" / link).exists(), link
