"""deploy/compose.yml, which nobody here can run: what it names exists, and nothing has more rights than it needs."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.settings import Settings
from tests.unit.deploy.test_dockerfile import of

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
BOT, WORKER, POSTGRES = SERVICES["liqwatch"], SERVICES["worker"], SERVICES["postgres"]


def test_the_image_is_built_from_the_dockerfile_that_is_there() -> None:
    context = (DEPLOY / BOT["build"]["context"]).resolve()
    assert (context / BOT["build"]["dockerfile"]).is_file()
    assert (context / "pyproject.toml").is_file()


def test_every_variable_of_the_bot_and_its_workers_is_a_setting() -> None:
    assert BOT["environment"].keys() | WORKER["environment"].keys() <= {name.upper() for name in Settings.model_fields}


def test_a_worker_is_the_bots_image_on_the_bots_database_without_its_token() -> None:
    assert WORKER["image"] == BOT["image"]
    assert WORKER["command"] == ["worker"]
    assert WORKER["profiles"] == ["workers"], "only where somebody asks for some"
    assert WORKER["environment"]["DATABASE_URL"] == BOT["environment"]["DATABASE_URL"]
    assert WORKER["secrets"] == ["database_password"]
    assert "ports" not in WORKER, "several run side by side"
    assert "healthcheck" not in WORKER, "the image's own asks a worker as it asks the bot"


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES.keys())
def test_each_service_runs_with_a_read_only_root_and_without_rights(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["restart"] == "unless-stopped"
    assert all(entry.startswith("/") for entry in service["tmpfs"])


def test_secrets_are_files_and_every_one_that_is_used_is_declared() -> None:
    used = {name for service in SERVICES.values() for name in service["secrets"]}
    assert used == COMPOSE["secrets"].keys()
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"secrets/{name}"}
    for service in SERVICES.values():
        named = {value for key, value in service["environment"].items() if key.endswith("_FILE") and value}
        assert named == {f"/run/secrets/{name}" for name in service["secrets"]}
        assert not [key for key in service["environment"] if key.endswith(("PASSWORD", "TOKEN"))]
    assert "secrets/" in (DEPLOY.parent / ".gitignore").read_text(encoding="utf-8")


def test_the_bots_database_is_the_one_that_is_made_here_and_its_password_comes_from_the_file() -> None:
    made = POSTGRES["environment"]
    url = BOT["environment"]["DATABASE_URL"]
    assert url == f"postgresql+psycopg://{made['POSTGRES_USER']}@postgres/{made['POSTGRES_DB']}"
    assert BOT["environment"]["DATABASE_PASSWORD_FILE"] == made["POSTGRES_PASSWORD_FILE"]


def test_the_bot_waits_for_a_database_that_answers_and_both_are_asked_how_they_do() -> None:
    assert BOT["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert POSTGRES["healthcheck"]["test"][:2] == ["CMD", "pg_isready"]
    assert len(of("HEALTHCHECK")) == 1, "the bot's stands in its image"


def test_what_must_last_lies_in_volumes_that_are_declared() -> None:
    mounted = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())}
    assert mounted == COMPOSE["volumes"].keys()


def test_figures_are_shown_to_this_machine_alone() -> None:
    [port] = of("EXPOSE")
    assert BOT["ports"] == [f"127.0.0.1:{port}:{port}"]
