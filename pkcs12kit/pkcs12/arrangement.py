"""How the certificates of a PFX lie: servers send them in file order, and Java finds a key's by its localKeyID."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pkcs12kit.certificates.certificate import Certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """What is as it should be in a file, and what is not.

    ``chain`` leads from the end-entity upwards through the file, as far as it goes; ``is_complete`` says that it ends
    at a certificate that is its own issuer. The trust anchor may be left out on purpose: then it is False, and the
    chain is sound all the same. ``in_order`` says that the file begins with the chain, in its order.
    ``local_key_ids_match`` says that each key has the localKeyID of its certificate, and no other certificate has one
    of a key's; ``mismatches`` are the sentences on that. ``duplicates`` are sentences, one for each (subject, key) that
    several certificates have. ``problems`` are these and all the others, empty where nothing is wrong.

    Chaining is by name and key identifier. No signature and no time is checked.
    """

    chain: tuple[Certificate, ...]
    is_complete: bool
    in_order: bool
    mismatches: tuple[str, ...]
    duplicates: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def local_key_ids_match(self) -> bool:
        """Whether every localKeyID is where it belongs."""
        return not self.mismatches

    def to_json(self) -> dict[str, object]:
        """Describe it for ``inspect --json``; the chain by SHA-256."""
        return {
            "chain": [certificate.sha256 for certificate in self.chain],
            "chain_complete": self.is_complete,
            "in_order": self.in_order,
            "local_key_ids_match": self.local_key_ids_match,
            "problems": list(self.problems),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLink:
    """A private key's localKeyID, and the certificate that is for it, None where there is none or it is not known."""

    local_key_id: bytes | None
    certificate: Certificate | None


def arrange(keys: Sequence[KeyLink], certificates: Sequence[tuple[Certificate, bytes | None]]) -> Arrangement:
    """Judge certificates, with their localKeyIDs, in file order. Without a key the first is the end-entity."""
    readable = [(certificate, its_id) for certificate, its_id in certificates if is_readable(certificate)]
    ordered = [certificate for certificate, _ in readable]
    start = next((key.certificate for key in keys if key.certificate in ordered), None)
    if start is None and not keys:
        start = next(iter(ordered), None)
    chain = _chain(start, ordered) if start is not None else ()
    in_order = tuple(ordered[: len(chain)]) == chain
    mismatches = tuple(_mismatches(keys, readable))
    duplicates = tuple(_duplicates(ordered))
    problems = [*_of_chain(keys, chain, ordered, in_order=in_order), *duplicates, *mismatches]
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
        yield "no certificate is for the private key"
    if not in_order:
        yield "the certificates are not in order: end-entity first, then each issuer"
    strangers = len(set(certificates) - set(chain)) if chain and len(keys) < 2 else 0  # noqa: PLR2004  # a key, a chain
    if strangers:
        yield f"{counted(strangers, 'certificate')} outside the chain of the end-entity"


def _duplicates(certificates: Sequence[Certificate]) -> Iterator[str]:
    repeated = Counter(certificate.node for certificate in certificates)
    for (subject, _), times in repeated.items():
        if times > 1:
            yield f"{times} certificates have the subject {subject} and the same key: Java then serves a cut chain"


def _mismatches(keys: Sequence[KeyLink], certificates: Sequence[tuple[Certificate, bytes | None]]) -> Iterator[str]:
    ids = dict(certificates)
    for key in keys:
        if key.certificate is None:
            continue
        if key.local_key_id is None or ids.get(key.certificate) != key.local_key_id:
            yield f"the private key and its certificate, {key.certificate.subject}, do not have the same localKeyID"
    of_keys = {key.local_key_id: key.certificate for key in keys if key.local_key_id is not None}
    for certificate, its_id in certificates:
        if its_id is not None and of_keys.get(its_id, certificate) not in {certificate, None}:
            yield f"the certificate of {certificate.subject} has the localKeyID of a key that it is not for"


def is_readable(certificate: Certificate) -> bool:
    """Whether the names and the key of a certificate can be read."""
    try:
        _ = certificate.node, certificate.issuer
    except MalformedCertificateError:
        return False
    return True
