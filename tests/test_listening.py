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


async def test_an_address_that_is_taken_or_not_ours() -> None:
    async with listening(APP, "127.0.0.1", 0) as port:
        with pytest.raises(AddressRefusedError, match=rf"cannot listen on 127.0.0.1, port {port} \(Address already"):
            async with listening(APP, "127.0.0.1", port):
                pass
    with pytest.raises(AddressRefusedError, match="choose another"):
        async with listening(APP, "not an address", 0):
            pass
