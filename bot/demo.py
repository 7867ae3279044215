"""A short conversation through the real bot and a Bot API server on loopback, for where there is no display."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from rich.console import Console

from bot.app import guichet
from bot.delivery.loops import run
from bot.dialogue.texts import texts
from bot.sandbox.botapi import BotApi, serve
from bot.settings import Settings
from indexer.engine import Engine

TOKEN = "123456:a-token-for-the-demonstration"  # noqa: S105  # known to our own server only
PATIENCE = 60.0  # seconds


async def play(settings: Settings, engine: Engine, console: Console) -> None:
    """Play and print it; raises AssertionError if a step does not happen."""
    api = BotApi(token=TOKEN, username="guichet_demo_bot")
    sara = api.user("Sara", language_code="en")
    karim, lina = (api.user(name, language_code="fr") for name in ("Karim", "Lina"))
    marie = api.user("Marie", language_code="fr")
    staff = api.group("Admissions team", members=[marie], admins=[marie])
    with tempfile.TemporaryDirectory(prefix="guichet-demo-") as folder:
        async with serve(api) as base_url:
            own = {
                "telegram_token": SecretStr(TOKEN),
                "telegram_base_url": base_url,
                "staff_chat_id": staff.id,
                "database_url": f"sqlite+aiosqlite:///{Path(folder) / 'demo.sqlite'}",
            }
            async with guichet(settings.model_copy(update=own), engine) as bot:
                running = asyncio.create_task(run(bot.loops))
                try:
                    await _conversation(Stage(api, console, staff.id), sara, lina, karim, marie)
                finally:
                    bot.loops.stop.set()
                    await running
    console.print(
        "\n[bold]That was the real bot.[/bold] To write to it yourself: 'guichet demo --no-browser' prints the"
    )
    console.print("address of a page with candidates and staff, and 'guichet chat' answers in the terminal.")


async def _conversation(stage: "Stage", sara: Any, lina: Any, karim: Any, marie: Any) -> None:
    stage.title("An answer in English")
    await stage.ask(sara, "Who are the lecturers?")
    stage.title("An answer in French")
    await stage.ask(lina, "Puis-je candidater sans diplôme ?")  # Karim's ticket is still to be opened
    stage.title("A question that could mean several things")
    back = await stage.ask(sara, "project")
    for first in buttons(back)[:1]:
        await stage.press(sara, back, first)
    stage.title("A question that nobody has answered yet: the team gets it")
    price = "Combien coûte la formation ?"
    note = await stage.ask(karim, price)
    to_people = {texts("fr").button_person, texts("fr").button_none}  # the school's own files may answer it by now
    for person in [name for name in buttons(note) if name in to_people]:
        await stage.press(karim, note, person)
    card = await stage.staff_sees(price)
    stage.title("Staff reply to the card, and the candidate has the answer")
    await stage.staff_replies(marie, card, "Bonjour, je vous envoie la grille de tarifs cette semaine.", to=karim)


def buttons(message: dict[str, Any]) -> list[str]:
    """What stands on the buttons below a message."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [button["text"] for row in rows for button in row]


class Stage:
    """The server's people, and a console that shows what each of them sees."""

    def __init__(self, api: BotApi, console: Console, staff: int) -> None:
        self.api, self.console, self.staff = api, console, staff
        self._shown: dict[int, int] = {}

    def title(self, text: str) -> None:
        """Announce a scene."""
        self.console.print(f"\n[bold cyan]── {text}[/bold cyan]")

    async def ask(self, person: Any, text: str) -> dict[str, Any]:
        """Somebody writes; gives the bot's reply once it is there."""
        self._line(person.first_name, text)
        self._shown[person.id] = len(self.api.messages(person)) + 1
        self.api.say(person, text)
        return await self._reply_to(person)

    async def press(self, person: Any, message: dict[str, Any], button: str) -> dict[str, Any]:
        """Somebody presses a button; gives the bot's reply once it is there."""
        self._line(person.first_name, f"[{button}]")
        self._shown[person.id] = len(self.api.messages(person))
        self.api.press(person, message, button)
        return await self._reply_to(person)

    async def staff_sees(self, question: str) -> dict[str, Any]:
        """The card with that question in the staff's group."""

        def found(api: BotApi) -> dict[str, Any] | None:
            beginning = f"{texts('en').card_title}\n\n{question}"
            return next((m for m in api.messages(self.staff) if m["text"].startswith(beginning)), None)

        card = await self.api.wait_for(found, timeout=PATIENCE)
        assert card
        self._line("Staff group", card["text"])
        return card

    async def staff_replies(self, person: Any, card: dict[str, Any], text: str, *, to: Any) -> None:
        """A reply in the group; the candidate gets it, and staff see that it arrived."""
        self._line(f"{person.first_name} (staff)", text)
        self._shown[to.id] = len(self.api.messages(to))
        written = self.api.say(person, text, chat=self.staff, reply_to=card)
        await self._reply_to(to)
        seen = await self.api.wait_for(lambda api: api.reactions(written), timeout=PATIENCE)
        self._line("Staff group", f"{''.join(seen)} on {person.first_name}'s message: delivered to {to.first_name}")

    async def _reply_to(self, person: Any) -> dict[str, Any]:
        before = self._shown[person.id]
        await self.api.wait_for(lambda api: len(api.messages(person)) > before, timeout=PATIENCE)
        message: dict[str, Any] = self.api.messages(person)[-1]
        self._line(f"Guichet → {person.first_name}", message.get("text", ""))
        if buttons(message):
            self.console.print("   " + "  ".join(f"[{name}]" for name in buttons(message)), style="dim", markup=False)
        return message

    def _line(self, who: str, text: str) -> None:
        self.console.print(f"{who}:", style="bold", markup=False)
        self.console.print("   " + text.replace("\n", "\n   "), markup=False)
