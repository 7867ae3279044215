import errno
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
import typer
from pydantic import ValidationError

from bot import menus
from bot.cli import app
from bot.settings import Settings, SettingsError, load_settings, variable
from tests.conftest import REPOSITORY

TOKEN = "123456789:AAEhBOweik6ad9r-secret_part"
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def problems(*required: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load_settings(required)
    return caught.value.problems


def test_nothing_has_to_be_set() -> None:
    settings = load_settings()
    assert settings.telegram_token is None
    assert settings.telegram_base_url == "https://api.telegram.org/bot"
    assert (settings.timezone, settings.staff_language, settings.admin_ids) == ("Europe/Paris", "en", ())
    assert settings.index_root == Path("data/index")
    assert settings.demonstration


def test_what_run_needs_is_named_all_at_once() -> None:
    token, group = problems("telegram_token", "staff_chat_id")
    assert token == "GUICHET_TELEGRAM_TOKEN is not set: the bot's token, from @BotFather"
    assert group.startswith("GUICHET_STAFF_CHAT_ID is not set: the id of the staff's group")


def test_everything_wrong_is_named_at_once_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {
        "TELEGRAM_TOKEN": "hello",
        "TELEGRAM_BASE_URL": "127.0.0.1:8081",
        "STAFF_CHAT_ID": "the group",
        "ADMIN_IDS": "12, bob",
        "STAFF_LANGUAGE": "de",
        "TIMEZONE": "Mars/Olympus",
        "LOG_LEVEL": "LOUD",
        "KNOWLEGDE_DIR": "faq",
    }
    for name, value in wrong.items():
        monkeypatch.setenv(f"GUICHET_{name}", value)
    told = dict(
        problem.split(" is not a setting: " if "not a setting" in problem else ": ", 1) for problem in problems()
    )
    assert told == {
        "GUICHET_KNOWLEGDE_DIR": "did you mean GUICHET_KNOWLEDGE_DIR?",
        "GUICHET_TELEGRAM_TOKEN": "this is not a bot token: copy the one that @BotFather gave, like 123456789:AAE…",
        "GUICHET_TELEGRAM_BASE_URL": "write an address that ends in /bot, such as http://127.0.0.1:8081/bot",
        "GUICHET_STAFF_CHAT_ID": "write a whole number, such as -1001234567890",
        "GUICHET_ADMIN_IDS": "write a whole number, such as 123456789",
        "GUICHET_STAFF_LANGUAGE": "write one of 'fr' or 'en'",
        "GUICHET_TIMEZONE": "this time zone is unknown: write one such as Europe/Paris",
        "GUICHET_LOG_LEVEL": "write one of 'DEBUG', 'INFO', 'WARNING' or 'ERROR'",
    }


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("KEPT_INDEXES", "abc", "write a whole number, such as 5"),
        ("KEPT_INDEXES", "2.5", "write a whole number, such as 5"),
        ("KEPT_INDEXES", "0", "write a number of at least 1, such as 5"),
        ("KEPT_INDEXES", "1001", "write a number of at most 1000, such as 5"),
        ("MAX_WRONG", "abc", "write a number, such as 0.03"),
        ("MAX_WRONG", "2", "write a number below 0.5, such as 0.03"),
        ("MAX_WRONG", "0", "write a number above 0, such as 0.03"),
        ("HEALTH_PORT", "web", "write a whole number, such as 9090"),
        ("HEALTH_PORT", "65536", "write a number of at most 65535, such as 9090"),
        ("WATCHDOG_SECONDS", "0", "write a number above 0, such as 120"),
    ],
)
def test_a_number_is_asked_for_with_an_example(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, remedy: str
) -> None:
    monkeypatch.setenv(f"GUICHET_{name}", value)
    assert problems() == (f"GUICHET_{name}: {remedy}",)


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_examples_of_numbers_are_good_ones(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for example in Settings.model_fields[name].examples or ():
        monkeypatch.setenv(variable(name), str(example))
        load_settings()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("GUICHET_TELEGRAM_TOKN", "did you mean GUICHET_TELEGRAM_TOKEN?"),
        ("GUICHET_TOKEN", "did you mean GUICHET_TELEGRAM_TOKEN?"),
        ("GUICHET_FOO", "see README.md for those that exist"),
        ("GUICHET_XYZZY_QUUX", "see README.md for those that exist"),
    ],
)
@pytest.mark.parametrize("where", ["environment", ".env"])
def test_unknown_names_are_refused_wherever_they_stand(
    monkeypatch: pytest.MonkeyPatch, name: str, hint: str, where: str
) -> None:
    if where == ".env":
        Path(".env").write_text(f"{name}=1\n", encoding="utf-8")
    else:
        monkeypatch.setenv(name, "1")
    assert problems() == (f"{name} is not a setting: {hint}",)


