"""What `guichet run` runs, without Telegram's budgets: to be measured and killed, never for people.

    python benchmarks/unbudgeted.py [--profile FILE]

Refuses any Bot API server but one on this machine.
"""

import asyncio
import cProfile
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

sys.path.insert(0, str(Path(__file__).parents[1]))  # to run as a script

from bot import logs
from bot.app import serve
from bot.console import plainly
from bot.delivery.budgets import LIFTED
from bot.indexing import open_for
from bot.publishing.searcher import apart
from bot.settings import SettingsError, load_settings


def main(
    profile: Annotated[Path | None, typer.Option(help="where to write what cProfile sees of the event loop")] = None,
) -> None:
    """Run until stopped."""
    with plainly():
        settings = load_settings(require=("telegram_token", "staff_chat_id"))
        if urlsplit(settings.telegram_base_url).hostname != "127.0.0.1":
            raise SettingsError(["GUICHET_TELEGRAM_BASE_URL: without budgets only a server on 127.0.0.1 is spoken to"])
        logs.set_up(settings)
        engine = open_for(settings)
    running = serve(settings, engine, budgets=LIFTED, searcher=apart(engine, settings.index_root))
    if profile is None:
        asyncio.run(running)
        return
    with cProfile.Profile() as seen:
        asyncio.run(running)
    seen.dump_stats(profile)


if __name__ == "__main__":
    typer.run(main)
