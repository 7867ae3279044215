import asyncio
from contextlib import suppress

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bot.listening import AddressRefusedError, listening

APP = Starlette(routes=[Route("/", lambda _request: PlainTextResponse("here"))])


async def test_served_until_the_block_ends() -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        async with listening(APP, "127.0.0.1", 0) as port:
            answer = await client.get(f"http://127.0.0.1:{port}/")
            assert answer.text == "here"
            assert "server" not in answer.headers
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: bot\r\nX-Slow: ",
        b"POST / HTTP/1.1\r\nHost: bot\r\nContent-Length: 1000000\r\n\r\n",  # its answer does not wait for the rest
    ],
)
async def test_who_never_comes_to_the_end_is_hung_up_on(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.listening.SLOWEST", 0.05)
    async with asyncio.timeout(60), listening(APP, "127.0.0.1", 0) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said)
        with suppress(ConnectionError):
            while await reader.read(1000) or not reader.at_eof():
                writer.write(b"x")
        writer.close()


async def test_who_asks_again_and_again_keeps_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.listening.SLOWEST", 1.0)
    async with asyncio.timeout(60), listening(APP, "127.0.0.1", 0) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(30):  # longer, all together, than a connection may be silent
            writer.write(b"GET / HTTP/1.1\r\nHost: bot\r\n\r\n")
            assert (await reader.readuntil(b"here")).startswith(b"HTTP/1.1 200")
            await asyncio.sleep(0.05)
        writer.close()


async def test_an_address_that_is_taken_or_not_ours() -> None:
    async with listening(APP, "127.0.0.1", 0) as port:
        with pytest.raises(AddressRefusedError, match=rf"cannot listen on 127.0.0.1, port {port} \(Address already"):
            async with listening(APP, "127.0.0.1", port):
                pass
    with pytest.raises(AddressRefusedError, match="choose another"):
        async with listening(APP, "not an address", 0):
            pass
