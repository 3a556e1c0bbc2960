"""The outcome of one bundle: the answer of a job, which travels back from where the work was done."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pkcs12kit.fleet.bundles import FleetBundle
    from pkcs12kit.fleet.records import Record
    from pkcs12kit.hints import Hint


class Status(Enum):
    """The state of a bundle after a run, or with a plan the state that it would have."""

    CREATED = "created"
    REWRITTEN = "rewritten"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    CREATE = "create"
    """A plan: there is no file yet."""
    REWRITE = "rewrite"
    """A plan: the file there differs."""
    DEFERRED = "deferred"
    """It would change, and a later run does it: more would change than the limit of this run."""
    VALID = "valid"
    """A check: it has a valid path."""


CHANGES: Final = frozenset({Status.CREATED, Status.REWRITTEN, Status.CREATE, Status.REWRITE})
_LEFT_AS_IT_WAS: Final = frozenset({Status.CREATE, Status.REWRITE, Status.FAILED, Status.DEFERRED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The certificate of a path that ends first."""

    label: str
    """Its common name or subject, for people."""
    sha256: str
    """The SHA-256 of its encoding, hexadecimal."""
    not_after: datetime
    """The end of its validity, UTC."""

    def to_json(self) -> dict[str, str]:
        """Return the certificate as ``--json`` prints it."""
        return {"label": self.label, "sha256": self.sha256, "not_after": format_time(self.not_after)}


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleOutcome:
    """The outcome of one bundle."""

    name: str
    """The name of the bundle."""
    output: str
    """The file."""
    status: Status
    """The state of the bundle."""
    why: tuple[str, ...] = ()
    """Why the file is made again: ``certificates: + CA 2, - CA 1``, ``names: ...``, ``protection: ...``, and so on."""
    error: str | None = None
    """Why it failed, in one sentence; None where it did not."""
    hints: tuple[Hint, ...] = ()
    """The steps that may help."""
    expires: datetime | None = None
    """The end of the path, UTC; None without a path."""
    first_to_expire: Ending | None = None
    """The certificate of the path that ends first; None without a path."""
    expired_before: datetime | None = None
    """The end of the path in the file that was in place before, UTC; None without one or where it is not known."""
    ends_too_soon: bool = False
    """True if the path ends within the time that the manifest asks for."""
    hook_error: str | None = None
    """Why the command after a change failed; None where it did not, or none was due."""
    served_error: str | None = None
    """Why a server does not send the new certificate; None where all do, or none was asked."""
    certificates: tuple[str, ...] = ()
    """The SHA-256 of each certificate of the file, in its order, hexadecimal."""
    warnings: tuple[str, ...] = ()
    """Warnings for the user."""
    record: Record | None = None
    """The record that the state keeps of the bundle; None where it keeps nothing new."""

    @classmethod
    def failure(cls, bundle: FleetBundle, error: str, hints: Iterable[Hint] = ()) -> BundleOutcome:
        """Return the outcome of a bundle that failed for a reason, in one sentence."""
        return cls(name=bundle.name, output=bundle.output, status=Status.FAILED, error=error, hints=tuple(hints))

    @property
    def changed(self) -> bool:
        """True if the file was written; with a plan, if it would be."""
        return self.status in CHANGES

    @property
    def ok(self) -> bool:
        """True if the bundle is as it should be."""
        return (
            self.status is not Status.FAILED
            and not self.ends_too_soon
            and self.hook_error is None
            and self.served_error is None
        )

    @property
    def own_ends_first(self) -> bool:
        """True if the certificate that ends first is the server's own."""
        return self.first_to_expire is not None and self.first_to_expire.sha256 in self.certificates[:1]

    @property
    def expires_in_place(self) -> datetime | None:
        """The end of the path in the file that is in place after the run, UTC; None without one, or if not known."""
        return self.expired_before if self.status in _LEFT_AS_IT_WAS else self.expires

    def to_json(self) -> dict[str, Any]:
        """Return the bundle as ``--json`` prints it."""
        return {
            "name": self.name,
            "output": self.output,
            "status": self.status.value,
            "changed": self.changed,
            "why": list(self.why),
            "error": self.error,
            "hints": [hint.to_json() for hint in self.hints],
            "expires": None if self.expires is None else format_time(self.expires),
            "first_to_expire": None if self.first_to_expire is None else self.first_to_expire.to_json(),
            "expired_before": None if self.expired_before is None else format_time(self.expired_before),
            "ends_too_soon": self.ends_too_soon,
            "hook_error": self.hook_error,
            "served_error": self.served_error,
            "certificates": list(self.certificates),
            "warnings": list(self.warnings),
        }