def test_names_of_other_programs_are_none_of_our_business(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUICHETTE_X", "1")
    Path(".env").write_text("COMPOSE_PROJECT_NAME=guichet\n", encoding="utf-8")
    load_settings()


@pytest.mark.parametrize(
    "token", ["123:abc def ghi", "AAEhBOweik6ad9r", "12a:AAEhBOweik", "123:", ":AAEhBOweik", "1:x/../y"]
)
def test_a_bad_token_is_refused_and_never_repeated(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("GUICHET_TELEGRAM_TOKEN", token)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert token not in "".join([str(caught.value), repr(caught.value.__context__), repr(caught.value.__cause__)])
    assert "this is not a bot token" in str(caught.value)


def test_a_good_token_is_kept_and_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUICHET_TELEGRAM_TOKEN", f" {TOKEN}\n")
    settings = load_settings()
    assert settings.telegram_token
    assert settings.telegram_token.get_secret_value() == TOKEN
    assert "secret_part" not in f"{settings!r} {settings} {settings.model_dump()}"


@pytest.mark.parametrize(
    ("written", "base", "files"),
    [
        ("http://127.0.0.1:8081/bot", "http://127.0.0.1:8081/bot", "http://127.0.0.1:8081/file/bot"),
        ("https://example.org/tg/bot/", "https://example.org/tg/bot", "https://example.org/tg/file/bot"),
    ],
)
def test_the_address_of_files_follows_from_that_of_the_api(
    monkeypatch: pytest.MonkeyPatch, written: str, base: str, files: str
) -> None:
    monkeypatch.setenv("GUICHET_TELEGRAM_BASE_URL", written)
    settings = load_settings()
    assert (settings.telegram_base_url, settings.file_base_url) == (base, files)


@pytest.mark.parametrize("address", ["http://127.0.0.1:8081", "ftp://example.org/bot", "http://127.0.0.1:8081/bot/x"])
def test_an_address_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("GUICHET_TELEGRAM_BASE_URL", address)
    assert "ends in /bot" in problems()[0]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://bot.example.org", "https://bot.example.org/telegram"),
        ("https://bot.example.org:8443/", "https://bot.example.org:8443/telegram"),
        ("https://example.org/school/hook", "https://example.org/school/hook"),
    ],
)
def test_a_webhook_has_a_path(monkeypatch: pytest.MonkeyPatch, written: str, meant: str) -> None:
    monkeypatch.setenv("GUICHET_WEBHOOK_URL", written)
    assert load_settings().webhook_url == meant


