"""The menus of commands: by language, by role, and told to Telegram only where they changed."""

from pathlib import Path
from typing import Any

import pytest

from bot.dialogue.texts import texts
from bot.menus import ADMIN, CANDIDATE, STAFF, announce
from indexer.engine import Engine

from ..conftest import DATA
from .house import House, house


def names(flow: House, scope: str, language: str = "") -> list[str]:
    return [command["command"] for command in flow.api.world.commands.get((scope, language), [])]


async def tell(flow: House) -> int:
    """Announce the menus; how many were set anew."""
    before = len(flow.api.calls("setMyCommands"))
    await announce(flow.bot.loops.application.bot, flow.bot.deps)
    return len(flow.api.calls("setMyCommands")) - before


async def test_candidates_staff_and_admins_see_their_own(engine: Engine, tmp_path: Path) -> None:
    async with house(engine, tmp_path, staff_language="fr") as flow:
        assert await tell(flow) == 5
        said: dict[tuple[str, str], Any] = flow.api.world.commands
        assert names(flow, "all_private_chats", "fr") == list(CANDIDATE)
        assert said["all_private_chats", ""] == said["all_private_chats", "en"] != said["all_private_chats", "fr"]
        assert names(flow, f"chat {flow.staff.id}") == list(STAFF)
        assert names(flow, f"chat_administrators {flow.staff.id}") == [*STAFF, *ADMIN]
        assert said[f"chat {flow.staff.id}", ""][0]["description"] == texts("fr").menu_staff_help


async def test_what_is_as_it_should_be_is_left_alone(engine: Engine, tmp_path: Path) -> None:
    async with house(engine, tmp_path) as flow:
        await tell(flow)
        assert await tell(flow) == 0
        flow.api.world.commands["all_private_chats", "fr"].pop()
        assert await tell(flow) == 1
        assert names(flow, "all_private_chats", "fr") == list(CANDIDATE)


async def test_admins_who_are_named_see_theirs_wherever_the_group_s_administrators_do_not(
    engine: Engine, tmp_path: Path
) -> None:
    async with house(engine, tmp_path, admin_ids=(77,)) as flow:
        await tell(flow)
        assert names(flow, f"chat_member {flow.staff.id} 77") == [*STAFF, *ADMIN]
        assert names(flow, f"chat_administrators {flow.staff.id}") == []


async def test_a_school_has_a_command_more(school: Engine, tmp_path: Path) -> None:
    async with house(school, tmp_path, knowledge_dir=DATA / "school") as flow:
        await tell(flow)
        assert names(flow, "all_private_chats", "en") == ["course", *CANDIDATE]


@pytest.mark.parametrize("method", ["setMyCommands", "getMyCommands"])
async def test_one_that_telegram_refuses_keeps_no_other_back(engine: Engine, tmp_path: Path, method: str) -> None:
    async with house(engine, tmp_path) as flow:
        flow.api.fail(method, 500)
        await tell(flow)
        assert any("menu of commands not set" in line for line in flow.log.lines)
        assert names(flow, "all_private_chats", "fr") == []
        assert names(flow, "all_private_chats", "en") == list(CANDIDATE)
        assert names(flow, f"chat_administrators {flow.staff.id}") == [*STAFF, *ADMIN]
