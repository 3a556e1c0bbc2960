"""Fetching of CRLs and OCSP responses for the certificates of a path, from the URLs in them.

The fetched data goes to :func:`~pkcs12kit.paths.revocation.check_revocation` together with the user's own, and is
checked in the same way: its signature, its scope and its times.
"""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64encode
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.ocsp import OCSPRequestBuilder

from pkcs12kit.certificates.lenient import read_structure
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.public_keys import public_key_octets
from pkcs12kit.errors import InputError, MalformedCertificateError
from pkcs12kit.paths.revocation import RevocationReport, RevocationStatus, check_revocation
from pkcs12kit.paths.revocation.crl import read_crl
from pkcs12kit.paths.revocation.model import SourcedBytes
from pkcs12kit.retrieval.contents import FetchedCrl, read_contents, read_crls, read_ocsp_responses
from pkcs12kit.retrieval.http.permitted import scheme_of
from pkcs12kit.retrieval.retrieved import Purpose, Retrieval, Status
from pkcs12kit.text import harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.path import CertificationPath
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.revocation import Revocation
    from pkcs12kit.paths.validation.algorithms import AlgorithmPolicy
    from pkcs12kit.retrieval.http.client import Fetcher


REQUEST_TYPE: Final = "application/ocsp-request"
_URL_SHOWN: Final = 200
_SHORT: Final = 255
"""The largest size in bytes of an encoded request that is sent by GET (RFC 5019 section 5)."""


def ocsp_request(certificate: Certificate, issuer: Certificate | TrustAnchor) -> bytes:
    """Return an OCSP request for one certificate in DER, unsigned and without a nonce.

    The CertID uses SHA-1, which every responder supports (RFC 5019 section 2.1.1); it names the certificate and
    protects nothing. Without a nonce, the response may have been signed earlier; its nextUpdate limits its age. A nonce
    would limit it further, but clients have to accept responses without one, so that they can be signed in advance
    (RFC 5019 sections 2.1.1 and 4). Raises :class:`ValueError` for a serial number that no request can have.
    """
    name = hashes.Hash(hashes.SHA1())  # noqa: S303  # an identifier
    name.update(read_structure(certificate.der).issuer)
    key_hash = hashlib.sha1(public_key_octets(issuer.subject_public_key_info), usedforsecurity=False).digest()
    builder = OCSPRequestBuilder().add_certificate_by_hash(
        name.finalize(),
        key_hash,
        certificate.serial_number,
        hashes.SHA1(),  # noqa: S303  # an identifier
    )
    return builder.build().public_bytes(Encoding.DER)


def as_url(responder: str, request: bytes) -> str | None:
    """Return the URL for a request by GET; None where it is too long or the responder's URL has a query."""
    encoded = quote(b64encode(request), safe="")
    if len(encoded) > _SHORT or urlsplit(responder).query:
        return None
    return f"{responder.rstrip('/')}/{encoded}"


class _Link(NamedTuple):
    """A certificate of a path, and its issuer on that path."""

    certificate: Certificate
    issuer: Certificate | TrustAnchor


