"""The exception tree, and the closed list of reasons why a certification path fails.

``NoValidPathError`` stands beside the report that it carries, in :mod:`pkcs12kit.paths.report`.
"""

from __future__ import annotations

from copy import copy
from difflib import get_close_matches
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pkcs12kit.hints import Hint
from pkcs12kit.text import alternatives, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

_MOST_NEAREST: Final = 3
_LONGEST_NAME: Final = 64
"""Characters of a wrong name that the message repeats."""


class Pkcs12KitError(Exception):
    """Base of every error that pkcs12kit raises on purpose. Its text is one sentence without secrets."""

    hints: tuple[Hint, ...] = ()
    """The steps that may help, in the order in which to try them; empty where the text already says what to do."""

    several: tuple[str, ...] = ()
    """The sentences of an error about several mistakes, in place of its text; empty for one sentence."""

    def hinting(self, *hints: Hint) -> Self:
        """Return the error itself, with further hints."""
        self.hints = (*self.hints, *hints)
        return self

    def placed(self, place: str) -> Self:
        """Return an equal error whose text begins with the place, such as a file, where the mistake is."""
        copied = copy(self)
        copied.args = (f"{place} {self}",)
        return copied


class InputError(Pkcs12KitError):
    """Something given by the user cannot be used as what it was given for."""


class ArgumentError(InputError, TypeError, ValueError):
    """An argument of the wrong kind, or a value that it cannot have: a mistake in the calling program.

    It is a :class:`TypeError` and a :class:`ValueError` too, as Python programs expect of such mistakes.
    """


class UnknownNameError(InputError):
    """A name of a profile, reader, device or client that pkcs12kit does not know.

    ``kind`` says what was looked up (``profile``), ``name`` is the text that was given, ``known`` are the names that
    exist and ``nearest`` the known names that are spelled like it, the most similar first, at most three. ``why`` is a
    reason beyond that the name is not known; it may be empty.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], *, why: str = "") -> None:
        self.kind = kind
        self.name = name
        self.known = tuple(known)
        self.why = why
        self.nearest = tuple(get_close_matches(name[:_LONGEST_NAME].lower(), self.known, n=_MOST_NEAREST))
        suggestion = f": did you mean {alternatives(self.nearest)}?" if self.nearest else "."
        shown = quoted(name, longest=_LONGEST_NAME)
        reason = f" ({why})" if why else ""
        super().__init__(f"unknown {kind} {shown}{reason}{suggestion} Known names: {', '.join(self.known)}")

    def __reduce__(self) -> tuple[Any, tuple[str, str, tuple[str, ...]], dict[str, Any]]:
        """Return the call that makes an equal error, and its attributes, so that it can cross to another process."""
        return partial(type(self), why=self.why), (self.kind, self.name, self.known), vars(self)


class MalformedCertificateError(InputError):
    """Bytes that no reader can make sense of as an X.509 certificate, or an extension in one that none can decode."""


class KeyMismatchError(InputError):
    """A private key does not belong to the certificate that it was given with."""

    hints: tuple[Hint, ...] = (
        Hint(
            text="give the certificate that was issued for this key, or the private key that belongs to this"
            " certificate"
        ),
    )


class PasswordError(InputError):
    """A password is missing or wrong, or holds what no encoding of passwords has."""


class LimitExceededError(InputError):
    """Outside data asks for more work than :class:`~pkcs12kit.Limits` grant; the text names which, and its figure."""


class PfxError(InputError):
    """A PKCS#12 file (PFX) that cannot be read or written; subclasses say which of three different things is wrong."""


class MalformedPfxError(PfxError):
    """The bytes are not a PFX, or it is damaged (RFC 7292 section 4)."""


class UnsupportedPfxError(PfxError):
    """The PFX has an algorithm or a structure that is not supported, or several keys where one is expected."""


class KeyChoiceError(UnsupportedPfxError):
    """The PFX has several private keys, and neither a name nor an ID chooses one of them."""

    hints: tuple[Hint, ...] = (
        Hint(text="choose one of the keys with --key-name or --key-id (in Python: key_name= or key_id=)"),
    )


class PfxPasswordError(PfxError, PasswordError):
    """The password does not open the PFX: its MAC does not verify, or its contents do not decrypt."""


class ContentsPasswordError(PfxPasswordError):
    """The password opens the PFX, but not the contents or a key in it, which have another password."""

    hints: tuple[Hint, ...] = (
        Hint(text="give the other password with --contents-password-file (in Python: contents_password=)"),
    )


class OutputError(Pkcs12KitError):
    """A file, or standard output, could not be written.

    What stood in a file's place still does, unless the text says that the file was written: then only the last step
    failed, which makes it outlast a loss of power.
    """


class PathError(Pkcs12KitError):
    """Base of what can go wrong on the way from a target to a trust anchor."""


class FailureReason(Enum):
    """Why a certification path fails: the closed list. The value is what ``--json`` prints."""

    # Discovery (RFC 4158)
    ISSUER_NOT_FOUND = "issuer-not-found"
    NO_TRUST_ANCHOR = "no-trust-anchor"
    # Basic processing (RFC 5280 section 6.1.3)
    BAD_SIGNATURE = "bad-signature"
    UNSUPPORTED_ALGORITHM = "unsupported-algorithm"
    WEAK_ALGORITHM = "weak-algorithm"
    NOT_YET_VALID = "not-yet-valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    REVOCATION_UNKNOWN = "revocation-unknown"
    NAME_CHAINING = "name-chaining"
    NAME_CONSTRAINTS = "name-constraints"
    EXPLICIT_POLICY = "explicit-policy"
    # Preparation for the next certificate (RFC 5280 section 6.1.4)
    POLICY_MAPPING = "policy-mapping"
    NOT_A_CA = "not-a-ca"
    PATH_LENGTH = "path-length"
    KEY_USAGE = "key-usage"
    # Extensions and encoding (RFC 5280 sections 4.1 and 4.2)
    UNKNOWN_CRITICAL_EXTENSION = "unknown-critical-extension"
    MALFORMED_CERTIFICATE = "malformed-certificate"
    # What a TLS client adds
    EXTENDED_KEY_USAGE = "extended-key-usage"
    SERVER_NAME = "server-name"
    # Never a verdict on a certificate
    BUDGET_EXHAUSTED = "budget-exhausted"
