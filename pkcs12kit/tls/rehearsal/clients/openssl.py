"""OpenSSL as a client, in this process."""

from __future__ import annotations

import socket
from contextlib import closing
from datetime import UTC
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.paths.validation.server_name import mismatch
from pkcs12kit.tls.certificate_message import TLS_1_2, TLS_1_3, CertificateMessage
from pkcs12kit.tls.channel import Channel, ChannelError, Deadline, TLSError
from pkcs12kit.tls.handshake import Handshake, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from OpenSSL import SSL, crypto

    from pkcs12kit.tls.handshake import Endpoint

_VERSIONS: Final = {TLS_1_2: "TLS1_2_VERSION", TLS_1_3: "TLS1_3_VERSION"}
# The default since OpenSSL 3.2, set so that no configuration file of this computer (OPENSSL_CONF) changes it.
_CIPHERS: Final = b"DEFAULT:@SECLEVEL=2"


class OpenSSLClient:
    """OpenSSL by pyOpenSSL, at security level 2, the default since OpenSSL 3.2.

    OpenSSL verifies the certificates. pyOpenSSL has no check of names, so service-identity checks the name, as in other
    programs with pyOpenSSL. ``why`` names the one that refused.
    """

    name: Final = "openssl"

    def __init__(self, *, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits

    def missing(self) -> str | None:
        """Return None: pkcs12kit depends on OpenSSL."""
        return None

    def shake_hands(self, endpoint: Endpoint) -> Iterator[Handshake]:
        """Connect once for each protocol and yield the results."""
        for protocol in endpoint.protocols:
            yield self._shake_hands(endpoint, protocol)

    def _shake_hands(self, endpoint: Endpoint, protocol: str) -> Handshake:
        from OpenSSL import SSL, crypto

        refusals: list[str] = []
        received = None
        verdict, why = Verdict.NOT_TRIED, ""
        deadline = Deadline.after(endpoint.seconds)
        try:
            context = _context(endpoint, protocol, refusals)
            tls = SSL.Connection(context)
            tls.set_connect_state()
            if (host_name := _host_name(endpoint.server_name)) is not None:
                tls.set_tlsext_host_name(host_name)
            over = socket.create_connection((endpoint.host, endpoint.port), timeout=deadline.remaining())
            with closing(Channel(tls, over, deadline=deadline, limits=self._limits)) as channel:
                try:
                    channel.handshake()
                finally:
                    received = _received(channel)
            why = _wrong_name(received, endpoint.server_name)
            verdict = Verdict.REFUSED if why else Verdict.ACCEPTED
        except TLSError as error:
            verdict, why = Verdict.REFUSED, "; ".join(refusals) or str(error)
        except ChannelError as error:
            why = str(error)
        except crypto.Error:
            why = "OpenSSL cannot load a trust anchor"
        except OSError as error:
            why = f"cannot connect: {error.strerror or error}"
        return Handshake(
            client=self.name, version=_version(), protocol=protocol, verdict=verdict, why=why, received=received
        )


def _context(endpoint: Endpoint, protocol: str, refusals: list[str]) -> SSL.Context:
    """Return a context that trusts only the anchors, at the endpoint's time, and appends reasons to ``refusals``."""
    from OpenSSL import SSL, crypto

    def verify(_: SSL.Connection, certificate: crypto.X509, error: int, depth: int, accepted: int) -> bool:
        if not accepted:
            refusals.append(_refusal(certificate, error, depth))
        return bool(accepted)

    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    version: int = getattr(SSL, _VERSIONS[protocol])
    context.set_min_proto_version(version)
    context.set_max_proto_version(version)
    context.set_cipher_list(_CIPHERS)
    context.set_verify(SSL.VERIFY_PEER, verify)
    store = context.get_cert_store()
    if store is None:
        raise crypto.Error
    for anchor in endpoint.trust_anchors:
        store.add_cert(crypto.load_certificate(crypto.FILETYPE_ASN1, anchor.der))
    if endpoint.time is not None:
        store.set_time(endpoint.time.astimezone(UTC))
    store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)  # an anchor need not be self-signed
    return context


def _refusal(certificate: crypto.X509, error: int, depth: int) -> str:
    """Return OpenSSL's text for an error, of which pyOpenSSL only has the number."""
    from cryptography.hazmat.bindings.openssl.binding import Binding
    from OpenSSL import crypto

    library: Any = Binding.lib
    words = Binding.ffi.string(library.X509_verify_cert_error_string(error)).decode()
    try:
        subject = f": {Certificate.from_der(crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate)).subject}"
    except MalformedCertificateError:
        subject = ""
    return f"{words} (depth {depth}{subject})"


def _received(channel: Channel) -> CertificateMessage | None:
    try:
        encoded = channel.certificates
        return CertificateMessage.from_der(encoded, protocol=channel.protocol) if encoded else None
    except MalformedCertificateError:  # which OpenSSL could read
        return None


def _wrong_name(received: CertificateMessage | None, server_name: str | None) -> str:
    """Return why the certificate is not for the server (RFC 9525); empty where it is, or without a name."""
    if server_name is None:
        return ""
    if received is None:
        return "the certificate cannot be read for its names"
    try:
        wrong = mismatch(received.certificates[0], server_name)
    except MalformedCertificateError as error:
        wrong = str(error)
    return "" if wrong is None else f"OpenSSL accepted the certificates, but service-identity refused the name: {wrong}"


def _host_name(server_name: str | None) -> bytes | None:
    """Return the name for SNI: a DNS name, never an address (RFC 6066 section 3)."""
    if server_name is None:
        return None
    try:
        ip_address(server_name)
    except ValueError:
        return server_name.encode("ascii")
    return None


def _version() -> str:
    from OpenSSL import SSL

    return " ".join(SSL.OpenSSL_version(SSL.OPENSSL_VERSION).decode().split()[:2])
