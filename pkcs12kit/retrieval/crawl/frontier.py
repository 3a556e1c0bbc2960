"""Which URLs the certificates that there are lead to: up from a target, down from trust anchors, or everywhere."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.failure import issuer_failure
from pkcs12kit.retrieval.retrieved import Purpose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.limits import Limits


class Chains:
    """Chains by names, from a target's issuer up and from trust anchors down. What is wanted grows by :meth:`add`.

    ``usable`` says whether a certificate can lie on a path at all; it is asked only of those that names lead to, once
    for each direction. Time and memory in all grow with the number of certificates, in whatever order they come.
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
        """Those on a chain from the target to a trust anchor, in the order in which they became so."""

    @property
    def complete(self) -> bool:
        """Whether a chain leads from the target to a trust anchor."""
        return self._first in self._subjects

    def add(self, certificate: Certificate) -> None:
        """Take in a certificate; the same one has to come only once."""
        self._by_subject.setdefault(certificate.subject, []).append(certificate)
        self._by_issuer.setdefault(certificate.issuer, []).append(certificate)
        if certificate.subject in self._issuers:
            self._go_up([certificate])
        if certificate.issuer in self._subjects:
            self._go_down([certificate])

    def leads(self, certificate: Certificate) -> bool:
        """Whether names lead to a certificate, from the target or from a trust anchor, as far as is known now."""
        return certificate.subject in self._issuers or certificate.issuer in self._subjects

    def take_upwards(self) -> list[Certificate]:
        """Give those that the target's chains newly lead up to."""
        taken, self._new_upwards = self._new_upwards, []
        return taken

    def take_downwards(self) -> list[Certificate]:
        """Give those that the trust anchors' chains newly lead down to."""
        taken, self._new_downwards = self._new_downwards, []
        return taken

    def _go_up(self, waiting: list[Certificate]) -> None:
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

    def _go_down(self, waiting: list[Certificate]) -> None:
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


_SELDOM: Final = 16
"""A search for a path is repeated when there is a sixteenth more to search in, so that all cost a few of the last."""


