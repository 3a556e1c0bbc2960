"""The Certificate message of TLS: the certificates that a server sends, in its order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pkcs12kit.arguments import require_kind, require_several
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.errors import MalformedCertificateError

if TYPE_CHECKING:
    from collections.abc import Iterable

TLS_1_2: Final = "TLSv1.2"
TLS_1_3: Final = "TLSv1.3"

_LENGTH: Final = 3  # bytes of each length, of one certificate and of the whole list
_CONTEXT: Final = 1  # certificate_request_context, empty, which is a length (RFC 8446 section 4.4.2)
_NO_EXTENSIONS: Final = 2  # of one certificate: none, which is a length as well


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateMessage:
    """The Certificate message of a server (RFC 5246 section 7.4.2, RFC 8446 section 4.4.2).

    Raises :class:`~pkcs12kit.ArgumentError` for values of other kinds.
    """

    certificates: tuple[Certificate, ...]
    """The certificate_list in the order of the wire, neither trusted nor checked."""
    protocol: str
    """``TLSv1.2``, ``TLSv1.3`` or an older version by the same pattern."""

    def __post_init__(self) -> None:
        require_several({"certificates": self.certificates})
        object.__setattr__(self, "certificates", tuple(self.certificates))
        for certificate in self.certificates:
            require_kind("certificates", certificate, Certificate)
        require_kind("protocol", self.protocol, str)

    @classmethod
    def from_der(cls, encoded: Iterable[bytes], *, protocol: str) -> CertificateMessage:
        """Parse the certificates of a message.

        Raises :class:`~pkcs12kit.errors.MalformedCertificateError` for the first that cannot be read, with its
        position: clients refuse the whole list for it, whichever certificate it is.
        """
        require_several({"encoded": encoded})
        certificates = []
        for position, der in enumerate(encoded, start=1):
            try:
                certificates.append(Certificate.from_der(der))
            except MalformedCertificateError as error:
                raise MalformedCertificateError(f"certificate {position} of those sent: {error}") from None
        return cls(certificates=tuple(certificates), protocol=protocol)

    @property
    def size(self) -> int:
        """The bytes of the message, without its handshake header and the extensions of its entries (stapled OCSP)."""
        around, of_each = (_CONTEXT, _NO_EXTENSIONS) if self.protocol == TLS_1_3 else (0, 0)
        return around + _LENGTH + sum(_LENGTH + len(one.der) + of_each for one in self.certificates)

    def to_json(self) -> dict[str, object]:
        """Return the message as ``--json`` prints it; certificates in the order of the wire."""
        return {
            "protocol": self.protocol,
            "bytes": self.size,
            "certificates": [certificate.to_json() for certificate in self.certificates],
        }
