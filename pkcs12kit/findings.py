"""Findings: the closed lists of checks, outcomes and answers, and the result of one check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Check(Enum):
    """A check of a PKCS#12 file, of a served chain or of a live server. The value is printed by ``--json``.

    Each command runs a part of them: :data:`~pkcs12kit.findings.FILE_CHECKS`,
    :data:`~pkcs12kit.findings.SERVED_CHAIN_CHECKS` and :data:`~pkcs12kit.findings.SERVER_CHECKS`.
    """

    # PKCS#12 files
    MAC = "mac"
    CONTENTS = "contents"
    PRIVATE_KEY = "private-key"
    LOCAL_KEY_ID = "local-key-id"
    SECOND_OPINION = "second-opinion"
    REVOCATION = "revocation"
    OTHER_PATHS = "other-paths"
    READERS = "readers"
    JAVA_ENTRIES = "java-entries"
    # PKCS#12 files and served chains
    CHAIN = "chain"
    ORDER = "order"
    PATH = "path"
    AUTHORITY_KEY_IDENTIFIER = "authority-key-identifier"
    DUPLICATES = "duplicates"
    SERVER_NAME = "server-name"
    EXPIRY = "expiry"
    # Served chains
    END_ENTITY = "end-entity"
    SUPERFLUOUS = "superfluous"
    TRUST_ANCHOR = "trust-anchor"
    SIZE = "size"
    PURPOSE = "purpose"
    DISALLOWED = "disallowed"
    POOL = "pool"
    # Live servers
    CONTACT = "contact"
    PROTOCOLS = "protocols"
    HANDSHAKE = "handshake"
    CLIENT_CERTIFICATE = "client-certificate"
    SAME_CERTIFICATES = "same-certificates"
    KEY_TYPES = "key-types"
    EXPECTED = "expected"


FILE_CHECKS: Final = (
    Check.MAC,
    Check.CONTENTS,
    Check.PRIVATE_KEY,
    Check.LOCAL_KEY_ID,
    Check.DUPLICATES,
    Check.CHAIN,
    Check.ORDER,
    Check.PATH,
    Check.AUTHORITY_KEY_IDENTIFIER,
    Check.SECOND_OPINION,
    Check.REVOCATION,
    Check.SERVER_NAME,
    Check.EXPIRY,
    Check.OTHER_PATHS,
    Check.READERS,
    Check.JAVA_ENTRIES,
)
"""The checks of ``verify``, in the order of its findings."""

SERVED_CHAIN_CHECKS: Final = (
    Check.END_ENTITY,
    Check.ORDER,
    Check.CHAIN,
    Check.PATH,
    Check.AUTHORITY_KEY_IDENTIFIER,
    Check.DUPLICATES,
    Check.SUPERFLUOUS,
    Check.TRUST_ANCHOR,
    Check.SIZE,
    Check.SERVER_NAME,
    Check.PURPOSE,
    Check.EXPIRY,
    Check.DISALLOWED,
    Check.POOL,
)
"""The checks of a served chain, in the order of their findings: in ``rehearse`` and in ``probe``."""

SERVER_CHECKS: Final = (
    Check.CONTACT,
    Check.PROTOCOLS,
    Check.HANDSHAKE,
    Check.CLIENT_CERTIFICATE,
    Check.SAME_CERTIFICATES,
    Check.KEY_TYPES,
)
"""The checks of a live server beside those of its chain, in the order of their findings: in ``probe``.

``EXPECTED`` follows where files are given to compare with.
"""


class Outcome(Enum):
    """The result of a check. The value is printed by ``--json``."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing; not a problem."""
    NOT_OK = "not-ok"
    NOT_CHECKED = "not-checked"
    """The check was not asked for, or an earlier problem left nothing to check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check with its outcome and the reason."""

    check: Check
    """The check that was made."""
    outcome: Outcome
    """The result of the check."""
    why: str
    """The reason for the outcome, in one sentence."""

    @property
    def is_problem(self) -> bool:
        """True for a check that failed."""
        return self.outcome is Outcome.NOT_OK

    def to_json(self) -> dict[str, str]:
        """Return the finding as ``--json`` prints it."""
        return {"check": self.check.value, "outcome": self.outcome.value, "why": self.why}

    def __str__(self) -> str:
        return f"{self.check.value}: {self.outcome.value}: {self.why}"


def ok(check: Check, why: str) -> Finding:
    """Return a finding of a check that passed."""
    return Finding(check=check, outcome=Outcome.OK, why=why)


def note(check: Check, why: str) -> Finding:
    """Return a finding that is worth knowing and not a problem."""
    return Finding(check=check, outcome=Outcome.NOTE, why=why)


def not_ok(check: Check, why: str) -> Finding:
    """Return a finding of a check that failed."""
    return Finding(check=check, outcome=Outcome.NOT_OK, why=why)


def not_checked(check: Check, why: str) -> Finding:
    """Return a finding of a check that was not made."""
    return Finding(check=check, outcome=Outcome.NOT_CHECKED, why=why)


def sort_findings(findings: Iterable[Finding], checks: Sequence[Check]) -> tuple[Finding, ...]:
    """Return the findings in the order of ``checks``. Raises :class:`ValueError` for a check that is not in it."""
    return tuple(sorted(findings, key=lambda finding: checks.index(finding.check)))


class Answer(Enum):
    """An answer that may be unknown. The value is printed by ``--json``."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Evidence(Enum):
    """The source of a statement about a program."""

    DOCUMENTED = "documented"
    """By the maker: documentation, release note, source code, a maintainer's word."""
    REPORTED = "reported"
    """By its users."""
    TRIED = "tried by us"
