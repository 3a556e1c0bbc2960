"""The library function behind ``rehearse``: TLS clients try a PKCS#12 file before a server has it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509

from pkcs12kit.arguments import require_flags, require_functions, require_kind, require_names, require_texts
from pkcs12kit.devices.judge import judge_by_rules
from pkcs12kit.devices.versions import require_devices
from pkcs12kit.errors import InputError, MalformedCertificateError, UnknownNameError
from pkcs12kit.hints import Hint
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.paths.validation.parameters import choose_parameters
from pkcs12kit.paths.validation.server_name import mismatch
from pkcs12kit.paths.validity_now import not_valid_now
from pkcs12kit.sources.arguments import as_certificates, as_trust_anchors
from pkcs12kit.sources.delivered_files import FileFormat, read_delivered
from pkcs12kit.sources.key_sources import Opening
from pkcs12kit.sources.pkcs12_files import naming_pkcs12
from pkcs12kit.times import time_or_now
from pkcs12kit.tls.address import ServerAddress, parse_host
from pkcs12kit.tls.certificate_message import TLS_1_3, CertificateMessage
from pkcs12kit.tls.rehearsal.clients.registry import CLIENTS
from pkcs12kit.tls.rehearsal.run import installed_clients, shake_hands, why_only_tls_1_3
from pkcs12kit.verifier.delivered import choose_key
from pkcs12kit.verifier.served_chain import check_served_chain
from pkcs12kit.verifier.server_reports import RehearsalReport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.pkcs12.decoded_keys import DecodedKey
    from pkcs12kit.sources.arguments import CertificatesArgument, TrustAnchorsArgument
    from pkcs12kit.sources.delivered_files import DeliveredFile
    from pkcs12kit.sources.identities import KeySource
    from pkcs12kit.sources.reading import Source
    from pkcs12kit.tls.handshake import Handshake

ALL_CLIENTS: Final = "all"
_IN_PROCESS: Final = "openssl"
_CLOCK_TOLERANCE: Final = timedelta(minutes=5)
"""Clients are not given a time so close to now: most of them can only use the clock."""


def rehearse(  # noqa: PLR0913  # each question has its own keyword
    file: Source,
    *,
    trust_anchors: TrustAnchorsArgument,
    password: str | None = None,
    key: KeySource | None = None,
    key_password: str | Callable[[], str] | None = None,
    contents_password: str | None = None,
    require_mac: bool = False,
    key_name: str | None = None,
    key_id: bytes | None = None,
    certificates: CertificatesArgument = (),
    clients: Iterable[str] = (),
    devices: Iterable[str] = (),
    parameters: ValidationParameters | None = None,
    time: datetime | None = None,
    server_name: str | None = None,
    expires_within: timedelta = timedelta(0),
    on_progress: Callable[[Handshake], object] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> RehearsalReport:
    """Serve a file on loopback to TLS clients that trust only these anchors, and report their answers.

    - ``file``: a path, ``-`` or bytes: a PKCS#12 file, or a chain in PEM or PKCS#7, with its private key in it or not.
    - ``key``, ``key_password``: the private key of a chain without one, as for :func:`~pkcs12kit.load_identity`.
    - ``trust_anchors``: files or values, as for :func:`~pkcs12kit.load_trust_anchors`.
    - ``password``, ``contents_password``, ``require_mac``: as for :func:`~pkcs12kit.decode_pfx`.
    - ``key_name``, ``key_id``: choose one of several keys, as for :func:`~pkcs12kit.verify`.
    - ``certificates``: files or values to search for certificates that the file lacks. They are not served.
    - ``clients``: names of :data:`~pkcs12kit.tls.rehearsal.clients.registry.CLIENTS`, each of which has to accept;
      ``all`` for all that are installed. Without names, every installed client is asked, and its answer decides
      nothing. OpenSSL in this process is always asked and always has to accept.
    - ``devices``: names of :data:`~pkcs12kit.devices.table.DEVICES`. They are judged by documented rules, not run.
    - ``parameters``: the inputs of path validation; or only ``time`` (default: now) and ``server_name``.
    - ``expires_within``: the check of expiry fails if a certificate of the path expires within this time.
    - ``on_progress``: is called with each handshake when it is done.
    - ``limits``: bounds on the work.

    The server sends the certificate of the key first, then all others in the order of the file, as an appliance does. A
    chain in PEM is sent as it is: servers refuse one that does not begin with the certificate of the key, and so does
    this function. The certificates of a PKCS#7 bundle have no order, and are sent in that of the chain.
    This chain is checked as by :func:`~pkcs12kit.check_served_chain`. Without ``server_name``, clients ask for the
    first dNSName or iPAddress of the certificate; for a wildcard, for a name that matches. A client is given the time
    where it differs from now by more than five minutes; one that cannot be given a time is not tried. The private key
    stays in memory. A key for ML-DSA is tried in TLS 1.3 only, and a warning says so.

    A refusal is part of the report, not an error. Raises :class:`~pkcs12kit.errors.PfxPasswordError` where the password
    does not open the file, and the other errors of :func:`~pkcs12kit.decode_pfx`;
    :class:`~pkcs12kit.errors.UnknownNameError` for an unknown client or device;
    :class:`~pkcs12kit.errors.InputError` for files that cannot be read, for a file without a key or without its
    certificate, for a certificate or key that cannot be served, and for a client of ``clients`` that is not installed;
    :class:`~pkcs12kit.errors.ArgumentError` for other arguments that cannot be used. Not checked: revocation.
    """
    require_flags(require_mac=require_mac)
    require_functions(on_progress=on_progress)
    require_kind("limits", limits, Limits)
    require_kind("key_id", key_id, bytes, optional=True)
    require_texts(password=password, contents_password=contents_password, key_name=key_name)
    asked_of, required = clients_to_ask(clients)
    named_devices = require_devices(devices)
    parameters = choose_parameters(parameters, time=time, server_name=server_name)
    warnings: list[str] = []
    anchors = as_trust_anchors(trust_anchors, on_warning=warnings.append, limits=limits)
    pool = as_certificates(certificates, limits=limits)
    opening = Opening(
        password=password,
        key_password=key_password,
        contents_password=contents_password,
        key_name=key_name,
        key_id=key_id,
        time=parameters.time,
        require_mac=require_mac,
        limits=limits,
    )
    delivered = read_delivered(file, opening, key=key)
    decoded = delivered.decoded
    with naming_pkcs12(delivered.name, delivered.pkcs12 or b""):
        chosen = _key(delivered, key_name, key_id)
        identity = chosen.identity_at(parameters.time)
        others = chosen.other_certificates_at(parameters.time)
        served = _served(delivered, identity.certificate)
        meant = _name_of(identity.certificate) if parameters.server_name is None else parameters.server_name
    wanted = ServerAddress(host=parse_host(meant)).name
    asked = replace(parameters, server_name=wanted)
    message = CertificateMessage(certificates=served, protocol=TLS_1_3)
    served_chain = check_served_chain(
        message,
        trust_anchors=anchors,
        parameters=asked,
        pool=pool or None,
        expires_within=expires_within,
        limits=limits,
    )
    is_now = abs(asked.time - time_or_now(None)) <= _CLOCK_TOLERANCE
    handshakes = shake_hands(
        identity.private_key,
        served,
        private_key_info=chosen.private_key_info,
        clients=asked_of,
        required=required,
        server_name=wanted,
        trust_anchors=anchors,
        time=None if is_now else asked.time,
        limits=limits,
        on_progress=on_progress,
    )
    verdicts = (
        judge_by_rules(device, message=message, path=served_chain.path, trust_anchors=anchors, parameters=asked)
        for device in named_devices
    )
    path = served_chain.path
    only_tls_1_3 = why_only_tls_1_3(identity.private_key)
    about_call = (*warnings, *(() if path is None else not_valid_now(path)))
    return RehearsalReport(
        served_chain=served_chain,
        server_name=wanted,
        server_name_given=parameters.server_name is not None,
        format=delivered.format,
        handshakes=handshakes,
        required=required,
        devices=tuple(verdicts),
        warnings=(
            *delivered.warnings,
            *decoded.left_out,
            *(one for one in (others, only_tls_1_3) if one is not None),
            *about_call,
        ),
        call_warnings=about_call,
    )


def clients_to_ask(clients: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names of the clients to ask, and of those that have to accept."""
    named = frozenset(require_names("clients", clients))
    required = named - {ALL_CLIENTS} | {_IN_PROCESS}
    for name in sorted(required - CLIENTS.keys()):
        raise UnknownNameError("client", name, CLIENTS)
    if ALL_CLIENTS in named:
        return frozenset(CLIENTS), required | installed_clients()
    return (required if named else frozenset(CLIENTS)), required


