"""Published successors of the CAs that a failed path goes through: facts for hints, and never a reason for trust."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.successors import known_ca, known_cas, named_ca, successors_of
from pkcs12kit.errors import FailureReason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.successors import KnownCA, Successor
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.paths.failure import Failure

CURABLE: Final = frozenset(
    {
        FailureReason.EXPIRED,
        FailureReason.REVOKED,
        FailureReason.ISSUER_NOT_FOUND,
        FailureReason.NO_TRUST_ANCHOR,
    }
)
"""The reasons that a certificate from elsewhere can cure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """A CA of a failed path, and the CAs that replaced it, each the successor of the one before."""

    ca: KnownCA
    """The CA, which is known by its key; or by name and key identifier only, if its certificate is missing."""
    successors: tuple[Successor, ...]
    """At least one successor."""
    is_trust_anchor: bool
    """True if the CA is a trust anchor of the search."""

    def __str__(self) -> str:
        chain = ", then ".join(f"{one.name} (since {one.since.isoformat()})" for one in self.successors)
        text = f"published about the CA with the name {self.ca.name}: it is followed by {chain}"
        text += f"; see {self.successors[-1].source}"
        if self.is_trust_anchor:
            text += (
                f". If the clients trust {self.successors[-1].name}, get its certificate, compare the fingerprint, and"
            )
            text += " give it as the trust anchor"
        return text

    def to_json(self) -> dict[str, object]:
        """Return the form for ``--json``."""
        return {
            "ca": self.ca.name,
            "is_trust_anchor": self.is_trust_anchor,
            "followed_by": [
                {"name": one.name, "since": one.since.isoformat(), "source": one.source, "note": one.note}
                for one in self.successors
            ],
        }


def known_trust_anchors(trust_anchors: Iterable[TrustAnchor]) -> tuple[KnownCA, ...]:
    """Return the known CAs among trust anchors."""
    found = (known_ca(anchor.subject_public_key_info) for anchor in trust_anchors)
    return tuple(dict.fromkeys(ca for ca in found if ca is not None))


def cas_on_the_way(certificates: Iterable[Certificate], failures: Iterable[Failure]) -> tuple[KnownCA, ...]:
    """Return the known CAs among the certificates of an attempt, and among the issuers that its failures miss."""
    return tuple(dict.fromkeys((*known_cas(certificates), *_missing(failures))))


def successions(
    certificates: Iterable[Certificate],
    failures: Sequence[Failure],
    *,
    day: date,
    trust_anchors: Iterable[TrustAnchor] = (),
) -> tuple[Succession, ...]:
    """Return the successions of the trust anchors, and of the CAs of an attempt, by ``day``.

    There are none where none of ``failures`` is about certificates that others could replace, and none for a trust
    anchor of which a successor is a trust anchor too.
    """
    if all(failure.reason not in CURABLE for failure in failures):
        return ()
    trusted = known_trust_anchors(trust_anchors)
    trusted_names = {ca.name for ca in trusted}
    met = dict.fromkeys((*trusted, *cas_on_the_way(certificates, failures)))
    return tuple(
        Succession(ca=ca, successors=after, is_trust_anchor=ca in trusted)
        for ca in met
        if (after := successors_of(ca, day))
        and not (ca in trusted and trusted_names.intersection(one.name for one in after))
    )


def _missing(failures: Iterable[Failure]) -> Iterator[KnownCA]:
    for failure in failures:
        missing = failure.missing_issuer
        if missing is not None and (ca := named_ca(missing.name, missing.key_identifier)) is not None:
            yield ca
