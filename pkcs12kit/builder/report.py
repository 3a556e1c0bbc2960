"""The result of building a file: what was written, its path, and what a user should know of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pkcs12kit.notebook_hook import Shown
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from pathlib import Path

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.pool import Reject
    from pkcs12kit.paths.confirmation import Confirmation
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.pkcs12.comparison import Difference
    from pkcs12kit.pkcs12.profiles import Profile
    from pkcs12kit.retrieval.retrieved import Retrieval


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildReport(Shown):
    """The result of :func:`~pkcs12kit.build`.

    The key is only in ``data``, encrypted by the password; in PEM it is not encrypted, and is in ``data`` or in
    ``key_data``.
    """

    path: ValidatedPath
    """The path, from the target to the trust anchor."""
    confirmation: Confirmation
    """The second opinion on the path."""
    certificates: tuple[Certificate, ...] = field(repr=False)
    """The certificates in file order: the target, its issuers, then the trust anchor if it is included."""
    has_private_key: bool
    """True if the file holds the private key."""
    format: str
    """``pkcs12`` or ``pem``."""
    profile: Profile | None
    """The algorithms and iterations that protect the file; None for PEM, whose key is not encrypted."""
    data: bytes = field(repr=False)
    """The content of the file: DER (RFC 7292), or PEM."""
    output: Path | None
    """The path of the file; None if no output was asked for."""
    key_data: bytes | None = field(default=None, repr=False)
    """The content of the key's own file, PEM; None if there is none."""
    key_output: Path | None = None
    """The path of the key's own file; None if there is none."""
    changed: bool
    """False if the file was left alone because it already had this content."""
    change: str | None
    """Why the file was written although ``if_changed`` was asked for; None otherwise."""
    differences: tuple[Difference, ...] = ()
    """With ``if_changed``: every difference of the file that was in place; its first is ``change``."""
    replaced: tuple[Certificate, ...] = field(default=(), repr=False)
    """With ``if_changed``: the certificates of the file that was in place, as far as it could be opened."""
    identity_certificates: tuple[Certificate, ...] = field(default=(), repr=False)
    """The certificates in the files of key and certificate, which the path was also searched in."""
    dry_run: bool = False
    """True if nothing was to be written: ``changed`` then says whether the file would have been."""
    rejects: tuple[Reject, ...]
    """The parts of the sources of CA certificates that could not be read."""
    warnings: tuple[str, ...]
    """Sentences about the identity's file, the trust anchors, what was fetched, the path, the password and the owner.

    One names the certificates of the path that are not valid now, if another time was asked for.
    """
    retrievals: tuple[Retrieval, ...] = field(default=(), repr=False)
    """The result for each URL, without its content; empty if nothing was fetched."""

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        profile = self.profile
        return {
            "format": self.format,
            "output": str(self.output) if self.output is not None else None,
            "key_output": str(self.key_output) if self.key_output is not None else None,
            "changed": self.changed,
            "change": self.change,
            "dry_run": self.dry_run,
            "bytes": len(self.data),
            "profile": profile and profile.name,
            "iterations": profile and {"encryption": profile.encryption_iterations, "mac": profile.mac_iterations},
            "private_key": self.has_private_key,
            "certificates": [certificate.to_json() for certificate in self.certificates],
            "expires": format_time(self.path.expires),
            "policies": sorted(self.path.authority_constrained_policy_set),
            "second_opinion": self.confirmation.to_json(),
            "revocation": None if self.path.revocation is None else self.path.revocation.to_json(),
            "rejects": [str(reject) for reject in self.rejects],
            "warnings": list(self.warnings),
            "retrievals": [retrieval.to_json() for retrieval in self.retrievals],
        }
