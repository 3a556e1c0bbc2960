"""What changed in a published list of certificates since the last time, and what in it will not last."""

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
    from pkcs12kit.retrieval.output_folder import GatheredCertificate
    from pkcs12kit.retrieval.retrieved import Retrieval


EXPIRES_WITHIN: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """A certificate that is new, and the one with the same subject and issuer that it follows.

    ``stays``: the earlier one is still in the list.
    """

    before: Certificate
    after: Certificate
    stays: bool

    def to_json(self) -> dict[str, object]:
        """Describe it for ``--json``."""
        return {"before": self.before.to_json(), "after": self.after.to_json(), "stays": self.stays}


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleChanges:
    """What changed between two states of a list; each certificate that came or went is in one place, by subject.

    ``compared`` is False where there was no earlier state: then nothing is new or gone. ``renewed`` have the key of the
    certificate that they follow, ``rekeyed`` another one; a certificate that was followed so is not among ``gone``.
    ``expiring`` and ``expired`` are in the list as it is now: valid no longer than ``until``, and not valid any more.
    """

    compared: bool
    until: datetime
    new: tuple[Certificate, ...] = ()
    gone: tuple[Certificate, ...] = ()
    renewed: tuple[Replacement, ...] = ()
    rekeyed: tuple[Replacement, ...] = ()
    expiring: tuple[Certificate, ...] = ()
    expired: tuple[Certificate, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Describe it for ``--json``."""
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
    """Compare two states of a list at ``time``, timezone-aware; ``before`` None: there was none."""
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
    renewed, rekeyed, new = _sort_out(came, earlier, kept)
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
    """Give the certificates that a folder of gathered ones has from these URLs; None where it has none.

    An index or a file that is damaged counts as not there: :func:`~pkcs12kit.retrieval.output_folder.write_folder` says
    so.
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
    """Each once, by subject, issuer and fingerprint."""
    unique = dict.fromkeys(certificates)
    return tuple(sorted(unique, key=lambda each: (str(each.subject), str(each.issuer), each.sha256)))


def _sort_out(
    came: Iterable[Certificate], earlier: Iterable[Certificate], kept: frozenset[Certificate]
) -> tuple[list[Replacement], list[Replacement], list[Certificate]]:
    """Tell what is renewed, rekeyed and new. A cross-certificate by another issuer is a new one.

    Of several earlier ones, the one that was to last longest is followed.
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
    """The result of :func:`~pkcs12kit.published.fetch_bundle`. All but ``bundle``, which the user named, is untrusted.

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
