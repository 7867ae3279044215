"""Staff close or reopen a candidate's topic by hand: the ticket follows, as if a button had been pressed."""

from telegram import Update

from bot.delivery import inbox
from bot.desk import endings, topics
from bot.handlers.context import Context, desk_of
from bot.handlers.people import member_of


async def on_topic(update: Update, context: Context) -> None:
    """What Telegram says of a topic that somebody closed or reopened; what the bot itself did needs no answer."""
    deps, received, key = context.deps, update.effective_message, f"u{update.update_id}"
    assert received
    closed, thread, desk = bool(received.forum_topic_closed), received.message_thread_id, desk_of(deps)
    by_the_bot = received.from_user is not None and received.from_user.id == context.bot.id
    async with deps.db.begin() as tx:
        ticket = await topics.ticket_of_thread(tx, desk, thread) if thread and not by_the_bot else None
        if ticket:
            await member_of(tx, update, deps.now())
            await topics.noticed(tx, desk, ticket, closed=closed)
            if closed:
                await endings.close(tx, desk, ticket, deps.now(), key=key, by_team=True)
            else:
                await endings.take_up(tx, desk, ticket, deps.now(), key=key)
        await inbox.done(tx, update.update_id)
