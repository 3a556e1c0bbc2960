"""Commands that mend what a path fails for, or show the next step, from the files and options of the user's call."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from pkcs12kit.cli.output.replay import again, command_line, given_files, paths_again
from pkcs12kit.errors import FailureReason, MalformedCertificateError
from pkcs12kit.hints import Hint
from pkcs12kit.paths.cures import OR_FETCH
from pkcs12kit.paths.failure import SECTION_OF_TRUST_ANCHORS
from pkcs12kit.retrieval.hints import WITHOUT_OFFLINE
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.paths.report import RejectedPath


def with_commands(hints: tuple[Hint, ...], closest: RejectedPath) -> tuple[Hint, ...]:
    """Return the hints for the closest attempt with at least one command, if the call can be repeated.

    The first hint gets the command that does what it says. If that needs something new, such as another certificate, a
    further hint has a command that shows more.
    """
    hints = tuple(map(_with_fetch, hints))
    if not hints or any(hint.command is not None for hint in hints):
        return hints
    first, *others = hints
    made = _doing(closest)
    if made is not None:
        return (Hint(text=first.text, command=made), *others)
    return (*hints, *_showing(closest))


def _with_fetch(hint: Hint) -> Hint:
    """Return a hint at fetching with the call that fetches; any other hint as it is."""
    if hint.text == WITHOUT_OFFLINE:
        return Hint(text=hint.text, command=again(offline=None))
    return Hint(text=hint.text, command=again(fetch=True)) if hint.text == OR_FETCH else hint


def _doing(closest: RejectedPath) -> str | None:
    """Return the call that does what the hint for a reason says; None where that needs something new."""
    if closest.section == SECTION_OF_TRUST_ANCHORS:
        return paths_again(ignore_anchor_validity=True)
    if closest.clock_looks_wrong or closest.reason is FailureReason.NOT_YET_VALID:
        return _at_another_time(closest)
    make = _BY_REASON.get(closest.reason)
    return None if make is None else make(closest.certificates[0])


def _at_another_time(closest: RejectedPath) -> str | None:
    """Return the call without ``--at``, if it had one; else for the first time at which the attempt is valid."""
    without = again(time=None)
    if without != again():
        return without
    return None if closest.would_be_valid is None else again(time=format_time(closest.would_be_valid[0]))


def for_its_own_name(target: Certificate) -> str | None:
    """Return the call for the first name that the certificate is for; without a name where it has none to ask for."""
    from cryptography import x509

    from pkcs12kit.paths.validation.server_name import mismatch

    with suppress(MalformedCertificateError):
        for name in (target.extensions.subject_alternative_name or ())[:_NAMES_TRIED]:
            if isinstance(name, (x509.DNSName, x509.IPAddress)) and mismatch(target, str(name.value)) is None:
                return again(server_name=str(name.value))
    return paths_again(server_name=None)


def _showing(closest: RejectedPath) -> tuple[Hint, ...]:
    """Return the hint with the call that shows more: each attempt, or the dates or the issuers of what was given."""
    files = given_files()
    first: tuple[Hint, ...] = ()
    if closest.reason is FailureReason.EXPIRED:
        when = paths_again(when=True, time=None, every=None, **_REVOCATION_LEFT_OUT)
        known = when is not None and when != again()
        first = (Hint(text="see when a path was valid, and what ended it", command=when),) if known else ()
        text, command = "list the certificates by the day on which they expire", (*files, "--sort", "expires")
    elif closest.reason in _ABOUT_THE_FILES:
        text, command = "list the certificates that were given, with their issuers", files
    else:
        text, command = "show each attempt", ()
    shown = command_line("pkcs12kit", "show", *command) if command else paths_again(every=True)
    return first if shown is None else (*first, Hint(text=text, command=shown))


_NAMES_TRIED: Final = 10
_REVOCATION_LEFT_OUT: Final[Mapping[str, None]] = dict.fromkeys(
    ("crls", "ocsp_responses", "revocation", "revocation_max_age")
)
"""The parameters that ``paths --when`` does not take."""
_ABOUT_THE_FILES: Final = frozenset(
    {FailureReason.ISSUER_NOT_FOUND, FailureReason.NO_TRUST_ANCHOR, FailureReason.BAD_SIGNATURE}
)
# Only paths is called with less strict requirements, as build would write a file that clients refuse.
_BY_REASON: Final[Mapping[FailureReason, Callable[[Certificate], str | None]]] = {
    FailureReason.SERVER_NAME: for_its_own_name,
    FailureReason.EXTENDED_KEY_USAGE: lambda _: paths_again(server_name=None),
    FailureReason.WEAK_ALGORITHM: lambda _: paths_again(algorithms="allow-all"),
}
