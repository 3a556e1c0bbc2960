"""Certificates by subjectKeyIdentifier, for thousands of them: only those that may have the one looked up are decoded.

Decoding its extensions takes several times as long as reading a certificate. What stands where a key identifier would
is therefore taken from the encoding as it is, and read by pyca/cryptography when a look-up comes to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkcs12kit.certificates.certificate import Certificate

# extnID, critical where it is TRUE, extnValue around an OCTET STRING (RFC 5280 sections 4.1.2.9 and 4.2.1.2)
_SUBJECT_KEY_IDENTIFIER: Final = bytes.fromhex("0603551d0e")
_CRITICAL: Final = bytes.fromhex("0101ff")
_OCTET_STRING: Final = 0x04
_LONG_FORM: Final = 0x80
# One is right, and one more may stand in another extension by chance.
_MOST_PLACES: Final = 4


class KeyIdentifierIndex:
    """Certificates by subjectKeyIdentifier. Made whole in the constructor and never changed."""

    __slots__ = ("_candidates",)

    def __init__(self, certificates: Iterable[Certificate]) -> None:
        self._candidates: dict[bytes, list[Certificate]] = {}
        for certificate in certificates:
            candidates = _candidates(certificate.der) if certificate.encoding_slip is None else None
            if candidates is None:
                candidates = set() if certificate.key_identifier is None else {certificate.key_identifier}
            for key_identifier in candidates:
                self._candidates.setdefault(key_identifier, []).append(certificate)

    def find(self, key_identifier: bytes) -> list[Certificate]:
        """Certificates that have this key identifier."""
        candidates = self._candidates.get(key_identifier, ())
        return [certificate for certificate in candidates if certificate.key_identifier == key_identifier]


def _candidates(der: bytes) -> set[bytes] | None:
    """Give all that the key identifier of a sound certificate may be; None where that takes decoding."""
    found: set[bytes] = set()
    position = der.find(_SUBJECT_KEY_IDENTIFIER)
    for _ in range(_MOST_PLACES):
        if position < 0:
            return found
        start = position + len(_SUBJECT_KEY_IDENTIFIER)
        start += len(_CRITICAL) if der.startswith(_CRITICAL, start) else 0
        outer, outer_length, inner, length = der[start : start + 4].ljust(4, b"\0")
        if not outer == inner == _OCTET_STRING or outer_length >= _LONG_FORM or outer_length != length + 2:
            return None  # pyca/cryptography may read one here all the same
        found.add(der[start + 4 : start + 4 + length])
        position = der.find(_SUBJECT_KEY_IDENTIFIER, start)
    return None
