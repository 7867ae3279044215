"""An ASGI application served within the running event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

GRACE = 2  # seconds that answers under way have at the end
SLOWEST = 15.0  # seconds from a connection, or the answer before, until the head of a request is there; twice at most


class AddressRefusedError(RuntimeError):
    """There is no listening at that address."""

    def __init__(self, host: str, port: int, why: str) -> None:
        super().__init__(f"cannot listen on {host}, port {port} ({why}): choose another address or port")


class _Server(uvicorn.Server):
    """Runs in a loop that is not its own: leaves signals alone and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()

    async def hang_up(self) -> None:
        """Ends connections on which nobody asks anything, now and then: uvicorn itself waits for a head for ever."""
        before: dict[H11Protocol, RequestResponseCycle] = {}
        while True:
            ours = [one for one in self.server_state.connections if isinstance(one, H11Protocol)]
            idle = {one: one.cycle for one in ours if not _under_way(one.cycle)}
            for one in [one for one, cycle in idle.items() if one in before and before[one] is cycle]:
                one.transport.abort()
            before = idle
            await asyncio.sleep(SLOWEST)


def _under_way(cycle: RequestResponseCycle | None) -> bool:
    return cycle is not None and not cycle.response_complete


@asynccontextmanager
async def listening(app: ASGIApp, host: str, port: int) -> AsyncIterator[int]:
    """Serves until the block ends; yields the port, a free one if 0 was asked for. Raises AddressRefusedError."""
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="critical",  # the application itself logs its errors, without what people wrote
        access_log=False,
        server_header=False,
        lifespan="off",
        http="h11",  # `hang_up` knows its connections
        ws="none",
        timeout_graceful_shutdown=GRACE,
    )
    server = _Server(config)
    with bound(host, port) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await server.ready.wait()
        hanging_up = asyncio.create_task(server.hang_up())
        try:
            yield listener.getsockname()[1]
        finally:
            hanging_up.cancel()
            server.should_exit = True
            await asyncio.gather(serving, return_exceptions=True)


def bound(host: str, port: int) -> socket.socket:
    """A socket at that address, which does not listen yet. Raises AddressRefusedError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay (40 ms an answer) off only where the protocol is named.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise AddressRefusedError(host, port, error.strerror or type(error).__name__) from None
    return listener
