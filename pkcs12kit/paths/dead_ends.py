"""The ends of all ways up from a target, by name and key and at any time: trust anchors, untrusted roots, gaps.

This is not a search for all paths. Each node (subject and key) is entered once, through the chain with the fewest
unusable certificates, then the fewest certificates, and then the latest expiry. Hence the work grows with the number of
certificates. A chain may end anywhere; the partial paths of :mod:`~pkcs12kit.paths.candidates` are only those that a
trust anchor can still be reached from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.errors import FailureReason, MalformedCertificateError
from pkcs12kit.paths.budget import BudgetExhaustedError
from pkcs12kit.paths.failure import Cause, Failure, MissingIssuer
from pkcs12kit.paths.issuers import may_have_signed
from pkcs12kit.paths.report import RejectedPath
from pkcs12kit.text import shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from collections.abc import Set as AbstractSet

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.paths.budget import SearchBudget
    from pkcs12kit.paths.graph import Node

_MOST_IDENTIFIERS: Final = 3  # in one sentence
_MOST_LOOK_ALIKES: Final = 5  # of one missing issuer

IssuerChain = tuple["Certificate", ...]
"""Certificates from the target upwards, each issued by the next, usable or not. It may end anywhere."""
Link = tuple["Certificate", bytes]
"""A certificate, and the SubjectPublicKeyInfo of an issuer."""


@dataclass(slots=True)
class _Namesakes:
    """The certificates of one subject by key, and their keys by key identifier."""

    by_key: dict[bytes, list[Certificate]] = field(default_factory=dict)
    by_identifier: dict[bytes, set[bytes]] = field(default_factory=dict)

    def add(self, certificate: Certificate) -> None:
        key = certificate.subject_public_key_info
        self.by_key.setdefault(key, []).append(certificate)
        if certificate.key_identifier is not None:
            self.by_identifier.setdefault(certificate.key_identifier, set()).add(key)


class DeadEndSearch:
    """A search through everything above a target. ``refuted`` are links whose signature is known not to verify.

    A link is accepted where both key identifiers are present and equal, and checked by its signature otherwise. Where
    the budget ends the search early, ``stopped`` is the error; each end that was found is correct, and others may
    exist.
    """

    def __init__(
        self,
        target: Certificate,
        pool: CertificatePool,
        trust_anchors: Iterable[TrustAnchor],
        *,
        usable: Callable[[Certificate], bool],
        refuted: AbstractSet[Link],
        budget: SearchBudget,
    ) -> None:
        self._target = target
        self._pool = pool
        self._usable = usable
        self._refuted = refuted
        self._budget = budget
        self._anchors: dict[Name, list[TrustAnchor]] = {}
        for anchor in trust_anchors:
            self._anchors.setdefault(anchor.name, []).append(anchor)
        self._namesakes: dict[Name, _Namesakes] = {}
        self._entered = {target.node, *(anchor.node for anchors in self._anchors.values() for anchor in anchors)}
        self._numbers = count()
        self._queue: list[tuple[int, int, float, int, IssuerChain]] = []
        self._push((target,), 0, target.not_after.timestamp())
        self._missing: dict[tuple[Name, bytes | None], RejectedPath] = {}
        self.reached: dict[Node, CertificationPath] = {}
        """One path to each trust anchor that can be reached, by the anchor's name and key."""
        self.roots: list[RejectedPath] = []
        """Self-signed certificates that are not anchors; those come first that the fewest unusable ones lead to."""
        self.orphans: set[Certificate] = set()
        """Certificates that no supplied issuer signed; all those with the issuer's name were tried."""
        self.stopped: BudgetExhaustedError | None = None
        """The error that ended the search early; None where everything above the target was examined."""
        try:
            self._run()
        except BudgetExhaustedError as exhausted:
            self.stopped = exhausted

    @property
    def missing(self) -> tuple[RejectedPath, ...]:
        """The issuers that were not supplied, in the same order: one for each name and key identifier."""
        return tuple(self._missing.values())

    def _run(self) -> None:
        while self._queue:
            unusable, _, lasts_until, _, chain = heappop(self._queue)
            last = chain[-1]
            self._budget.spend("discovery_steps")
            is_anchored = self._end_at_anchors(chain)
            if last.is_self_issued and self._has_signed(last, last):
                if not is_anchored:
                    self.roots.append(_rejected(chain, self._untrusted_root(last)))
                continue
            signers = self._signers(last)
            if not signers and not is_anchored:
                self._end(chain)
            for key in signers:
                self._enter(last.issuer, key, chain, unusable, -lasts_until)

    def _end_at_anchors(self, chain: IssuerChain) -> bool:
        """Return True where an anchor issued the last certificate; keep the first path to each anchor."""
        last = chain[-1]
        found = False
        for anchor in self._anchors.get(last.issuer, ()):
            self._budget.spend("discovery_steps")
            if may_have_signed(anchor, last, self._budget):
                found = True
                if anchor.node not in self.reached:
                    self.reached[anchor.node] = CertificationPath(certificates=chain, trust_anchor=anchor)
        return found

    def _signers(self, certificate: Certificate) -> list[bytes]:
        """Return the keys of the issuer's name that signed a certificate."""
        namesakes = self._of(certificate.issuer)
        wanted = certificate.issuer_key_identifier
        accepted = namesakes.by_identifier.get(wanted, ()) if wanted is not None else ()
        signers = [key for key in sorted(accepted) if (certificate, key) not in self._refuted]
        if signers:
            return signers
        return [key for key, [issuer, *_] in namesakes.by_key.items() if self._has_signed(issuer, certificate)]

    def _has_signed(self, issuer: Certificate, certificate: Certificate) -> bool:
        self._budget.spend("discovery_steps")
        if (certificate, issuer.subject_public_key_info) in self._refuted:
            return False
        return may_have_signed(issuer, certificate, self._budget)

    def _enter(self, name: Name, key: bytes, chain: IssuerChain, unusable: int, lasts_until: float) -> None:
        """Extend a chain by each certificate of a node that was not entered before."""
        if (name, key) in self._entered:
            return
        self._entered.add((name, key))
        for issuer in self._of(name).by_key[key]:
            self._budget.spend("discovery_steps")
            cost = unusable + (not self._usable(issuer))
            self._push((*chain, issuer), cost, min(lasts_until, issuer.not_after.timestamp()))

    def _push(self, chain: IssuerChain, unusable: int, lasts_until: float) -> None:
        heappush(self._queue, (unusable, len(chain), -lasts_until, next(self._numbers), chain))

    def _of(self, name: Name) -> _Namesakes:
        found = self._namesakes.get(name)
        if found is None:
            found = self._namesakes[name] = _Namesakes()
            for certificate in self._pool.by_subject(name):
                self._budget.spend("discovery_steps")
                found.add(certificate)
        return found

    def _end(self, chain: IssuerChain) -> None:
        last = chain[-1]
        self.orphans.add(last)
        which = (last.issuer, last.issuer_key_identifier)
        if which not in self._missing:
            self._missing[which] = _rejected(chain, self._missing_issuer(last))

    def _missing_issuer(self, certificate: Certificate) -> Failure:
        """Return the failure of a certificate whose issuer is missing.

        Either no certificate has the issuer's name, or those with the name have another key (a rekeyed CA).
        """
        anchors = self._anchors.get(certificate.issuer, ())
        identifiers = {*self._of(certificate.issuer).by_identifier, *(anchor.key_identifier for anchor in anchors)}
        look_alikes = self._look_alikes(certificate)
        missing = MissingIssuer(
            name=certificate.issuer,
            key_identifier=certificate.issuer_key_identifier,
            locations=_ca_issuers(certificate),
            found_key_identifiers=tuple(sorted(filter(None, identifiers))),
            look_alikes=look_alikes[:_MOST_LOOK_ALIKES],
            look_alike_count=len(look_alikes),
        )
        namesakes = self._of(certificate.issuer).by_key
        is_known = bool(anchors or namesakes)
        is_rekeyed = missing.key_identifier is not None and missing.key_identifier not in identifiers
        if is_known and not is_rekeyed:
            reason, section = FailureReason.BAD_SIGNATURE, "RFC 5280 section 6.1.3 (a)(1)"
        elif anchors and not namesakes:
            reason, section = FailureReason.NO_TRUST_ANCHOR, "RFC 5280 section 6.1"
        else:
            reason, section = FailureReason.ISSUER_NOT_FOUND, "RFC 4158 section 3"
        return Failure(
            reason=reason,
            certificate=certificate,
            section=section,
            detail=_sentence(missing, is_known=is_known, is_anchor=bool(anchors), is_rekeyed=is_rekeyed),
            missing_issuer=missing,
        )

    def _look_alikes(self, certificate: Certificate) -> tuple[Certificate, ...]:
        """Return the certificates with the name of the missing issuer, those of trust anchors before others."""
        anchors = (anchor.certificate for anchor in self._anchors.get(certificate.issuer, ()))
        named = (one for of_key in self._of(certificate.issuer).by_key.values() for one in of_key)
        return tuple(dict.fromkeys((*(one for one in anchors if one is not None), *named)))

    def _untrusted_root(self, certificate: Certificate) -> Failure:
        detail = "is self-signed and not a trust anchor"
        namesakes = self._anchors.get(certificate.subject)
        if namesakes:
            detail += ", though the trust anchor has the same name: it has another key"
            identifiers = [anchor.key_identifier.hex() for anchor in namesakes if anchor.key_identifier is not None]
            if certificate.key_identifier is not None and identifiers:
                own = certificate.key_identifier.hex()
                detail += f" (key identifier {', '.join(identifiers)}, and this one {own})"
        elif certificate == self._target and certificate.is_ca:
            detail += "; a path to a trust anchor can begin only with a cross-certificate of its name and key"
        else:
            detail += "; no cross-certificate for it that leads to a trust anchor was supplied"
        causes = tuple(
            Cause(
                certificate=anchor.certificate,
                extension="subjectKeyIdentifier",
                value="absent" if anchor.key_identifier is None else anchor.key_identifier.hex(),
                detail="is the trust anchor of that name, and has another key than the root of this path",
            )
            for anchor in (namesakes or ())[:_MOST_LOOK_ALIKES]
            if anchor.certificate is not None
        )
        return Failure(
            reason=FailureReason.NO_TRUST_ANCHOR,
            certificate=certificate,
            section="RFC 5280 section 6.1",
            detail=detail,
            causes=causes,
        )


def _sentence(missing: MissingIssuer, *, is_known: bool, is_anchor: bool, is_rekeyed: bool) -> str:
    found = ", ".join(shortened(missing.found_key_identifiers, _MOST_IDENTIFIERS, bytes.hex))
    found = f" (key identifier {found})" if found else ""
    wanted = f" (key identifier {missing.key_identifier.hex()})" if missing.key_identifier is not None else ""
    namesake = "the trust anchor of that name" if is_anchor else "the CA found by that name"
    if not is_known:
        detail = f"its issuer {missing.name}{wanted} was not supplied"
    elif is_rekeyed:
        detail = f"its issuer {missing.name} with that key{wanted} was not supplied: {namesake} has another key{found}"
    else:
        detail = f"its issuer {missing.name} is known by name, but {namesake} did not sign it{found}"
    if missing.locations:
        detail += f"; it can be fetched from {', '.join(missing.locations)}"
    return detail


def _rejected(chain: IssuerChain, failure: Failure) -> RejectedPath:
    return RejectedPath(certificates=chain, failures=(failure,))


def _ca_issuers(certificate: Certificate) -> tuple[str, ...]:
    try:
        return certificate.extensions.ca_issuers
    except MalformedCertificateError:
        return ()