@dataclass(slots=True)
class _RevocationData:
    """The revocation data from one URL, or the reason in one line why there is none."""

    retrieval: Retrieval
    crls: tuple[FetchedCrl, ...] = ()
    ocsp_responses: tuple[bytes, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    why: str = ""


class _Cost(NamedTuple):
    """The bytes of a CRL or an OCSP response that count against two of the limits."""

    header_bytes: int
    rewritten_bytes: int


@dataclass(slots=True)
class _Kept:
    """The given and fetched data so far, each once, in order."""

    crls: dict[bytes, _Cost]
    """CRLs, DER."""
    ocsp_responses: dict[bytes, _Cost]
    """Responses, DER."""
    certificates: dict[Certificate, None] = field(default_factory=dict)


class RevocationCollector:
    """Collector of the revocation data for paths; each URL is fetched once.

    ``given`` is the user's own data: where it settles a status, nothing is fetched. ``faults`` has a sentence, with
    untrusted text, for each URL without usable data, and names the data that it would have given. ``skipped`` has the
    URLs of directories (LDAP).
    """

    def __init__(
        self,
        fetcher: Fetcher,
        given: Revocation,
        *,
        pool: CertificatePool,
        algorithm_policy: AlgorithmPolicy,
        limits: Limits,
    ) -> None:
        self.faults: list[str] = []
        self.skipped: dict[str, None] = {}
        self.pool = pool
        self._fetcher = fetcher
        self._given = given
        self._algorithm_policy = algorithm_policy
        self._limits = limits
        self._kept = _Kept(
            {der: _cost(der, limits) for der in given.crls},
            {der: _Cost(len(der), 0) for der in given.ocsp_responses},
        )
        self._asked: set[tuple[str, Purpose, bytes | None]] = set()
        self._issuer_urls: dict[str, None] = {}

    @property
    def certificates(self) -> CertificatePool:
        """The fetched certificates of CRL issuers: untrusted."""
        return CertificatePool(self._kept.certificates)

    @property
    def revocation(self) -> Revocation:
        """The given and the fetched data together."""
        return replace(self._given, crls=self._kept.crls, ocsp_responses=self._kept.ocsp_responses)

    async def collect(self, path: CertificationPath, *, time: Callable[[], datetime]) -> RevocationReport:
        """Fetch data for each certificate of a *validated* path whose status is unknown, and return the last check.

        ``time`` is called for each check: a responder may sign its response after the first one (RFC 6960, 2.4).

        OCSP comes first; a CRL is fetched only where OCSP does not settle the status, because CRLs take tens of MiB.
        Certificates of CRL issuers come last, where the CRL does not suffice. Fetching ends when a certificate is
        revoked. Raises the errors of :func:`~pkcs12kit.paths.revocation.check_revocation` for the user's own data.
        """
        links = [_Link(*link) for link in zip(path.certificates, path.issuers, strict=True)]
        report = await self._check(path, time())
        for step in (self._ask_first, self._ask_for_crls, self._ask_for_crl_issuers):
            unknown = [
                link
                for link, status in zip(links, report.statuses, strict=True)
                if status.status is RevocationStatus.UNKNOWN
            ]
            if not unknown or any(status.status is RevocationStatus.REVOKED for status in report.statuses):
                break
            if any(await asyncio.gather(*(step(link) for link in unknown))):
                report = await self._check(path, time())
        return report

    async def _check(self, path: CertificationPath, time: datetime) -> RevocationReport:
        return await asyncio.to_thread(
            check_revocation,
            path,
            time=time,
            revocation=self.revocation,
            pool=self.pool | self.certificates,
            algorithm_policy=self._algorithm_policy,
            limits=self._limits,
        )

    async def _ask_first(self, link: _Link) -> bool:
        """Ask the OCSP responders, one after the other; where none is named, fetch the CRLs."""
        responders = self._urls(link.certificate, Purpose.OCSP)
        if not responders:
            return await self._ask_for_crls(link)
        try:
            request = ocsp_request(link.certificate, link.issuer)
        except ValueError as error:
            self.faults.append(f"no OCSP request for {link.certificate.label}: {error}")
            return False
        for responder in responders:
            if self._is_new(responder, Purpose.OCSP, request):
                data = await self._ask_responder(responder, request)
                if self._keep(data, responder, f"the status of {link.certificate.label}"):
                    return True
        return False

    async def _ask_responder(self, responder: str, request: bytes) -> _RevocationData:
        """Ask by GET, whose response can be cached, and by POST where that fails (RFC 6960 appendix A.1)."""
        url = as_url(responder, request)
        if url is not None:
            data = await self._read(await self._fetcher.fetch(url, Purpose.OCSP))
            if not data.why or data.retrieval.http_status is None:
                return data
        return await self._read(await self._fetcher.fetch(responder, Purpose.OCSP, post=(request, REQUEST_TYPE)))

    async def _ask_for_crls(self, link: _Link) -> bool:
        """Fetch full and delta CRLs, and the delta CRLs that the full ones name."""
        wanted = f"a CRL for {link.certificate.label}"
        found = await self._fetch_all(self._urls(link.certificate, Purpose.CRL), Purpose.CRL, wanted)
        delta_urls = [url for data in found for crl in data.crls for url in crl.delta_urls]
        found += await self._fetch_all(delta_urls, Purpose.CRL, f"a delta CRL for {link.certificate.label}")
        issuer_urls = (url for data in found for crl in data.crls for url in crl.issuer_urls)
        self._issuer_urls.update(dict.fromkeys(issuer_urls))
        return bool(found)

    async def _ask_for_crl_issuers(self, link: _Link) -> bool:
        """Fetch the certificates of CRL issuers from the URLs in the CRLs (RFC 5280 section 5.2.7)."""
        wanted = f"the certificate of the issuer of a CRL for {link.certificate.label}"
        return bool(await self._fetch_all(self._issuer_urls, Purpose.CA_ISSUERS, wanted))

    async def _fetch_all(self, urls: Iterable[str], purpose: Purpose, wanted: str) -> list[_RevocationData]:
        """Fetch the URLs that were not fetched before, and return the usable data."""
        new = [url for url in self._bounded(urls) if self._is_new(url, purpose)]
        found = await asyncio.gather(*(self._fetch(url, purpose) for url in new))
        return [data for url, data in zip(new, found, strict=True) if self._keep(data, url, wanted)]

    async def _fetch(self, url: str, purpose: Purpose) -> _RevocationData:
        return await self._read(await self._fetcher.fetch(url, purpose))

    async def _read(self, retrieval: Retrieval) -> _RevocationData:
        if retrieval.content is None:
            return _RevocationData(retrieval, why=retrieval.why)
        return await asyncio.to_thread(_read, retrieval, retrieval.content, self._limits)

    def _keep(self, data: _RevocationData, url: str, wanted: str) -> bool:
        """Keep usable data, within the limits of the revocation check, and return True if there was any."""
        source = harmless(url, longest=_URL_SHOWN)
        crls = self._kept.crls | {
            SourcedBytes.of(crl.der, source): _Cost(crl.header_bytes, crl.rewritten_bytes) for crl in data.crls
        }
        responses = self._kept.ocsp_responses | {
            SourcedBytes.of(der, source): _Cost(len(der), 0) for der in data.ocsp_responses
        }
        decoded = {**crls, **responses}
        limits = self._limits
        if len(decoded) > limits.revocation_objects:
            data.why = f"more than {limits.revocation_objects:,} for one path (limits.revocation_objects)"
        elif sum(map(len, decoded)) > limits.revocation_bytes:
            data.why = f"more than {limits.revocation_bytes:,} bytes for one path (limits.revocation_bytes)"
        elif sum(cost.rewritten_bytes for cost in decoded.values()) > limits.crl_rewritten_bytes:
            data.why = (
                f"more than {limits.crl_rewritten_bytes:,} bytes of CRLs with encoding errors for one path"
                " (limits.crl_rewritten_bytes)"
            )
        elif sum(cost.header_bytes for cost in decoded.values()) > limits.revocation_header_bytes:
            data.why = (
                f"more than {limits.revocation_header_bytes:,} bytes for one path, the entries of CRLs not counted"
                " (limits.revocation_header_bytes)"
            )
        if data.why:
            if data.retrieval.status is Status.SKIPPED and scheme_of(url) in {"ldap", "ldaps"}:
                self.skipped[url] = None
            else:
                self.faults.append(f"{url}: {data.why}; it would have given {wanted}")
            return False
        self._kept.crls, self._kept.ocsp_responses = crls, responses
        self._kept.certificates.update(dict.fromkeys(data.certificates))
        return True

    def _is_new(self, url: str, purpose: Purpose, request: bytes | None = None) -> bool:
        asked = (url, purpose, request)
        new = asked not in self._asked
        self._asked.add(asked)
        return new

    def _urls(self, certificate: Certificate, purpose: Purpose) -> tuple[str, ...]:
        try:
            extensions = certificate.extensions
        except MalformedCertificateError:
            return ()
        if purpose is Purpose.OCSP:
            return self._bounded(extensions.ocsp_responders)
        return self._bounded((*extensions.crl_locations, *extensions.delta_crl_locations))

    def _bounded(self, urls: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(url.strip() for url in urls))[: self._limits.retrieval_certificate_urls]


def _read(retrieval: Retrieval, content: bytes, limits: Limits) -> _RevocationData:
    data = _RevocationData(replace(retrieval, content=None))
    try:
        if retrieval.purpose is Purpose.OCSP:
            data.ocsp_responses = read_ocsp_responses(content, limits=limits)
        elif retrieval.purpose is Purpose.CRL:
            data.crls = read_crls(content, limits=limits)
        else:
            most = limits.retrieval_certificates
            contents = read_contents(content, url=retrieval.url, at_most=most, limits=limits)
            data.certificates = contents.certificates
            data.why = "" if contents.certificates else contents.why or "no certificate in it can be read"
    except InputError as error:
        data.why = str(error)
    return data


def _cost(crl: bytes, limits: Limits) -> _Cost:
    """Return the cost of a CRL that the user gave; the check of revocation refuses one that cannot be read."""
    try:
        found = read_crl(crl, limits=limits)
    except InputError:
        return _Cost(0, 0)
    return _Cost(found.header_bytes, found.rewritten_bytes)
