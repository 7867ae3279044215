import logging
from collections.abc import Iterator

import httpx
import pytest

from bot.logs import QUIET, set_up
from bot.settings import Settings, load_settings

TOKEN = "123456789:AAEhBOweik6ad9r-secret_part"
ADDRESS = f"https://api.telegram.org/bot{TOKEN}/getMe"


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """Logging is the process's: give it back as it was."""
    root, levels = logging.getLogger(), {name: logging.getLogger(name).level for name in ("", *QUIET)}
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


def test_events_carry_their_values(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    set_up(settings)
    logging.getLogger("bot.test").info("update taken", extra={"update": 7, "state": "in work"})
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith(" INFO bot.test update taken update=7 state='in work'\n")


def test_the_token_is_masked_wherever_it_stands(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    set_up(settings)
    log = logging.getLogger("bot.test")
    log.info("calling %s", ADDRESS)
    log.info("calling", extra={"address": ADDRESS, "many": [ADDRESS]})
    try:
        try:
            raise ValueError(ADDRESS)  # noqa: TRY301  # a trace with a cause is what this is about
        except ValueError as error:
            raise RuntimeError(f"refused: {TOKEN}") from error
    except RuntimeError:
        log.exception("failed")
    err = capsys.readouterr().err
    assert "secret_part" not in err
    assert err.count("<token>") == 5
    assert "Traceback" in err


def test_httpx_is_quiet_and_would_be_masked(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """httpx logs every address at INFO, and so the token."""
    set_up(settings)
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as client:
        client.get(ADDRESS)
        assert capsys.readouterr().err == ""
        logging.getLogger("httpx").setLevel(logging.INFO)
        client.get(ADDRESS)
    err = capsys.readouterr().err
    assert "HTTP Request: GET https://api.telegram.org/bot<token>/getMe" in err
    assert "secret_part" not in err


@pytest.mark.parametrize("name", QUIET)
def test_what_logs_addresses_or_texts_is_quiet_at_every_level(settings: Settings, name: str) -> None:
    set_up(settings)
    assert logging.getLogger(f"{name}.anything").getEffectiveLevel() == logging.WARNING
    set_up(settings.model_copy(update={"log_level": "ERROR"}))
    assert logging.getLogger(f"{name}.anything").getEffectiveLevel() == logging.ERROR


def test_the_level_is_as_set_and_no_token_is_needed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GUICHET_LOG_LEVEL", "WARNING")
    set_up(load_settings())
    logging.getLogger("bot.test").info("not this")
    logging.getLogger("bot.test").warning("but this")
    assert "not this" not in (err := capsys.readouterr().err)
    assert "but this" in err
