"""The differences between a certificate and the one that took its place, field by field, in plain words."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pkcs12kit.certificates.algorithm_names import signature_algorithm_in_words
from pkcs12kit.certificates.der import read_encoded_extensions
from pkcs12kit.certificates.extension_names import extension_label
from pkcs12kit.display.certificate_facts import extension_facts, public_key_in_words
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pkcs12kit.certificates.certificate import Certificate

_FACTS: Final = {
    "2.5.29.17": ("subject alternative name",),
    "2.5.29.19": ("basic constraints",),
    "2.5.29.15": ("key usage",),
    "2.5.29.37": ("extended key usage",),
    "2.5.29.32": ("certificate policies",),
    "2.5.29.33": ("policy mappings",),
    "2.5.29.36": ("policy constraints",),
    "2.5.29.54": ("policy constraints",),
    "2.5.29.30": ("permitted names", "excluded names"),
    "2.5.29.14": ("subject key identifier",),
    "2.5.29.35": ("authority key identifier", "authority certificate"),
    "1.3.6.1.5.5.7.1.1": ("issuer's certificate", "OCSP"),
    "2.5.29.31": ("CRL",),
    "2.5.29.46": ("delta CRL",),
    "1.3.6.1.5.5.7.1.11": ("certificates of the CA",),
}
"""The facts as which each extension is shown, by its object identifier, in the order of a report."""
_ORDER: Final = {oid: number for number, oid in enumerate(_FACTS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field or extension that differs, with its values on both sides; no value where it is absent."""

    name: str
    """The name of the field or the extension, in plain words."""
    before: tuple[str, ...]
    """The values before."""
    after: tuple[str, ...]
    """The values after."""

    def to_json(self) -> dict[str, Any]:
        """Return the change as ``--json`` prints it."""
        return {"name": self.name, "before": list(self.before), "after": list(self.after)}


def changes_between(before: Certificate, after: Certificate) -> tuple[Change, ...]:
    """Return the differences of two certificates, fields first; the signature itself is not compared.

    Extensions are compared octet by octet. If all that is shown of an extension is the same, a hash of its octets
    is shown for both sides, so that no difference stays hidden.
    """
    return (*_fields(before, after), *_extensions(before, after))


def _fields(before: Certificate, after: Certificate) -> Iterator[Change]:
    for name, earlier, later in zip(_NAMES, _values(before), _values(after), strict=True):
        if earlier != later:
            yield Change(name=name, before=(earlier,), after=(later,))


_NAMES: Final = (
    "subject",
    "issuer",
    "serial number",
    "valid from",
    "valid until",
    "public key",
    "signature algorithm",
    "version",
)


def _values(certificate: Certificate) -> tuple[str, ...]:
    key = hashlib.sha256(certificate.subject_public_key_info).hexdigest()
    return (
        str(certificate.subject),
        str(certificate.issuer),
        certificate.serial_number_text,
        format_time(certificate.not_before),
        format_time(certificate.not_after),
        f"{public_key_in_words(certificate) or 'not read'}, SHA-256 {key}",
        signature_algorithm_in_words(certificate),
        str(certificate.version),
    )


def _extensions(before: Certificate, after: Certificate) -> Iterator[Change]:
    earlier, later = _encoded(before), _encoded(after)
    if earlier is None or later is None:
        yield Change(name="extensions", before=(_readability(before),), after=(_readability(after),))
        return
    both = sorted(earlier.keys() | later.keys(), key=lambda oid: (_ORDER.get(oid, len(_ORDER)), oid))
    differing = [oid for oid in both if earlier.get(oid) != later.get(oid)]
    if not differing:
        return
    words_before, words_after = _words(before), _words(after)
    shown: set[str] = set()
    for oid in differing:
        ours, theirs = earlier.get(oid, ()), later.get(oid, ())
        changed = [name for name in _FACTS.get(oid, ()) if words_before.get(name) != words_after.get(name)]
        for name in changed:
            if name not in shown:
                shown.add(name)
                yield Change(name=name, before=words_before.get(name, ()), after=words_after.get(name, ()))
        critical = [tuple("yes" if one.critical else "no" for one in side) for side in (ours, theirs)]
        if ours and theirs and critical[0] != critical[1]:
            yield Change(name=f"{extension_label(oid)} is critical", before=critical[0], after=critical[1])
        elif not changed:
            yield Change(name=extension_label(oid), before=_described(ours), after=_described(theirs))


class _Value(NamedTuple):
    """An extension without its object identifier."""

    critical: bool
    value: bytes


def _encoded(certificate: Certificate) -> Mapping[str, tuple[_Value, ...]] | None:
    """Return the extensions by object identifier, undecoded; None where they cannot be read."""
    found: dict[str, tuple[_Value, ...]] = {}
    try:
        extensions = read_encoded_extensions(certificate.der)
    except MalformedCertificateError:
        return None
    for one in extensions:
        found[one.oid] = (*found.get(one.oid, ()), _Value(one.critical, one.value))
    return found


def _words(certificate: Certificate) -> Mapping[str, tuple[str, ...]]:
    try:
        return {fact.name: fact.values for fact in extension_facts(certificate.extensions)}
    except MalformedCertificateError:
        return {}


def _described(values: tuple[_Value, ...]) -> tuple[str, ...]:
    return tuple(
        f"{'critical, ' if one.critical else ''}{len(one.value):,} bytes, SHA-256"
        f" {hashlib.sha256(one.value).hexdigest()}"
        for one in values
    )


def _readability(certificate: Certificate) -> str:
    return "cannot be read, so they are not compared" if _encoded(certificate) is None else "can be read"
