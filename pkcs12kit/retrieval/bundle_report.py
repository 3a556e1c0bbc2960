"""What came of a published bundle: certificates, what its checksum file proves, what changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.shown import Shown

if TYPE_CHECKING:
    from pkcs12kit.certificates.pool import Reject
    from pkcs12kit.retrieval.bundle_changes import BundleChanges
    from pkcs12kit.retrieval.folder import GatheredCertificate
    from pkcs12kit.retrieval.published_bundles import PublishedBundle
    from pkcs12kit.retrieval.retrieved import Retrieval
    from pkcs12kit.retrieval.signed_checksums import ChecksumVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleReport(Shown):
    """What :func:`~pkcs12kit.fetch_bundle` found. Everything in it is untrusted but ``bundle``, which the user named.

    ``certificates`` are candidates for paths, never trust anchors; none where ``why`` says in one sentence why nothing
    of the bundle is used. ``checksum`` is None where nothing came that could be looked into, ``changes`` None where
    nothing is used. ``url`` is the one that gave the bundle; ``retrievals`` are those that were asked, without content.
    ``warnings`` are the cache's, and that the bundle is older than the one that it had.
    """

    bundle: PublishedBundle
    certificates: tuple[GatheredCertificate, ...] = ()
    checksum: ChecksumVerdict | None = None
    changes: BundleChanges | None = None
    url: str | None = None
    retrievals: tuple[Retrieval, ...] = ()
    rejects: tuple[Reject, ...] = ()
    warnings: tuple[str, ...] = ()
    why: str = ""

    @property
    def pool(self) -> CertificatePool:
        """The certificates to look for paths in."""
        return CertificatePool((item.certificate for item in self.certificates), rejects=self.rejects)

    def to_json(self) -> dict[str, Any]:
        """Describe it for ``--json``."""
        return {
            "bundle": self.bundle.to_json(),
            "url": self.url,
            "why": self.why,
            "certificates": [item.certificate.to_json() for item in self.certificates],
            "checksum": None if self.checksum is None else self.checksum.to_json(),
            "changes": None if self.changes is None else self.changes.to_json(),
            "urls": [retrieval.to_json() for retrieval in self.retrievals],
            "rejects": [str(reject) for reject in self.rejects],
            "warnings": list(self.warnings),
        }
