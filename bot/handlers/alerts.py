"""What a person who pressed a button sees at once."""

from contextlib import suppress

from telegram import CallbackQuery
from telegram.error import TelegramError

LONGEST = 200  # characters that Telegram shows


async def alert(query: CallbackQuery, said: str = "") -> None:
    """Show what happened; without words, only the little clock on the button stops."""
    with suppress(TelegramError):  # nothing depends on it, and it may be too late to be shown
        await query.answer(text=said[:LONGEST] or None, show_alert=bool(said))
