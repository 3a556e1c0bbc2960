"""CRLs and OCSP responses for the certificates of a path, from where those say that they are.

What comes is given to :func:`~pkcs12kit.paths.revocation.check_revocation` beside what the user gave, and is judged
like it: by signature, by whom it may speak of, and by its times.
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
from pkcs12kit.retrieval.contents import FetchedCrl, read_contents, read_crls, read_ocsp_responses
from pkcs12kit.retrieval.http.permitted import scheme_of
from pkcs12kit.retrieval.retrieved import Purpose, Retrieval, Status

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
_SHORT: Final = 255
"""Bytes of an encoded request up to which it goes by GET (RFC 5019 section 5)."""


def ocsp_request(certificate: Certificate, issuer: Certificate | TrustAnchor) -> bytes:
    """Ask for the status of one certificate, DER, unsigned and without a nonce.

    The CertID is by SHA-1, which every responder knows (RFC 5019 section 2.1.1); it names the certificate and protects
    nothing. Without a nonce the answer may have been signed before: how old it may be, its nextUpdate bounds. A nonce
    would bound it more, but clients have to take answers without it, so that they can be made beforehand (RFC 5019
    sections 2.1.1 and 4). Raises :class:`ValueError` for a serial number that no request can have.
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
    """Put a request into a URL, for GET; None where it is too long or the responder's URL has a query."""
    encoded = quote(b64encode(request), safe="")
    if len(encoded) > _SHORT or urlsplit(responder).query:
        return None
    return f"{responder.rstrip('/')}/{encoded}"


class _Link(NamedTuple):
    """A certificate of a path, and who issued it there."""

    certificate: Certificate
    issuer: Certificate | TrustAnchor


@dataclass(slots=True)
class _Answer:
    """What one URL gave, or in one line why it gave nothing of use."""

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
    """What was given and fetched so far, each once, in order."""

    crls: dict[bytes, _Cost]
    """CRLs, DER."""
    ocsp_responses: dict[bytes, _Cost]
    """Responses, DER."""
    certificates: dict[Certificate, None] = field(default_factory=dict)


