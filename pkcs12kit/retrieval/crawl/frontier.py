"""The frontier of a crawl: the URLs to fetch next, up from a target, down from trust anchors, or in both directions."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.failure import may_issue
from pkcs12kit.retrieval.retrieved import Purpose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.limits import Limits


class NameChains:
    """Chains by names, from a target's issuer up and from trust anchors down. They grow with each :meth:`add`.

    ``usable`` returns True for a certificate that can lie on a path. It is called only for certificates on a chain,
    once for each direction. Total time and memory are linear in the number of certificates, in whatever order they
    come.
    """

    def __init__(self, first: Name | None, anchors: Iterable[Name], *, usable: Callable[[Certificate], bool]) -> None:
        self._first = first
        self._usable = usable
        self._by_subject: dict[Name, list[Certificate]] = {}
        self._by_issuer: dict[Name, list[Certificate]] = {}
        self._issuers: set[Name] = set() if first is None else {first}
        self._subjects: set[Name] = set(anchors)
        self._upwards: set[Certificate] = set()
        self._downwards: set[Certificate] = set()
        self._new_upwards: list[Certificate] = []
        self._new_downwards: list[Certificate] = []
        self.between: list[Certificate] = []
        """The certificates on a chain from the target to a trust anchor, in the order in which that became known."""

    @property
    def complete(self) -> bool:
        """True if a chain leads from the target to a trust anchor."""
        return self._first in self._subjects

    def add(self, certificate: Certificate) -> None:
        """Add a certificate. Each certificate may be added only once."""
        self._by_subject.setdefault(certificate.subject, []).append(certificate)
        self._by_issuer.setdefault(certificate.issuer, []).append(certificate)
        if certificate.subject in self._issuers:
            self._extend_up([certificate])
        if certificate.issuer in self._subjects:
            self._extend_down([certificate])

    def leads(self, certificate: Certificate) -> bool:
        """Return True if a certificate is on a chain from the target or from a trust anchor, as far as is known now."""
        return certificate.subject in self._issuers or certificate.issuer in self._subjects

    def take_upwards(self) -> list[Certificate]:
        """Return the certificates that are newly on a chain up from the target."""
        taken, self._new_upwards = self._new_upwards, []
        return taken

    def take_downwards(self) -> list[Certificate]:
        """Return the certificates that are newly on a chain down from a trust anchor."""
        taken, self._new_downwards = self._new_downwards, []
        return taken

    def _extend_up(self, waiting: list[Certificate]) -> None:
        while waiting:
            certificate = waiting.pop()
            if certificate in self._upwards or not self._usable(certificate):
                continue
            self._upwards.add(certificate)
            self._new_upwards.append(certificate)
            if certificate in self._downwards:
                self.between.append(certificate)
            if certificate.issuer not in self._issuers:
                self._issuers.add(certificate.issuer)
                waiting += self._by_subject.get(certificate.issuer, ())

    def _extend_down(self, waiting: list[Certificate]) -> None:
        while waiting:
            certificate = waiting.pop()
            if certificate in self._downwards or not self._usable(certificate):
                continue
            self._downwards.add(certificate)
            self._new_downwards.append(certificate)
            if certificate in self._upwards:
                self.between.append(certificate)
            if certificate.subject not in self._subjects:
                self._subjects.add(certificate.subject)
                waiting += self._by_issuer.get(certificate.subject, ())


_GROWTH: Final = 16
"""A path search is repeated when there is a sixteenth more to search in: all together cost a few times the last."""


class Frontier:
    """The URLs that certificates lead to: :meth:`add` a certificate, :meth:`take` the new URLs.

    They are the caIssuers URLs of the target and of each certificate on a chain of names up from it, and the
    caRepository URLs of the trust anchors and of each certificate on a chain down from them, as far as a certificate
    can lie on a path at ``time``. With ``everything``, they are both URLs of all of these and of all certificates that
    are added. The URLs follow from the certificates only, not from the order in which servers answer.
    """

    def __init__(
        self,
        *,
        target: Certificate | None,
        trust_anchors: tuple[TrustAnchor, ...],
        given: Iterable[Certificate],
        time: datetime,
        everything: bool,
        limits: Limits,
    ) -> None:
        self._has_both_ends = target is not None and bool(trust_anchors)
        self._time = time
        self._everything = everything
        self._limits = limits
        self._chains = NameChains(
            None if target is None else target.issuer, [anchor.name for anchor in trust_anchors], usable=self._usable
        )
        self._given = dict.fromkeys(given)
        self._added: list[Certificate] = []
        self._on_chains: list[Certificate] = []  # in either direction
        self._both_taken: set[Certificate] = set()  # certificates whose URLs in both directions were taken
        self._searched = -1
        self._new: list[NamedUrl] = []
        for certificate in self._given:
            self._chains.add(certificate)
        ends = [] if target is None else [target]
        self._extend(ends, [anchor.certificate for anchor in trust_anchors if anchor.certificate is not None])

    @property
    def between(self) -> list[Certificate]:
        """The certificates on a chain of names between the target and a trust anchor."""
        return self._chains.between

    def leads(self, certificate: Certificate) -> bool:
        """Return True if a certificate is on a chain from the target or from a trust anchor, as far as is known now."""
        return self._chains.leads(certificate)

    def add(self, certificate: Certificate) -> None:
        """Add a certificate. Each certificate may be added only once."""
        self._added.append(certificate)
        if certificate not in self._given:
            self._chains.add(certificate)
        if self._everything and self._usable(certificate):
            self._take_both(certificate)

    def take(self) -> list[NamedUrl]:
        """Return the new URLs; the same URL may come more than once."""
        self._extend(self._chains.take_upwards(), self._chains.take_downwards())
        taken, self._new = self._new, []
        return taken

    def widen(self) -> bool:
        """Go on to everything, and return True if that is new. Called when the two directions have led to no path."""
        if self._everything or not self._has_both_ends:
            return False
        self._everything = True
        for certificate in (*self._on_chains, *filter(self._usable, self._added)):
            self._take_both(certificate)
        return True

    def should_search(self, *, last: bool) -> bool:
        """Return True, and count a path search, if there is a chain and enough was added since the last search.

        ``last`` is True where no URL is left to fetch: then one more certificate is enough.
        """
        between = len(self._chains.between)
        enough = between > self._searched + (0 if last else self._searched // _GROWTH)
        if not self._chains.complete or not enough:
            return False
        self._searched = between
        return True

    def _extend(self, upwards: list[Certificate], downwards: list[Certificate]) -> None:
        if self._everything:
            for certificate in (*upwards, *downwards):
                self._take_both(certificate)
            return
        self._on_chains += (*upwards, *downwards)
        for certificate in upwards:
            self._new += urls_up(certificate, limits=self._limits)
        for certificate in downwards:
            self._new += urls_down(certificate, limits=self._limits)

    def _take_both(self, certificate: Certificate) -> None:
        if certificate not in self._both_taken:
            self._both_taken.add(certificate)
            self._new += urls_up(certificate, limits=self._limits)
            self._new += urls_down(certificate, limits=self._limits)

    def _usable(self, certificate: Certificate) -> bool:
        with suppress(MalformedCertificateError):
            _ = certificate.extensions  # needed next for its URLs, so decoded only once
        return may_issue(certificate, self._time)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedUrl:
    """A URL in a certificate, as it stands there, and the certificates that it is said to have."""

    url: str
    purpose: Purpose
    subject: Name
    issuer: Name

    @property
    def wanted(self) -> str:
        """The certificates that it is said to have, in a few words with untrusted text."""
        if self.purpose is Purpose.CA_ISSUERS:
            return f"certificates of {self.issuer.label}, which issued {self.subject.label}"
        return f"certificates that {self.subject.label} issued"


def urls_up(certificate: Certificate, *, limits: Limits = DEFAULT_LIMITS) -> tuple[NamedUrl, ...]:
    """Return the URLs of the issuer's certificates (RFC 5280 section 4.2.2.1): each once, of any scheme.

    They are the first ``limits.retrieval_certificate_urls``; none where the extensions cannot be read.
    """
    return _named_urls(certificate, Purpose.CA_ISSUERS, limits)


def urls_down(certificate: Certificate, *, limits: Limits = DEFAULT_LIMITS) -> tuple[NamedUrl, ...]:
    """Return the URLs of certificates that the subject issued (RFC 5280 section 4.2.2.2), as :func:`urls_up` does."""
    return _named_urls(certificate, Purpose.CA_REPOSITORY, limits)


def _named_urls(certificate: Certificate, purpose: Purpose, limits: Limits) -> tuple[NamedUrl, ...]:
    try:
        extensions = certificate.extensions
    except MalformedCertificateError:
        return ()
    urls = extensions.ca_issuers if purpose is Purpose.CA_ISSUERS else extensions.ca_repositories
    longest = limits.retrieval_url_characters + 1  # the fetcher refuses what is longer than the limit
    return tuple(
        NamedUrl(url=url, purpose=purpose, subject=certificate.subject, issuer=certificate.issuer)
        for url in dict.fromkeys(url.strip()[:longest] for url in urls[: limits.retrieval_certificate_urls])
    )


@dataclass(slots=True, eq=False)
class QueuedUrl:
    """A URL to fetch, with one of the certificates' mentions for each description of its contents, in order."""

    url: str
    number: int
    mentions: dict[str, NamedUrl] = field(default_factory=dict)

    @property
    def purpose(self) -> Purpose:
        """The purpose: caIssuers if any mention is for that, whichever came first."""
        upwards = any(mention.purpose is Purpose.CA_ISSUERS for mention in self.mentions.values())
        return Purpose.CA_ISSUERS if upwards else Purpose.CA_REPOSITORY

    @property
    def host(self) -> str:
        """The host by which the fetcher counts; the text itself where there is none."""
        try:
            return (urlsplit(self.url).hostname or self.url).removesuffix(".")
        except ValueError:
            return self.url


