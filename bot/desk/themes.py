"""Themes that candidates may ask to be told of, once: staff open one, and say later that its time has come."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery import outbox, timers
from bot.delivery.outbox import Priority
from bot.delivery.timers import Payload
from bot.dialogue.message import Button
from bot.dialogue.rich import bold, italic, join, plain
from bot.dialogue.texts import spoken, texts
from bot.records.tables import Candidate, Chat, Subscription, Theme
from bot.records.upsert import insert_new
from indexer.entries import Language

TELL = "theme"  # kind of timer
BATCH = 50  # people that one transaction tells: nobody waits for it long
MOST = 10  # themes that are open at the same time: what fits below a message


def title(theme: Theme, language: Language) -> str:
    """What it is about, in that language."""
    return theme.fr if language == "fr" else theme.en


def word(theme: Theme, language: Language) -> str:
    """What is to be told of it, in that language; empty as long as nobody has written it."""
    return (theme.told_fr if language == "fr" else theme.told_en) or ""


def code(theme: Theme) -> str:
    """A short name for what is to be told: a button sends only what stands above it."""
    return hashlib.sha256(f"{theme.told_en}\n{theme.told_fr}".encode()).hexdigest()[:8]


async def open_ones(tx: AsyncSession) -> Sequence[Theme]:
    """Those that one can still ask for, oldest first."""
    found = select(Theme).where(Theme.fired_at.is_(None)).order_by(Theme.id).limit(MOST)
    return (await tx.scalars(found)).all()


async def of(tx: AsyncSession, candidate: Candidate) -> Sequence[Theme]:
    """Those that a candidate waits for, oldest first."""
    asked = exists().where(Subscription.theme_id == Theme.id, Subscription.candidate_id == candidate.id)
    return (await tx.scalars(select(Theme).where(asked).order_by(Theme.id))).all()


async def offer(tx: AsyncSession, language: Language) -> tuple[Button, ...]:
    """What one presses to see the themes; nothing where none is open."""
    some = (await tx.execute(select(exists().where(Theme.fired_at.is_(None))))).scalar_one()
    return (Button(texts(language).button_themes, data="j:l"),) if some else ()


async def subscribe(tx: AsyncSession, candidate: Candidate, theme_id: int, now: datetime) -> Theme | None:
    """Have a candidate told of a theme; None if its time is over. Twice is as good as once."""
    # Held, so that nobody who asks at the moment of telling is left waiting.
    open_theme = select(Theme).where(Theme.id == theme_id, Theme.fired_at.is_(None)).with_for_update()
    theme = (await tx.execute(open_theme)).scalar_one_or_none()
    if theme:
        wanted = {"theme_id": theme.id, "candidate_id": candidate.id, "since": now}
        await insert_new(tx, Subscription, Subscription.theme_id, **wanted)
    return theme


async def stop(tx: AsyncSession, candidate: Candidate, theme_id: int) -> None:
    """The candidate no longer wants to be told."""
    mine = (Subscription.theme_id == theme_id) & (Subscription.candidate_id == candidate.id)
    await tx.execute(delete(Subscription).where(mine))


async def count(tx: AsyncSession, theme: Theme) -> int:
    """How many wait for it."""
    waiting = select(func.count()).where(Subscription.theme_id == theme.id)
    return (await tx.execute(waiting)).scalar_one()


async def fire(tx: AsyncSession, theme: Theme, now: datetime) -> bool:
    """Its time has come: all who asked are told from now on, a little at a time; False if that was so before."""
    first = (Theme.id == theme.id) & Theme.fired_at.is_(None)
    fired = update(Theme).where(first).values(fired_at=now).returning(Theme.id)
    if (await tx.execute(fired)).scalar_one_or_none() is None:
        return False
    await timers.set_timer(tx, f"{TELL}{theme.id}", TELL, now, {"theme": theme.id})
    return True


async def tell(tx: AsyncSession, payload: Payload, now: datetime) -> None:
    """Tell some of those who asked: with its message a subscription ends. Who is out of reach or banned is left out."""
    theme = await tx.get(Theme, payload["theme"])
    if theme is None:
        return
    waiting = select(Candidate, Chat.unreachable_since).join(Subscription).join(Chat, Chat.id == Candidate.chat_id)
    some = waiting.where(Subscription.theme_id == theme.id).order_by(Subscription.candidate_id).limit(BATCH)
    rows = (await tx.execute(some)).all()
    for candidate, unreachable in rows:
        if not unreachable and not candidate.banned_at:  # who is muted is only not heard
            await _say(tx, theme, candidate)
    told = [candidate.id for candidate, _ in rows]
    ended = (Subscription.theme_id == theme.id) & Subscription.candidate_id.in_(told)
    await tx.execute(delete(Subscription).where(ended))
    if rows:
        await timers.set_timer(tx, f"{TELL}{theme.id}", TELL, now, payload)


async def _say(tx: AsyncSession, theme: Theme, candidate: Candidate) -> None:
    language = spoken(candidate.chosen_language or candidate.language)
    words = texts(language)
    shown = join([bold(title(theme, language)), plain(word(theme, language)), italic(words.theme_told)]).message()
    key = f"theme{theme.id}:{candidate.chat_id}"
    await outbox.put(tx, candidate.chat_id, "sendMessage", shown.payload(), key=key, priority=Priority.NOTICE)
