"""A process that hangs, as a process: the watchdog must end it."""

import asyncio
import sys
import threading
from asyncio.subprocess import PIPE

import pytest

from bot.watch.beats import Beats
from bot.watch.watchdog import EVENT_LOOP, EXIT_CODE, watchdog

BEGIN = """
import asyncio, re, sys, time
from bot.watch.beats import Beats
from bot.watch.watchdog import watchdog

async def life(beats):
    async with watchdog(beats, 1):
        beats.beat("work")
        await stuck()

"""


async def ended(stuck: str) -> tuple[int | None, str]:
    code = f"{BEGIN}{stuck}\nasyncio.run(life(Beats()))"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=PIPE, stderr=PIPE)
    try:
        _, err = await asyncio.wait_for(process.communicate(), 120)
    finally:
        if process.returncode is None:
            process.kill()
    return process.returncode, err.decode()


async def test_a_loop_that_waits_for_ever() -> None:
    code, said = await ended("async def stuck():\n    await asyncio.Event().wait()")
    assert code == EXIT_CODE
    assert "loop hangs" in said


async def test_an_event_loop_that_is_blocked() -> None:
    code, said = await ended("async def stuck():\n    time.sleep(600)")
    assert code == EXIT_CODE
    assert "loop hangs" in said


async def test_an_interpreter_that_is_held() -> None:
    """A regular expression that never ends lets no other thread run, the watchdog's neither."""
    code, said = await ended("async def stuck():\n    re.match(r'(a+)+$', 'a' * 60 + 'b')")
    assert code == 1
    assert "in stuck" in said


@pytest.mark.parametrize("name", ["work", EVENT_LOOP])
async def test_who_hangs_and_where_is_logged(name: str, caplog: pytest.LogCaptureFixture) -> None:
    now, codes, told = 100.0, list[int](), threading.Event()

    def end(code: int) -> None:
        codes.append(code)
        told.set()

    async def inner(beats: Beats) -> None:
        beats.beat("work")
        await asyncio.Event().wait()

    async def outer(beats: Beats) -> None:
        await inner(beats)

    beats = Beats(lambda: now)
    async with watchdog(beats, 0.2, end):
        hanging = asyncio.create_task(outer(beats))
        await asyncio.sleep(0)
        now += 1 if name == "work" else 10  # the event loop's own sign of life is due after a second
        if name == EVENT_LOOP:
            assert told.wait(20)  # blocks the loop
        else:
            assert await asyncio.to_thread(told.wait, 20)
        hanging.cancel()
    assert codes == [EXIT_CODE]
    (record,) = caplog.records
    assert vars(record)["loop"] == name
    stack = vars(record)["stack"].split(" > ")
    where = [step.split(" ")[1] for step in stack if step.startswith(__name__)]
    assert where == (["outer", "inner"] if name == "work" else ["test_who_hangs_and_where_is_logged"])


async def test_who_gives_signs_of_life_lives_on() -> None:
    now, codes, looked = 100.0, list[int](), 0

    def clock() -> float:
        nonlocal looked
        looked += threading.current_thread() is not threading.main_thread()
        return now

    beats = Beats(clock)
    async with watchdog(beats, 0.2, codes.append):
        while looked < 5:
            now += 0.1
            beats.beat("work")
            await asyncio.sleep(0)
            now -= 0.1
    assert codes == []
    assert list(beats.late()) == ["work"]  # the event loop's own sign of life is over with the watchdog
