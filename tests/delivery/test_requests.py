import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from telegram import InputFile
from telegram.error import NetworkError, TimedOut
from telegram.request import RequestData
from telegram.request._requestparameter import RequestParameter

from bot.delivery import requests
from bot.delivery.requests import AiohttpRequest
from bot.listening import listening
from bot.sandbox.media import Upload
from bot.sandbox.server import parameters

SECRET = "123:secret"  # nobody's


@asynccontextmanager
async def server(answer: Callable[[Request], Coroutine[Any, Any, Response]]) -> AsyncIterator[str]:
    """The address of a server that answers whatever is asked of it."""
    app = Starlette(routes=[Route("/{any:path}", answer, methods=["POST", "GET"])])
    async with listening(app, "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}/bot{SECRET}/sendMessage"


@pytest.fixture
async def way() -> AsyncIterator[AiohttpRequest]:
    async with AiohttpRequest() as opened:
        yield opened


async def form(request: Request) -> Response:
    """What came in, as words."""
    found = await parameters(request)
    return PlainTextResponse(repr([value for _, value in sorted(found.items())]), 201)


async def test_parameters_and_files_arrive(way: AiohttpRequest) -> None:
    text, file = RequestParameter("text", "à & b", None), InputFile(b"a;b", filename="tå\rble.csv")
    document = RequestParameter.from_input("document", file)
    async with server(form) as url:
        assert await way.do_request(url, "POST") == (201, b"[]")
        assert await way.do_request(url, "POST", RequestData([])) == (201, b"[]")
        _, said = await way.do_request(url, "POST", RequestData([text]))
        assert said.decode() == repr(["à & b"])
        _, said = await way.do_request(url, "POST", RequestData([text, document]))
    assert said.decode() == repr([Upload("tåble.csv", b"a;b", "text/csv"), "à & b"])


async def test_who_does_not_answer_in_time_is_told_without_the_address(way: AiohttpRequest) -> None:
    async def slow(_: Request) -> Response:
        await asyncio.sleep(5)
        return Response()

    async with server(slow) as url:
        with pytest.raises(TimedOut) as told:
            await way.do_request(url, "POST", read_timeout=0.1)
    assert (told.value.__cause__, told.value.__suppress_context__) == (None, True)
    assert SECRET not in str(told.value)


async def test_who_does_not_read_a_file_is_not_waited_for(way: AiohttpRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "WITH_FILES", 0.3)

    async def deaf(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(2)
        writer.close()

    document = RequestParameter.from_input("document", InputFile(b"0" * 9_000_000, filename="large.bin"))
    async with await asyncio.start_server(deaf, "127.0.0.1", 0) as listener:
        host, port = listener.sockets[0].getsockname()
        with pytest.raises(TimedOut):
            await way.do_request(f"http://{host}:{port}/bot1/sendDocument", "POST", RequestData([document]))


async def test_who_is_not_there_is_told_without_the_address(way: AiohttpRequest) -> None:
    async with server(form) as url:
        pass
    with pytest.raises(NetworkError, match=r"aiohttp\.Client") as told:
        await way.do_request(url, "POST")
    assert SECRET not in str(told.value)


async def test_nobody_sends_it_elsewhere(way: AiohttpRequest) -> None:
    async def moved(request: Request) -> Response:
        return RedirectResponse(request.url.replace(path="/elsewhere"), 307)

    async with server(moved) as url:
        assert (await way.do_request(url, "POST"))[0] == 307


async def test_it_is_opened_again_after_its_end() -> None:
    way = AiohttpRequest()
    async with server(form) as url:
        with pytest.raises(RuntimeError, match="before `initialize`"):
            await way.do_request(url, "POST")
        for _ in range(2):
            await way.initialize()
            await way.initialize()
            assert (await way.do_request(url, "POST"))[0] == 201
            await way.shutdown()
            await way.shutdown()


@pytest.mark.parametrize("written", ["http://{}", "{}"])
async def test_it_goes_through_the_proxy_of_the_environment(
    way: AiohttpRequest, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    asked: list[str] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readline()).decode().split()[1])
        writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(proxy, "127.0.0.1", 0) as listener:
        host, port = listener.sockets[0].getsockname()
        monkeypatch.setenv("HTTP_PROXY", written.format(f"{host}:{port}"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1,::1,local.example:81")
        requests._proxy.cache_clear()
        try:
            assert (await way.do_request("http://telegram.example/bot1/getMe", "POST"))[0] == 202
            async with server(form) as url:
                assert (await way.do_request(url, "POST"))[0] == 201
            for near in ("http://[::1]:8081", "http://local.example:81"):
                assert requests._proxy(urlsplit(near)) is None
        finally:
            requests._proxy.cache_clear()
    assert asked == ["http://telegram.example/bot1/getMe"]
