import asyncio
from collections.abc import Awaitable, Callable

import httpx
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from bot.watch import pages
from bot.watch.beats import Beats
from bot.watch.pages import NotReadyError, Remembered, alive, figures, ready
from bot.watch.watch import Watch


async def get(route: BaseRoute, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(Starlette(routes=[route]))
    async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
        return await client.get(path)


def answering(result: object) -> Callable[[], Awaitable[object]]:
    async def check() -> object:
        if isinstance(result, Exception):
            raise result
        return result

    return check


async def test_alive_as_long_as_the_loops_are() -> None:
    now = 100.0
    watch = Watch(beats=Beats(lambda: now))
    page = alive(watch, 60)
    assert (await get(page, "/healthz")).status_code == 200
    watch.beats.beat("send")
    now += 60
    assert (await get(page, "/healthz")).json() == {"alive": True, "hanging": []}
    now += 1
    answer = await get(page, "/healthz")
    assert (answer.status_code, answer.json()) == (503, {"alive": False, "hanging": ["send"]})


async def test_ready_when_all_checks_go_well() -> None:
    stop = asyncio.Event()
    page = ready({"database": answering(1), "Telegram": answering({"id": 5})}, stop)
    assert (await get(page, "/readyz")).json() == {"ready": True, "wrong": {}}
    stop.set()
    answer = await get(page, "/readyz")
    assert (answer.status_code, answer.json()["wrong"]) == (503, {"process": "stopping"})


async def test_what_is_wrong_is_named_without_details() -> None:
    checks = {
        "database": answering(OSError("secret address")),
        "index": answering(False),
        "Telegram": answering(NotReadyError("Telegram does not answer")),
        "proxy": answering(TimeoutError("secret address")),
        "well": answering(1),
    }
    answer = await get(ready(checks, asyncio.Event()), "/readyz")
    assert answer.status_code == 503
    assert answer.json()["wrong"] == {
        "database": "OSError",
        "index": "missing",
        "Telegram": "Telegram does not answer",
        "proxy": "no answer within 5 seconds",
    }


async def test_a_check_is_not_made_again_too_soon() -> None:
    now, made, result = 100.0, 0, True

    async def check() -> bool:
        nonlocal made
        made += 1
        return result

    remembered = Remembered(check, lambda: now)
    assert await asyncio.gather(*(remembered() for _ in range(5))) == [""] * 5
    assert made == 1
    now, result = now + pages.GOOD, False
    assert (await remembered(), made) == ("missing", 2)
    now, result = now + pages.BAD, True
    assert (await remembered(), made) == ("", 3)


async def test_figures_are_looked_up_when_asked_for() -> None:
    now = 100.0
    watch = Watch(beats=Beats(lambda: now))
    gauge = watch.metrics.gauge("stock", "A test's own")

    async def refresh() -> None:
        gauge.set(12)

    watch.beats.beat("poll")
    watch.beats.beat("send")
    watch.beats.end("send")
    now += 3
    answer = await get(figures(watch, refresh), "/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "guichet_stock 12.0\n" in answer.text
    assert 'guichet_loop_late_seconds{loop="poll"} 3.0\n' in answer.text
    assert "send" not in answer.text
    watch.beats.end("poll")
    assert 'poll"' not in (await get(figures(watch, refresh), "/metrics")).text  # how late it was is old
    assert "process_resident_memory_bytes" in answer.text
