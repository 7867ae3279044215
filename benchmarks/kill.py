"""Bots killed at random moments while people ask, reply and write again: what is lost, done twice or repeated.

    python benchmarks/kill.py [--setup postgres] [--updates 300] [--kills 12] [--seed 1]

Prints one JSON line a set-up. Telegram's budgets are lifted, or a group's twenty messages a minute would decide how
long it takes. The Bot API server and the people live in this process, each bot in its own.
"""

import asyncio
import json
import sys
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

sys.path.insert(0, str(Path(__file__).parents[1]))  # to run as a script

from benchmarks.laying_out import index_of_our_own
from benchmarks.people import ASKED, SIGNATURE, UNKNOWN, Crowd
from benchmarks.processes import TOKEN, Stage, free_port, stage
from benchmarks.verdict import NOTED, Kill, Record, Verdict, judge
from bot.console import plainly, progress_bar
from bot.sandbox.botapi import BotApi, serve
from bot.sandbox.people import User
from bot.settings import load_settings
from tests.postgres import running

PATIENCE = 120.0  # seconds, for a machine that is busy with other things
SETTLING = 0.2  # seconds in which what a dead process had sent reaches the server
AT_START = 0.25  # the share of kills that hit a process which is just starting
STARTING = 2.0  # seconds that it is given at most
PAUSE = 0.03  # seconds at most between two deeds, and between a call and the kill


class Setup(StrEnum):
    """Where updates come from and where state is kept."""

    SQLITE_POLLING = "sqlite-polling"
    SQLITE_WEBHOOK = "sqlite-webhook"
    POSTGRES = "postgres"


@dataclass(frozen=True, slots=True)
class Trial:
    """How much people do, how often is killed, and by which chance."""

    setup: Setup
    updates: int = 300
    kills: int = 12
    seed: int = 1


async def run(trial: Trial, folder: Path, index: Path, cache: Path, database: str | None = None) -> Verdict:
    """The whole trial; raises AssertionError or TimeoutError if the bots do not come to rest."""
    chance, api, own = Random(trial.seed), BotApi(TOKEN), {}
    if trial.setup is Setup.SQLITE_WEBHOOK:
        port = free_port()
        own = {"GUICHET_WEBHOOK_URL": f"http://127.0.0.1:{port}", "GUICHET_WEBHOOK_PORT": str(port)}
    workers = 3 if trial.setup is Setup.POSTGRES else 1
    first = api.world.queue.next_id
    async with (
        serve(api) as address,
        stage(api, address, folder, index=index, cache=cache, database=database, bots=workers, **own) as scene,
    ):
        for bot in scene.bots:
            await bot.start()
        crowd = await _crowd(scene, chance)
        kills = [await _round(scene, crowd, trial.updates // (trial.kills + 1)) for _ in range(trial.kills)]
        await _act(crowd, trial.updates - (api.world.queue.next_id - first))
        await scene.idle(PATIENCE)
        for bot in scene.bots:
            await bot.stop()
        return judge(crowd.deeds, range(first, api.world.queue.next_id), _record(api), kills, scene.ledger)


async def _crowd(scene: Stage, chance: Random) -> Crowd:
    """Learn how the answers begin, from somebody who asks in peace."""
    asker = scene.api.user("Asker")
    known = [await _answer(scene, asker, question) for question in ASKED]
    taken = await _answer(scene, scene.api.user("Another"), UNKNOWN.format(0))
    assert len({*known, taken}) == len(known) + 1, known  # or one could be taken for another
    return Crowd(scene.api, scene.staff, chance, known, taken)


async def _answer(scene: Stage, asker: User, question: str) -> str:
    before = len(_written(scene.api, asker.id))
    scene.api.say(asker, question)
    await scene.api.wait_for(lambda api: len(_written(api, asker.id)) > before, PATIENCE)
    return _written(scene.api, asker.id)[before][1][:SIGNATURE]


async def _round(scene: Stage, crowd: Crowd, updates: int) -> Kill:
    """People act, meanwhile one process dies and is started again."""
    acting = asyncio.create_task(_act(crowd, updates))
    chance, victim = crowd.chance, crowd.chance.choice(scene.bots)
    if chance.random() < AT_START:
        await asyncio.sleep(chance.random() * STARTING)
    else:
        enough = _accepted(scene.api) + chance.randint(1, max(1, updates // 2))
        await scene.api.wait_for(lambda api: _accepted(api) >= enough, PATIENCE)
        await asyncio.sleep(chance.random() * PAUSE)
    await victim.kill()
    await asyncio.sleep(SETTLING)
    seen = frozenset((chat, number) for chat, written in _record(scene.api).items() for number, _ in written)
    noted = await asyncio.to_thread(scene.ledger.ask, NOTED)
    await victim.start()
    await acting
    return Kill(seen, frozenset((int(chat), int(number)) for chat, number in noted))


async def _act(crowd: Crowd, updates: int) -> None:
    for _ in range(updates):
        crowd.act()
        await asyncio.sleep(crowd.chance.random() * PAUSE)


def _accepted(api: BotApi) -> int:
    return sum(call.ok and call.method == "sendMessage" for call in api.exchange.calls)


def _record(api: BotApi) -> Record:
    return {chat: _written(api, chat) for chat in api.world.chats}


def _written(api: BotApi, chat: int) -> list[tuple[int, str]]:
    """What the bot wrote there, oldest first."""
    messages = api.world.chats[chat].messages.values()
    return [(m["message_id"], m.get("text", "")) for m in messages if m["from"]["id"] == api.bot.id]


def line(trial: Trial, verdict: Verdict) -> str:
    """A trial and its verdict as one line of JSON."""
    return json.dumps({"setup": trial.setup, "updates": trial.updates, "kills": trial.kills, **asdict(verdict)})


def main(
    setup: Annotated[Setup | None, typer.Option(help="one set-up; all of them without")] = None,
    updates: Annotated[int, typer.Option(min=20, help="what people do, all in all")] = 300,
    kills: Annotated[int, typer.Option(min=1)] = 12,
    seed: Annotated[int, typer.Option(help="of chance: who does what, and when a process dies")] = 1,
) -> None:
    """Kill bots and count what follows."""
    with plainly(), progress_bar() as step, TemporaryDirectory() as name, ExitStack() as servers:
        settings, folder = load_settings(), Path(name)
        index = index_of_our_own(settings, folder / "index", step)
        for chosen in [setup] if setup else list(Setup):
            trial, database = Trial(chosen, updates, kills, seed), None
            if chosen is Setup.POSTGRES:
                postgres = servers.enter_context(running())
                database = postgres.url(servers.enter_context(postgres.database()))
            step(f"Killing, {chosen}", 0, 0)
            print(
                line(trial, asyncio.run(run(trial, folder / chosen, index, settings.cache_dir.absolute(), database))),
                flush=True,
            )


if __name__ == "__main__":
    typer.run(main)
