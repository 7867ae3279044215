"""The guided tour: the same in both languages, with questions that do what their step says."""

import re
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from bot.dialogue.conversation import Turn, respond
from bot.dialogue.decide import Answer, Clarify, Decision, Escalate
from bot.dialogue.guide import guide
from bot.publishing.gate import limits_of
from bot.sandbox.page import SITE
from bot.understanding import understood
from indexer.encoder import OnnxEncoder
from indexer.engine import Engine, index
from indexer.entries import LANGUAGES, Language
from indexer.passages import Hit

TODAY = date(2026, 11, 22)
STEPS: dict[str, type[Decision]] = {"sure": Answer, "unsure": Clarify, "unknown": Escalate}


def asked(engine: Engine) -> Callable[[str], Turn]:
    """What the bot makes of a message."""
    return partial(understood, engine, limits=limits_of(engine.snapshot, 0.03)[0], today=TODAY)


def made(engine: Engine, language: Language) -> dict[str, dict[str, str]]:
    """The tour's steps by name."""
    return {step["name"]: step for step in guide(asked(engine), engine.snapshot.entries, language)["steps"]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_step_does_what_it_says(engine: Engine, language: Language) -> None:
    steps = made(engine, language)
    assert list(steps) == [*STEPS, "reply", "learn"]
    for name, wanted in STEPS.items():
        turn = asked(engine)(steps[name]["text"])
        assert isinstance(turn.parts[0].decision, wanted)
        assert turn.language == language


def test_a_school_s_own_files_have_a_tour_of_their_own(encoder: OnnxEncoder, knowledge: Path, tmp_path: Path) -> None:
    engine = index(knowledge, encoder, tmp_path / "index").engine
    own = {entry.question for entry in engine.snapshot.entries if entry.language == "en" and not entry.draft}

    def find(text: str, language: Language) -> tuple[Hit, ...]:
        """As sure of its own questions as it is, and of nothing else."""
        return engine.find(text, language) if text in own else ()

    turn = partial(respond, find=find, limits=limits_of(engine.snapshot, 0.03)[0], today=TODAY)
    steps = {step["name"]: step for step in guide(turn, engine.snapshot.entries, "en")["steps"]}
    assert list(steps) == ["sure", "unknown", "reply", "learn"]
    assert steps["sure"]["text"] in own


def test_both_languages_say_the_same_things(engine: Engine) -> None:
    en, fr = (guide(asked(engine), engine.snapshot.entries, language) for language in ("en", "fr"))
    assert list(en["words"]) == list(fr["words"])
    for name, text in en["words"].items():
        assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", fr["words"][name])), name
        assert text != fr["words"][name] or name == "photo" or len(text) < 12, name


def test_the_page_says_every_word_and_no_other(engine: Engine) -> None:
    words = guide(asked(engine), engine.snapshot.entries, "en")["words"]
    html = (SITE / "index.html").read_text(encoding="utf-8")
    script = "".join(path.read_text(encoding="utf-8") for path in SITE.glob("*.js"))
    said = set(re.findall(r"\bwords\.(\w+)", script)) | set(re.findall(r'data-(?:t|label)="(\w+)"', html))
    by_kind = {"voice", "sticker", "staff", "candidate"}  # looked up by the kind of file, or of pane
    assert said - set(words) == set()
    assert set(words) - said <= by_kind
