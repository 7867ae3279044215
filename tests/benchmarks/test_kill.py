"""Bots killed while people write: nothing is lost, nothing is done twice. benchmarks/kill.py has the long version."""

import json
import os
import signal
from pathlib import Path

import pytest

from benchmarks.kill import Setup, Trial, line, run
from benchmarks.people import Deed
from benchmarks.processes import Bot, Ledger
from benchmarks.verdict import Kill, Verdict, missing, out_of_order, outside, repeats

from ..postgres import Postgres

SARA, KARIM, STAFF = 1, 2, -3
FLAWLESS = {"lost": 0, "handled_twice": 0, "out_of_order": 0, "tickets_twice": 0, "repeats_outside_window": 0}


async def flawless(trial: Trial, folder: Path, index_root: Path, cache: Path, database: str | None = None) -> None:
    found = json.loads(line(trial, await run(trial, folder / "trial", index_root, cache, database)))
    assert {name: found[name] for name in FLAWLESS} == FLAWLESS
    assert (found["setup"], found["updates"], found["kills"]) == (trial.setup, trial.updates, trial.kills)


@pytest.mark.parametrize("setup", [Setup.SQLITE_POLLING, Setup.SQLITE_WEBHOOK])
async def test_one_process_is_killed_again_and_again(
    setup: Setup, tmp_path: Path, index_root: Path, cache: Path
) -> None:
    await flawless(Trial(setup, updates=60, kills=3, seed=2), tmp_path, index_root, cache)


async def test_one_of_three_processes_is_killed(
    tmp_path: Path, index_root: Path, cache: Path, postgres: Postgres
) -> None:
    with postgres.database() as name:
        trial = Trial(Setup.POSTGRES, updates=45, kills=2, seed=3)
        await flawless(trial, tmp_path, index_root, cache, postgres.url(name))


DEEDS = [Deed(SARA, SARA, "answer one"), Deed(SARA, SARA, "answer two"), Deed(SARA, STAFF, "question of hers")]


def test_what_did_not_arrive_is_missed() -> None:
    arrived = {SARA: [(1, "here is answer one")], STAFF: [(2, "question of hers")]}
    assert missing(DEEDS, arrived) == 1
    assert missing(DEEDS, arrived | {KARIM: [(3, "answer two")]}) == 1


@pytest.mark.parametrize(
    ("texts", "wrong"),
    [
        (["answer one", "answer two"], 0),
        (["answer two", "answer one"], 1),
        (["answer one\n\nanswer two"], 0),  # joined
        (["answer two\n\nanswer one"], 1),
        (["answer one", "answer one", "answer two"], 0),  # repeated
    ],
)
def test_order_is_that_of_one_chat_s_deeds(texts: list[str], wrong: int) -> None:
    assert out_of_order(DEEDS, {SARA: list(enumerate(texts))}) == wrong


def test_repeats_are_explained_by_a_kill_between_them() -> None:
    record = {SARA: [(1, "answer one"), (4, "answer one"), (5, "answer two")]}
    repeated = repeats(DEEDS, record)
    assert repeated == {(SARA, 4): (SARA, 1)}
    seen = frozenset({(SARA, 1)})
    assert outside(repeated, [Kill(seen, noted=frozenset())]) == 0
    assert outside(repeated, [Kill(seen, noted=seen)]) == 1  # it was known to have arrived
    assert outside(repeated, [Kill(frozenset(), frozenset())]) == 1  # killed before
    assert outside(repeated, [Kill(seen | {(SARA, 4)}, frozenset())]) == 1  # killed after
    assert outside(repeated, []) == 1


def test_a_kill_explains_one_repeat_a_chat() -> None:
    repeated = {(SARA, 4): (SARA, 1), (SARA, 5): (SARA, 2), (KARIM, 6): (KARIM, 3)}
    kill = Kill(frozenset(repeated.values()), frozenset())
    assert outside(repeated, [kill]) == 1
    assert outside(repeated, [kill, kill]) == 0


async def test_a_process_may_be_asked_to_stop_while_it_is_only_just_starting(tmp_path: Path) -> None:
    bot = Bot("bot0", tmp_path, dict(os.environ))
    await bot.start()
    await bot.stop()
    assert bot.process
    assert bot.process.returncode == -signal.SIGTERM


def test_a_database_that_was_never_made_knows_nothing(tmp_path: Path) -> None:
    assert Ledger(f"sqlite:///{tmp_path / 'none.sqlite'}").ask("SELECT 1") == []


def test_one_line_a_trial() -> None:
    found = json.loads(line(Trial(Setup.POSTGRES, 300, 12), Verdict(0, 0, 0, 0, 7, 0)))
    assert list(found) == [
        "setup", "updates", "kills", "lost", "handled_twice", "out_of_order", "tickets_twice", "repeats",
        "repeats_outside_window",
    ]  # fmt: skip
