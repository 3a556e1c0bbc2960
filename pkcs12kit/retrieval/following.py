"""Which URLs the certificates that there are lead to: up from a target, down from trust anchors, or everywhere."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.paths.diagnosis import not_followed
from pkcs12kit.retrieval.chains import Chains
from pkcs12kit.retrieval.pointers import pointers_down, pointers_up

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.limits import Limits
    from pkcs12kit.retrieval.pointers import Pointer

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
        return not_followed(certificate, self._time) is None
