"""Which certificates can lie between a target and its trust anchors, by their names: kept up to date as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name


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
