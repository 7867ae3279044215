"""Pages for those who run the bot: is it alive, is it ready, what are its figures."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.watch.watch import Watch

Check = Callable[[], Awaitable[object]]  # raises, or gives something false, if it is not as it should be
PATIENCE = 5.0  # seconds that one check may take
GOOD, BAD = 20.0, 3.0  # seconds for which a check that went well, or did not, is not repeated


class NotReadyError(Exception):
    """What is wrong, in words that hold no secrets."""


class Remembered:
    """A check that is not made again too soon, however often people ask."""

    def __init__(self, check: Check, clock: Callable[[], float] = time.monotonic) -> None:
        self._check, self._clock = check, clock
        self._result, self._until, self._one = "", 0.0, asyncio.Lock()

    async def __call__(self) -> str:
        """What is wrong, in words or as the class of an error; empty if nothing is."""
        async with self._one:
            if self._clock() >= self._until:
                self._result = await self._made()
                self._until = self._clock() + (BAD if self._result else GOOD)
            return self._result

    async def _made(self) -> str:
        try:
            async with asyncio.timeout(PATIENCE):
                return "" if await self._check() else "missing"
        except NotReadyError as error:
            return str(error)
        except TimeoutError:
            return f"no answer within {PATIENCE:.0f} seconds"
        except Exception as error:  # whatever it is, it is what was asked for
            return type(error).__name__


def alive(watch: Watch, limit: float) -> Route:
    """/healthz: 200 while all loops give signs of life, 503 with the names of those that do not."""

    async def page(_request: Request) -> Response:
        hanging = list(watch.beats.hanging(limit))
        return JSONResponse({"alive": not hanging, "hanging": hanging}, 503 if hanging else 200)

    return Route("/healthz", page)


def ready(checks: Mapping[str, Check], stop: asyncio.Event) -> Route:
    """/readyz: 200 if all checks go well and nobody has asked to stop, else 503 and what is wrong."""
    remembered = {name: Remembered(check) for name, check in checks.items()}

    async def page(_request: Request) -> Response:
        said = await asyncio.gather(*(check() for check in remembered.values()))
        wrong = {name: what for name, what in zip(remembered, said, strict=True) if what}
        if stop.is_set():
            wrong["process"] = "stopping"
        return JSONResponse({"ready": not wrong, "wrong": wrong}, 503 if wrong else 200)

    return Route("/readyz", page)


def figures(watch: Watch, refresh: Callable[[], Awaitable[None]]) -> Route:
    """/metrics: everything counted, and what `refresh` looks up at this moment."""

    async def page(_request: Request) -> Response:
        watch.metrics.loops.clear()  # of loops that have ended
        for name, late in watch.beats.late().items():
            watch.metrics.loops.labels(name).set(late)
        await refresh()
        text = await asyncio.to_thread(generate_latest, watch.metrics.registry)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    return Route("/metrics", page)
