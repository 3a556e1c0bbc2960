"""A certificate that rules are applied to, and its place in a path."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.extensions import Extensions


class Linted(NamedTuple):
    """A certificate with readable extensions and its place in a path."""

    certificate: Certificate
    extensions: Extensions
    is_server: bool
    """True for the certificate of a TLS server."""
    is_self_signed: bool
    """True where subject and issuer are the same name, and no other certificate has that name with another key."""
    is_trusted: bool
    """True for the certificate of a trust anchor, and for other self-signed CA certificates."""


class Broken(NamedTuple):
    """A rule that a certificate does not keep."""

    rule: str
    """The name of the rule."""
    why: str
    """One sentence, safe to print, that does not name the certificate."""
