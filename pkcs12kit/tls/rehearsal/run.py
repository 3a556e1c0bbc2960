"""Serve a key and its certificates on loopback, and let clients that trust only the anchors connect."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import InputError
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.times import require_aware
from pkcs12kit.tls.address import parse_host
from pkcs12kit.tls.certificate_message import TLS_1_2, TLS_1_3
from pkcs12kit.tls.handshake import Endpoint, Handshake, Verdict
from pkcs12kit.tls.rehearsal.clients.registry import CLIENTS, make_client
from pkcs12kit.tls.rehearsal.server import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.tls.handshake import Client

PROTOCOLS: Final = (TLS_1_2, TLS_1_3)

_LOOKS_UP: Final = 0.25  # seconds: an interrupt just before a wait is seen only after it


def shake_hands(  # noqa: PLR0913 - the two sides of a handshake, and how to go about it
    private_key: PrivateKeyTypes,
    certificates: Sequence[Certificate],
    *,
    clients: Iterable[str],
    server_name: str | None,
    trust_anchors: Iterable[TrustAnchor],
    private_key_info: bytes | None = None,
    time: datetime | None = None,
    required: frozenset[str] = frozenset(),
    limits: Limits = DEFAULT_LIMITS,
    on_progress: Callable[[Handshake], object] | None = None,
) -> tuple[Handshake, ...]:
    """Serve exactly ``certificates`` in their order, and say what each client makes of them in TLS 1.2 and TLS 1.3.

    ``clients`` are names out of :data:`~pkcs12kit.tls.rehearsal.clients.registry.CLIENTS`, and so are ``required``,
    which are asked too. One that is not here is NOT_TRIED; a required one raises :class:`~pkcs12kit.errors.InputError`
    before anything is served. The clients trust ``trust_anchors`` and nothing else, want ``server_name`` (a DNS name or
    an IP address; None asks for no name) and believe that it is ``time`` (timezone-aware; None for now). At most
    ``limits.tls_clients`` connect side by side, each with ``limits.client_seconds`` for a handshake.
    ``private_key_info`` is as for :class:`~pkcs12kit.tls.rehearsal.server.LoopbackServer`.

    The handshakes come in the order of ``CLIENTS``, TLS 1.2 first; ``on_progress`` is given each as it comes, in the
    caller's thread. Whatever ends it, an interrupt too, nothing is left: no port, thread or program. Raises
    :class:`~pkcs12kit.errors.InputError` also where the key or a certificate cannot be served, where an anchor is a
    bare key, and for names that are none.
    """
    if time is not None:
        require_aware(time)
    anchors = _certificates_of(trust_anchors)
    wanted = None if server_name is None else parse_host(server_name).removesuffix(".")
    chosen = _choose({*clients, *required})
    missing = {client.name: why for client in chosen if (why := client.missing()) is not None}
    if absent := [f"{name} ({missing[name]})" for name in missing if name in required]:
        raise InputError(f"not all clients that are required are here: {', '.join(absent)}")
    with LoopbackServer(private_key, certificates, private_key_info=private_key_info, limits=limits) as server:
        endpoint = Endpoint(
            host=server.host,
            port=server.port,
            server_name=wanted,
            trust_anchors=anchors,
            protocols=PROTOCOLS,
            time=time,
            seconds=limits.client_seconds,
        )
        came: list[Handshake] = []

        def take(handshake: Handshake) -> None:
            came.append(handshake)
            if on_progress is not None:
                on_progress(handshake)

        for name, why in missing.items():
            for protocol in PROTOCOLS:
                take(Handshake(client=name, version="", protocol=protocol, verdict=Verdict.NOT_TRIED, why=why))
        _run(
            [client for client in chosen if client.name not in missing], endpoint, take, side_by_side=limits.tls_clients
        )
    order = list(CLIENTS)
    return tuple(sorted(came, key=lambda handshake: order.index(handshake.client)))


def installed_clients() -> frozenset[str]:
    """Name the clients that are here, and can be asked."""
    return frozenset(name for name in CLIENTS if make_client(name).missing() is None)


def _certificates_of(trust_anchors: Iterable[TrustAnchor]) -> tuple[Certificate, ...]:
    """Give what clients take as anchors."""
    anchors = []
    for anchor in trust_anchors:
        if anchor.certificate is None:
            raise InputError(f"the trust anchor {anchor.name} has no certificate, and clients do not take a bare key")
        anchors.append(anchor.certificate)
    if not anchors:
        raise InputError("there is no trust anchor for the clients to trust")
    return tuple(anchors)


def _choose(names: set[str]) -> tuple[Client, ...]:
    if unknown := sorted(names - CLIENTS.keys()):
        raise InputError(f"no client is called {unknown[0]!r}; there are {', '.join(CLIENTS)}")
    return tuple(make_client(name) for name in CLIENTS if name in names)


def _run(
    clients: Sequence[Client], endpoint: Endpoint, take: Callable[[Handshake], object], *, side_by_side: int
) -> None:
    """Let each client connect in a thread, and hand over in this one what comes of it."""
    arrived: SimpleQueue[Handshake | None] = SimpleQueue()

    def ask(client: Client) -> None:
        try:
            for handshake in client.shake_hands(endpoint):
                arrived.put(handshake)
        finally:
            arrived.put(None)

    with ThreadPoolExecutor(max_workers=side_by_side, thread_name_prefix="pkcs12kit-client") as pool:
        try:
            asked = [pool.submit(ask, client) for client in clients]
            for _ in asked:
                while (handshake := _next(arrived)) is not None:
                    take(handshake)
            for future in asked:
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # first, so that none of those that wait begins
            endpoint.cancelled.set()
            raise


def _next(arrived: SimpleQueue[Handshake | None]) -> Handshake | None:
    while True:
        with suppress(Empty):
            return arrived.get(timeout=_LOOKS_UP)
