import asyncio
import json
import logging
import os
import pty
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from telegram import Bot
from telegram.error import TelegramError

from bot.listening import listening
from bot.logs import OURS, Events, JsonEvents, set_up
from bot.settings import Settings, load_settings
from indexer.snapshot import SnapshotError

TOKEN = "123456789:AAEhBOweik6ad9r-secret_part"
ADDRESS = f"https://api.telegram.org/bot{TOKEN}/getMe"
TEXT = "somebody's very own question"


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """Logging is the process's: give it back as it was."""
    root, levels = logging.getLogger(), {name: logging.getLogger(name).level for name in ("", "httpx", *OURS)}
    handlers = root.handlers[:]
    yield
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("GUICHET_TELEGRAM_TOKEN", TOKEN)
    monkeypatch.setenv("GUICHET_LOG_LEVEL", "DEBUG")
    return load_settings()


def record_of(error: Exception, logger: str = "bot.test") -> logging.LogRecord:
    try:
        raise error
    except type(error):
        return logging.getLogger(logger).makeRecord(logger, 40, __file__, 1, "failed", (), sys.exc_info())


def test_events_are_json_unless_people_read_along(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    set_up(settings)
    logging.getLogger("bot.test").info("update taken", extra={"seq": 7, "state": "in\nwork", "what": {1, 2}})
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    event = json.loads(err)
    assert event.pop("time").endswith("+00:00")
    said = {"level": "INFO", "logger": "bot.test", "event": "update taken", "seq": 7, "state": "in\nwork"}
    assert event == said | {"what": "{1, 2}"}


def test_in_a_terminal_people_can_read_it() -> None:
    code = "import logging; from bot.logs import set_up; from bot.settings import Settings; set_up(Settings());"
    code += "logging.getLogger('bot.test').info('update taken', extra={'seq': 7, 'state': 'in work'})"
    ours, theirs = pty.openpty()
    subprocess.run([sys.executable, "-c", code], stderr=theirs, check=True)
    os.close(theirs)
    said = os.read(ours, 4096).decode()
    os.close(ours)
    assert said.rstrip().endswith(" INFO bot.test update taken seq=7 state='in work'")


@pytest.mark.parametrize("formatter", [Events(TOKEN), JsonEvents(TOKEN)])
def test_the_token_is_masked_wherever_it_stands(formatter: logging.Formatter) -> None:
    values = {"address": ADDRESS, "many": [ADDRESS]}
    record = logging.makeLogRecord({"name": "bot.test", "msg": "calling %s", "args": (ADDRESS,)} | values)
    line = formatter.format(record)
    assert "secret_part" not in line
    assert line.count("<token>") == 3


@pytest.mark.parametrize("formatter", [Events(None), JsonEvents(None)])
def test_of_errors_our_own_words_are_kept_and_nobody_else_s(formatter: logging.Formatter) -> None:
    ours = SnapshotError("the index is damaged: run guichet index")
    ours.__cause__ = ValueError(TEXT)
    line = formatter.format(record_of(ours))
    assert "SnapshotError: the index is damaged: run guichet index from ValueError" in line
    assert f"{__name__}:" in line
    assert TEXT not in line
    assert "\n" not in line


def test_of_libraries_only_what_was_written_beforehand(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    set_up(settings)
    library = logging.getLogger("library.part")
    library.error("cannot read %r", TEXT)
    library.error(f"cannot read {TEXT}")  # so some libraries do
    library.error("failed", extra={"body": TEXT})
    library.info("nobody wants to know")
    first, second, third = map(json.loads, capsys.readouterr().err.splitlines())
    assert first["event"] == "cannot read %r"
    assert second["event"].startswith("said at test_logs:")
    assert "body" not in third


async def test_an_error_that_nobody_took_is_told_without_its_words(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up(settings)

    async def fails() -> None:
        raise ValueError(TEXT)

    task = asyncio.create_task(fails())
    await asyncio.wait([task])
    del task
    event = json.loads(capsys.readouterr().err)
    assert (event["logger"], event["raised"]) == ("asyncio", "ValueError")
    assert TEXT not in str(event)


async def test_a_body_of_telegram_that_is_no_json_stays_out_of_the_log(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """The library logs such a body as an error, whole."""

    async def broken(_request: Request) -> PlainTextResponse:
        return PlainTextResponse('{"ok": true, "result": [{"text": "' + TEXT)

    set_up(settings)
    async with listening(Starlette(routes=[Route("/{any:path}", broken, methods=["POST"])]), "127.0.0.1", 0) as port:
        with pytest.raises(TelegramError):
            await Bot(TOKEN, f"http://127.0.0.1:{port}/bot").get_me()
    said = capsys.readouterr().err
    assert "Can not load invalid JSON data" in said
    assert TEXT not in said
    assert "secret_part" not in said


def test_httpx_is_quiet(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """It logs every address at INFO, and so the token."""
    set_up(settings)
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as client:
        client.get(ADDRESS)
        assert capsys.readouterr().err == ""
        logging.getLogger("httpx").setLevel(logging.INFO)
        client.get(ADDRESS)
    assert "secret_part" not in capsys.readouterr().err


@pytest.mark.parametrize(("level", "libraries"), [("DEBUG", "WARNING"), ("WARNING", "WARNING"), ("ERROR", "ERROR")])
def test_libraries_are_quiet_at_every_level(settings: Settings, level: str, libraries: str) -> None:
    set_up(settings.model_copy(update={"log_level": level}))
    assert logging.getLevelName(logging.getLogger("telegram.anything").getEffectiveLevel()) == libraries
    assert logging.getLevelName(logging.getLogger("bot.anything").getEffectiveLevel()) == level


def test_the_level_is_as_set_and_no_token_is_needed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GUICHET_LOG_LEVEL", "WARNING")
    set_up(load_settings())
    logging.getLogger("bot.test").info("not this")
    logging.getLogger("bot.test").warning("but this")
    assert "not this" not in (err := capsys.readouterr().err)
    assert "but this" in err
