"""The webhook: what Telegram posts is committed before Telegram hears 200; whatever else it hears, it repeats."""

import asyncio
import hashlib
import hmac
import json
import logging
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.delivery import incoming
from bot.delivery.calls import call
from bot.delivery.loops import Loops, repeat, take_in
from bot.delivery.retry import place
from bot.delivery.wake import wait

log = logging.getLogger(__name__)

HEADER = "X-Telegram-Bot-Api-Secret-Token"
LARGEST = 2**20  # bytes; an update has some thousand
PATIENCE = 25.0  # seconds for reading and committing one; Telegram waits longer
CONNECTIONS = 40  # that Telegram may open at once
LOOK = 60.0  # seconds between two looks at whether the webhook is still ours


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where Telegram is to post updates, and how it shows that it is Telegram."""

    url: str
    secret: str


class _Refused(Exception):  # noqa: N818  # no fault of ours
    def __init__(self, status: int, why: str) -> None:
        self.status, self.why = status, why


def secret_from(token: str) -> str:
    """A secret that all workers derive alike and that tells nothing about the token."""
    return hmac.new(token.encode(), b"webhook secret", hashlib.sha256).hexdigest()


async def keep(loops: Loops, webhook: Webhook) -> None:
    """Tells Telegram the webhook, and again should it have been changed, until `loops.stop`. Drops no updates."""
    told = False

    async def step() -> None:
        nonlocal told
        bot = loops.application.bot
        if not told:
            parameters: dict[str, Any] = {"url": webhook.url, "secret_token": webhook.secret}
            parameters |= {"allowed_updates": list(loops.allowed), "max_connections": CONNECTIONS}
            await call(bot, "setWebhook", parameters)
            log.info("webhook set")
        told = _is_set(await call(bot, "getWebhookInfo", {}), webhook)
        if told:
            await wait(loops.stop, LOOK)

    await repeat(loops, "webhook", step, rest=LOOK)


def _is_set(info: dict[str, Any], webhook: Webhook) -> bool:
    if info.get("url") != webhook.url:
        log.warning("another process has changed the webhook, will set it again")
        return False
    if info.get("pending_update_count") and (error := info.get("last_error_message")):
        log.warning("Telegram could not deliver", extra={"error": error, "count": info["pending_update_count"]})
    return True


def route(path: str, loops: Loops, secret: str) -> Route:
    """Takes in what Telegram posts to `path`; once `loops.stop` is set nothing more."""

    async def receive(request: Request) -> Response:
        try:
            async with asyncio.timeout(PATIENCE):
                update = await _update(request, loops, secret)
                await take_in(loops, [update])
        except _Refused as refused:
            response = PlainTextResponse(refused.why, refused.status)
        except ClientDisconnect:
            response = PlainTextResponse("disconnected", 400)
        except (SQLAlchemyError, OSError) as error:  # TimeoutError is an OSError
            log.error("update not received, Telegram will repeat it", extra={"error": place(error)})  # noqa: TRY400  a trace may quote texts
            response = PlainTextResponse("try again", 503)
        except Exception as error:
            log.error("webhook failed", extra={"error": place(error)})  # noqa: TRY400  a trace may quote texts
            response = PlainTextResponse("failed", 500)
        else:
            response = PlainTextResponse("kept")
        loops.watch.metrics.answered(response.status_code)
        return response

    return Route(path, receive, methods=["POST"])


async def _update(request: Request, loops: Loops, secret: str) -> dict[str, Any]:
    """The update; raises _Refused unless it is one and comes from Telegram."""
    if loops.stop.is_set():
        raise _Refused(503, "stopping")
    given = request.headers.get(HEADER, "")
    if not hmac.compare_digest(given.encode(), secret.encode()):
        raise _Refused(403, "wrong secret")
    try:
        found = json.loads(await _body(request), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise _Refused(400, "not JSON") from None
    if not isinstance(found, dict) or incoming.number(found) is None:
        raise _Refused(400, "not an update")
    return found


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise _Refused(413, "too large")
    return bytes(body)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON")  # and PostgreSQL would refuse it
