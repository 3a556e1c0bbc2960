"""The bundles of an expiry report, read: files, folders of them, and chains of certificates."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from pkcs12kit.arguments import require_kind
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.errors import ArgumentError, InputError, LimitExceededError, PasswordError
from pkcs12kit.sources.collecting import Collector
from pkcs12kit.sources.containers import ArchiveBudget
from pkcs12kit.sources.reading import folder_files, is_folder, name_of, read_source, shown_path
from pkcs12kit.verifier.expectation import ExpectedFile, load_expected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pkcs12kit.limits import Limits
    from pkcs12kit.sources.reading import Source

BundleSource: TypeAlias = "Source | Certificate | Iterable[Certificate]"
"""A finished bundle: a file or a folder of them, a server's certificate, or the chain of a server, its own first."""
BundlesArgument: TypeAlias = "BundleSource | Iterable[BundleSource] | Mapping[str, BundleSource]"
"""One bundle or several, or each with its name for the report."""

_ONE = (str, bytes, bytearray, memoryview, os.PathLike, Certificate)


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


@dataclass(slots=True, kw_only=True)
class BundleReader:
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
