"""`guichet setup`, answered from standard input, over a Bot API server on loopback."""

import asyncio
import shutil
import stat
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from dotenv import dotenv_values

from bot.sandbox.botapi import BotApi, serve
from indexer.encoder import OnnxEncoder
from indexer.engine import index

from .conftest import CACHE, DATA, REPOSITORY
from .flows.house import TOKEN

ENTER = ""


@dataclass
class Desk:
    """A school that sets its bot up in a folder of its own."""

    api: BotApi
    address: str
    folder: Path
    more: dict[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str | None]:
        """What `.env` says."""
        return dotenv_values(self.folder / ".env")

    async def run(self, *answers: str) -> tuple[int, str]:
        """Exit code and all that was shown, with these answers typed."""
        own = {"GUICHET_TELEGRAM_BASE_URL": self.address, "GUICHET_CACHE_DIR": str(CACHE), **self.more}
        done = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "setup",
            cwd=self.folder,
            env=own | {"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin"},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await done.communicate("".join(f"{answer}\n" for answer in answers).encode())
        return done.returncode or 0, said.decode()


@pytest.fixture(scope="module")
def indexed(encoder: OnnxEncoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the small course's files."""
    root = tmp_path_factory.mktemp("setup") / "index"
    index(DATA / "pottery", encoder, root)
    return root


@pytest.fixture
async def desk(indexed: Path, tmp_path: Path) -> AsyncIterator[Desk]:
    folder = tmp_path / "school"
    shutil.copytree(indexed, folder / "data" / "index")
    shutil.copytree(DATA / "pottery", folder / "knowledge")
    api = BotApi(TOKEN)
    async with serve(api) as address:
        yield Desk(api, address, folder)


def written_in(api: BotApi, title: str, **more: object) -> int:
    """A group with the bot in which somebody writes to it; its id."""
    marie = api.user("Marie")
    group = api.group(title, admins=[marie], **{"supergroup": True} | more)  # type: ignore[arg-type]  # a test's choice
    api.say(marie, f"/start@{api.bot.username}", chat=group)
    return group.id


def answers(*group: str, contact: Sequence[str] = ("A school", "dpo@example.org")) -> tuple[str, ...]:
    """From the token on; `group` is what is answered about the group."""
    return (TOKEN, "fr", *group, *contact)


async def test_from_a_token_to_a_doctor_that_finds_no_fault(desk: Desk) -> None:
    group = written_in(desk.api, "Admissions")
    code, said = await desk.run(*answers("y"))
    assert code == 0, said
    assert "This is @guichet_bot." in said
    assert f"Is 'Admissions' (supergroup, {group}) your staff group?" in said
    assert "rights: the bot is an administrator of the group" in said
    assert desk.env == {
        "GUICHET_TELEGRAM_TOKEN": TOKEN,
        "GUICHET_STAFF_LANGUAGE": "fr",
        "GUICHET_STAFF_CHAT_ID": str(group),
        "GUICHET_OPERATOR": "A school",
        "GUICHET_PRIVACY_CONTACT": "dpo@example.org",
    }
    assert stat.S_IMODE((desk.folder / ".env").stat().st_mode) == 0o600
    assert "settings: all are known and well formed" in said.partition("guichet doctor")[2]
    assert "fault" not in said.partition("guichet doctor")[2]


async def test_what_people_write_meanwhile_waits_for_the_bot(desk: Desk) -> None:
    sara = desk.api.user("Sara")
    desk.api.say(sara, "Do I need a degree?")
    written_in(desk.api, "Admissions")
    code, said = await desk.run(*answers("y"))
    assert code == 0, said
    assert "Sara" not in said
    assert desk.api.pending()[0]["message"]["text"] == "Do I need a degree?"


async def test_the_wrong_group_is_refused_and_the_right_one_taken(desk: Desk) -> None:
    written_in(desk.api, "Football")
    group = written_in(desk.api, "Admissions")
    code, said = await desk.run(*answers("n", "y"))
    assert code == 0, said
    assert desk.env["GUICHET_STAFF_CHAT_ID"] == str(group)


async def test_a_bot_that_was_only_added_is_noticed(desk: Desk) -> None:
    group = desk.api.group("Admissions", supergroup=True)
    changed = {"chat": group.json(), "new_chat_member": {"status": "administrator"}, "date": 1}
    desk.api.push({"my_chat_member": changed | {"from": desk.api.user("Marie").json()}})
    code, said = await desk.run(*answers("y"))
    assert code == 0, said
    assert desk.env["GUICHET_STAFF_CHAT_ID"] == str(group.id)


async def test_rights_that_are_missing_are_named_and_may_be_looked_at_again(desk: Desk) -> None:
    written_in(desk.api, "Admissions", forum=True, bot_lacks=["can_manage_topics"])
    code, said = await desk.run(*answers("y", "y", "n"))
    assert code == 0, said
    before = said.partition("guichet doctor")[0]
    assert before.count("the bot may not manage topics") == 2


async def test_a_token_is_asked_for_until_telegram_knows_it(desk: Desk) -> None:
    written_in(desk.api, "Admissions")
    code, said = await desk.run("nonsense", "999999:unknown-token", *answers("y"))
    assert code == 0, said
    assert "this is not a bot token" in said
    assert "Telegram does not know this token" in said
    assert desk.env["GUICHET_TELEGRAM_TOKEN"] == TOKEN


OLD = f"# ours\nGUICHET_TELEGRAM_TOKEN={TOKEN}\nGUICHET_OPERATOR=An old name\nGUICHET_TIMEZONE=Europe/Brussels\n"


async def test_a_file_that_is_there_keeps_its_other_lines_and_what_enter_leaves(desk: Desk) -> None:
    (desk.folder / ".env").write_text(OLD, encoding="utf-8")
    group = written_in(desk.api, "Admissions")
    code, said = await desk.run(ENTER, ENTER, "y", "A new name", "dpo@example.org", "y")
    assert code == 0, said
    assert "Set GUICHET_STAFF_LANGUAGE, GUICHET_STAFF_CHAT_ID, GUICHET_OPERATOR, GUICHET_PRIVACY_CONTACT in" in said
    text = (desk.folder / ".env").read_text(encoding="utf-8")
    assert text.startswith(OLD.replace("An old name", "A new name"))
    assert f"GUICHET_STAFF_CHAT_ID={group}\n" in text
    again, said = await desk.run(ENTER, ENTER, "y", ENTER, ENTER)
    assert (again, (desk.folder / ".env").read_text(encoding="utf-8")) == (0, text), said
    assert "Keep 'Admissions' as the staff group?" in said


async def test_a_line_of_the_file_that_cannot_be_read_is_told_before_anything_is_asked(desk: Desk) -> None:
    (desk.folder / ".env").write_text(f"{OLD}GUICHET_MODEL: x\n", encoding="utf-8")
    assert await desk.run() == (2, ".env:5: this line sets nothing: write NAME=value, without quotes\n")


async def test_nothing_is_overwritten_without_a_yes(desk: Desk) -> None:
    (desk.folder / ".env").write_text(OLD, encoding="utf-8")
    written_in(desk.api, "Admissions")
    code, said = await desk.run(ENTER, ENTER, "y", "A new name", "dpo@example.org", "n")
    assert code == 2
    assert "Nothing was written." in said
    assert (desk.folder / ".env").read_text(encoding="utf-8") == OLD


async def test_a_webhook_is_removed_only_after_a_yes(desk: Desk) -> None:
    written_in(desk.api, "Admissions")
    desk.api.world.queue.set_webhook("http://127.0.0.1:9/hook", "", 1)
    code, said = await desk.run(TOKEN, "en", "n")
    assert (code, desk.api.world.queue.webhook is None) == (2, False), said
    assert not (desk.folder / ".env").exists()
    code, said = await desk.run(TOKEN, "en", "y", "y", "A school", "dpo@example.org")
    assert (code, desk.api.world.queue.webhook) == (0, None), said


async def test_who_names_nobody_runs_a_demonstration(desk: Desk) -> None:
    written_in(desk.api, "Admissions")
    code, said = await desk.run(*answers("y", contact=(ENTER, ENTER)))
    assert code == 0, said
    assert "the bot says that it is a demonstration" in said
    assert "GUICHET_OPERATOR" not in desk.env


async def test_the_first_index_is_built_on_the_way(desk: Desk) -> None:
    shutil.rmtree(desk.folder / "data")
    written_in(desk.api, "Admissions")
    code, said = await desk.run(*answers("y"), "y")
    assert code == 0, said
    assert (desk.folder / "data" / "index" / "current").is_file()


async def test_a_setting_of_the_environment_that_would_win_is_named(desk: Desk) -> None:
    written_in(desk.api, "Admissions")
    desk.more["GUICHET_OPERATOR"] = "Somebody else"
    code, said = await desk.run(*answers("y"))
    assert code == 0, said
    assert "GUICHET_OPERATOR is also set in the environment" in said


async def test_telegram_out_of_reach_and_answers_that_end(desk: Desk) -> None:
    desk.more["GUICHET_TELEGRAM_BASE_URL"] = "http://127.0.0.1:9/bot"
    code, said = await desk.run(TOKEN)
    assert (code, "Telegram cannot be reached" in said, "Traceback" in said) == (2, True, False)
    desk.more.clear()
    code, said = await desk.run(TOKEN)
    assert (code, "Traceback" in said) == (1, False)
    assert not (desk.folder / ".env").exists()
