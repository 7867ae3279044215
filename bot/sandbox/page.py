"""The demonstration's page: a candidate's phone beside the staff's group, for one visitor on this machine."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from secrets import compare_digest

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.sandbox.botapi import BotApi
from bot.sandbox.refusal import Json, Refusal
from bot.sandbox.view import Cast, change, everything

SITE = Path(__file__).parent / "site"
SHOWN = sorted(path.name for path in SITE.iterdir())
# Named here, since what an operating system takes a script for may be something that browsers then refuse.
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
LARGEST_ACT = 64 * 1024
LARGEST_FILE = 10 * 1024 * 1024
LONGEST_TEXT = 4096
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
# How a picture begins; everything else is downloaded and never opened by the page.
_PICTURES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
}


@dataclass(frozen=True, slots=True)
class Page:
    """What the page shows and does. `guide` holds its texts and suggestions by language."""

    api: BotApi
    cast: Cast
    guide: Json
    speak: Callable[[str], None]  # the language in which staff are written to


class Guard:
    """Lets in only who knows the token and asks this machine by its own name; the latter defeats DNS rebinding."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, or refuse with 403; every answer carries the headers that keep the page to itself."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        welcome = scope["type"] == "http" and self._welcome(scope)
        app = self._app if welcome else PlainTextResponse("Open the address that the terminal shows.\n", 403)
        await app(scope, receive, guarded)

    def _welcome(self, scope: Scope) -> bool:
        host = Headers(scope=scope).get("host", "").partition(":")[0]
        given = str(scope["path"]).removeprefix("/").partition("/")[0].encode(errors="replace")
        return compare_digest(given, self._token) and host in {"127.0.0.1", "localhost"}


def application(page: Page, token: str) -> ASGIApp:
    """The page at /TOKEN/, and nothing elsewhere."""

    async def events(_request: Request) -> Response:
        return StreamingResponse(_events(page), media_type="text/event-stream")

    async def guide(_request: Request) -> Response:
        return JSONResponse(page.guide)

    async def act(request: Request) -> Response:
        return await _answered(lambda body: _act(page, json.loads(body)), request, LARGEST_ACT)

    async def upload(request: Request) -> Response:
        return await _answered(lambda body: _upload(page, dict(request.query_params), body), request, LARGEST_FILE)

    async def download(request: Request) -> Response:
        return _download(page.api, request.path_params["file"])

    routes = [
        Route("/events", events),
        Route("/guide", guide),
        Route("/act", act, methods=["POST"]),
        Route("/files", upload, methods=["POST"]),
        Route("/files/{file}", download),
        *(Route(f"/{name}", _static(name or "index.html")) for name in ("", *SHOWN)),
    ]
    return Guard(Starlette(routes=[Mount(f"/{token}", routes=routes)]), token)


def _static(name: str) -> Callable[[Request], Response]:
    return lambda _request: FileResponse(SITE / name, media_type=_TYPES[(SITE / name).suffix])


async def _events(page: Page) -> AsyncIterator[str]:
    """Server-sent events: everything, then each change, until the Bot API server closes."""
    feed = page.api.events
    latest = feed.latest
    yield _event(everything(page.api, page.cast))
    async for event in feed.since(latest):
        if event.kind == "closing":
            yield _event({"kind": "closing"})
            return
        if told := change(page.api, page.cast, event):
            yield _event(told)


def _event(told: Json) -> str:
    return f"data: {json.dumps(told, ensure_ascii=False)}\n\n"


async def _answered(work: Callable[[bytes], Json], request: Request, largest: int) -> Response:
    """What the work gives; a body that is too large or means nothing is refused."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > largest:
            return JSONResponse({"error": "too large"}, 413)
    try:
        return JSONResponse(work(body))
    except Refusal as refusal:
        return JSONResponse({"error": refusal.description}, 400)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)


def _act(page: Page, given: Json) -> Json:
    """Somebody writes, presses, edits, reacts or takes a message back; or the page speaks another language."""
    api, action = page.api, given["action"]
    if action == "speak":
        page.speak(given["language"])
        return {}
    user = _known(page.cast, given["user"])
    chat = page.cast.place_of(user)
    if action == "say":
        text = _text(given)
        return api.say(user, text, chat=chat, reply_to=given.get("reply_to"), thread=given.get("thread"))
    message = api.world.chats[chat.id if chat else user].messages[int(given["message"])]
    match action:
        case "press":
            return api.press(user, message, (int(given["row"]), int(given["column"])))
        case "edit":
            return api.edit(user, message, _text(given))
        case "react":
            api.react(user, message, *given["emoji"])
        case "delete" if message["from"]["id"] == user:
            api.erase(message)
        case _:
            raise ValueError(f"no such action: {action}")
    return {}


def _upload(page: Page, given: dict[str, str], content: bytes) -> Json:
    """Somebody sends a file: a picture as a picture, anything else as a document."""
    user = _known(page.cast, int(given["user"]))
    kind = "photo" if _picture(content) else "document"
    return page.api.send_media(
        user,
        kind,
        caption=given.get("caption", "")[:1024] or None,
        data=content,
        name=given["name"],
        mime=given.get("mime") or "application/octet-stream",
        chat=page.cast.place_of(user),
        reply_to=int(given.get("reply_to") or 0) or None,
        thread=int(given.get("thread") or 0) or None,
    )


def _known(cast: Cast, user: int) -> int:
    if user not in cast:
        raise LookupError("nobody of that name here")
    return user


def _text(given: Json) -> str:
    text = str(given["text"]).strip()
    if not 0 < len(text) <= LONGEST_TEXT:
        raise ValueError(f"write 1 to {LONGEST_TEXT} characters")
    return text


def _picture(content: bytes) -> str | None:
    """The media type of a picture that browsers show, None for anything else."""
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _PICTURES.items() if content.startswith(start)), None)


def _download(api: BotApi, file_id: str) -> Response:
    file = api.world.files.get(file_id)
    if file is None:
        return PlainTextResponse("no such file\n", 404)
    if kind := _picture(file.upload.content):
        return Response(file.upload.content, media_type=kind)
    return Response(
        file.upload.content, media_type="application/octet-stream", headers={"content-disposition": "attachment"}
    )
