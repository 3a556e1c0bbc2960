"""What a published bundle is: a zip archive, whose files may be listed in a signed checksum file, or PKCS#7."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.pool import Reject
from pkcs12kit.errors import InputError
from pkcs12kit.retrieval.signed_checksums import NO_ARCHIVE, BundleFile, ChecksumStatus, ChecksumVerdict, check_files
from pkcs12kit.sources.collecting import Collector
from pkcs12kit.sources.containers import ArchiveBudget, zip_members
from pkcs12kit.sources.sniffing import Kind, sniff

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.limits import Limits
    from pkcs12kit.retrieval.bundle_signer import SignerRules

# No PKCS#12: it would derive keys by as many iterations as whoever made it likes.
_READ: Final = frozenset({Kind.CERTIFICATE, Kind.PKCS7, Kind.CERTIFICATE_PAIR, Kind.ZIP})


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleContents:
    """The certificates of a bundle: candidates. None of them where its checksum file is bad."""

    certificates: tuple[Certificate, ...]
    rejects: tuple[Reject, ...]
    checksum: ChecksumVerdict
    archived: datetime | None = None
    """When the archive says that the checksum file was made: anybody can change that."""

    def is_older_than(self, other: BundleContents) -> bool:
        """Say whether it was made before ``other`` was: by what the signatures claim, else by what the archives do."""
        signed, others = self.checksum.signing_time, other.checksum.signing_time
        if signed is None or others is None:
            signed, others = self.archived, other.archived
        return signed is not None and others is not None and signed < others


def open_bundle(data: bytes, *, url: str, rules: SignerRules, limits: Limits) -> BundleContents:
    """Read a bundle that came from ``url``, within the limits on what a user's own sources may hold.

    Raises :class:`~pkcs12kit.errors.InputError` where it holds no certificate, or has a file named to land outside its
    folder; :class:`~pkcs12kit.errors.LimitExceededError`.
    """
    if sniff(data) is not Kind.ZIP:
        collector = Collector(password=None, limits=limits, containers=_READ)
        collector.collect_content(url, data)
        return BundleContents(
            certificates=tuple(dict.fromkeys(collector.certificates)),
            rejects=tuple(collector.rejects),
            checksum=NO_ARCHIVE,
        )
    files = tuple(_files(data, url, limits))
    verdict = check_files(files, rules=rules, limits=limits)
    if verdict.status is ChecksumStatus.BAD:
        return BundleContents(certificates=(), rejects=(), checksum=verdict)
    archived = next((file.member.modified for file in files if file.member.name == verdict.file), None)
    if verdict.status is not ChecksumStatus.ABSENT:
        listed = frozenset(verdict.listed)
        files = tuple(file for file in files if file.member.name in listed)
    certificates = tuple(dict.fromkeys(certificate for file in files for certificate in file.certificates))
    rejects = tuple(reject for file in files for reject in file.rejects)
    if not certificates:
        first = f" that can be read: {rejects[0].reason}" if rejects else ""
        raise InputError(f"{url}: a zip archive without certificates{first}")
    return BundleContents(certificates=certificates, rejects=rejects, checksum=verdict, archived=archived)


def _files(data: bytes, url: str, limits: Limits) -> Iterator[BundleFile]:
    """Unpack the archive in memory, and read each file on its own."""
    budget = ArchiveBudget(name=url, limits=limits)
    collector = Collector(password=None, limits=limits, containers=_READ)
    for member in zip_members(data, budget):
        name = f"{url}!{member.name}"
        certificates, rejects = len(collector.certificates), len(collector.rejects)
        if member.fault is None:
            collector.collect_member(name, member.data, archive=budget)
            faults = tuple(collector.rejects[rejects:])
        else:
            faults = (Reject(source=name, position=1, reason=member.fault),)
        yield BundleFile(member=member, certificates=tuple(collector.certificates[certificates:]), rejects=faults)
