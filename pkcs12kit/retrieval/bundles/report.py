"""The report on a bundle: its certificates, and the changes since the previous copy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.errors import InputError, MalformedCertificateError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.notebook_hook import Shown
from pkcs12kit.retrieval.output_folder import INDEX_FILE, decode_index
from pkcs12kit.sources.reading import read_source
from pkcs12kit.times import format_time, require_aware

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from datetime import datetime

    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.pool import Reject
    from pkcs12kit.limits import Limits
    from pkcs12kit.retrieval.bundles.checksums import ChecksumVerdict
    from pkcs12kit.retrieval.bundles.published import PublishedBundle
    from pkcs12kit.retrieval.retrieved import GatheredCertificate, Retrieval


EXPIRES_WITHIN: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """A new certificate, and the earlier one with the same subject and issuer that it replaces.

    ``stays``: the earlier one is still in the bundle.
    """

    before: Certificate
    after: Certificate
    stays: bool

    def to_json(self) -> dict[str, object]:
        """Return the form for ``--json``."""
        return {"before": self.before.to_json(), "after": self.after.to_json(), "stays": self.stays}


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleChanges:
    """The changes between two copies of a bundle. Each certificate that came or went is in one group, by subject."""

    compared: bool
    """False if there was no earlier copy: then no certificate is new or gone."""
    until: datetime
    """The time until which a certificate counts as expiring; timezone-aware."""
    new: tuple[Certificate, ...] = ()
    """Certificates that only this copy has, except for replacements."""
    gone: tuple[Certificate, ...] = ()
    """Certificates that only the earlier copy has, except for replaced ones."""
    renewed: tuple[Replacement, ...] = ()
    """Replacements with the same key."""
    rekeyed: tuple[Replacement, ...] = ()
    """Replacements with another key."""
    expiring: tuple[Certificate, ...] = ()
    """Certificates of this copy that expire by ``until``."""
    expired: tuple[Certificate, ...] = ()
    """Certificates of this copy that are expired."""

    def to_json(self) -> dict[str, object]:
        """Return the form for ``--json``."""
        return {
            "compared": self.compared,
            "new": [certificate.to_json() for certificate in self.new],
            "gone": [certificate.to_json() for certificate in self.gone],
            "renewed": [replacement.to_json() for replacement in self.renewed],
            "rekeyed": [replacement.to_json() for replacement in self.rekeyed],
            "until": format_time(self.until),
            "expiring": [certificate.to_json() for certificate in self.expiring],
            "expired": [certificate.to_json() for certificate in self.expired],
        }


def compare_bundles(
    before: Iterable[Certificate] | None,
    now: Iterable[Certificate],
    *,
    time: datetime,
    expires_within: timedelta = EXPIRES_WITHIN,
) -> BundleChanges:
    """Return the changes between two copies at ``time``, timezone-aware; ``before`` None: there is no earlier copy."""
    time = require_aware(time)
    try:
        until = time + expires_within
    except OverflowError:
        until = time.max.replace(tzinfo=time.tzinfo)
    current = _in_order(now)
    lasting = {
        "until": until,
        "expiring": tuple(each for each in current if time <= each.not_after <= until),
        "expired": tuple(each for each in current if each.not_after < time),
    }
    if before is None:
        return BundleChanges(compared=False, **lasting)  # type: ignore[arg-type]  # fields of several types
    earlier = _in_order(before)
    kept, known = frozenset(current), frozenset(earlier)
    came = [certificate for certificate in current if certificate not in known]
    renewed, rekeyed, new = _replacements(came, earlier, kept)
    followed = {replacement.before for replacement in (*renewed, *rekeyed)}
    return BundleChanges(
        compared=True,
        new=tuple(new),
        gone=tuple(certificate for certificate in earlier if certificate not in kept | followed),
        renewed=tuple(renewed),
        rekeyed=tuple(rekeyed),
        **lasting,  # type: ignore[arg-type]  # as above
    )


def certificates_in_folder(
    folder: str | os.PathLike[str], *, urls: Iterable[str], limits: Limits = DEFAULT_LIMITS
) -> tuple[Certificate, ...] | None:
    """Return the certificates from these URLs in a folder of gathered certificates; None where there are none.

    A damaged index or file counts as missing: :func:`~pkcs12kit.retrieval.output_folder.write_folder` reports it.
    """
    wanted = frozenset(urls)
    try:
        listed = decode_index(read_source(Path(folder, INDEX_FILE), limits))
    except InputError:
        return None
    found = []
    for item in listed:
        if wanted.isdisjoint(origin.url for origin in item.origins):
            continue
        try:
            certificate = Certificate(read_source(Path(folder, item.file), limits))
        except InputError:
            continue
        if certificate.sha256 == item.sha256:
            found.append(certificate)
    return tuple(found) or None


def _in_order(certificates: Iterable[Certificate]) -> tuple[Certificate, ...]:
    """Return each certificate once, sorted by subject, issuer and fingerprint."""
    unique = dict.fromkeys(certificates)
    return tuple(sorted(unique, key=lambda each: (str(each.subject), str(each.issuer), each.sha256)))


def _replacements(
    came: Iterable[Certificate], earlier: Iterable[Certificate], kept: frozenset[Certificate]
) -> tuple[list[Replacement], list[Replacement], list[Certificate]]:
    """Return the renewed, the rekeyed and the new certificates. One by another issuer is new.

    Of several earlier certificates, the one with the latest end of validity is the one that is replaced.
    """
    by_key: dict[tuple[Name, Name, bytes | None], Certificate] = {}
    by_names: dict[tuple[Name, Name], Certificate] = {}
    for certificate in sorted(earlier, key=lambda each: (each.not_after, each.sha256)):
        names = (certificate.subject, certificate.issuer)
        by_names[names] = by_key[*names, _key(certificate)] = certificate
    renewed: list[Replacement] = []
    rekeyed: list[Replacement] = []
    new: list[Certificate] = []
    for certificate in came:
        names = (certificate.subject, certificate.issuer)
        before = by_key.get((*names, _key(certificate)))
        found, before = (renewed, before) if before is not None else (rekeyed, by_names.get(names))
        if before is None:
            new.append(certificate)
        else:
            found.append(Replacement(before=before, after=certificate, stays=before in kept))
    return renewed, rekeyed, new


def _key(certificate: Certificate) -> bytes | None:
    try:
        return certificate.subject_public_key_info
    except MalformedCertificateError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleReport(Shown):
    """The result of :func:`~pkcs12kit.published.fetch_bundle`. All but ``bundle`` is untrusted."""

    bundle: PublishedBundle
    """The bundle that the user named."""
    certificates: tuple[GatheredCertificate, ...] = ()
    """Candidates for paths, never trust anchors."""
    checksum: ChecksumVerdict | None = None
    """The verdict on the checksum file; None if no bundle was read."""
    changes: BundleChanges | None = None
    """The changes since the previous copy; None if the bundle is not used."""
    url: str | None = None
    """The URL of the bundle; None if none answered."""
    retrievals: tuple[Retrieval, ...] = ()
    """The results of all URLs, without content."""
    rejects: tuple[Reject, ...] = ()
    """The parts of the bundle that could not be read."""
    warnings: tuple[str, ...] = ()
    """The warnings of the cache, and one if the bundle is older than the cached one."""
    why: str = ""
    """The reason why the bundle is not used, in one sentence; empty if it is used."""

    @property
    def pool(self) -> CertificatePool:
        """The certificates as a pool for the path search."""
        return CertificatePool((item.certificate for item in self.certificates), rejects=self.rejects)

    def to_json(self) -> dict[str, Any]:
        """Return the form for ``--json``."""
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
