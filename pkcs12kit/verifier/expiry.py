"""The report on when many bundles expire, and on the certificates that most of them hang on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pkcs12kit.arguments import require_duration, require_kind, require_texts
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.notebook_hook import Shown
from pkcs12kit.paths.report import path_to_json
from pkcs12kit.paths.validation.parameters import choose_parameters
from pkcs12kit.sources.arguments import as_certificates, as_trust_anchors
from pkcs12kit.times import format_time
from pkcs12kit.verifier.dependence import DependenceSearch
from pkcs12kit.verifier.expiry_bundles import BundleReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.sources.arguments import CertificatesArgument, TrustAnchorsArgument
    from pkcs12kit.verifier.expiry_bundles import BundlesArgument, UnreadBundle


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedBundle:
    """A server's certificate in a bundle, with its best path and the certificates that it needs."""

    name: str
    """The name of the file, with the certificate's where the file has several; or the name that was given."""
    target: Certificate
    """The server's certificate."""
    path: ValidatedPath | None
    """The best valid path of the bundle's own certificates; if they make none, the best with those given beside it."""
    is_complete: bool
    """True if the certificates of the bundle make a valid path by themselves."""
    needed: tuple[Certificate, ...]
    """The certificates above the target without which no valid path is left, those given beside the bundle included."""
    is_certain: bool
    """False if a limit ended a search, so that other certificates may be needed as well."""
    why: str | None
    """The reason why there is no valid path; None where there is one."""

    @property
    def expires(self) -> datetime | None:
        """The end of the path; None without a path."""
        return None if self.path is None else self.path.expires

    @property
    def ends_first(self) -> Certificate | None:
        """The certificate of the path that ends first, the trust anchor's included where it counts."""
        if self.path is None:
            return None
        return next((one for one in self.path.with_anchor if one.not_after == self.path.expires), None)

    def to_json(self) -> dict[str, Any]:
        """Return the bundle as ``--json`` prints it."""
        first = self.ends_first
        return {
            "name": self.name,
            "target": self.target.to_json(),
            "expires": None if self.expires is None else format_time(self.expires),
            "ends_first": None if first is None else first.sha256,
            "path": None if self.path is None else path_to_json(self.path),
            "complete": self.is_complete,
            "needed": [one.sha256 for one in self.needed],
            "certain": self.is_certain,
            "why": self.why,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateUse:
    """A certificate above the servers' own, and the bundles that use or need it."""

    certificate: Certificate
    """The certificate."""
    needed_by: tuple[str, ...]
    """The bundles that have no valid path without it."""
    used_by: tuple[str, ...]
    """The bundles whose path contains it: when it expires, each of them has to be built again."""

    def to_json(self) -> dict[str, Any]:
        """Return the certificate as ``--json`` prints it."""
        return {
            "certificate": self.certificate.to_json(),
            "needed_by": list(self.needed_by),
            "used_by": list(self.used_by),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiryReport(Shown):
    """The ends of the paths of many bundles, and the certificates that they need."""

    bundles: tuple[JudgedBundle, ...]
    """The bundles: those without a valid path first, then those that end first."""
    certificates: tuple[CertificateUse, ...]
    """The certificates above the servers' own: those that most bundles need first, then those that end first."""
    unread: tuple[UnreadBundle, ...]
    """The files that could not be read."""
    skipped: tuple[str, ...]
    """The files in folders that hold no server's certificate: keys, CA certificates, texts."""
    time: datetime
    """The time for which the paths are valid."""
    expires_within: timedelta
    """The time within which a path may not end."""
    warnings: tuple[str, ...] = ()
    """Messages about the trust anchors."""

    @property
    def expiring(self) -> tuple[JudgedBundle, ...]:
        """The bundles whose path ends within the time asked for."""
        end = self.end
        return tuple(one for one in self.bundles if one.expires is not None and one.expires <= end)

    @property
    def without_path(self) -> tuple[JudgedBundle, ...]:
        """The bundles that have no valid path."""
        return tuple(one for one in self.bundles if one.path is None)

    @property
    def most_needed(self) -> CertificateUse | None:
        """The single certificate that most bundles hang on; of several the one that ends first. None if none does."""
        first = next(iter(self.certificates), None)
        return first if first is not None and first.needed_by else None

    @property
    def ok(self) -> bool:
        """True if every file was read, and every bundle has a valid path that does not end within the time."""
        return not (self.expiring or self.without_path or self.unread)

    @property
    def end(self) -> datetime:
        """The end of the time within which a path may not end."""
        try:
            return self.time + self.expires_within
        except OverflowError:
            return datetime.max.replace(tzinfo=UTC)

    def __repr__(self) -> str:
        return (
            f"<ExpiryReport of {len(self.bundles)}: {len(self.expiring)} expiring, {len(self.without_path)} without a"
            f" path, {len(self.unread)} not read>"
        )

    def to_json(self) -> dict[str, Any]:
        """Return the report as ``--json`` prints it."""
        most = self.most_needed
        return {
            "ok": self.ok,
            "time": format_time(self.time),
            "expires_within_days": self.expires_within / timedelta(days=1),
            "summary": {
                "bundles": len(self.bundles),
                "expiring": len(self.expiring),
                "without_path": len(self.without_path),
                "unread": len(self.unread),
            },
            "most_needed": None if most is None else most.to_json(),
            "certificates": [one.to_json() for one in self.certificates],
            "bundles": [one.to_json() for one in self.bundles],
            "unread": [one.to_json() for one in self.unread],
            "skipped": list(self.skipped),
            "warnings": list(self.warnings),
        }


def expiry_report(  # noqa: PLR0913  # each input has its own keyword
    bundles: BundlesArgument,
    *,
    trust_anchors: TrustAnchorsArgument,
    certificates: CertificatesArgument = (),
    expires_within: timedelta = timedelta(0),
    parameters: ValidationParameters | None = None,
    time: datetime | None = None,
    password: str | None = None,
    on_warning: Callable[[str], object] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> ExpiryReport:
    """Return when the paths of many finished bundles end, and which certificates they hang on.

    - ``bundles``: files (PKCS#12, PEM, PKCS#7) and folders of them; or chains of certificates, a server's own first, as
      a list of :class:`~pkcs12kit.Certificate`; or a mapping of names to those. A file with several servers'
      certificates counts once for each. In a folder, files without a server's certificate are skipped.
    - ``trust_anchors``: the certificates that the clients trust.
    - ``certificates``: CA certificates beside those in the bundles. A bundle needs a certificate only if these make no
      other path either.
    - ``expires_within``: the time within which a path may not end.
    - ``parameters``, or ``time`` (timezone-aware; now if left out): the requirements for the paths.
    - ``password``: opens the PKCS#12 files.
    - ``on_warning``: called with each oddity of a trust anchor.
    - ``limits``: the budgets; ``limits.expiry_bundles`` is for the number of bundles.

    A file that cannot be read is in ``unread``, and the report is then not ``ok``. Raises
    :class:`~pkcs12kit.InputError` where there is no bundle at all, and for anchors and certificates that are unusable.
    Not checked: revocation, names of servers, and whether the private keys fit. Nothing is fetched.
    """
    require_kind("limits", limits, Limits)
    require_duration("expires_within", expires_within)
    require_texts(password=password)
    asked = choose_parameters(parameters, time=time)
    warnings: list[str] = []
    anchors = as_trust_anchors(trust_anchors, on_warning=warnings.append, limits=limits)
    for warning in warnings:
        if on_warning is not None:
            on_warning(warning)
    beside = frozenset(as_certificates(certificates, limits=limits))
    reader = BundleReader(password=password, time=asked.time, limits=limits)
    reader.read(bundles)
    search = DependenceSearch(anchors, asked, limits)
    judged = [_judge(*one, beside, search) for one in reader.targets()]
    return ExpiryReport(
        bundles=tuple(sorted(judged, key=_earliest_first)),
        certificates=_uses(judged),
        unread=tuple(reader.unread),
        skipped=tuple(reader.skipped),
        time=asked.time,
        expires_within=expires_within,
        warnings=tuple(warnings),
    )


def _judge(
    name: str,
    target: Certificate,
    own: frozenset[Certificate],
    beside: frozenset[Certificate],
    search: DependenceSearch,
) -> JudgedBundle:
    found = search.of(target, own)
    whole = search.of(target, own | beside) if beside - own else found
    path = whole.path if found.path is None else found.path
    why = None
    if path is None:
        report = search.explain(target, own | beside)
        why = str(report.rejected[0]) if report.rejected else "there is no valid path"
    return JudgedBundle(
        name=name,
        target=target,
        path=path,
        is_complete=found.path is not None,
        needed=whole.needed,
        is_certain=found.is_certain and whole.is_certain,
        why=why,
    )


def _earliest_first(bundle: JudgedBundle) -> tuple[bool, float, str]:
    expires = bundle.expires
    return expires is not None, 0.0 if expires is None else expires.timestamp(), bundle.name


def _uses(bundles: Iterable[JudgedBundle]) -> tuple[CertificateUse, ...]:
    needed: dict[Certificate, list[str]] = {}
    used: dict[Certificate, list[str]] = {}
    for bundle in bundles:
        for one in bundle.needed:
            needed.setdefault(one, []).append(bundle.name)
        for one in () if bundle.path is None else bundle.path.certificates[1:]:
            used.setdefault(one, []).append(bundle.name)
    uses = [
        CertificateUse(certificate=one, needed_by=tuple(needed.get(one, ())), used_by=tuple(used.get(one, ())))
        for one in dict.fromkeys((*needed, *used))
    ]
    uses.sort(
        key=lambda use: (-len(use.needed_by), use.certificate.not_after, -len(use.used_by), use.certificate.sha256)
    )
    return tuple(uses)
