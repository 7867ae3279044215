"""“Typing …” in a private chat while something takes longer than a moment; that it fails never matters."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

from telegram import Bot, Update
from telegram.constants import ChatAction, ChatType

from bot.delivery.calls import call
from bot.handlers.context import Context

SOON, AGAIN = 0.5, 4.5  # seconds; Telegram takes the sign away after five

Handler = Callable[[Update, Context], Coroutine[Any, Any, None]]


def shown_as_typing(handler: Handler) -> Handler:
    """The handler, during which the person sees that something is being done."""

    @wraps(handler)
    async def while_typing(update: Update, context: Context) -> None:
        chat = update.effective_chat
        if chat is None or chat.type != ChatType.PRIVATE:
            await handler(update, context)
            return
        sign = asyncio.create_task(_type(context.bot, chat.id))
        try:
            await handler(update, context)
        finally:
            sign.cancel()
            await asyncio.gather(sign, return_exceptions=True)

    return while_typing


async def _type(bot: Bot, chat_id: int) -> None:
    await asyncio.sleep(SOON)
    while True:
        await call(bot, "sendChatAction", {"chat_id": chat_id, "action": ChatAction.TYPING})
        await asyncio.sleep(AGAIN)
