import asyncio

from bot.watch.beats import Beats


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_a_loop_is_late_from_its_last_beat_on() -> None:
    clock = Clock()
    beats = Beats(clock)
    beats.beat("work")
    clock.now += 30
    beats.beat("send")
    assert beats.late() == {"work": 30, "send": 0}
    assert list(beats.hanging(30)) == []
    assert list(beats.hanging(29.9)) == ["work"]
    assert beats.hanging(29)["work"].task is asyncio.current_task()
    beats.beat("work")
    assert beats.hanging(0) == {}


async def test_who_rests_on_purpose_is_not_late() -> None:
    clock = Clock()
    beats = Beats(clock)
    beats.beat("poll", rest=40)
    clock.now += 40
    assert beats.late() == {"poll": 0}
    clock.now += 6
    assert list(beats.hanging(5)) == ["poll"]


async def test_of_a_loop_that_has_ended_nothing_is_expected() -> None:
    clock = Clock()
    beats = Beats(clock)
    beats.beat("poll")
    beats.end("poll")
    beats.end("never begun")
    clock.now += 1000
    assert beats.late() == {}
    assert beats.hanging(1) == {}
