"""What a check found: the closed lists of checks and of outcomes, and one finding."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Check(Enum):
    """What is asked of a PKCS#12 file. The value is what ``verify --json`` prints."""

    MAC = "mac"
    CONTENTS = "contents"
    PRIVATE_KEY = "private-key"
    LOCAL_KEY_ID = "local-key-id"
    DUPLICATES = "duplicates"
    CHAIN = "chain"
    ORDER = "order"
    PATH = "path"
    SECOND_OPINION = "second-opinion"
    REVOCATION = "revocation"
    SERVER_NAME = "server-name"
    EXPIRY = "expiry"
    OTHER_PATHS = "other-paths"
    READERS = "readers"


class SentCheck(Enum):
    """What is asked of the certificates that a TLS server sends. The value is what ``rehearse --json`` prints."""

    END_ENTITY = "end-entity"
    ORDER = "order"
    CHAIN = "chain"
    PATH = "path"
    DUPLICATES = "duplicates"
    SUPERFLUOUS = "superfluous"
    TRUST_ANCHOR = "trust-anchor"
    SIZE = "size"
    SERVER_NAME = "server-name"
    PURPOSE = "purpose"
    EXPIRY = "expiry"
    DISALLOWED = "disallowed"
    POOL = "pool"


class ProbeCheck(Enum):
    """What is asked of a live TLS server, beside what it sends. The value is what ``probe --json`` prints."""

    CONTACT = "contact"
    PROTOCOLS = "protocols"
    HANDSHAKE = "handshake"
    CLIENT_CERTIFICATE = "client-certificate"
    SAME_CERTIFICATES = "same-certificates"


AnyCheck = Check | SentCheck | ProbeCheck


class Outcome(Enum):
    """What came of a check."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing, and no reason to say no."""
    NOT_OK = "not-ok"
    NOT_CHECKED = "not-checked"
    """It was not asked for, or something else that failed left nothing to check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check, what came of it and why. ``why`` is text that may quote names from outside; never a secret."""

    check: AnyCheck
    outcome: Outcome
    why: str

    @property
    def is_problem(self) -> bool:
        """Whether it makes the answer a no."""
        return self.outcome is Outcome.NOT_OK

    def to_json(self) -> dict[str, str]:
        """Describe it for ``--json``."""
        return {"check": self.check.value, "outcome": self.outcome.value, "why": self.why}

    def __str__(self) -> str:
        return f"{self.check.value}: {self.outcome.value}: {self.why}"


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
