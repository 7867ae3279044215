import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import OperationalError
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.delivery.retry import GIVE_UP, Trouble, next_try, place, reason

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def caused(error: TelegramError, cause: TelegramError) -> TelegramError:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "attempts", "seconds"),
    [
        (RetryAfter(17), 0, 17),
        (RetryAfter(17), GIVE_UP, 17),
        (ChatMigrated(-1001), 0, 0),
        (NetworkError("Bad Gateway (502)"), 0, 1),
        (TimedOut(), 3, 8),
        (TimedOut(), 40, 60),
        (TimedOut(), GIVE_UP - 1, 60),
        (TimedOut(), GIVE_UP, None),
        (Conflict("terminated"), 1, 2),
        (BadRequest("Chat not found"), 0, None),
        (Forbidden("bot was blocked by the user"), 0, None),
        (caused(EndPointNotFound("no"), InvalidToken("Not Found")), 0, None),
        (caused(EndPointNotFound("no"), InvalidToken("Unauthorized")), 0, 1),
        (InvalidToken("Unauthorized"), 0, 1),
    ],
)
def test_when_to_try_again(error: TelegramError, attempts: int, seconds: float | None) -> None:
    expected = None if seconds is None else NOW + timedelta(seconds=seconds)
    assert next_try(error, attempts, NOW) == expected


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (BadRequest("Bad Request: message thread not found"), "BadRequest: Message thread not found"),
        (BadRequest('can\'t parse entities: tag "Zoé"'), "BadRequest: can't parse entities"),
        (Forbidden("Forbidden: bot was kicked from the group chat"), "Forbidden: bot was kicked from the group chat"),
        (NetworkError("httpx.ConnectError: https://host/bot1:secret"), "NetworkError: httpx.ConnectError"),
        (NetworkError("Bad Gateway (502). Parsing b'secret' failed"), "NetworkError: Bad Gateway"),
        (NetworkError("Unknown error: X('secret')"), "NetworkError: Unknown error"),
    ],
)
def test_a_reason_names_the_refusal_and_quotes_nothing(error: TelegramError, kept: str) -> None:
    assert reason(error) == kept


def test_a_place_names_class_and_line_but_not_the_message() -> None:
    with pytest.raises(KeyError) as caught:
        dict[str, str]()["what Zoé wrote"]
    assert place(caught.value).startswith("KeyError at tests.delivery.test_retry:")
    assert "Zoé" not in place(caught.value)


def test_the_name_that_the_database_gives_an_error_is_kept_and_nothing_else() -> None:
    cause = sqlite3.OperationalError("disk full: /srv/secret")
    cause.sqlite_errorname = "SQLITE_FULL"
    assert place(OperationalError("SELECT secret", {}, cause)) == "OperationalError, SQLITE_FULL at nowhere:0"


def test_of_failures_in_a_row_few_are_told() -> None:
    now = 100.0
    trouble = Trouble(lambda: now)
    assert [trouble.again(what) for what in ("full", "full", "gone", "full", "gone")] == [
        True,
        False,
        True,
        False,
        False,
    ]
    now += 60
    assert trouble.again("full")
    assert trouble.over() == 6
    assert trouble.over() == 0
    assert trouble.again("full")