class RevocationCollector:
    """Collect what is needed to know the revocation status of paths; each URL is asked once.

    ``given`` is what the user gave: for what it settles, nothing is asked. ``faults`` has a sentence, with text from
    outside, for each URL that gave nothing of use, and what it would have given; ``skipped`` the URLs of directories.
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
        """Those of CRL issuers that were fetched: candidates, as any."""
        return CertificatePool(self._kept.certificates)

    @property
    def revocation(self) -> Revocation:
        """What was given and what was fetched, together."""
        return replace(self._given, crls=self._kept.crls, ocsp_responses=self._kept.ocsp_responses)

    async def collect(self, path: CertificationPath, *, time: Callable[[], datetime]) -> RevocationReport:
        """Fetch what may settle the status of each certificate of a *validated* path, and say what is known then.

        ``time`` is asked anew for each check: a responder may sign its answer after the first (RFC 6960 section 2.4).

        OCSP comes first, a CRL only for what it does not settle: CRLs take tens of MiB. Certificates of CRL issuers
        come last, where a CRL alone did not do. Nothing more is asked once a certificate is revoked. Raises what
        :func:`~pkcs12kit.paths.revocation.check_revocation` raises for what the user gave.
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
        """Ask the responders, one after the other; where there are none, ask for the CRLs at once."""
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
                answer = await self._ask_responder(responder, request)
                if self._keep(answer, responder, f"the status of {link.certificate.label}"):
                    return True
        return False

    async def _ask_responder(self, responder: str, request: bytes) -> _Answer:
        """Ask by GET, whose answer can be kept, and by POST where the server does not take that (RFC 6960 A.1)."""
        url = as_url(responder, request)
        if url is not None:
            answer = await self._read(await self._fetcher.fetch(url, Purpose.OCSP))
            if not answer.why or answer.retrieval.http_status is None:
                return answer
        return await self._read(await self._fetcher.fetch(responder, Purpose.OCSP, post=(request, REQUEST_TYPE)))

    async def _ask_for_crls(self, link: _Link) -> bool:
        """Ask for full and delta CRLs, and for the delta CRLs that the full ones name."""
        wanted = f"a CRL for {link.certificate.label}"
        answers = await self._fetch_all(self._urls(link.certificate, Purpose.CRL), Purpose.CRL, wanted)
        delta_urls = [url for answer in answers for crl in answer.crls for url in crl.delta_urls]
        answers += await self._fetch_all(delta_urls, Purpose.CRL, f"a delta CRL for {link.certificate.label}")
        issuer_urls = (url for answer in answers for crl in answer.crls for url in crl.issuer_urls)
        self._issuer_urls.update(dict.fromkeys(issuer_urls))
        return bool(answers)

    async def _ask_for_crl_issuers(self, link: _Link) -> bool:
        """Ask for the certificates of who signed the CRLs, where the CRLs name them (RFC 5280 section 5.2.7)."""
        wanted = f"the certificate of who signed a CRL for {link.certificate.label}"
        return bool(await self._fetch_all(self._issuer_urls, Purpose.CA_ISSUERS, wanted))

    async def _fetch_all(self, urls: Iterable[str], purpose: Purpose, wanted: str) -> list[_Answer]:
        """Fetch side by side what was not asked before; give the answers that are of use."""
        new = [url for url in self._bounded(urls) if self._is_new(url, purpose)]
        answers = await asyncio.gather(*(self._fetch(url, purpose) for url in new))
        return [answer for url, answer in zip(new, answers, strict=True) if self._keep(answer, url, wanted)]

    async def _fetch(self, url: str, purpose: Purpose) -> _Answer:
        return await self._read(await self._fetcher.fetch(url, purpose))

    async def _read(self, retrieval: Retrieval) -> _Answer:
        if retrieval.content is None:
            return _Answer(retrieval, why=retrieval.why)
        return await asyncio.to_thread(_read, retrieval, retrieval.content, self._limits)

    def _keep(self, answer: _Answer, url: str, wanted: str) -> bool:
        """Keep what is of use, within the limits on what is checked; whether anything was."""
        crls = self._kept.crls | {crl.der: _Cost(crl.header_bytes, crl.rewritten_bytes) for crl in answer.crls}
        responses = self._kept.ocsp_responses | {der: _Cost(len(der), 0) for der in answer.ocsp_responses}
        decoded = {**crls, **responses}
        limits = self._limits
        if len(decoded) > limits.revocation_objects:
            answer.why = f"more than {limits.revocation_objects:,} for one path (limits.revocation_objects)"
        elif sum(map(len, decoded)) > limits.revocation_bytes:
            answer.why = f"more than {limits.revocation_bytes:,} bytes for one path (limits.revocation_bytes)"
        elif sum(cost.rewritten_bytes for cost in decoded.values()) > limits.crl_rewritten_bytes:
            answer.why = (
                f"more than {limits.crl_rewritten_bytes:,} bytes of CRLs with encoding errors for one path"
                " (limits.crl_rewritten_bytes)"
            )
        elif sum(cost.header_bytes for cost in decoded.values()) > limits.revocation_header_bytes:
            answer.why = (
                f"more than {limits.revocation_header_bytes:,} bytes for one path, the entries of CRLs not counted"
                " (limits.revocation_header_bytes)"
            )
        if answer.why:
            if answer.retrieval.status is Status.SKIPPED and scheme_of(url) in {"ldap", "ldaps"}:
                self.skipped[url] = None
            else:
                self.faults.append(f"{url}: {answer.why}; it would have given {wanted}")
            return False
        self._kept.crls, self._kept.ocsp_responses = crls, responses
        self._kept.certificates.update(dict.fromkeys(answer.certificates))
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


def _read(retrieval: Retrieval, content: bytes, limits: Limits) -> _Answer:
    answer = _Answer(replace(retrieval, content=None))
    try:
        if retrieval.purpose is Purpose.OCSP:
            answer.ocsp_responses = read_ocsp_responses(content, limits=limits)
        elif retrieval.purpose is Purpose.CRL:
            answer.crls = read_crls(content, limits=limits)
        else:
            most = limits.retrieval_certificates
            contents = read_contents(content, url=retrieval.url, at_most=most, limits=limits)
            answer.certificates = contents.certificates
            answer.why = "" if contents.certificates else contents.why or "no certificate in it can be read"
    except InputError as error:
        answer.why = str(error)
    return answer


def _cost(crl: bytes, limits: Limits) -> _Cost:
    """Return the cost of a CRL that the user gave; the check refuses one that cannot be read."""
    try:
        found = read_crl(crl, limits=limits)
    except InputError:
        return _Cost(0, 0)
    return _Cost(found.header_bytes, found.rewritten_bytes)