@pytest.mark.parametrize("written", ["bot.example.org", "http://bot.example.org", "https://", "https://x.org/?a=1"])
def test_a_webhook_that_telegram_would_refuse(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("GUICHET_WEBHOOK_URL", written)
    assert problems() == (
        "GUICHET_WEBHOOK_URL: write the address that Telegram reaches, such as https://bot.example.org",
    )


def test_a_server_of_ones_own_may_post_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUICHET_WEBHOOK_URL", "http://127.0.0.1:8080/hook")
    monkeypatch.setenv("GUICHET_TELEGRAM_BASE_URL", "http://127.0.0.1:8081/bot")
    assert load_settings().webhook_url == "http://127.0.0.1:8080/hook"


@pytest.mark.parametrize("secret", ["too-short", "sixteen letters and blanks", "é" * 20, "x" * 257])
def test_a_bad_webhook_secret_is_refused_and_never_repeated(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("GUICHET_WEBHOOK_SECRET", secret)
    (problem,) = problems()
    assert "GUICHET_WEBHOOK_SECRET: write 16 to 256 letters" in problem
    assert secret not in problem


def test_the_staff_s_group_is_no_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUICHET_STAFF_CHAT_ID", "1234")
    assert problems() == (
        "GUICHET_STAFF_CHAT_ID: this is a person's id: a group's is negative, such as -1001234567890",
    )
    monkeypatch.setenv("GUICHET_STAFF_CHAT_ID", "0")  # until it is known
    assert load_settings().staff_chat_id == 0


@pytest.mark.parametrize("written", ["12,34", "12, 34", "12 34", " 12 ,34, "])
def test_ids_are_written_as_people_write_them(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("GUICHET_ADMIN_IDS", written)
    assert load_settings().admin_ids == (12, 34)


def test_blank_values_are_as_if_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(variable(name), "")
    assert load_settings() == Settings(_env_file=None)
    monkeypatch.setenv("GUICHET_OPERATOR", "  ")
    assert load_settings().demonstration


def test_a_demonstration_ends_when_both_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUICHET_OPERATOR", "The school")
    assert load_settings().demonstration
    monkeypatch.setenv("GUICHET_PRIVACY_CONTACT", "privacy@example.org")
    assert not load_settings().demonstration


def test_dotenv_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["# mine", f'GUICHET_TELEGRAM_TOKEN="{TOKEN}"', "GUICHET_STAFF_CHAT_ID=-100123", "GUICHET_OPERATOR=École"]
    Path(".env").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setenv("GUICHET_STAFF_CHAT_ID", "-100456")
    settings = load_settings(("telegram_token", "staff_chat_id"))
    assert (settings.staff_chat_id, settings.operator) == (-100456, "École")


def test_a_dotenv_that_is_not_utf8_is_told() -> None:
    Path(".env").write_bytes("GUICHET_OPERATOR=École\n".encode("latin-1"))
    assert problems() == (".env is not UTF-8 text: save it with the encoding UTF-8",)


def test_a_dotenv_that_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    Path(".env").touch()
    monkeypatch.setattr(Path, "open", refused)  # rights would not keep an administrator from reading
    assert problems() == (".env cannot be read (Permission denied): let the user who runs Guichet read it",)


def test_a_folder_in_place_of_dotenv_is_told() -> None:
    Path(".env").mkdir()
    assert problems() == (".env is a folder: remove it, and put the settings into a file of that name",)


@pytest.mark.parametrize(
    "line",
    [
        "GUICHET_STAFF_CHAT_ID: -1001234567890",
        f"GUICHET_TELEGRAM_TOKEN {TOKEN}",
        "GUICHET_KEPT_INDEXES",
        "export guichet_kept_indexes",
        'GUICHET_OPERATOR="A school',
    ],
)
def test_a_line_of_dotenv_that_sets_nothing_is_refused_and_never_repeated(
    line: str, caplog: pytest.LogCaptureFixture
) -> None:
    Path(".env").write_text(f"# mine\n\n{line}\nGUICHET_TIMEZONE=Mars/Olympus\n", encoding="utf-8")
    first, second = problems()
    assert first == ".env:3: this line sets nothing: write NAME=value, without quotes"
    assert second.startswith("GUICHET_TIMEZONE: ")
    assert caplog.messages == []  # python-dotenv's own warning


def test_what_else_may_stand_in_dotenv() -> None:
    lines = ["", "# GUICHET_OPERATOR", "HOME", "export GUICHET_OPERATOR='A school'", "GUICHET_PRIVACY_CONTACT=", ""]
    Path(".env").write_text("\n".join(lines), encoding="utf-8")
    assert load_settings().operator == "A school"


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No shell reads `.env`, so nobody else would expand it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    Path(".env").write_text(
        "GUICHET_DATA_DIR=~/data\nGUICHET_KNOWLEDGE_DIR=~/faq\nGUICHET_CACHE_DIR=~\n", encoding="utf-8"
    )
    settings = load_settings()
    assert (settings.data_dir, settings.knowledge_dir) == (tmp_path / "data", tmp_path / "faq")
    assert settings.cache_dir == tmp_path


def test_the_database_is_a_file_in_the_data_folder_unless_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert load_settings().database == f"sqlite+aiosqlite:///{tmp_path / 'data' / 'guichet.sqlite'}"
    monkeypatch.setenv("GUICHET_DATABASE_URL", "sqlite+aiosqlite:////srv/other.sqlite")
    assert load_settings().database == "sqlite+aiosqlite:////srv/other.sqlite"


def test_the_data_folder_is_its_owners_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GUICHET_DATA_DIR", str(tmp_path / "srv" / "data"))
    load_settings().make_data_dir()
    assert (tmp_path / "srv" / "data").stat().st_mode & 0o777 == 0o700


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        load_settings().model = "other"  # type: ignore[misc]  # that is the point


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_is_described_and_stands_in_the_readme(name: str) -> None:
    assert Settings.model_fields[name].description
    assert f"| `{variable(name)}` |" in README


def commands(command: typer.core.TyperGroup, path: str) -> list[str]:
    found = []
    for name, child in command.commands.items():
        shown = [] if child.hidden else [f"{path} {name}"]
        more = commands(child, f"{path} {name}") if isinstance(child, typer.core.TyperGroup) else []
        found += [*shown, *more]
    return found


@pytest.mark.parametrize("command", sorted({*menus.CANDIDATE, *menus.STAFF, *menus.ADMIN, "course", "move"}))
def test_every_command_of_the_chats_stands_in_the_readme(command: str) -> None:
    assert re.search(rf"`/{command}\b", README)


@pytest.mark.parametrize("command", commands(typer.main.get_group(app), "guichet"))
def test_every_command_stands_in_the_readme(command: str) -> None:
    assert f"| `{command}" in README


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("OFFICE_HOURS", "9 to 5", "write days and hours such as Mon-Fri"),
        ("HOLIDAYS", "XX", "write a country such as FR"),
        ("REMIND_AFTER", "two", "write hours such as 2,6"),
    ],
)
def test_what_is_wrong_with_the_team_s_time(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, remedy: str
) -> None:
    monkeypatch.setenv(f"GUICHET_{name}", value)
    (problem,) = problems()
    assert problem.startswith(f"GUICHET_{name}: ")
    assert remedy in problem


def test_the_team_s_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not load_settings().hours.stated
    for name, value in {"OFFICE_HOURS": "Fri 10:00-12:00", "HOLIDAYS": "FR-57", "REMIND_AFTER": "6, 0.5 0"}.items():
        monkeypatch.setenv(f"GUICHET_{name}", value)
    settings = load_settings()
    good_friday, monday = date(2026, 4, 3), date(2026, 4, 13)
    assert settings.hours.stated
    assert good_friday in settings.hours.holidays
    assert monday not in settings.hours.holidays
    assert settings.reminders == (timedelta(minutes=30), timedelta(hours=6))
    monkeypatch.setenv("GUICHET_HOLIDAYS", "none")
    assert good_friday not in load_settings().hours.holidays


@pytest.mark.parametrize(
    ("written", "used"),
    [
        ("postgres://u:p@db/guichet", "postgresql+psycopg://u:p@db/guichet"),
        ("postgresql://u:p@db/guichet", "postgresql+psycopg://u:p@db/guichet"),
        ("postgresql+psycopg://u:p@db/guichet", "postgresql+psycopg://u:p@db/guichet"),
        ("sqlite:////var/guichet.sqlite", "sqlite+aiosqlite:////var/guichet.sqlite"),
    ],
)
def test_the_database_s_address_as_people_write_it(monkeypatch: pytest.MonkeyPatch, written: str, used: str) -> None:
    monkeypatch.setenv("GUICHET_DATABASE_URL", written)
    assert load_settings().database == used


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("postgresql://x:hunter2@y:notaport/z", "write postgresql://user:password@host:5432/database"),
        ("sqlite://", "a database in memory ends with the process"),
        ("sqlite:///:memory:", "a database in memory ends with the process"),
    ],
)
def test_an_address_that_leads_nowhere_is_refused(monkeypatch: pytest.MonkeyPatch, written: str, said: str) -> None:
    monkeypatch.setenv("GUICHET_DATABASE_URL", written)
    (problem,) = problems()
    assert problem.startswith(f"GUICHET_DATABASE_URL: {said}")
    assert "hunter2" not in problem


