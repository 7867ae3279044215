"""`guichet demo` as people use it: the real command, and a real browser at its page."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, FilePayload, Locator, Page, expect, sync_playwright

from bot.dialogue.texts import texts
from bot.showcase import has_display
from indexer.entries import LANGUAGES, Language

from .flows.house import LECTURERS, PRICE, VAGUE, environment

# Read before any test begins, since tests see no GUICHET_ variables.
REQUIRED = os.environ.get("GUICHET_REQUIRE_BROWSER") == "1"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 120_000  # milliseconds, for a machine that is busy with other things
CANDIDATES: dict[Language, tuple[str, str]] = {"en": ("Sara", "Tom"), "fr": ("Karim", "Inès")}
LOCALES: dict[Language, str] = {"en": "en-GB", "fr": "fr-FR"}
REPLY = {"en": "Hello, the fee list", "fr": "Bonjour, je vous envoie la grille"}

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def running(
    cache: Path, index_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, "subprocess.Popen[str]", Path]]:
    """The command at work: its address, its process, and the folder for temporary files that it was given."""
    folder = tmp_path_factory.mktemp("demo")
    temporary = folder / "temporary"
    temporary.mkdir()
    own = environment(cache, index_root, folder) | {"TMPDIR": str(temporary)}
    command = [sys.executable, "-m", "bot", "demo", "--no-browser"]
    with subprocess.Popen(
        command, env=own, cwd=folder, stdout=subprocess.PIPE, stderr=(folder / "errors").open("w"), text=True
    ) as process:
        assert process.stdout
        shown = next((found[0] for line in process.stdout if (found := re.search(r"http://\S+", line))), None)
        assert shown, (folder / "errors").read_text()
        yield shown, process, temporary
        process.kill()


@pytest.fixture(scope="module")
def address(running: tuple[str, "subprocess.Popen[str]", Path]) -> str:
    return running[0]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM:
        assert not REQUIRED, "GUICHET_REQUIRE_BROWSER=1, but there is no Chromium"
        pytest.skip("Chromium is not installed (Debian's package: chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, address: str) -> Iterator[Open]:
    """Opens the page as somebody with that language; at the end nothing may have gone wrong in the browser."""
    troubles: list[str] = []
    contexts = []

    def open_page(language: Language = "en", width: int = 1280) -> Page:
        context = chromium.new_context(locale=LOCALES[language], viewport={"width": width, "height": 860})
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: troubles.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(address)
        expect(page.locator("body[data-ready=true]")).to_be_attached(timeout=PATIENCE)
        return page

    expect.set_options(timeout=PATIENCE)
    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []


def phone(page: Page) -> Locator:
    return page.locator("#pane-candidate .log")


def desk(page: Page) -> Locator:
    return page.locator("#pane-staff .log")


def choose(page: Page, name: str) -> None:
    page.locator("#pane-candidate .people").get_by_role("tab", name=name).click()


def say(page: Page, text: str, who: str = "candidate") -> None:
    page.locator(f"#write-{who}").fill(text)
    page.locator(f"#write-{who}").press("Enter")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_guided_steps_show_what_guichet_does(visit: Open, language: Language) -> None:
    page, said = visit(language), texts(language)
    first, second = CANDIDATES[language]
    expect(page.locator("html")).to_have_attribute("lang", language)

    page.locator("[data-step=sure]").click()
    expect(phone(page)).to_contain_text(LECTURERS[language])
    expect(phone(page)).to_contain_text("ActuIA")
    expect(phone(page).get_by_role("button", name=said.button_helped)).to_be_visible()

    page.locator("[data-step=unsure]").click()
    expect(phone(page)).to_contain_text(VAGUE[language])
    none = phone(page).get_by_role("button", name=said.button_none)
    expect(none).to_be_visible()
    none.locator("xpath=../preceding-sibling::*[last()]").get_by_role("button").click()
    expect(phone(page).get_by_role("button", name=said.button_helped)).to_have_count(2)
    expect(page.get_by_role("tab", name=first)).to_have_attribute("aria-selected", "true")

    page.locator("[data-step=unknown]").click()
    expect(page.get_by_role("tab", name=second)).to_have_attribute("aria-selected", "true")
    expect(phone(page)).to_contain_text(said.escalated.splitlines()[0])
    expect(desk(page)).to_contain_text(said.card_title)
    expect(desk(page)).to_contain_text(PRICE[language])

    page.locator("[data-step=reply]").click()
    expect(page.locator("#write-staff")).to_be_focused()
    page.keyboard.press("Enter")
    expect(phone(page)).to_contain_text(said.reply_header)
    expect(phone(page)).to_contain_text(REPLY[language])
    expect(desk(page).locator(".mine .reactions")).to_have_text("👌")

    page.locator("[data-step=learn]").click()
    expect(desk(page).get_by_role("button", name=said.button_learn)).to_be_visible()
    expect(page.locator("#steps .done")).to_have_count(5)


def test_by_keyboard_alone(visit: Open) -> None:
    page, said = visit("en"), texts("en")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("Who are the lecturers?")
    page.keyboard.press("Enter")
    expect(page.locator("#write-candidate")).to_have_value("")
    answer = phone(page).locator("article").last
    helped = answer.get_by_role("button", name=said.button_helped)
    expect(helped).to_be_visible()

    _tab_to(page, helped, back=True)
    page.keyboard.press("Enter")
    expect(helped).to_have_count(0)
    assert page.evaluate("document.activeElement.closest('.log article') !== null")  # whoever pressed is still there

    _tab_to(page, page.get_by_role("tab", name="Sara"), back=True)
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Karim")).to_be_focused()
    expect(page.get_by_role("tab", name="Karim")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("End")
    expect(page.get_by_role("tab", name="Inès")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Sara")).to_be_focused()

    _tab_to(page, page.locator("#pane-candidate .write > button").first)
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#pane-candidate .write > button").first).to_be_focused()


def _tab_to(page: Page, wanted: Locator, *, back: bool = False) -> None:
    for _ in range(60):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        if wanted.evaluate("node => node === document.activeElement"):
            assert wanted.evaluate("node => getComputedStyle(node).outlineStyle") != "none"
            return
    raise AssertionError("not reached by Tab")


def test_files_edits_replies_and_reactions_go_both_ways(visit: Open, tmp_path: Path) -> None:
    page, said = visit("en"), texts("en")
    picture = tmp_path / "me.png"
    page.screenshot(path=picture, clip={"x": 0, "y": 0, "width": 40, "height": 30})
    choose(page, "Sara")
    say(page, f"/human {PRICE['en']}")
    expect(phone(page)).to_contain_text(said.human_asked.splitlines()[0])
    expect(desk(page)).to_contain_text(said.card_title)

    page.locator("#pane-candidate input[type=file]").set_input_files(picture)
    shown = desk(page).locator("img")
    expect(shown).to_be_visible()
    expect(shown).to_have_js_property("naturalWidth", 40)

    fees: FilePayload = {"name": "fees.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 fees"}
    page.locator("#pane-staff input[type=file]").set_input_files(fees)
    with page.expect_download() as downloading:
        phone(page).get_by_role("link", name="fees.pdf").click()
    assert downloading.value.path().read_bytes() == b"%PDF-1.4 fees"

    say(page, "First words", "staff")
    expect(phone(page)).to_contain_text("First words")
    mine = desk(page).locator(".mine", has_text="First words")
    mine.locator("summary").click()
    mine.get_by_role("button", name="Edit").click()
    say(page, "Better words", "staff")
    expect(phone(page)).to_contain_text("Better words")
    expect(phone(page)).not_to_contain_text("First words")

    answered = phone(page).locator("article", has_text="Better words")
    answered.locator("summary").click()
    answered.get_by_role("button", name="👍").click()
    expect(answered.locator(".reactions")).to_have_text("👍")
    expect(answered.locator("summary")).to_be_focused()  # the choice has closed what could be done
    expect(answered.locator("details")).not_to_have_attribute("open")
    answered.locator("summary").click()
    answered.get_by_role("button", name="Reply").click()
    say(page, "And <img src=x onerror=alert(1)> **so** on?")
    expect(desk(page).locator(".quote").last).to_contain_text("Better words")
    expect(desk(page)).to_contain_text("And <img src=x onerror=alert(1)> **so** on?")


def test_what_can_be_done_with_a_message_stays_open_when_somebody_else_reacts(visit: Open) -> None:
    page, said = visit("en"), texts("en")
    choose(page, "Sara")
    say(page, f"/human {PRICE['en']}")
    expect(phone(page)).to_contain_text(said.human_asked.splitlines()[0])
    say(page, "It is on its way", "staff")
    mine = desk(page).locator(".mine", has_text="It is on its way")
    expect(mine.locator(".reactions")).to_have_text("👌")
    mine.locator("summary").click()
    mine.get_by_role("button", name="Edit").focus()

    colleague = desk(visit("en")).locator(".mine", has_text="It is on its way")
    colleague.locator("summary").click()
    colleague.get_by_role("button", name="🎉").click()
    expect(mine.locator(".reactions")).to_contain_text("🎉")
    expect(mine.get_by_role("button", name="Edit")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#write-staff")).to_have_value("It is on its way")


def test_on_a_narrow_screen_one_side_at_a_time(visit: Open) -> None:
    page = visit("fr", width=390)
    expect(page.locator("#pane-staff")).to_be_hidden()
    page.locator("#view-candidate").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#pane-staff")).to_be_visible()
    expect(page.locator("#pane-candidate")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_language_changes_at_once_for_visitor_and_staff(visit: Open) -> None:
    page, said = visit("en"), texts("fr")
    page.get_by_role("button", name="Français").click()
    expect(page.locator("h1")).to_have_text("Guichet, une démonstration")
    page.get_by_role("button", name="Commandes").last.click()
    expect(page.get_by_role("menuitem", name=said.menu_staff_help)).to_be_visible()


# The last test of this file: it ends the command that the others share.
def test_at_the_end_nothing_is_left(running: tuple[str, "subprocess.Popen[str]", Path]) -> None:
    address, process, temporary = running
    assert len(list(temporary.glob("guichet-demo-*"))) == 1
    data = temporary.parent / "data"
    assert [path.name for path in data.iterdir()] == ["index"]
    assert httpx.get(address, trust_env=False).status_code == 200
    assert httpx.get(address[:-2] + "/", trust_env=False).status_code == 403
    with httpx.stream("GET", f"{address}events", trust_env=False, timeout=120) as told:
        lines = (line for line in told.iter_lines() if line)
        assert "all" in next(lines)
        process.send_signal(signal.SIGTERM)
        assert list(lines)[-1] == 'data: {"kind": "closing"}'  # the page says that it is over
    assert process.wait(20) == 0
    assert list(temporary.glob("guichet-demo-*")) == []
    assert "Traceback" not in (temporary.parent / "errors").read_text()


@pytest.mark.parametrize(
    ("platform", "variable", "there"),
    [("linux", "", False), ("linux", "DISPLAY", True), ("linux", "WAYLAND_DISPLAY", True), ("darwin", "", True)],
)
def test_whether_a_browser_could_be_seen(
    monkeypatch: pytest.MonkeyPatch, platform: str, variable: str, *, there: bool
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, ":0")
    assert has_display() is there
