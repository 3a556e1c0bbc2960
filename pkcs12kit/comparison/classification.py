"""The classes of certificates in a comparison: unchanged, renewed, rekeyed, encoded otherwise, came, went."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pkcs12kit.comparison.changes import Change, changes_between
from pkcs12kit.comparison.matching import MatchingBudget, match_groups
from pkcs12kit.display.certificate_facts import alternative_names
from pkcs12kit.errors import MalformedCertificateError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from pkcs12kit.certificates.certificate import Certificate


class Relation(Enum):
    """The relation of a certificate on one side to the certificates on the other side that have its subject."""

    SAME_KEY = "same-subject-and-key"
    """Another certificate there has the subject and the key: a cross-certificate, or one more of the same issuer."""
    SAME_SUBJECT = "same-subject"
    """Certificates there have the subject, all with other keys."""
    NONE = "none"
    """No certificate there has the subject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneSided:
    """A certificate that only one side has, and that took no other's place."""

    certificate: Certificate
    """The certificate."""
    relation: Relation
    """Its relation to the certificates of the other side."""

    def to_json(self) -> dict[str, Any]:
        """Return the certificate as ``--json`` prints it, with ``relation``."""
        return self.certificate.to_json() | {"relation": self.relation.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatePair:
    """A certificate and the one that took its place, with everything that differs."""

    before: Certificate
    """The certificate of the side before."""
    after: Certificate
    """The certificate that took its place."""
    changes: tuple[Change, ...]
    """Each field and extension that differs; empty if only the encoding or the signature does."""

    def to_json(self) -> dict[str, Any]:
        """Return the pair as ``--json`` prints it."""
        return {
            "before": self.before.to_json(),
            "after": self.after.to_json(),
            "changes": [change.to_json() for change in self.changes],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """Every certificate of both sides, each in one class, sorted by subject and validity."""

    unchanged: tuple[Certificate, ...]
    came: tuple[OneSided, ...]
    went: tuple[OneSided, ...]
    renewed: tuple[CertificatePair, ...]
    rekeyed: tuple[CertificatePair, ...]
    encoded_otherwise: tuple[CertificatePair, ...]
    used_all_pairs: bool
    """True if the limit on compared validities was reached: partners may then not be the nearest ones."""


def classify(before: Iterable[Certificate], after: Iterable[Certificate], *, most_pairs: int) -> Classification:
    """Return the class of each certificate. Order and repetition on either side do not matter.

    Names match as in RFC 5280 section 7.1. A subject without a name stands for the subject alternative names.
    """
    earlier, later = dict.fromkeys(before), dict.fromkeys(after)
    gone = [one for one in earlier if one not in later]
    new = [one for one in later if one not in earlier]
    matching = _Matching(gone, new, most_pairs)
    again = matching.take(_with_serial_number, only=lambda *pair: not changes_between(*pair))
    renewed = matching.take(_with_key_and_issuers_key) + matching.take(_with_key)
    rekeyed = matching.take(_with_names) + matching.take(_holder_and_issuer)
    return Classification(
        unchanged=tuple(sorted((one for one in earlier if one in later), key=_order)),
        came=_one_sided(matching.new, earlier),
        went=_one_sided(matching.gone, later),
        renewed=_pairs(renewed),
        rekeyed=_pairs(rekeyed),
        encoded_otherwise=_pairs(again),
        used_all_pairs=matching.budget.is_exhausted,
    )


class _Matching:
    """The certificates of each side that have no partner yet."""

    def __init__(self, gone: list[Certificate], new: list[Certificate], most_pairs: int) -> None:
        self.gone = gone
        self.new = new
        self.budget = MatchingBudget(most_pairs)

    def take(
        self,
        group: Callable[[Certificate], Hashable | None],
        *,
        only: Callable[[Certificate, Certificate], bool] | None = None,
    ) -> list[tuple[Certificate, Certificate]]:
        """Match certificates of the same group, and take them out. A certificate whose group is None has no partner."""
        gone, new = _grouped(self.gone, group), _grouped(self.new, group)
        pairs = [pair for pair in match_groups(gone, new, self.budget) if only is None or only(*pair)]
        taken = {one for pair in pairs for one in pair}
        self.gone = [one for one in self.gone if one not in taken]
        self.new = [one for one in self.new if one not in taken]
        return pairs


def _grouped(
    side: Iterable[Certificate], group: Callable[[Certificate], Hashable | None]
) -> dict[Hashable, list[Certificate]]:
    found: defaultdict[Hashable, list[Certificate]] = defaultdict(list)
    for one in side:
        key = group(one)
        if key is not None:
            found[key].append(one)
    return found


def _holder(certificate: Certificate) -> Hashable | None:
    """Return what names the holder: the subject, or the alternative names if it is empty; None if both are."""
    return certificate.subject or frozenset(alternative_names(certificate)) or None


def _holder_and_issuer(certificate: Certificate) -> Hashable | None:
    holder = _holder(certificate)
    return None if holder is None else (holder, certificate.issuer)


def _with_names(certificate: Certificate) -> Hashable | None:
    """Return holder and issuer, with the alternative names of an end entity: servers may share a subject."""
    known = _holder_and_issuer(certificate)
    return None if known is None else (known, certificate.is_ca, frozenset(alternative_names(certificate)))


def _with_key(certificate: Certificate) -> Hashable | None:
    known = _holder_and_issuer(certificate)
    return None if known is None else (known, _key(certificate))


def _with_key_and_issuers_key(certificate: Certificate) -> Hashable | None:
    known = _with_key(certificate)
    return None if known is None else (known, certificate.issuer_key_identifier)


def _with_serial_number(certificate: Certificate) -> Hashable | None:
    known = _with_key(certificate)
    return None if known is None else (known, certificate.serial_number)


def _key(certificate: Certificate) -> bytes:
    """Return the key in one encoding, as far as it can be read: the same key may be encoded in several ways."""
    try:
        return certificate.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (MalformedCertificateError, UnsupportedAlgorithm, ValueError):
        return certificate.subject_public_key_info


def _order(certificate: Certificate) -> tuple[object, ...]:
    return str(certificate.subject).casefold(), certificate.not_before, certificate.not_after, certificate.sha256


def _pairs(pairs: Iterable[tuple[Certificate, Certificate]]) -> tuple[CertificatePair, ...]:
    return tuple(
        CertificatePair(before=before, after=after, changes=changes_between(before, after))
        for before, after in sorted(pairs, key=lambda pair: (_order(pair[0]), _order(pair[1])))
    )


def _one_sided(certificates: Iterable[Certificate], others: Iterable[Certificate]) -> tuple[OneSided, ...]:
    """Return certificates of one side, with their relation to all certificates of the other side."""
    listed = sorted(certificates, key=_order)
    holders = {_holder(one) for one in listed} - {None}
    keys: defaultdict[Hashable, set[bytes]] = defaultdict(set)
    for one in others:
        holder = _holder(one)
        if holder in holders:
            keys[holder].add(_key(one))
    return tuple(OneSided(certificate=one, relation=_relation(one, keys)) for one in listed)


def _relation(certificate: Certificate, keys: dict[Hashable, set[bytes]]) -> Relation:
    known = keys.get(_holder(certificate))
    if known is None:
        return Relation.NONE
    return Relation.SAME_KEY if _key(certificate) in known else Relation.SAME_SUBJECT