class Following:
    """Certificates in, by :meth:`add`; pointers out, by :meth:`take`. Which, follows from the certificates alone.

    Followed are the target, the trust anchors, and what can lie on a path at ``time``: caIssuers of each certificate
    that names lead up to from the target, caRepository of each that names lead down to from a trust anchor. With
    ``everything``, both of both, and of whatever is added.
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
        self._chains = Chains(
            None if target is None else target.issuer, [anchor.name for anchor in trust_anchors], usable=self._usable
        )
        self._given = dict.fromkeys(given)
        self._added: list[Certificate] = []
        self._led: list[Certificate] = []  # by names, one way or the other
        self._followed: set[Certificate] = set()  # both ways
        self._searched = -1
        self._pointers: list[Pointer] = []
        for certificate in self._given:
            self._chains.add(certificate)
        ends = [] if target is None else [target]
        self._lead(ends, [anchor.certificate for anchor in trust_anchors if anchor.certificate is not None])

    @property
    def between(self) -> list[Certificate]:
        """Those that lie between the target and a trust anchor, by names."""
        return self._chains.between

    def leads(self, certificate: Certificate) -> bool:
        """Whether names lead to a certificate, from the target or from a trust anchor, as far as is known now."""
        return self._chains.leads(certificate)

    def add(self, certificate: Certificate) -> None:
        """Take in a certificate; the same one has to come only once."""
        self._added.append(certificate)
        if certificate not in self._given:
            self._chains.add(certificate)
        if self._everything and self._usable(certificate):
            self._follow_both_ways(certificate)

    def take(self) -> list[Pointer]:
        """Give what is newly pointed to, the same URL perhaps more than once."""
        self._lead(self._chains.take_upwards(), self._chains.take_downwards())
        taken, self._pointers = self._pointers, []
        return taken

    def widen(self) -> bool:
        """Go on to everything, where a path is looked for and the two ways brought none; whether that is new."""
        if self._everything or not self._has_both_ends:
            return False
        self._everything = True
        for certificate in (*self._led, *filter(self._usable, self._added)):
            self._follow_both_ways(certificate)
        return True

    def take_turn_to_search(self, *, last: bool) -> bool:
        """Whether names make a chain, and there is enough more than at the last turn; if so, this is one."""
        between = len(self._chains.between)
        enough = between > self._searched + (0 if last else self._searched // _SELDOM)
        if not self._chains.complete or not enough:
            return False
        self._searched = between
        return True

    def _lead(self, upwards: list[Certificate], downwards: list[Certificate]) -> None:
        if self._everything:
            for certificate in (*upwards, *downwards):
                self._follow_both_ways(certificate)
            return
        self._led += (*upwards, *downwards)
        for certificate in upwards:
            self._pointers += pointers_up(certificate, limits=self._limits)
        for certificate in downwards:
            self._pointers += pointers_down(certificate, limits=self._limits)

    def _follow_both_ways(self, certificate: Certificate) -> None:
        if certificate not in self._followed:
            self._followed.add(certificate)
            self._pointers += pointers_up(certificate, limits=self._limits)
            self._pointers += pointers_down(certificate, limits=self._limits)

    def _usable(self, certificate: Certificate) -> bool:
        with suppress(MalformedCertificateError):
            _ = certificate.extensions  # where it is usable its URLs are next: decoded once for both
        return issuer_failure(certificate, self._time) is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """A URL in a certificate, as it stands there, and which certificates it is said to give."""

    url: str
    purpose: Purpose
    subject: Name
    issuer: Name

    @property
    def wanted(self) -> str:
        """What it is said to give, in a few words with text from outside."""
        if self.purpose is Purpose.CA_ISSUERS:
            return f"certificates of {self.issuer.label}, which issued {self.subject.label}"
        return f"certificates that {self.subject.label} issued"


def pointers_up(certificate: Certificate, *, limits: Limits = DEFAULT_LIMITS) -> tuple[Pointer, ...]:
    """List the URLs of the issuer's certificates (RFC 5280 section 4.2.2.1): each once, of any scheme.

    At most ``limits.retrieval_certificate_urls``, the first. None where the extensions cannot be read.
    """
    return _pointers(certificate, Purpose.CA_ISSUERS, limits)


def pointers_down(certificate: Certificate, *, limits: Limits = DEFAULT_LIMITS) -> tuple[Pointer, ...]:
    """List the URLs of certificates that the subject issued (RFC 5280 section 4.2.2.2), as :func:`pointers_up` does."""
    return _pointers(certificate, Purpose.CA_REPOSITORY, limits)


def _pointers(certificate: Certificate, purpose: Purpose, limits: Limits) -> tuple[Pointer, ...]:
    try:
        extensions = certificate.extensions
    except MalformedCertificateError:
        return ()
    urls = extensions.ca_issuers if purpose is Purpose.CA_ISSUERS else extensions.ca_repositories
    longest = limits.retrieval_url_characters + 1  # the fetcher refuses what is longer than the limit
    return tuple(
        Pointer(url=url, purpose=purpose, subject=certificate.subject, issuer=certificate.issuer)
        for url in dict.fromkeys(url.strip()[:longest] for url in urls[: limits.retrieval_certificate_urls])
    )


@dataclass(slots=True, eq=False)
class Location:
    """A URL, and every pointer to it that says something else, the first one first."""

    url: str
    number: int
    pointers: dict[str, Pointer] = field(default_factory=dict)

    @property
    def purpose(self) -> Purpose:
        """What it is for: what leads up goes before what leads down, whichever was met first."""
        upwards = any(pointer.purpose is Purpose.CA_ISSUERS for pointer in self.pointers.values())
        return Purpose.CA_ISSUERS if upwards else Purpose.CA_REPOSITORY

    @property
    def host(self) -> str:
        """The host that the fetcher counts by; for what is no URL of a host, the text itself."""
        try:
            return (urlsplit(self.url).hostname or self.url).removesuffix(".")
        except ValueError:
            return self.url


class Turns:
    """URLs that wait. ``at_once`` of one host have their turn at a time: upwards first, else in the order met."""

    def __init__(self, *, at_once: int) -> None:
        self._at_once = at_once
        self._waiting: dict[str, list[tuple[bool, int, Location]]] = {}
        self._running: Counter[str] = Counter()
        self._changed: dict[str, None] = {}  # the hosts for which there may be a turn now, in order
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def put(self, location: Location) -> None:
        """Let a URL wait."""
        host = location.host
        entry = (location.purpose is not Purpose.CA_ISSUERS, location.number, location)
        heappush(self._waiting.setdefault(host, []), entry)
        self._changed[host] = None
        self._size += 1

    def take(self) -> list[Location]:
        """Give those whose turn it is."""
        taken = []
        for host in self._changed:
            waiting = self._waiting.get(host, [])
            while waiting and self._running[host] < self._at_once:
                taken.append(heappop(waiting)[-1])
                self._running[host] += 1
        self._changed.clear()
        self._size -= len(taken)
        return taken

    def end(self, location: Location) -> None:
        """Free the turn of a URL that was taken."""
        self._running[location.host] -= 1
        self._changed[location.host] = None
