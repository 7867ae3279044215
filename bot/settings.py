"""Settings: from the environment and `.env`, checked all at once, frozen."""

import logging
import os
import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv.parser import Binding, parse_stream
from platformdirs import user_cache_path
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.desk import hours
from bot.desk.hours import Hours
from indexer.entries import Language
from indexer.model import DEFAULT_MODEL

PREFIX = "GUICHET_"
ENV_FILE = ".env"
# It warns of lines that it cannot read, without the file's name; they are refused here.
logging.getLogger("dotenv").setLevel(logging.ERROR)
NAME = r"[a-z0-9]+(?:-[a-z0-9]+)*"
ROUTE = re.compile(rf"^(?P<what>{NAME}|(?:{NAME}|\*)/{NAME})\s*=\s*(?P<group>-\d{{1,18}})$")
TELEGRAM = "https://api.telegram.org/bot"
# What pydantic calls a number beyond the border, and how the border is told.
BORDERS = {
    "greater_than": "above",
    "greater_than_equal": "of at least",
    "less_than": "below",
    "less_than_equal": "of at most",
}
# How a database's address may begin, and the driver that is used.
DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
}


class SettingsError(Exception):
    """Everything that is wrong with the settings, a line each, with its remedy."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))


def _ids(value: Any) -> Any:
    """Telegram ids as people write them: separated by commas or blanks."""
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def _routes(value: Any) -> Any:
    """`course=group`, `course/topic=group` or `*/topic=group`, separated by semicolons or lines; each once."""
    if not isinstance(value, str):
        return value
    found: dict[str, int] = {}
    for part in filter(None, (part.strip() for part in re.split(r"[;\n]", value))):
        route = ROUTE.match(part)
        if not route:
            raise ValueError(f"{part!r} is no route: write course=group, course/topic=group or */topic=group")
        if route["what"] in found:
            raise ValueError(f"{route['what']!r} has two groups: keep one")
        found[route["what"]] = int(route["group"])
    return found


def _blank_is_unset(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


Port = Annotated[int, Field(ge=0, le=65535)]  # 0: any that is free, for tests
# Data of people are never kept for ever.
Days = Annotated[int, Field(ge=1, le=36500)]
Folder = Annotated[Path, AfterValidator(Path.expanduser)]  # no shell reads `.env` and expands ~ there


class Settings(BaseSettings):
    """What can be set. Only token and staff chat are required, and only to run in Telegram."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=ENV_FILE,
        env_file_encoding="utf-8",
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
    )

    telegram_token: SecretStr | None = Field(None, description="the bot's token, from @BotFather")
    telegram_base_url: str = Field(TELEGRAM, description="the Bot API's address; change it for a local Bot API server")
    staff_chat_id: int | None = Field(
        None, description="the id of the staff's group, such as -1001234567890", examples=[-1001234567890]
    )
    admin_ids: Annotated[tuple[int, ...], NoDecode, BeforeValidator(_ids)] = Field(
        (),
        description="Telegram user ids of admins, separated by commas; none: the group's administrators",
        examples=[123456789],
    )
    routes: Annotated[dict[str, int], NoDecode, BeforeValidator(_routes)] = Field(
        {}, description="which group gets which questions, such as law=-100123; law/fees=-100456; */housing=-100789"
    )
    staff_language: Language = Field("en", description="the language of cards and notices for staff: fr or en")
    database_url: str | None = Field(
        None, description="the database's address; unset: a SQLite file in GUICHET_DATA_DIR"
    )
    process_name: Annotated[str | None, BeforeValidator(_blank_is_unset)] = Field(
        None,
        max_length=80,
        pattern=r"^[^/]+$",
        description="this process's name, like no other's on the same database; unset: host, number and chance",
    )
    data_dir: Folder = Field(Path("data"), description="where index and database are kept")
    knowledge_dir: Folder = Field(Path("knowledge"), description="the folder with the knowledge files")
    cache_dir: Folder = Field(
        default_factory=lambda: user_cache_path("guichet"), description="where prepared models are kept"
    )
    model: str = Field(DEFAULT_MODEL, description="a sentence-transformers model: a name, or a folder")
    max_wrong: float = Field(
        0.03, gt=0, lt=0.5, description="the share of shown answers that may be wrong: 0.03 is three in a hundred"
    )
    kept_indexes: int = Field(5, ge=1, le=1000, description="how many indexes are kept, to go back to")
    timezone: str = Field("Europe/Paris", description="the school's time zone")
    office_hours: str | None = Field(
        None, description="when staff answer, such as Mon-Fri 09:00-12:30,13:30-17:30; unset: nothing is said of it"
    )
    holidays: str = Field(
        "FR", description="the country whose public holidays are free, with its region if need be: FR, FR-57; or none"
    )
    remind_after: Annotated[tuple[float, ...], NoDecode, BeforeValidator(_ids)] = Field(
        (2, 6), description="hours of office time after which staff are reminded of a question; 0: never"
    )
    close_after: int = Field(
        7, ge=0, le=365, description="days after which what staff answered is closed if nobody writes; 0: never"
    )
    operator: Annotated[str | None, BeforeValidator(_blank_is_unset)] = Field(
        None, description="the organisation that runs the bot, named in /privacy"
    )
    privacy_contact: Annotated[str | None, BeforeValidator(_blank_is_unset)] = Field(
        None, description="whom to ask about personal data: an e-mail address, for instance"
    )
    most_a_minute: int = Field(
        30, ge=0, le=1000, description="messages that one person may write in a minute; 0: as many as they like"
    )
    most_a_day: int = Field(300, ge=0, le=100000, description="messages that one person may write in a day; 0: any")
    keep_questions: Days = Field(365, description="days that a question and its answer are kept")
    keep_tickets: Days = Field(365, description="days that a conversation with the team is kept once it is closed")
    keep_messages: Days = Field(180, description="days that other messages of the bot are kept")
    keep_inbox: Days = Field(30, description="days that updates are kept, above all those that could not be handled")
    keep_people: Days = Field(
        365, description="days after somebody's last message until all that is held of them is erased"
    )
    keep_bans: int = Field(
        730, ge=0, le=36500, description="days that a ban is kept of somebody who was erased; 0: until it is lifted"
    )
    keep_backups: int = Field(
        90, ge=0, le=36500, description="days that backups in GUICHET_DATA_DIR/backups are kept; 0: others see to it"
    )
    webhook_url: str | None = Field(
        None, description="the public https address to which Telegram posts updates; unset: the bot asks for them"
    )
    webhook_secret: SecretStr | None = Field(
        None, description="what Telegram shows with each update; unset: derived from the token, alike in all workers"
    )
    listen_address: str = Field("127.0.0.1", description="the address that webhook and health pages listen on")
    webhook_port: Port = Field(8080, description="the port that the webhook listens on, behind the proxy")
    health_port: Port | None = Field(
        None, description="the port of /healthz, /readyz and /metrics; unset: none is opened", examples=[9090]
    )
    watchdog_seconds: float = Field(
        120, gt=0, description="a process whose loops give no sign of life for so long ends with exit code 70"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="how much the log says")

    @field_validator("telegram_token")
    @classmethod
    def token_shape(cls, value: SecretStr | None) -> SecretStr | None:
        """Tokens look like 123456:ABC-def; the value itself never appears in the error."""
        if value is None:
            return None
        number, colon, secret = value.get_secret_value().strip().partition(":")
        if not (number.isdigit() and colon and len(secret) >= 5 and not set(secret) & set(" \t/\\")):
            raise ValueError("this is not a bot token: copy the one that @BotFather gave, like 123456789:AAE…")
        return SecretStr(f"{number}:{secret}")

    @field_validator("staff_chat_id")
    @classmethod
    def group_not_person(cls, value: int | None) -> int | None:
        """A group's id is negative; 0 until it is known."""
        if value is not None and value > 0:
            raise ValueError("this is a person's id: a group's is negative, such as -1001234567890")
        return value

    @field_validator("telegram_base_url")
    @classmethod
    def base_url_shape(cls, value: str) -> str:
        """An address that ends in /bot, since the token follows."""
        value = value.rstrip("/")
        if not value.startswith(("http://", "https://")) or not value.endswith("/bot"):
            raise ValueError("write an address that ends in /bot, such as http://127.0.0.1:8081/bot")
        return value

    @field_validator("webhook_url")
    @classmethod
    def webhook_shape(cls, value: str | None, info: ValidationInfo) -> str | None:
        """An https address, or http for a Bot API server of one's own; with a path in any case."""
        if value is None:
            return None
        parts = urlsplit(value)
        schemes = ("https",) if info.data.get("telegram_base_url") == TELEGRAM else ("https", "http")
        if parts.scheme not in schemes or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("write the address that Telegram reaches, such as https://bot.example.org")
        return value if parts.path.strip("/") else f"{value.rstrip('/')}/telegram"

    @field_validator("webhook_secret")
    @classmethod
    def webhook_secret_shape(cls, value: SecretStr | None) -> SecretStr | None:
        """What Telegram allows; the value itself never appears in the error."""
        if value is not None and not re.fullmatch(r"[A-Za-z0-9_-]{16,256}", value.get_secret_value()):
            raise ValueError("write 16 to 256 letters, digits, _ and -, or leave it unset")
        return value

    @field_validator("database_url")
    @classmethod
    def known_database(cls, value: str | None) -> str | None:
        """An address of SQLite or PostgreSQL as people write it; it may hold a password and is not quoted."""
        from sqlalchemy import make_url  # noqa: PLC0415  # a bot without one need not wait for it
        from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

        kind, _, rest = (value or "").partition("://")
        driver = DRIVERS.get(kind)
        if value and driver is None:
            raise ValueError("write postgresql://user:password@host/database, or sqlite:///path/to/file.sqlite")
        if not value:
            return None
        try:
            name = make_url(f"{driver}://{rest}").database
        except (ValueError, ArgumentError):  # which quote it
            raise ValueError("write postgresql://user:password@host:5432/database") from None
        if kind.startswith("sqlite") and name in (None, "", ":memory:"):
            raise ValueError("a database in memory ends with the process: write sqlite:///path/to/file.sqlite")
        return f"{driver}://{rest}"

    @field_validator("timezone")
    @classmethod
    def known_zone(cls, value: str) -> str:
        """A name of the time zone database."""
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("this time zone is unknown: write one such as Europe/Paris") from error
        return value

    @field_validator("office_hours")
    @classmethod
    def readable_hours(cls, value: str | None) -> str | None:
        """Days and hours that can be read; the error says how to write them."""
        if value is not None:
            hours.parse(value)
        return value

    @field_validator("holidays")
    @classmethod
    def known_country(cls, value: str) -> str:
        """A country that the holidays are known of, or none."""
        hours.public_holidays(value)
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The school's time zone."""
        return ZoneInfo(self.timezone)

    def today(self) -> date:
        """The present day there."""
        return datetime.now(self.zone).date()

    @property
    def hours(self) -> Hours:
        """When staff work; around the clock as long as nobody has said."""
        if self.office_hours is None:
            return Hours(zone=self.zone)
        free = hours.public_holidays(self.holidays)
        return Hours(hours.parse(self.office_hours), self.zone, free, stated=True)

    @property
    def reminders(self) -> tuple[timedelta, ...]:
        """After how much office time staff are reminded, shortest first."""
        return tuple(timedelta(hours=number) for number in sorted(self.remind_after) if number > 0)

    @property
    def periods(self) -> dict[str, int]:
        """How many days each kind of data in the database is kept; 0: without end."""
        kinds = ("questions", "tickets", "messages", "inbox", "people", "bans")
        return {kind: getattr(self, f"keep_{kind}") for kind in kinds}

    def make_data_dir(self) -> None:
        """The data folder, unless it is there; its owner's alone, since what candidates write lies in it."""
        self.data_dir.mkdir(0o700, parents=True, exist_ok=True)

    @property
    def index_root(self) -> Path:
        """Where snapshots and the pointer to the live one lie."""
        return self.data_dir / "index"

    @property
    def shared(self) -> bool:
        """Whether several machines may work on one database."""
        return not self.database.startswith("sqlite")

    @property
    def backups(self) -> Path:
        """Where backups are kept unless another place is named."""
        return self.data_dir / "backups"

    @property
    def database(self) -> str:
        """The database's address, for SQLAlchemy."""
        return self.database_url or f"sqlite+aiosqlite:///{(self.data_dir / 'guichet.sqlite').absolute()}"

    @property
    def file_base_url(self) -> str:
        """Where files are fetched: follows from the Bot API's address."""
        return self.telegram_base_url.removesuffix("/bot") + "/file/bot"

    @property
    def demonstration(self) -> bool:
        """Until somebody is named as responsible, the bot says that it is a demonstration."""
        return not (self.operator and self.privacy_contact)


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def load_settings(require: tuple[str, ...] = ()) -> Settings:
    """Read the settings; raises SettingsError naming everything that is wrong, missing or unknown."""
    lines = env_lines()
    problems = [*unreadable(lines), *_unknown(lines)]
    settings = None
    try:
        settings = Settings()
    except ValidationError as error:
        problems += [
            f"{variable(name)}: {_fault(name, fault)}"
            for fault in error.errors(include_input=False)
            for name in [str(fault["loc"][0])]
        ]
    except UnicodeDecodeError:
        problems.append(f"{ENV_FILE} is not UTF-8 text: save it with the encoding UTF-8")
    if settings:
        for name in require:
            if getattr(settings, name) is None:
                problems.append(f"{variable(name)} is not set: {Settings.model_fields[name].description}")
    if problems or settings is None:
        raise SettingsError(problems)
    return settings


