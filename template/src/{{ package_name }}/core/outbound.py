"""Outbound HTTP: the clients for all calls to other hosts, with limits of size, time and address.

The limits are in the transport, below whatever a caller may ask of its client. Each purpose has a pool of connections
of its own, so that slow calls of one kind hold up no others.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from http.cookiejar import DefaultCookiePolicy

import httpcore2
import httpx2

from ..origin_protocol import CredentialsRejectedError, OriginUnavailableError
from .network import InnerAddressError, Network
from .proxies import Proxies

TIMEOUT = httpx2.Timeout(15, connect=5)
"""For each phase of a call; how long the whole may take is its purpose's."""

_BARE = httpx2.AsyncClient(transport=httpx2.AsyncBaseTransport(), trust_env=False)
DECODED = frozenset({"", "identity", *_BARE.headers["accept-encoding"].split(", ")})
"""What the library unpacks, and whatever else is as it should be read."""

PORTS = {"http": 80, "https": 443}

IDLE_SECONDS = 3.0
"""How long an idle connection may be used again. Many hosts (Node, uvicorn) close theirs after five seconds; one that
closes just as a request leaves makes its outcome unknown."""

LOOK_UP_SECONDS = 1.0
"""How long a name may take to be looked up here that a proxy will look up again. Where everything goes through one,
no name server may answer at all."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """Calls of one kind. They share `connections`; the answer to each has at most `size` bytes, and the whole takes
    at most `seconds`."""

    name: str
    size: int
    seconds: float
    connections: int = 100


NO_JSON = (json.JSONDecodeError, UnicodeDecodeError)
"""What reading an answer raises that is something else, like a page in the place of what was asked for."""


class AnswerTooLargeError(httpx2.ReadError):
    """An answer has more bytes than its purpose allows."""


class CallTooLongError(httpx2.ReadTimeout):
    """A call took longer than its purpose allows; the request may have been acted upon."""


_purpose: ContextVar[Purpose | str | None] = ContextVar("purpose", default=None)


@contextmanager
def calling_for(purpose: Purpose | str | None) -> Iterator[None]:
    """Make the calls to the origin in this block for a purpose of their own.

    None is the usual one; a mere name stands for one with the same limits.
    """
    token = _purpose.set(purpose)
    try:
        yield
    finally:
        _purpose.reset(token)


@contextmanager
def understood() -> Iterator[None]:
    """Wrap what is asked of `origin.py`, except posting: there an error leaves open whether it was posted.

    No answer, 429 and 5xx are an outage, and 401 is for an admin; every other answer is left to whoever asked.
    """
    try:
        yield
    except (AnswerTooLargeError, CallTooLongError, InnerAddressError):
        # This service's own limits: the same call would meet them again.
        raise
    except httpx2.TransportError as error:
        raise OriginUnavailableError(f"the origin did not answer: {error!r}") from error
    except httpx2.HTTPStatusError as error:
        status, pause = error.response.status_code, error.response.headers.get("retry-after", "")
        if status == httpx2.codes.UNAUTHORIZED:
            raise CredentialsRejectedError("the origin answered 401") from error
        if status == httpx2.codes.TOO_MANY_REQUESTS or error.response.is_server_error:
            seconds = float(pause) if pause.isdecimal() else None
            raise OriginUnavailableError(f"the origin answered {status}", seconds) from error
        raise


class Outbound:
    """Makes the clients, and closes them. All accounts share them, so they keep no cookies.

    Raises ValueError when the environment names a proxy that cannot be used.
    """

    def __init__(self, carrier: httpx2.AsyncBaseTransport | None = None) -> None:
        """Take what carries the requests instead of the network."""
        self._carrier = carrier
        self._proxies = Proxies()
        self._context = None if carrier else httpx2.create_ssl_context()
        self._clients: list[httpx2.AsyncClient] = []

    def client(
        self, purpose: Purpose, *, inner_hosts: Collection[str] = (), advice: str = ""
    ) -> httpx2.AsyncClient:
        """Make a client for one purpose. It calls hosts inside of a network only if they are named."""
        return self._made(self._limited(purpose, Network(inner_hosts, advice)))

    def origin_client(
        self, otherwise: Purpose, *, inner_hosts: Collection[str] = (), advice: str = ""
    ) -> httpx2.AsyncClient:
        """Make the client of `origin.py`: each call is made for the purpose of whoever called `origin.py`."""
        network = Network(inner_hosts, advice)
        return self._made(TransportByPurpose(otherwise, lambda purpose: self._limited(purpose, network)))

    async def aclose(self) -> None:
        for client in self._clients:
            await client.aclose()

    def _made(self, transport: httpx2.AsyncBaseTransport) -> httpx2.AsyncClient:
        client = httpx2.AsyncClient(transport=transport, timeout=TIMEOUT, trust_env=False)
        client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._clients.append(client)
        return client

    def _limited(self, purpose: Purpose, network: Network) -> httpx2.AsyncBaseTransport:
        road = self._carrier or Road(purpose.connections, network, self._proxies, self._context)
        return LimitedTransport(purpose, network, road)


class TransportByPurpose(httpx2.AsyncBaseTransport):
    """A transport for each purpose, made at its first call."""

    def __init__(self, otherwise: Purpose, make: Callable[[Purpose], httpx2.AsyncBaseTransport]) -> None:
        self._otherwise = otherwise
        self._make = make
        self._made: dict[Purpose, httpx2.AsyncBaseTransport] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        asked = _purpose.get() or self._otherwise
        purpose = replace(self._otherwise, name=asked) if isinstance(asked, str) else asked
        if purpose not in self._made:
            self._made[purpose] = self._make(purpose)
        return await self._made[purpose].handle_async_request(request)

    async def aclose(self) -> None:
        for transport in self._made.values():
            await transport.aclose()


class LimitedTransport(httpx2.AsyncBaseTransport):
    """Keeps calls within the limits of their purpose, and unpacks their answers.

    What a caller reads is what was counted: nobody finds the length of a compressed answer beside its decoded bytes.
    """

    def __init__(self, purpose: Purpose, network: Network, road: httpx2.AsyncBaseTransport) -> None:
        self._purpose = purpose
        self._network = network
        self._road = road

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        self._network.check_name(url.host, url.port or PORTS.get(url.scheme, 0))
        end = asyncio.get_running_loop().time() + self._purpose.seconds
        async with self._until(end):
            response = await self._road.handle_async_request(request)
        headers = response.headers.copy()
        if encodings := headers.pop("content-encoding", ""):
            headers.pop("content-length", None)
        if unknown := {encoding.strip().lower() for encoding in encodings.split(",")} - DECODED:
            await response.aclose()
            raise httpx2.RemoteProtocolError(f"the answer is packed as nobody asked: {', '.join(unknown)}")
        return httpx2.Response(
            response.status_code,
            headers=headers,
            stream=LimitedStream(self._chunks(response, end), response.aclose),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._road.aclose()

    async def _chunks(self, response: httpx2.Response, end: float) -> AsyncIterator[bytes]:
        passed = 0
        async with aclosing(response.aiter_bytes()) as chunks:
            while True:
                try:
                    async with self._until(end):
                        chunk = await anext(chunks, None)
                except httpx2.DecodingError as error:
                    raise httpx2.RemoteProtocolError(f"the answer cannot be unpacked: {error}") from error
                if chunk is None:
                    return
                passed += len(chunk)
                if passed > self._purpose.size:
                    raise AnswerTooLargeError(f"the answer is larger than {self._purpose.size} bytes")
                yield chunk

    @asynccontextmanager
    async def _until(self, end: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout_at(end):
                yield
        except TimeoutError:
            raise CallTooLongError(
                f"the call was not over within {self._purpose.seconds:g} seconds"
            ) from None


class LimitedStream(httpx2.AsyncByteStream):
    def __init__(self, chunks: AsyncIterator[bytes], close: Callable[[], Awaitable[None]]) -> None:
        self._chunks = chunks
        self._close = close

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._chunks

    async def aclose(self) -> None:
        await self._close()


class Road(httpx2.AsyncBaseTransport):
    """To a host: directly, or through the environment's proxy. To this machine never through a proxy."""

    def __init__(
        self, connections: int, network: Network, proxies: Proxies, context: ssl.SSLContext | None
    ) -> None:
        self._limits = httpx2.Limits(max_connections=connections, keepalive_expiry=IDLE_SECONDS)
        self._network = network
        self._proxies = proxies
        self._context = context or httpx2.create_ssl_context()
        self._direct = DirectTransport(connections, network, self._context)
        self._through: dict[str, httpx2.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        proxy = self._proxies.leading_to(url.scheme, url.host)
        if proxy is None:
            return await self._direct.handle_async_request(request)
        # Names that only the proxy knows are its own business; those that lead inside from here are refused.
        with suppress(OSError):
            async with asyncio.timeout(LOOK_UP_SECONDS):
                await self._network.addresses(url.host, url.port or PORTS.get(url.scheme, 0))
        if proxy not in self._through:
            self._through[proxy] = httpx2.AsyncHTTPTransport(
                verify=self._context, limits=self._limits, proxy=proxy
            )
        return await self._through[proxy].handle_async_request(request)

    async def aclose(self) -> None:
        for transport in (self._direct, *self._through.values()):
            await transport.aclose()


class DirectTransport(httpx2.AsyncHTTPTransport):
    """Connects through `network`, which the library's own transport cannot be given."""

    def __init__(self, connections: int, network: Network, context: ssl.SSLContext) -> None:
        super().__init__(verify=context)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=context,
            max_connections=connections,
            max_keepalive_connections=20,
            keepalive_expiry=IDLE_SECONDS,
            network_backend=network,
        )
