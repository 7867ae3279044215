"""The short conversation that is played where there is no display."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from io import StringIO
from pathlib import Path

from rich.console import Console

from bot.demo import play
from bot.dialogue.texts import texts
from bot.settings import Settings
from indexer.encoder import OnnxEncoder
from indexer.engine import index

from .flows.house import environment

SCENES = (
    "An answer in English",
    "An answer in French",
    "A question that could mean several things",
    "A question that nobody has answered yet: the team gets it",
    "Staff reply to the card, and the candidate has the answer",
)


def scenes(shown: str) -> dict[str, str]:
    """Each scene's title with what is shown in it."""
    parts = [part.partition("\n") for part in shown.split("── ")[1:]]
    return {title: content for title, _, content in parts}


async def test_without_a_display_each_scene_shows_what_its_title_says(
    cache: Path, index_root: Path, tmp_path: Path
) -> None:
    own = environment(cache, index_root, tmp_path)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        own.pop(name, None)
    command = (sys.executable, "-m", "bot", "demo")
    process = await asyncio.create_subprocess_exec(*command, env=own, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    out, err = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, err.decode()
    played = scenes(out.decode())
    assert tuple(played) == SCENES
    english, french, several, team, reply = played.values()
    assert texts("en").button_helped in english
    assert "Source: " in english
    assert texts("fr").button_helped in french
    assert "Source\u00a0: " in french
    assert several.index(texts("en").button_none) < several.index("Source: ")
    assert texts("fr").escalated.splitlines()[0] in team
    assert texts("en").card_title in team
    assert f"   [{texts('fr').button_share_name}]\n" not in team
    assert texts("fr").reply_header in reply
    assert "👌 on Marie's message: delivered to Karim" in reply


async def test_an_index_that_the_gate_would_refuse_is_good_enough_to_play_with(
    encoder: OnnxEncoder, cache: Path, knowledge: Path, tmp_path: Path
) -> None:
    index(knowledge, encoder, tmp_path / "index")
    text = (knowledge / "classes.fr.md").read_text(encoding="utf-8")
    (knowledge / "classes.fr.md").write_text(text.replace("{#who}", "{#who-else}"), encoding="utf-8")
    own = environment(cache, tmp_path / "index", tmp_path) | {"GUICHET_KNOWLEDGE_DIR": str(knowledge)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "demo", "--script", env=own, stdout=PIPE, stderr=PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, err.decode()
    assert tuple(scenes(out.decode())) == SCENES


async def test_it_plays_with_a_school_s_own_files(encoder: OnnxEncoder, knowledge: Path, tmp_path: Path) -> None:
    with (knowledge / "classes.fr.md").open("a", encoding="utf-8") as file:
        file.write("\n## Combien coûte la formation ? {#cost}\n\nCent euros.\n")
    engine, shown = index(knowledge, encoder, tmp_path / "index").engine, StringIO()
    await play(Settings(_env_file=None, data_dir=tmp_path), engine, Console(file=shown, width=10_000))
    played = scenes(shown.getvalue())
    assert tuple(played) == SCENES
    assert "Cent euros." in played[SCENES[3]]
    assert "delivered to Karim" in played[SCENES[4]]
    assert not (tmp_path / "guichet.sqlite").exists()