def _fault(name: str, fault: Any) -> str:
    field = Settings.model_fields[name]
    example = field.examples[0] if field.examples else field.default
    match fault["type"]:
        case "value_error":
            return str(fault["ctx"]["error"])
        case "int_parsing" | "int_type":
            return f"write a whole number, such as {example}"
        case "float_parsing" if name == "remind_after":
            return "write hours such as 2,6; with decimals 0.5"
        case "float_parsing":
            return f"write a number, such as {example}"
        case "literal_error":
            return f"write one of {fault['ctx']['expected']}"
        case kind if kind in BORDERS:
            ((_, border),) = fault["ctx"].items()
            return f"write a number {BORDERS[kind]} {border:g}, such as {example}"
        case _:
            return str(fault["msg"])


def unreadable(lines: Sequence[Binding]) -> list[str]:
    """Lines of `.env` that set nothing; they are not repeated, since they may hold the token."""
    problems = []
    for one in lines:
        if one.error or (one.value is None and _is_ours(one.key)):
            blank = len(one.original.string) - len(one.original.string.lstrip())
            line = one.original.line + one.original.string[:blank].count("\n")
            problems.append(f"{ENV_FILE}:{line}: this line sets nothing: write NAME=value, without quotes")
    return problems


def _unknown(lines: Sequence[Binding]) -> list[str]:
    """GUICHET_ names that mean nothing: usually a slip, and the setting that was meant stays at its default."""
    known = {variable(name) for name in Settings.model_fields}
    names = [name.upper() for name in Settings.model_fields]
    written = {one.key for one in lines if one.key and one.value is not None}
    problems = []
    for name in sorted({n for n in {*os.environ, *written} if _is_ours(n)} - known):
        near = get_close_matches(name.upper().removeprefix(PREFIX), names, 1, 0.5)  # the prefix alone makes all near
        hint = f"did you mean {PREFIX}{near[0]}?" if near else "see README.md for those that exist"
        if name.upper() not in known:
            problems.append(f"{name} is not a setting: {hint}")
    return problems


def _is_ours(name: str | None) -> bool:
    return name is not None and name.upper().startswith(PREFIX)


def env_lines() -> list[Binding]:
    """What stands in `.env`; nothing of one that is not UTF-8 text, which is told elsewhere.

    Raises SettingsError where it cannot be read.
    """
    path = Path(ENV_FILE)
    if path.is_dir():  # Docker makes one where a file is mounted that does not exist
        raise SettingsError([f"{ENV_FILE} is a folder: remove it, and put the settings into a file of that name"])
    if not path.exists():
        return []
    try:
        with path.open(encoding="utf-8") as file:
            return list(parse_stream(file))
    except UnicodeDecodeError:
        return []
    except OSError as error:
        remedy = "let the user who runs Guichet read it"
        raise SettingsError([f"{ENV_FILE} cannot be read ({error.strerror}): {remedy}"]) from error
