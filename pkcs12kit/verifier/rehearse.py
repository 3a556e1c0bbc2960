"""``rehearse``: what TLS clients make of a PKCS#12 file before a server has it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509

from pkcs12kit.arguments import require_several
from pkcs12kit.devices.judge import judge_by_rules
from pkcs12kit.devices.table import DEVICES
from pkcs12kit.errors import InputError, MalformedCertificateError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.validation.parameters import ValidationParameters
from pkcs12kit.paths.validation.server_name import mismatch
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.sources.loading import load_certificates, load_trust_anchors, opened_pkcs12
from pkcs12kit.tls.address import ServerAddress, parse_host
from pkcs12kit.tls.certificate_message import TLS_1_3, CertificateMessage
from pkcs12kit.tls.rehearsal.clients.registry import CLIENTS
from pkcs12kit.tls.rehearsal.run import installed_clients, shake_hands
from pkcs12kit.verifier.delivered import choose_key
from pkcs12kit.verifier.reports import RehearsalReport
from pkcs12kit.verifier.sent import judge_sent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.limits import Limits
    from pkcs12kit.pkcs12.decoder import DecodedKey, DecodedPfx
    from pkcs12kit.sources.loading import CertificateSource, TrustAnchorSource
    from pkcs12kit.sources.reading import Source
    from pkcs12kit.tls.handshake import Handshake

ALL_CLIENTS: Final = "all"
_IN_PROCESS: Final = "openssl"
_CLOCK_TOLERANCE: Final = timedelta(minutes=5)
"""A time so close to the clock's is not told to clients: most of them cannot be told any."""