class UrlQueue:
    """A queue of URLs to fetch, at most ``at_once`` of one host at a time.

    Of one host, URLs of issuers come first, then the others, in the order in which they were found
    (RFC 4158 section 7.2).
    """

    def __init__(self, *, at_once: int) -> None:
        self._at_once = at_once
        self._waiting: dict[str, list[tuple[bool, int, QueuedUrl]]] = {}
        self._running: Counter[str] = Counter()
        self._changed: dict[str, None] = {}  # the hosts with URLs that may be free to fetch now, in order
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def put(self, queued: QueuedUrl) -> None:
        """Add a URL."""
        host = queued.host
        entry = (queued.purpose is not Purpose.CA_ISSUERS, queued.number, queued)
        heappush(self._waiting.setdefault(host, []), entry)
        self._changed[host] = None
        self._size += 1

    def take(self) -> list[QueuedUrl]:
        """Return the URLs that may be fetched now. Each occupies its host until :meth:`release`."""
        taken = []
        for host in self._changed:
            waiting = self._waiting.get(host, [])
            while waiting and self._running[host] < self._at_once:
                taken.append(heappop(waiting)[-1])
                self._running[host] += 1
        self._changed.clear()
        self._size -= len(taken)
        return taken

    def release(self, queued: QueuedUrl) -> None:
        """Note that a URL no longer occupies its host."""
        self._running[queued.host] -= 1
        self._changed[queued.host] = None
