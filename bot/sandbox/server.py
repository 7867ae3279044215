"""The Bot API over HTTP: paths, bodies, answers and files as Telegram's server has them."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Iterable
from email import message_from_string
from email.policy import HTTP
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from bot.listening import listening
from bot.sandbox.exchange import DroppedError, Exchange
from bot.sandbox.media import Upload
from bot.sandbox.refusal import Json, Refusal, bad_request
from bot.sandbox.updates import Delivery

_NUMBERS = set("chat_id from_chat_id message_id message_thread_id user_id offset limit timeout".split())
_STRUCTURES = set(
    "allowed_updates caption_entities commands entities link_preview_options media message_ids reaction reply_markup "
    "reply_parameters results scope".split()
)


class _Cut(Response):
    """Announces a body and closes the connection instead: to the client the answer is lost."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"1"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


def application(exchange: Exchange, more: Iterable[BaseRoute] = ()) -> Starlette:
    """The ASGI application for one bot, with further routes beside the Bot API's."""

    async def method(request: Request) -> Response:
        try:
            _authorise(exchange, request)
            answer = await exchange.answer(request.path_params["method"], await parameters(request))
        except Refusal as refusal:
            answer = refusal.json()
        except DroppedError:
            return _Cut()
        return JSONResponse(answer, answer.get("error_code", 200))

    async def download(request: Request) -> Response:
        try:
            _authorise(exchange, request)
        except Refusal as refusal:
            return JSONResponse(refusal.json(), refusal.code)
        for file in exchange.world.files.values():
            if file.path == request.path_params["path"]:
                return Response(file.upload.content, media_type="application/octet-stream")
        return JSONResponse(Refusal(404, "Not Found").json(), 404)

    routes: list[BaseRoute] = [
        Route("/file/bot{token}/{path:path}", download),
        Route("/bot{token}/{method}", method, methods=["GET", "POST"]),
    ]
    return Starlette(routes=[*more, *routes])


def _authorise(exchange: Exchange, request: Request) -> None:
    if request.path_params["token"] != exchange.token:
        raise Refusal(401, "Unauthorized")


async def parameters(request: Request) -> Json:
    """What the bot sent in the address and the body, numbers and structures decoded."""
    params: Json = dict(request.query_params)
    kind, body = request.headers.get("content-type", ""), await request.body()
    if kind.startswith("application/json"):
        params |= _from_json(body)
    elif kind.startswith("multipart/form-data"):
        params |= multipart(kind, body)
    elif body:
        params |= dict(parse_qsl(body.decode(), keep_blank_values=True))
    return {name: _decoded(name, value) for name, value in params.items()}


def _from_json(body: bytes) -> Json:
    try:
        given = json.loads(body or b"{}")
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise bad_request("can't parse request body as JSON object")
    return given


def multipart(content_type: str, body: bytes) -> Json:
    """Fields as text and files as Upload; the boundary occurs nowhere else, so splitting is exact."""
    boundary = re.search(r'boundary="?([^";]+)', content_type)
    if boundary is None:
        raise bad_request("boundary parameter not found in Content-Type header")
    params: Json = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary[1].encode())[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        header = message_from_string(head.decode(), policy=HTTP)
        disposition = header["content-disposition"].params
        if "filename" in disposition:
            params[disposition["name"]] = Upload(disposition["filename"], content, header.get_content_type())
        else:
            params[disposition["name"]] = content.decode()
    return params


def _decoded(name: str, value: object) -> object:
    """A number or structure sent as text, decoded; what cannot be decoded stays and is refused later."""
    if not isinstance(value, str):
        return value
    if name in _NUMBERS and re.fullmatch(r"-?\d{1,18}", value):
        return int(value)
    if name in _STRUCTURES:
        with contextlib.suppress(ValueError):
            return json.loads(value)
    return value


@contextlib.asynccontextmanager
async def listen(exchange: Exchange, port: int = 0, more: Iterable[BaseRoute] = ()) -> AsyncIterator[str]:
    """Serve on loopback in the running loop; yields "http://127.0.0.1:PORT/bot"."""
    queue = exchange.world.queue
    queue.closed = False
    async with listening(application(exchange, more), "127.0.0.1", port) as taken:
        delivering = asyncio.create_task(Delivery(queue).run())
        try:
            yield f"http://127.0.0.1:{taken}/bot"
        finally:
            # Long polls end at once, so that the server need not wait for them.
            queue.closed = True
            exchange.world.feed.publish("closing")
            delivering.cancel()
            await asyncio.gather(delivering, return_exceptions=True)
