"""`guichet link`: an address that opens the bot at a course or a topic, and its QR code for pages and posters."""

import asyncio
import re
from io import StringIO
from pathlib import Path
from typing import Annotated

import typer

from bot.console import err, out, plainly
from bot.settings import Settings, load_settings
from indexer.courses import COMMON
from indexer.engine import live_snapshot
from indexer.entries import Entry
from indexer.snapshot import Snapshot

PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what Telegram takes after ?start=
PIXELS = 10  # a side of one square of the QR code


class LinkError(Exception):
    """What a link was asked for does not exist; the message lists what there is."""


def link(
    topic: Annotated[
        str | None, typer.Argument(help="a topic of the knowledge; without it the link opens /start")
    ] = None,
    course: Annotated[str | None, typer.Option(help="a course, where there are several")] = None,
    png: Annotated[Path | None, typer.Option(help="write the QR code to this file")] = None,
) -> None:
    """Print the link that opens the bot at a topic, with its QR code."""
    import segno  # noqa: PLC0415  # only this command draws

    with plainly():
        settings = load_settings(require=("telegram_token",))
        snapshot = live_snapshot(settings.index_root)
    try:
        payload = payload_of(snapshot, topic, course)
        address = f"https://t.me/{asyncio.run(_username(settings))}" + (f"?start={payload}" if payload else "")
        code = segno.make(address, error="m")
        out.print(address, markup=False)
        drawn = StringIO()
        code.terminal(drawn, compact=True)
        out.file.write(drawn.getvalue())
        if png:
            code.save(str(png), kind="png", scale=PIXELS)
            out.print(f"The QR code is in {png}.", markup=False)
    except (LinkError, OSError) as error:
        err.print(str(error), style="red", markup=False)
        raise typer.Exit(2) from None


def payload_of(snapshot: Snapshot, topic: str | None, course: str | None) -> str:
    """What stands after ?start=: a course, a topic, or both with `_` between; raises LinkError."""
    courses = [one.name for one in snapshot.school] if len(snapshot.school) > 1 else []
    if course and course not in courses:
        known = ", ".join(courses) or "none, since there is only one"
        raise LinkError(f"There is no course {course!r}: known are {known}.")
    topics = {entry.topic: None for entry in snapshot.entries if _open(entry, course)}
    if topic and topic not in topics:
        raise LinkError(f"There is no topic {topic!r} with an answer: known are {', '.join(topics)}.")
    payload = "_".join(filter(None, (course, topic)))
    if payload and not PAYLOAD.fullmatch(payload):
        raise LinkError(
            f"{payload!r} is too long for a link: Telegram takes 64 characters; give the topic a shorter name."
        )
    return payload


def _open(entry: Entry, course: str | None) -> bool:
    return not entry.draft and (course is None or entry.course in (course, COMMON))


async def _username(settings: Settings) -> str:
    """The bot's name, as Telegram knows it; raises LinkError."""
    from telegram import Bot  # noqa: PLC0415  # heavy, and only needed with a token
    from telegram.error import InvalidToken, TelegramError  # noqa: PLC0415

    assert settings.telegram_token
    try:
        async with Bot(settings.telegram_token.get_secret_value(), base_url=settings.telegram_base_url) as bot:
            return bot.username
    except InvalidToken:
        raise LinkError("Telegram does not know the token: copy GUICHET_TELEGRAM_TOKEN again from @BotFather") from None
    except TelegramError as error:
        remedy = "check the network and GUICHET_TELEGRAM_BASE_URL"
        raise LinkError(f"Telegram cannot be reached ({type(error).__name__}): {remedy}") from None