def _key(delivered: DeliveredFile, key_name: str | None, key_id: bytes | None) -> DecodedKey:
    key = choose_key(delivered.decoded, key_name, key_id)
    if delivered.format is FileFormat.PKCS12:
        if key is None:
            raise InputError("the PKCS#12 file has no private key: there is nothing to serve")
        return key
    if key is None:
        raise InputError("it has no private key, so that it cannot be served").hinting(
            Hint(text="give the private key as well, with --key FILE (in Python: key=)")
        )
    if not key.certificates:
        raise InputError("no certificate in it is for the private key")
    return key


def _served(delivered: DeliveredFile, own: Certificate) -> tuple[Certificate, ...]:
    """Return the certificates that a server sends if it is given this file: all of them, its own first."""
    decoded = delivered.decoded
    if decoded.rejects:
        raise InputError(str(decoded.rejects[0]))
    if delivered.format is FileFormat.PEM:
        first = decoded.certificates[0]
        if first.subject_public_key_info != own.subject_public_key_info:
            raise InputError(
                f"it begins with the certificate of {first.label}, which is not that of the private key, and servers do"
                f" not accept that; put the certificate of {own.label} first"
            )
        return decoded.certificates
    others = list(decoded.certificates)
    others.remove(own)
    return (own, *others)


def _name_of(certificate: Certificate) -> str:
    """Return a name that the certificate is for, for clients to ask for.

    Where its subjectAltName has none, this is the common name. Clients do not accept it, and their answers say so.
    """
    for name in _presented(certificate):
        if mismatch(certificate, name) is None:
            return name
    common_name = certificate.subject.common_name or ""
    try:
        return parse_host(common_name)
    except InputError:
        raise InputError(
            "the certificate has no DNS name and no IP address: give the name that clients ask for (server_name)"
        ) from None


def _presented(certificate: Certificate) -> Iterator[str]:
    try:
        names = certificate.extensions.subject_alternative_name or ()
    except MalformedCertificateError as error:
        raise InputError(f"{certificate.subject}: {error}") from None
    yield from (name.value.replace("*", "www", 1) for name in names if isinstance(name, x509.DNSName))
    yield from (str(name.value) for name in names if isinstance(name, x509.IPAddress))
