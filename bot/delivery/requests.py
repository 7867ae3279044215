"""Requests to Telegram by aiohttp: the library's own way, httpx, takes three times the processor's time for each."""

from functools import cache
from typing import Any
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx
from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, FormData, TCPConnector
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData

CONNECT, READ, READ_AFTER_FILES = 5.0, 5.0, 25.0  # seconds
WITH_FILES = 120.0  # seconds that a request with files may take: aiohttp does not look at how writing goes on
CONNECTIONS = 256


class AiohttpRequest(BaseRequest):
    """What the library sends its requests with. Certificates are those that httpx would take, proxies those of the
    environment.
    """

    def __init__(self) -> None:
        self._session: ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        """In seconds."""
        return READ

    async def initialize(self) -> None:
        """Opens it, perhaps again."""
        if self._session is None or self._session.closed:
            # A system may have no certificates of its own; the library brings some, or takes those of SSL_CERT_FILE.
            connector = TCPConnector(limit=CONNECTIONS, ssl=httpx.create_ssl_context())
            agent = {"User-Agent": self.USER_AGENT}
            self._session = ClientSession(connector=connector, cookie_jar=DummyCookieJar(), headers=agent)

    async def shutdown(self) -> None:
        """Closes it."""
        if self._session is not None:
            await self._session.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,  # see WITH_FILES
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,  # part of `connect_timeout`
    ) -> tuple[int, bytes]:
        """The answer's status and body; raises TimedOut and NetworkError without the address, which has the token."""
        if self._session is None or self._session.closed:
            raise RuntimeError("a request before `initialize`")
        files = request_data is not None and request_data.contains_files
        timeout = ClientTimeout(
            total=WITH_FILES if files else None,
            connect=_given(connect_timeout, CONNECT),
            sock_read=_given(read_timeout, READ_AFTER_FILES if files else READ),
        )
        body, headers = _body(request_data)
        try:
            async with self._session.request(
                method,
                url,
                data=body,
                headers=headers,
                timeout=timeout,
                proxy=_proxy(urlsplit(url)._replace(path="", query="")),
                allow_redirects=False,
            ) as response:
                return response.status, await response.read()
        except TimeoutError:
            raise TimedOut from None
        except ClientError as error:
            raise NetworkError(f"aiohttp.{type(error).__name__}") from None


def _given(value: Any, default: float) -> Any:
    return default if value is BaseRequest.DEFAULT_NONE else value


def _body(data: RequestData | None) -> tuple[bytes | FormData | None, dict[str, str]]:
    """What is sent, and the headers that tell what it is."""
    if data is None:
        return None, {}
    if not data.contains_files:
        return data.url_encoded_parameters().encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    form = FormData(data.json_parameters, quote_fields=False)  # Telegram shows the names of files as they come
    for name, (filename, content, kind) in data.multipart_data.items():
        printable = "".join(filter(str.isprintable, filename))  # aiohttp refuses others
        form.add_field(name, content, filename=printable, content_type=kind)
    return form, {}


@cache
def _proxy(server: SplitResult) -> str | None:
    """That of the environment, such as HTTPS_PROXY, unless NO_PROXY names the server."""
    if proxy_bypass(server.hostname or "") or proxy_bypass(server.netloc):
        return None
    proxies = getproxies()
    found = proxies.get(server.scheme, proxies.get("all"))
    return f"http://{found}" if found and "://" not in found else found
