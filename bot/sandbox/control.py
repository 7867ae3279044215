"""The driving side over HTTP, for a server that runs in a process of its own."""

import asyncio
import contextlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from bot.sandbox.exchange import Call
from bot.sandbox.media import Upload
from bot.sandbox.people import Chat, User
from bot.sandbox.refusal import Refusal

if TYPE_CHECKING:
    from bot.sandbox.botapi import BotApi

# Methods of BotApi that may be called by name, their arguments as one JSON object.
_ACTIONS = frozenset(
    "user group say post send_media edit press inline react erase push block unblock remove_bot add_bot migrate topic "
    "close_topic delete_topic leave fail".split()
)


def routes(api: "BotApi") -> Mount:
    """POST /control/{action}; GET /control/messages, calls, pending and changed."""

    async def act(request: Request) -> Response:
        name = request.path_params["action"]
        if name not in _ACTIONS:
            return JSONResponse({"error": f"no action {name!r}; there are {sorted(_ACTIONS)}"}, 404)
        try:
            return JSONResponse(_plain(getattr(api, name)(**await request.json())))
        except (LookupError, TypeError, ValueError, Refusal) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)

    async def messages(request: Request) -> Response:
        return JSONResponse(api.messages(int(request.query_params["chat"])))

    async def calls(request: Request) -> Response:
        return JSONResponse([_plain(call) for call in api.calls(request.query_params.get("method"))])

    async def pending(_request: Request) -> Response:
        return JSONResponse(api.pending())

    async def changed(request: Request) -> Response:
        """The number of the last change; waits up to `timeout` seconds for one after `after`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(float(request.query_params.get("timeout", "10"))):
                while api.events.latest <= int(request.query_params.get("after", "-1")):
                    await api.events.changed()
        return JSONResponse({"seq": api.events.latest})

    looks = [messages, calls, pending, changed]
    return Mount(
        "/control",
        routes=[
            *(Route(f"/{look.__name__}", look) for look in looks),
            Route("/{action}", act, methods=["POST"]),
        ],
    )


def _plain(value: Any) -> Any:
    if isinstance(value, User | Chat):
        return value.json()
    if isinstance(value, Call):
        shown = asdict(value)
        shown["params"] = {name: _plain(part) for name, part in value.params.items()}
        return shown
    return {"file": value.name, "size": len(value.content)} if isinstance(value, Upload) else value
