"""The arrangement of the certificates in a PFX: servers send them in file order, and Java uses localKeyIDs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pkcs12kit.certificates.choice import by_preference, name_others
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """The order of the certificates in a file, and the problems of it.

    - ``chain``: the certificates from the end-entity upwards, as far as the file has issuers.
    - ``is_complete``: True if the chain ends at a certificate that is its own issuer. It is False for a correct file
      without the trust anchor.
    - ``in_order``: True if the file begins with the chain, in its order.
    - ``mismatches``: a sentence for each localKeyID that is not that of the right key or certificate.
    - ``duplicates``: a sentence for each (subject, key) that several certificates have.
    - ``problems``: these sentences and all others; empty if nothing is wrong.

    Certificates are chained by name and key identifier. No signature and no time is checked.
    """

    chain: tuple[Certificate, ...]
    is_complete: bool
    in_order: bool
    mismatches: tuple[str, ...]
    duplicates: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def local_key_ids_match(self) -> bool:
        """True if each key has the localKeyID of its certificate, and no certificate of another key has it."""
        return not self.mismatches

    def to_json(self) -> dict[str, object]:
        """Return the arrangement for ``inspect --json``, with the SHA-256 of each certificate of the chain."""
        return {
            "chain": [certificate.sha256 for certificate in self.chain],
            "chain_complete": self.is_complete,
            "in_order": self.in_order,
            "local_key_ids_match": self.local_key_ids_match,
            "problems": list(self.problems),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLink:
    """The localKeyID of a private key, and its certificate; None if there is none or it is not known.

    ``others`` are the other certificates of the key, such as an expired one beside its renewal; ``choice`` is the
    sentence that names them.
    """

    local_key_id: bytes | None
    certificate: Certificate | None
    others: tuple[Certificate, ...] = ()
    choice: str | None = None

    @classmethod
    def at(cls, time: datetime, local_key_id: bytes | None, certificates: Iterable[Certificate]) -> KeyLink:
        """Return the link of a key to the certificate that is used at a time, of all that belong to the key."""
        preferred = by_preference(certificates, time)
        return cls(
            local_key_id=local_key_id,
            certificate=next(iter(preferred), None),
            others=preferred[1:],
            choice=name_others(preferred, time),
        )


def arrange(keys: Sequence[KeyLink], certificates: Sequence[tuple[Certificate, bytes | None]]) -> Arrangement:
    """Return the arrangement of certificates in file order, with their localKeyIDs.

    Without keys the first is the target.
    """
    readable = [(certificate, its_id) for certificate, its_id in certificates if is_readable(certificate)]
    ordered = [certificate for certificate, _ in readable]
    start = next((key.certificate for key in keys if key.certificate in ordered), None)
    if start is None and not keys:
        start = next(iter(ordered), None)
    chain = _chain(start, ordered) if start is not None else ()
    in_order = tuple(ordered[: len(chain)]) == chain
    mismatches = tuple(_mismatches(keys, readable))
    duplicates = tuple(_duplicates(keys, ordered))
    choices = dict.fromkeys(key.choice for key in keys if key.choice is not None)
    problems = [*_of_chain(keys, chain, ordered, in_order=in_order), *choices, *duplicates, *mismatches]
    if unreadable := len(certificates) - len(readable):
        problems.append(f"the name or key of {counted(unreadable, 'certificate')} cannot be read")
    return Arrangement(
        chain=chain,
        is_complete=bool(chain) and chain[-1].is_self_issued,
        in_order=in_order,
        mismatches=mismatches,
        duplicates=duplicates,
        problems=tuple(problems),
    )


def _chain(start: Certificate, certificates: Sequence[Certificate]) -> tuple[Certificate, ...]:
    by_subject: dict[object, list[Certificate]] = {}
    for certificate in certificates:
        by_subject.setdefault(certificate.subject, []).append(certificate)
    chain, nodes = [start], {start.node}
    while not chain[-1].is_self_issued:
        wanted = chain[-1].issuer_key_identifier
        issuers = [found for found in by_subject.get(chain[-1].issuer, ()) if found.node not in nodes]
        identified = [found for found in issuers if wanted is not None and found.key_identifier == wanted]
        possible = identified or [found for found in issuers if None in {wanted, found.key_identifier}]
        if not possible:
            break
        chain.append(possible[0])
        nodes.add(possible[0].node)
    return tuple(chain)


def _of_chain(
    keys: Sequence[KeyLink], chain: Sequence[Certificate], certificates: Sequence[Certificate], *, in_order: bool
) -> Iterator[str]:
    if keys and not chain:
        yield "no certificate belongs to the private key"
    if not in_order:
        yield "the certificates are not in order: the end-entity has to be first, then each issuer"
    outside = len(set(certificates) - set(chain)) if chain and len(keys) < 2 else 0  # noqa: PLR2004  # one key, one chain
    if outside:
        yield f"{counted(outside, 'certificate')} outside the chain of the end-entity"


def _duplicates(keys: Sequence[KeyLink], certificates: Sequence[Certificate]) -> Iterator[str]:
    readable = set(certificates)
    own = {certificate.node for key in keys for certificate in _certificates(key) if certificate in readable}
    repeated = Counter(certificate.node for certificate in certificates)
    for node, times in repeated.items():
        if times > 1:
            why = "programs differ in which of them they use" if node in own else "Java then serves a broken chain"
            yield f"{times} certificates have the subject {node[0]} and the same key: {why}"


def _mismatches(keys: Sequence[KeyLink], certificates: Sequence[tuple[Certificate, bytes | None]]) -> Iterator[str]:
    """Yield a sentence for each localKeyID out of place.

    Several certificates of one key may have its localKeyID, but the one that is used has to have it.
    """
    ids: dict[Certificate, set[bytes | None]] = {}
    for certificate, its_id in certificates:
        ids.setdefault(certificate, set()).add(its_id)
    for key in keys:
        if key.certificate is None:
            continue
        if key.local_key_id is None or key.local_key_id not in ids.get(key.certificate, ()):
            yield f"the private key and its certificate, {key.certificate.subject}, do not have the same localKeyID"
    of_any_key = {certificate for key in keys for certificate in _certificates(key)}
    misplaced: dict[bytes, set[Certificate]] = {}  # if two keys have the same localKeyID, it is out of place for both
    for key in keys:
        if key.local_key_id is not None:
            possible = ids.keys() if key.certificate is not None else of_any_key
            misplaced.setdefault(key.local_key_id, set()).update(possible - {*_certificates(key)})
    for certificate, its_id in certificates:
        if its_id is not None and certificate in misplaced.get(its_id, ()):
            yield f"the certificate of {certificate.subject} has the localKeyID of a key that it does not belong to"


def _certificates(key: KeyLink) -> tuple[Certificate, ...]:
    return key.others if key.certificate is None else (key.certificate, *key.others)


def is_readable(certificate: Certificate) -> bool:
    """Return True if the names and the key of a certificate can be read."""
    try:
        _ = certificate.node, certificate.issuer
    except MalformedCertificateError:
        return False
    return True
