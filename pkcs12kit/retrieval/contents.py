"""Parsing of responses: certificates, CRLs, OCSP responses. Content-Type and the ending of the URL do not count."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import InputError, LimitExceededError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.revocation.crl import read_crl
from pkcs12kit.paths.revocation.ocsp import SUCCESSFUL, read_ocsp_response
from pkcs12kit.sources.collecting import Collector
from pkcs12kit.sources.crls_and_ocsp import load_crls, load_ocsp_responses
from pkcs12kit.sources.sniffing import Kind

if TYPE_CHECKING:
    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.pool import Reject
    from pkcs12kit.limits import Limits


# RFC 5280 sections 4.2.2.1 and 4.2.2.2 name a certificate and certs-only CMS; directories have crossCertificatePair
# (RFC 4523). Zip and PKCS#12 are not among them: a stranger could make us unpack archives, and derive keys with any
# number of iterations.
_READ: Final = frozenset({Kind.CERTIFICATE, Kind.PKCS7, Kind.CERTIFICATE_PAIR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The certificates in one response, untrusted, in their order, and the parts that cannot be read.

    ``why`` is the reason in one line why there are no certificates, or not all; empty where nothing is missing.
    """

    certificates: tuple[Certificate, ...] = ()
    rejects: tuple[Reject, ...] = ()
    why: str = ""


def read_contents(data: bytes, *, url: str, at_most: int, limits: Limits = DEFAULT_LIMITS) -> Contents:
    """Parse the response of ``url``: DER, PEM, base64, PKCS#7 in DER, BER and PEM, crossCertificatePair. Never raises.

    At most ``at_most`` certificates and rejects together are kept, the first ones. Signatures, times and purposes are
    not checked.
    """
    collector = Collector(password=None, limits=replace(limits, certificates=at_most), containers=_READ)
    try:
        collector.collect_content(url, data)
        why = ""
    except LimitExceededError as error:
        too_many = len(collector.certificates) + len(collector.rejects) > at_most
        why = "more certificates than are taken (limits.retrieval_certificates)" if too_many else _without(url, error)
    except InputError as error:
        why = _without(url, error)
    certificates = tuple(collector.certificates[:at_most])
    return Contents(certificates=certificates, rejects=tuple(collector.rejects[: at_most - len(certificates)]), why=why)


def _without(url: str, error: InputError) -> str:
    """Return the text of an error without the URL at its beginning."""
    return str(error).removeprefix(f"{url}: ")


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedCrl:
    """A CRL in DER, with its URLs for its issuer's certificates (RFC 5280 section 5.2.7) and for delta CRLs."""

    der: bytes
    header_bytes: int
    """Bytes of the CRL without its entries."""
    rewritten_bytes: int
    """Bytes that count against ``limits.crl_rewritten_bytes``."""
    issuer_urls: tuple[str, ...]
    delta_urls: tuple[str, ...]


def read_crls(data: bytes, *, limits: Limits) -> tuple[FetchedCrl, ...]:
    """Parse a response in DER or PEM. Raises :class:`~pkcs12kit.errors.InputError`.

    A CRL whose extensions cannot be read is refused here, so that it does not spoil the check of revocation. The
    entries are not parsed: there may be a million, and they are parsed when the signature has been verified.
    """
    ders = load_crls(data, limits=replace(limits, input_bytes=limits.retrieval_crl_bytes))
    return tuple(_read_crl(der, limits) for der in ders)


def read_ocsp_responses(data: bytes, *, limits: Limits) -> tuple[bytes, ...]:
    """Parse a response in DER or PEM; raise :class:`~pkcs12kit.errors.InputError`, also for errors (RFC 6960, 2.3)."""
    ders = load_ocsp_responses(data, limits=replace(limits, input_bytes=limits.retrieval_response_bytes))
    for der in ders:
        _require_answer(der, limits)
    return ders


def _read_crl(der: bytes, limits: Limits) -> FetchedCrl:
    found = read_crl(der, limits=limits)
    if found.fault is not None:
        raise InputError(f"{found} {found.fault}")
    return FetchedCrl(
        der=der,
        header_bytes=found.header_bytes,
        rewritten_bytes=found.rewritten_bytes,
        issuer_urls=found.issuer_urls,
        delta_urls=found.delta_urls,
    )


def _require_answer(der: bytes, limits: Limits) -> None:
    response = read_ocsp_response(der, limits=limits)
    if response.response_status != SUCCESSFUL:
        raise InputError(f"the responder answers {response.response_status}")
