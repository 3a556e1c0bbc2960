"""The report on when many bundles expire, and on the certificates that most of them hang on."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from pkcs12kit.arguments import require_duration, require_kind, require_texts
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.errors import ArgumentError, InputError, LimitExceededError, PasswordError
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.notebook_hook import Shown
from pkcs12kit.paths.report import path_to_json
from pkcs12kit.paths.validation.parameters import choose_parameters
from pkcs12kit.sources.arguments import as_certificates, as_trust_anchors
from pkcs12kit.sources.collecting import Collector
from pkcs12kit.sources.containers import ArchiveBudget
from pkcs12kit.sources.reading import folder_files, is_folder, name_of, read_source, shown_path
from pkcs12kit.times import format_time
from pkcs12kit.verifier.dependence import DependenceSearch
from pkcs12kit.verifier.expectation import ExpectedFile, load_expected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.sources.arguments import CertificatesArgument, TrustAnchorsArgument
    from pkcs12kit.sources.reading import Source

BundleSource: TypeAlias = "Source | Certificate | Iterable[Certificate]"
"""A finished bundle: a file or a folder of them, a server's certificate, or the chain of a server, its own first."""
BundlesArgument: TypeAlias = "BundleSource | Iterable[BundleSource] | Mapping[str, BundleSource]"
"""One bundle or several, or each with its name for the report."""

_ONE = (str, bytes, bytearray, memoryview, os.PathLike, Certificate)


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
class UnreadBundle:
    """A file that could not be read, so that nothing is known about its end."""

    name: str
    """The name of the file."""
    why: str
    """The reason."""
    needs_password: bool
    """True if a password is missing or wrong."""

    def __str__(self) -> str:
        return f"{self.name}: {self.why}"

    def to_json(self) -> dict[str, Any]:
        """Return the file as ``--json`` prints it."""
        return {"name": self.name, "why": self.why, "needs_password": self.needs_password}


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
    reader = _Reader(password=password, time=asked.time, limits=limits)
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


@dataclass(slots=True, kw_only=True)
class _Reader:
    """The bundles of one call, read; those that cannot be read, and the files that are none."""

    password: str | None = field(repr=False)
    time: datetime
    limits: Limits
    files: list[ExpectedFile] = field(default_factory=list)
    unread: list[UnreadBundle] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    _targets: int = 0

    def read(self, bundles: BundlesArgument) -> None:
        """Read all bundles. Raises :class:`~pkcs12kit.InputError` where there is none."""
        if isinstance(bundles, Mapping):
            for name, one in bundles.items():
                require_kind("the name of a bundle", name, str)
                self._add(one, name)
        elif isinstance(bundles, _ONE) or not isinstance(bundles, Iterable):
            self._add(bundles, None)
        else:
            for one in bundles:
                self._add(one, None)
        if not self.files and not self.unread:
            skipped = f": {self.skipped[0]} holds none" if self.skipped else ""
            raise InputError(f"no bundle with a server's certificate was given{skipped}")

    def targets(self) -> Iterator[tuple[str, Certificate, frozenset[Certificate]]]:
        """Yield each server's certificate with its name for the report and the other certificates of its file."""
        for file in self.files:
            others = frozenset(file.certificates) - {*file.targets}
            for target in file.targets:
                name = file.name if len(file.targets) == 1 else f"{file.name} ({target.label})"
                yield name, target, others

    def _add(self, bundle: object, name: str | None) -> None:
        if isinstance(bundle, Certificate):
            bundle = (bundle,)
        if isinstance(bundle, (str, bytes, bytearray, memoryview, os.PathLike)):
            self._add_source(bundle, name)  # type: ignore[arg-type]  # as name_of checks
            return
        chain = tuple(bundle) if isinstance(bundle, Iterable) else ()
        if not chain or not all(isinstance(one, Certificate) for one in chain):
            raise ArgumentError(
                f"bundles: expected a path, bytes, or a chain of Certificates, not {type(bundle).__name__}"
            )
        label = chain[0].label if name is None else name
        self._keep(ExpectedFile(name=label, targets=chain[:1], certificates=chain))

    def _add_source(self, source: Source, name: str | None) -> None:
        if not is_folder(source):
            self._read_one(source, name_of(source) if name is None else name, in_folder=False)
            return
        for file in folder_files(os.fspath(source), self.limits):  # type: ignore[arg-type]  # bytes are never a folder
            label = shown_path(file.path)
            if file.fault is not None:
                self.unread.append(UnreadBundle(name=label, why=file.fault, needs_password=False))
            else:
                self._read_one(file.path, label, in_folder=True)

    def _read_one(self, source: Source, name: str, *, in_folder: bool) -> None:
        if isinstance(source, (str, os.PathLike)) and os.fspath(source) != "-":
            real = os.path.realpath(source)
            if real in self._seen:
                return
            self._seen.add(real)
        try:
            found = load_expected(source, password=self.password, time=self.time, limits=self.limits)
        except LimitExceededError:
            raise
        except InputError as error:
            why = str(error).removeprefix(f"{name}: ")
            if in_folder and not isinstance(error, PasswordError) and self._has_no_certificate(source, name):
                self.skipped.append(name)
            else:
                self.unread.append(UnreadBundle(name=name, why=why, needs_password=isinstance(error, PasswordError)))
            return
        if in_folder and all(one.is_ca for one in found.certificates):
            self.skipped.append(name)
            return
        self._keep(ExpectedFile(name=name, targets=found.targets, certificates=found.certificates))

    def _has_no_certificate(self, source: Source, name: str) -> bool:
        """Return True for a file of a folder that neither holds certificates nor looks as if it should."""
        collector = Collector(password=self.password, limits=self.limits)
        try:
            content = read_source(source, self.limits)
        except InputError:
            return False
        collector.collect_member(name, content, archive=ArchiveBudget(name=name, limits=self.limits))
        return not collector.certificates and not collector.rejects

    def _keep(self, file: ExpectedFile) -> None:
        self.files.append(file)
        self._targets += len(file.targets)
        if self._targets > self.limits.expiry_bundles:
            raise LimitExceededError(
                f"{file.name}: more than {self.limits.expiry_bundles:,} bundles (limits.expiry_bundles)"
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