@pytest.mark.parametrize("written", ["mysql://u:hunter2@db/x", "postgresql+asyncpg://u:hunter2@db/x", "hunter2"])
def test_another_database_is_refused_without_quoting_the_password(
    monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    monkeypatch.setenv("GUICHET_DATABASE_URL", written)
    (problem,) = problems()
    assert problem.startswith("GUICHET_DATABASE_URL: write postgresql://")
    assert "hunter2" not in problem


def test_routes_are_read_in_any_spacing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUICHET_ROUTES", "ai-pm=-100123; ai-pm/funding = -100456;\n*/housing=-7;")
    assert load_settings().routes == {"ai-pm": -100123, "ai-pm/funding": -100456, "*/housing": -7}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("law", "'law' is no route: write course=group"),
        ("law=123", "'law=123' is no route"),  # a person, not a group
        ("*=-100", "is no route"),
        ("Law=-100", "is no route"),
        ("law=-1; law=-2", "'law' has two groups: keep one"),
    ],
)
def test_a_route_that_means_nothing_is_named(monkeypatch: pytest.MonkeyPatch, text: str, said: str) -> None:
    monkeypatch.setenv("GUICHET_ROUTES", text)
    (problem,) = problems()
    assert problem.startswith("GUICHET_ROUTES: ")
    assert said in problem