def rehearse(  # noqa: PLR0913  # each question has its own keyword
    file: Source,
    *,
    trust_anchors: Iterable[TrustAnchorSource],
    password: str | None,
    contents_password: str | None = None,
    require_mac: bool = False,
    key_name: str | None = None,
    key_id: bytes | None = None,
    certificates: Iterable[CertificateSource] = (),
    clients: Iterable[str] = (),
    devices: Iterable[str] = (),
    parameters: ValidationParameters | None = None,
    time: datetime | None = None,
    server_name: str | None = None,
    expires_within: timedelta = timedelta(0),
    on_progress: Callable[[Handshake], object] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> RehearsalReport:
    """Serve a PKCS#12 file on loopback, and hold what is sent against clients that trust the anchors and nothing else.

    The file is taken as an appliance takes it: the certificate of the key first, then all others in the order of the
    file, nothing added and nothing left out. They are read strictly, as by :func:`~pkcs12kit.judge_sent`, which looks
    for what is missing in ``certificates``. OpenSSL in this process has to accept them in TLS 1.2 and in TLS 1.3.
    Without ``clients`` all others that are installed are asked too, and what they say is told and decides nothing.
    ``clients``, names of :data:`~pkcs12kit.tls.rehearsal.clients.registry.CLIENTS`, are the only others to be asked,
    and each has to accept; ``all`` stands for all that are installed. Each of ``devices``, names of
    :data:`~pkcs12kit.devices.table.DEVICES`, is judged by what is known of it: none says no, and that is not the same
    as having tried it. The private key stays in memory.

    Without ``server_name`` clients ask for the first dNSName of the certificate, or iPAddress; for a wildcard, a name
    that matches. ``time`` and ``server_name`` are short for ``parameters`` with just these. Clients are told the time
    where it is not now, give or take five minutes; one that cannot be told has not been tried. ``on_progress`` is given
    each handshake as it comes. ``password``, ``contents_password``, ``require_mac``, ``key_name`` and ``key_id`` are as
    in :func:`~pkcs12kit.verify`.

    A no is an answer and no error. Raises :class:`~pkcs12kit.errors.PfxPasswordError` where the password does not open
    the file, and whatever else :func:`~pkcs12kit.decode_pfx` raises; :class:`~pkcs12kit.errors.InputError` for files
    that cannot be read, a file without a key or without its certificate, a certificate or a key that cannot be served,
    and a client of ``clients`` that is not there; :class:`KeyError` for a client or a device that is not known;
    :class:`TypeError` and :class:`ValueError` for arguments that make no sense. Not checked: revocation.
    """
    several = {"trust_anchors": trust_anchors, "certificates": certificates, "clients": clients, "devices": devices}
    require_several(several)
    if parameters is not None and (time is not None or server_name is not None):
        raise TypeError("give time and server_name inside parameters, or no parameters")
    asked_of, required = _clients(clients)
    named_devices = tuple(dict.fromkeys(devices))
    _refuse_unknown("device", named_devices, DEVICES)
    sources = tuple(certificates)
    if parameters is None:
        parameters = ValidationParameters(time=time or datetime.now(UTC), server_name=server_name)
    anchors = load_trust_anchors(*trust_anchors, limits=limits)
    with opened_pkcs12(file, limits) as data:
        decoded = decode_pfx(
            data,
            password=password,
            contents_password=contents_password,
            require_mac=require_mac,
            limits=limits,
        )
        key = _key(decoded, key_name, key_id)
        identity = key.identity
        served = _served(decoded, identity.certificate)
        meant = _name_of(identity.certificate) if parameters.server_name is None else parameters.server_name
    wanted = ServerAddress(host=parse_host(meant)).name
    asked = replace(parameters, server_name=wanted)
    message = CertificateMessage(certificates=served, protocol=TLS_1_3)
    sent = judge_sent(
        message,
        trust_anchors=anchors,
        parameters=asked,
        pool=load_certificates(*sources, limits=limits) if sources else None,
        expires_within=expires_within,
        limits=limits,
    )
    is_now = abs(asked.time - datetime.now(UTC)) <= _CLOCK_TOLERANCE
    handshakes = shake_hands(
        identity.private_key,
        served,
        private_key_info=key.private_key_info,
        clients=asked_of,
        required=required,
        server_name=wanted,
        trust_anchors=anchors,
        time=None if is_now else asked.time,
        limits=limits,
        on_progress=on_progress,
    )
    verdicts = (
        judge_by_rules(device, message=message, path=sent.path, trust_anchors=anchors, parameters=asked)
        for device in named_devices
    )
    return RehearsalReport(
        sent=sent,
        server_name=wanted,
        server_name_given=parameters.server_name is not None,
        handshakes=handshakes,
        required=required,
        devices=tuple(verdicts),
        warnings=decoded.warnings,
    )


def _clients(clients: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Say who is asked, and who has to accept."""
    named = frozenset(clients)
    required = named - {ALL_CLIENTS} | {_IN_PROCESS}
    _refuse_unknown("client", required, CLIENTS)
    if ALL_CLIENTS in named:
        return frozenset(CLIENTS), required | installed_clients()
    return (required if named else frozenset(CLIENTS)), required


def _refuse_unknown(kind: str, named: Iterable[str], known: Iterable[str]) -> None:
    known = tuple(known)
    for name in named:
        if name not in known:
            raise KeyError(f"no {kind} {name!r}; there are {', '.join(known)}")


def _key(decoded: DecodedPfx, key_name: str | None, key_id: bytes | None) -> DecodedKey:
    key = choose_key(decoded, key_name, key_id)
    if key is None:
        raise InputError("a PKCS#12 file without a private key: there is nothing to serve")
    return key


def _served(decoded: DecodedPfx, own: Certificate) -> tuple[Certificate, ...]:
    """List what a server sends that is given the file: no more, and no less."""
    if decoded.rejects:
        raise InputError(str(decoded.rejects[0]))
    others = list(decoded.certificates)
    others.remove(own)
    return (own, *others)


def _name_of(certificate: Certificate) -> str:
    """Find a name that the certificate is for, for clients to ask for.

    Where its subjectAltName has none, the common name is asked for, which no client takes for one: they say so.
    """
    for name in _presented(certificate):
        if mismatch(certificate, name) is None:
            return name
    common_name = certificate.subject.common_name or ""
    try:
        return parse_host(common_name)
    except InputError:
        raise InputError(
            "the certificate is for no DNS name and no IP address: say which one clients are to ask for"
        ) from None


def _presented(certificate: Certificate) -> Iterator[str]:
    try:
        names = certificate.extensions.subject_alternative_name or ()
    except MalformedCertificateError as error:
        raise InputError(f"{certificate.subject}: {error}") from None
    yield from (name.value.replace("*", "www", 1) for name in names if isinstance(name, x509.DNSName))
    yield from (str(name.value) for name in names if isinstance(name, x509.IPAddress))
