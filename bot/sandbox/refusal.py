"""How the Bot API says no: codes and descriptions as bots see them."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True)
class Refusal(Exception):  # noqa: N818 - the Bot API's word for it, and no fault of the server
    """An answer with ok = false."""

    code: int
    description: str
    parameters: Json = field(default_factory=dict)

    def json(self) -> Json:
        """The body of the HTTP answer."""
        body: Json = {"ok": False, "error_code": self.code, "description": self.description}
        return body | ({"parameters": self.parameters} if self.parameters else {})


def bad_request(what: str) -> Refusal:
    """400: the call itself is wrong."""
    return Refusal(400, f"Bad Request: {what}")


def forbidden(what: str) -> Refusal:
    """403: the bot may not."""
    return Refusal(403, f"Forbidden: {what}")


def too_many_requests(seconds: int) -> Refusal:
    """429: to be tried again in `seconds`."""
    return Refusal(429, f"Too Many Requests: retry after {seconds}", {"retry_after": seconds})


def refusal_of(error: int | str | Refusal, retry_after: int = 1) -> Refusal:
    """What a test asked for, spelled out: a code, a description of a 400 or 403, or the whole."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, str):
        return Refusal(403 if error.startswith("Forbidden") else 400, error)
    if error == 429:
        return too_many_requests(retry_after)
    return Refusal(error, HTTPStatus(error).phrase)
