"""Rehearsals: a key and its certificates are served on loopback to clients that trust only the anchors."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from heapq import heapreplace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import InputError, UnknownNameError
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.pkcs12.ml_dsa_keys import ml_dsa_name
from pkcs12kit.times import require_aware
from pkcs12kit.tls.address import parse_host
from pkcs12kit.tls.certificate_message import TLS_1_2, TLS_1_3
from pkcs12kit.tls.handshake import Endpoint, Handshake, Verdict
from pkcs12kit.tls.rehearsal.clients.registry import CLIENTS, make_client
from pkcs12kit.tls.rehearsal.server import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.tls.handshake import Client

PROTOCOLS: Final = (TLS_1_2, TLS_1_3)

_IN_PROCESS: Final = "openssl"

_SIGNAL_CHECK: Final = 0.25  # seconds between checks for signals: one just before a wait is seen only after it


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
    """Serve exactly ``certificates`` in their order, and return each client's handshakes in TLS 1.2 and TLS 1.3.

    - ``private_key``, ``private_key_info``: as for :class:`~pkcs12kit.tls.rehearsal.server.LoopbackServer`.
    - ``clients``, ``required``: names of :data:`~pkcs12kit.tls.rehearsal.clients.registry.CLIENTS`; all are asked. The
      result of a client that is not installed is NOT_TRIED, but a required one raises an error before anything is
      served.
    - ``server_name``: the DNS name or IP address that the clients ask for; None for no name.
    - ``trust_anchors``: the only trust anchors of the clients.
    - ``time``: the time at which the clients verify, timezone-aware; None for now.
    - ``limits``: at most ``tls_clients`` connect side by side, each with ``client_seconds`` for a handshake.
    - ``on_progress``: is called with each handshake when it is done, in the caller's thread.

    A key for ML-DSA is tried in TLS 1.3 only: see :func:`protocols_of`.

    The handshakes are in the order of ``CLIENTS``, TLS 1.2 first. After an interruption, as after the end, no port,
    thread or program is left. Raises :class:`~pkcs12kit.errors.UnknownNameError` for an unknown client, and
    :class:`~pkcs12kit.errors.InputError` for a required client that is not installed, a key or certificate that cannot
    be served, a trust anchor without a certificate, and a server name that cannot be read.
    """
    if time is not None:
        require_aware(time)
    anchors = _certificates_of(trust_anchors)
    wanted = None if server_name is None else parse_host(server_name).removesuffix(".")
    chosen = _choose({*clients, *required})
    missing = {client.name: why for client in chosen if (why := client.missing()) is not None}
    if absent := [f"{name} ({missing[name]})" for name in missing if name in required]:
        raise InputError(f"required clients are not installed: {', '.join(absent)}")
    protocols = protocols_of(private_key)
    with LoopbackServer(private_key, certificates, private_key_info=private_key_info, limits=limits) as server:
        endpoint = Endpoint(
            host=server.host,
            port=server.port,
            server_name=wanted,
            trust_anchors=anchors,
            protocols=protocols,
            time=time,
            seconds=limits.client_seconds,
        )
        came: list[Handshake] = []

        def take(handshake: Handshake) -> None:
            came.append(handshake)
            if on_progress is not None:
                on_progress(handshake)

        for name, why in missing.items():
            for protocol in protocols:
                take(Handshake(client=name, version="", protocol=protocol, verdict=Verdict.NOT_TRIED, why=why))
        _run(
            [client for client in chosen if client.name not in missing], endpoint, take, side_by_side=limits.tls_clients
        )
    order = list(CLIENTS)
    return tuple(sorted(came, key=lambda handshake: order.index(handshake.client)))


def protocols_of(private_key: PrivateKeyTypes) -> tuple[str, ...]:
    """Return the versions of TLS in which a server can sign with this key: for ML-DSA only TLS 1.3."""
    return PROTOCOLS if ml_dsa_name(private_key) is None else (TLS_1_3,)  # draft-ietf-tls-mldsa section 3


def why_only_tls_1_3(private_key: PrivateKeyTypes) -> str | None:
    """Return why TLS 1.2 is not tried with this key, as a sentence; None where it is."""
    name = ml_dsa_name(private_key)
    if name is None:
        return None
    return (
        f"the private key is for {name}, which signs in TLS 1.3 only (draft-ietf-tls-mldsa): TLS 1.2 was not tried, and"
        f" a client without {name} cannot connect"
    )


def installed_clients() -> frozenset[str]:
    """Return the names of the clients that are installed and can be asked."""
    return frozenset(name for name in CLIENTS if make_client(name).missing() is None)


def longest_seconds(clients: Collection[str], limits: Limits = DEFAULT_LIMITS) -> float:
    """Return the seconds after which a rehearsal with these clients ends, if each of their steps hangs until its end.

    A step is the question for the version of a program, and a handshake; each has ``limits.client_seconds``. A client
    whose preparation hangs is given up at once. ``limits.tls_clients`` run at a time, in the order of ``CLIENTS``.
    """
    ends = [0.0] * limits.tls_clients
    for name in CLIENTS:
        if name in clients:
            steps = len(PROTOCOLS) + (name != _IN_PROCESS)
            heapreplace(ends, ends[0] + steps * limits.client_seconds)
    return max(ends)


def _certificates_of(trust_anchors: Iterable[TrustAnchor]) -> tuple[Certificate, ...]:
    """Return the certificates of the trust anchors."""
    anchors = []
    for anchor in trust_anchors:
        if anchor.certificate is None:
            raise InputError(f"the trust anchor {anchor.name} has no certificate, and clients do not accept a bare key")
        anchors.append(anchor.certificate)
    if not anchors:
        raise InputError("there is no trust anchor for the clients to trust")
    return tuple(anchors)


def _choose(names: set[str]) -> tuple[Client, ...]:
    if unknown := sorted(names - CLIENTS.keys()):
        raise UnknownNameError("client", unknown[0], CLIENTS)
    return tuple(make_client(name) for name in CLIENTS if name in names)


def _run(
    clients: Sequence[Client], endpoint: Endpoint, take: Callable[[Handshake], object], *, side_by_side: int
) -> None:
    """Let each client connect in a thread of its own, and pass the handshakes to ``take`` in this one."""
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
            pool.shutdown(wait=False, cancel_futures=True)  # first, so that no waiting client begins
            endpoint.cancelled.set()
            raise


def _next(arrived: SimpleQueue[Handshake | None]) -> Handshake | None:
    while True:
        with suppress(Empty):
            return arrived.get(timeout=_SIGNAL_CHECK)
