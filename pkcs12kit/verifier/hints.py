"""Hints for a file or a server whose checks say no."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import FailureReason
from pkcs12kit.findings import Check
from pkcs12kit.hints import Hint
from pkcs12kit.paths.cures import for_revoked, for_unknown_status
from pkcs12kit.paths.hints import RENEW_ISSUER, hints_about_time, hints_for_cure, in_hints, right_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pkcs12kit.verifier.reports import ServedChainReport, VerificationReport
    from pkcs12kit.verifier.server_reports import ProbeReport, RehearsalReport

_ALL_PATHS: Final = "pkcs12kit paths CERT --certs SOURCE --anchor FILE --all"
_REBUILD: Final = Hint(
    text="build the file again, in order",
    command="pkcs12kit build --pkcs12 FILE --certs SOURCE --anchor FILE --out NEW.p12",
)
_REBUILD_CHAIN: Final = Hint(
    text="build a file with the right chain, in order",
    command="pkcs12kit build --key FILE --cert FILE --certs SOURCE --anchor FILE --out NEW.p12",
)
_TRUSTSTORE: Final = Hint(
    text="build a truststore, in which each certificate has a name of its own and Java's mark of trust",
    command="pkcs12kit build --certs-only --truststore --cert FILE --certs SOURCE --anchor FILE --out NEW.p12",
)
_SERVER_NAME: Final = Hint(
    text="give a name that the certificate is for with --server-name, or ask its CA for another certificate"
)
_NAMED_ISSUER: Final = Hint(
    text="build the file again, and give the certificate that the authorityKeyIdentifier names with --certs; or ask the"
    " CA for a new certificate"
)
_CONVERT: Final = Hint(
    text="protect the file so that the reader can open it", command="pkcs12kit convert FILE NEW.p12 --for READER"
)
_OTHER_PATH: Final = Hint(text="look for another path", command=_ALL_PATHS)
_BY_CHECK: Final = (
    ({Check.LOCAL_KEY_ID, Check.DUPLICATES, Check.CHAIN, Check.ORDER}, _REBUILD),
    ({Check.AUTHORITY_KEY_IDENTIFIER}, _NAMED_ISSUER),
    ({Check.SERVER_NAME}, _SERVER_NAME),
    ({Check.EXPIRY}, Hint(text="renew the certificate that expires, and build the file again")),
    ({Check.READERS}, _CONVERT),
)
_BY_CONTACT: Final = {
    "unresolvable": "is the name spelled correctly, and can it be resolved from here (DNS, VPN)?",
    "refused": "is the server running, and is this its port? --port N tries another",
    "unreachable": "can the server be reached from here (VPN, firewall)?",
    "timed-out": "can the server be reached from here (VPN, firewall)? --timeout SECONDS waits longer",
    "name-refused": "--server-name NAME asks for another name at the same address",
}
_ASK_FOR_NAME: Final = Hint(
    text="a certificate is rarely for an IP address: --server-name NAME says which name the clients use for this server"
)
_RENEW_SERVED: Final = Hint(
    text="renew the certificate that expires; when it is on the server, --expect FILE shows whether the server sends it"
)
_SPEAK_FIRST: Final = Hint(
    text="does TLS begin later there, as with SMTP and IMAP? --starttls PROTOCOL begins with that protocol"
)
_PKCS12: Final = "pkcs12"


def _with_cure(hints: tuple[Hint, ...], cures: tuple[Hint, ...]) -> tuple[Hint, ...]:
    """Return both: the certificates are fetched before the file is built again, and renewed before they are fetched."""
    return (*cures, *hints) if hints == (RENEW_ISSUER,) else (*hints, *cures)


def hints_for_verification(report: VerificationReport) -> tuple[Hint, ...]:
    """Return the hints for a file that failed a check."""
    wrong_time = hints_about_time(report.rejected)
    if wrong_time:
        return _with_cure(wrong_time, hints_for_cure(report.rejected, report.certificates, report.parameters.time))
    problems = {finding.check for finding in report.findings if finding.is_problem}
    if problems == {Check.PRIVATE_KEY} and not report.has_private_key:
        own = () if report.format.value == _PKCS12 else ("--key names the file with the private key",)
        return in_hints(*own, "--certs-only checks a file that holds only certificates")
    hints = (*_for_revocation(report), *(hint for checks, hint in _BY_CHECK if problems & checks))
    if Check.JAVA_ENTRIES in problems and _REBUILD not in hints:
        hints = (*hints, _REBUILD if report.has_private_key else _TRUSTSTORE)
    if report.format.value != _PKCS12:  # it is not converted to anything that a reader opens
        hints = tuple(_REBUILD_CHAIN if hint is _REBUILD else hint for hint in hints if hint is not _CONVERT)
    return hints or ((_OTHER_PATH,) if Check.PATH in problems else ())


def _for_revocation(report: VerificationReport) -> tuple[Hint, ...]:
    failures = () if report.revocation is None else report.revocation.failures
    if not failures:
        return ()
    if failures[0].reason is FailureReason.REVOKED:
        return for_revoked(failures[0])
    return for_unknown_status(failures)


def hints_for_rehearsal(report: RehearsalReport) -> tuple[Hint, ...]:
    """Return the hints for a file that a client does not accept."""
    chain = report.served_chain
    wrong_time = hints_about_time(chain.rejected)
    if wrong_time:
        return _with_cure(wrong_time, hints_for_cure(chain.rejected, chain.message.certificates, chain.parameters.time))
    problems = {finding.check for finding in report.served_chain.findings if finding.is_problem}
    hints = (_SERVER_NAME,) if Check.SERVER_NAME in problems else ()
    is_out_of_order = report.served_chain.changes and problems - {Check.SERVER_NAME, Check.PURPOSE, Check.EXPIRY}
    rebuild = _REBUILD if report.format.value == _PKCS12 else _REBUILD_CHAIN
    return (*hints, rebuild) if is_out_of_order else hints


def hints_for_probe(reports: Sequence[ProbeReport]) -> tuple[Hint, ...]:
    """Return the hints for servers of which at least one failed, each hint once."""
    return tuple(dict.fromkeys(_for_probe(reports)))


def _for_probe(reports: Sequence[ProbeReport]) -> Iterator[Hint]:
    from pkcs12kit.tls.probing.contact import Contact

    chains = [chain.report for report in reports for chain in report.chains]
    if any(path.clock_looks_wrong for chain in chains for path in chain.rejected[:1]):
        yield right_time()
    for chain in chains:
        if hints_about_time(chain.rejected):
            yield from hints_for_cure(chain.rejected, chain.message.certificates, chain.parameters.time)
        if chain.path is not None and Check.EXPIRY in _problems(chain):
            yield _RENEW_SERVED
    if any(
        report.server.server_name == report.server.address.name
        and report.server.address.is_ip_address
        and Check.SERVER_NAME in _problems(chain.report)
        for report in reports
        for chain in report.chains
    ):
        yield _ASK_FOR_NAME
    for report in reports:
        yield from in_hints(*filter(None, [_BY_CONTACT.get(report.answer.contact.value)]))
    silent = {Contact.CLOSED, Contact.TIMED_OUT, Contact.STARTTLS_BROKEN}
    if any(
        report.server.starttls is not None and report.answer.contact in silent and report.answer.answered_at is not None
        for report in reports
    ):  # such a server may wait for TLS
        yield Hint(text="if TLS begins at once on that port, leave --starttls out")
    for protocol in sorted({protocol for report in reports for protocol in _protocols_of(report)}):
        yield Hint(text=f"--starttls {protocol} begins with {protocol} and then switches to TLS")
    if any(
        report.server.starttls is None and report.answer.contact is Contact.NOT_TLS and not any(_protocols_of(report))
        for report in reports
    ):
        yield _SPEAK_FIRST


def _problems(chain: ServedChainReport) -> frozenset[Check]:
    return frozenset(finding.check for finding in chain.findings if finding.is_problem)


def _protocols_of(report: ProbeReport) -> Iterator[str]:
    """Yield the protocols that the port is for, where the server did not speak TLS there."""
    from pkcs12kit.tls.probing.contact import Contact
    from pkcs12kit.tls.probing.starttls_protocols import STARTTLS

    if report.server.starttls is None and report.answer.contact in {Contact.NOT_TLS, Contact.CLOSED, Contact.TIMED_OUT}:
        yield from (one.name for one in STARTTLS.values() if one.port == report.server.port)
