"""Hints for answers of no: values that say what to do next. They are made here and printed elsewhere.

Each function takes a report and returns its hints, in the order in which to try them. Hints for errors in the input are
in :mod:`~pkcs12kit.cli.output.input_hints`.
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Final

import click

from pkcs12kit.cli.output.cures import OF_REVOKED, OR_FETCH, cure, for_revoked, for_unknown_status
from pkcs12kit.cli.output.next_steps import with_commands
from pkcs12kit.errors import FailureReason
from pkcs12kit.findings import Check
from pkcs12kit.hints import Hint
from pkcs12kit.paths.failure import SECTION_OF_TRUST_ANCHORS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.paths.report import PathReport, RejectedPath
    from pkcs12kit.retrieval.bundles.report import BundleReport
    from pkcs12kit.retrieval.gather import GatherReport
    from pkcs12kit.retrieval.retrieved import Retrieval
    from pkcs12kit.verifier.reports import ServedChainReport, VerificationReport
    from pkcs12kit.verifier.server_reports import ProbeReport, RehearsalReport


def _hints(*texts: str) -> tuple[Hint, ...]:
    return tuple(Hint(text=text) for text in texts)


FETCH: Final = Hint(text=OR_FETCH)
GATHER: Final = Hint(text="or fetch what is missing", command="pkcs12kit gather CERT --anchor FILE --into FOLDER")
_AT: Final = "--at TIME checks another time, and its answer is for that time only"
RIGHT_TIME: Final = Hint(text=f"is this time right? It comes from this computer's clock; {_AT}")
"""For an answer that a wrong clock would explain."""
RIGHT_AT: Final = Hint(text="is the time of --at right? Without --at, the answer is for now")
"""The same where the time was given."""

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
_RENEW_TARGET: Final = Hint(text=f"renew the certificate: ask its CA for a new one; {_AT}")
_RENEW_ISSUER: Final = Hint(text=f"build the file again with renewed certificates in --certs; {_AT}")
_NO_SOURCES: Final = Hint(text="no --certs given: give the CA certificates that you have, as files, folders or zips")
_BY_REASON: Final = {
    FailureReason.ISSUER_NOT_FOUND: "give the missing certificate with --certs",
    FailureReason.BAD_SIGNATURE: "if the CA was rekeyed, give the certificate of its right key with --certs",
    FailureReason.NO_TRUST_ANCHOR: "give cross-certificates that lead to the trust anchor with --certs, or give another"
    " --anchor if the clients trust that one",
    FailureReason.EXPIRED: f"give renewed certificates with --certs; {_AT}",
    FailureReason.NOT_YET_VALID: _AT,
    FailureReason.WEAK_ALGORITHM: "--algorithms allow-all accepts it; use that only to look at old files",
    FailureReason.EXPLICIT_POLICY: "--policy takes policies of the trust anchor's domain; leave it out to accept any",
    FailureReason.SERVER_NAME: "give a name that the certificate is for with --server-name, or leave it out",
    FailureReason.EXTENDED_KEY_USAGE: "ask the CA for a certificate for TLS servers, or leave --server-name out",
    FailureReason.NAME_CONSTRAINTS: "ask a CA that may issue for this name, or give certificates for another path with"
    " --certs",
    FailureReason.REVOKED: OF_REVOKED,
    FailureReason.BUDGET_EXHAUSTED: "give fewer certificates with --certs: only those between the certificate and the"
    " trust anchor are needed",
    FailureReason.REVOCATION_UNKNOWN: "give the missing CRLs or OCSP responses with --crl or --ocsp, or accept the"
    " unknown status with --revocation soft",
}
_MISSING_CERTIFICATES: Final = frozenset({FailureReason.ISSUER_NOT_FOUND, FailureReason.NO_TRUST_ANCHOR})
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
_PROXY: Final = Hint(
    text="http_proxy, https_proxy and all_proxy name the proxy; no_proxy lists the hosts that are reached without it"
)
_PROXY_LOGIN: Final = Hint(
    text="the login of a proxy belongs in the URL of http_proxy or https_proxy, with signs such as @ and :"
    " percent-encoded; set the variable where no history of a shell keeps it. no_proxy lists the hosts that are reached"
    " without the proxy"
)
_PKCS12: Final = "pkcs12"


def hints_for_no_path(
    report: PathReport,
    *,
    sources_given: bool,
    fetching: Hint | None = None,
    retrievals: Sequence[Retrieval] | None = None,
) -> tuple[Hint, ...]:
    """Return the hints for a search that found no valid path.

    ``fetching``, :data:`FETCH` or :data:`GATHER`, is what the command offers: :data:`FETCH` is added where revocation
    data can be fetched. ``retrievals`` are the outcomes of fetching, None where nothing was to be fetched. The hints
    end with the cure (:mod:`~pkcs12kit.cli.output.cures`).
    """
    closest = report.rejected[0] if report.rejected else None
    may_fetch = fetching is not None or retrievals is not None
    cures = _cure(report.rejected, (), report.time, trust_anchors=report.trust_anchors) if may_fetch else ()
    if retrievals is not None and (advice := hints_for_retrievals(retrievals)):
        return (*advice, *cures)
    hints = () if closest is None else _for_closest(closest, report.target)
    if closest is not None and closest.reason is FailureReason.REVOCATION_UNKNOWN:
        own = for_unknown_status(closest.failures[0], fetch_option=fetching is FETCH)
        return with_commands((*own, *cures), closest)
    if not sources_given and (closest is None or closest.reason in _MISSING_CERTIFICATES):
        hints = (_NO_SOURCES,)
    hints = (*hints, *cures)
    return hints if closest is None else with_commands(hints, closest)


def _right_time() -> Hint:
    """Return the question for a time that looks wrong: about ``--at`` where the current command got it."""
    context = click.get_current_context(silent=True)
    return RIGHT_TIME if context is None or context.params.get("time") is None else RIGHT_AT


def _for_closest(closest: RejectedPath, target: Certificate) -> tuple[Hint, ...]:
    if closest.clock_looks_wrong:
        renew = () if closest.reason is FailureReason.NOT_YET_VALID else (_RENEW_TARGET,)
        return (_right_time(), *renew)
    if closest.section == SECTION_OF_TRUST_ANCHORS:
        return _hints(f"--ignore-anchor-validity accepts it, if the clients do; {_AT}")
    if closest.reason is FailureReason.EXPIRED and closest.certificate == target:
        return (_RENEW_TARGET,)
    if closest.reason is FailureReason.REVOKED:
        return for_revoked(closest.failures[0])
    text = _BY_REASON.get(closest.reason)
    if text is None:
        return _hints("give certificates for another path to the trust anchor with --certs")
    return _hints(text)


def _about_time(rejected: Sequence[RejectedPath]) -> tuple[Hint, ...]:
    """Return the hints for a file whose path is invalid only at this time; none where another thing is wrong."""
    if not rejected:
        return ()
    closest = rejected[0]
    if closest.clock_looks_wrong:
        return (_right_time(),)
    if closest.reason is FailureReason.NOT_YET_VALID:
        return _hints(_BY_REASON[closest.reason])
    if closest.reason is not FailureReason.EXPIRED:
        return ()
    return (_RENEW_TARGET,) if closest.certificate == closest.certificates[0] else (_RENEW_ISSUER,)


def _cure(
    rejected: Sequence[RejectedPath],
    certificates: Iterable[Certificate],
    time: datetime | None,
    *,
    trust_anchors: Iterable[TrustAnchor] = (),
) -> tuple[Hint, ...]:
    """Return the cure for the closest of the failed paths; ``certificates`` are in the file or the served chain."""
    if not rejected:
        return ()
    steps = cure(rejected[0], trust_anchors=trust_anchors, others=certificates, time=time)
    return tuple(Hint(text=step.text, command=step.command) for step in steps)


def _with_cure(hints: tuple[Hint, ...], cures: tuple[Hint, ...]) -> tuple[Hint, ...]:
    """Return both: the certificates are fetched before the file is built again, and renewed before they are fetched."""
    return (*cures, *hints) if hints == (_RENEW_ISSUER,) else (*hints, *cures)


def hints_for_retrievals(retrievals: Iterable[Retrieval]) -> tuple[Hint, ...]:
    """Return the hints for URLs that could not be fetched; none where no option would help."""
    from pkcs12kit.retrieval.http.accounting import PROXY_FAILS, PROXY_LOGIN
    from pkcs12kit.retrieval.http.permitted import NOT_PUBLIC, PRIVATE_NAME
    from pkcs12kit.retrieval.retrieved import Status

    retrievals = tuple(retrievals)
    missed = [retrieval for retrieval in retrievals if retrieval.sha256 is None]
    asked = [retrieval for retrieval in retrievals if retrieval.attempts]
    refused = [one.why for one in missed if one.status is Status.REFUSED]
    if any(NOT_PUBLIC in why or PRIVATE_NAME in why for why in refused):
        return _hints("if the network is your own, --allow-private also connects to addresses that are not public")
    if any("(limits.retrieval_seconds)" in one.why for one in missed):
        return _hints("--timeout SECONDS allows more time")
    if any(PROXY_LOGIN in one.why for one in missed):
        return (_PROXY_LOGIN,)
    if any(PROXY_FAILS in one.why for one in missed):
        return (_PROXY,)
    if asked and not any(one.http_status for one in asked):
        return _hints(
            "no server answered. Is there a network, and does it need a proxy (http_proxy, https_proxy)?",
            "without a network, --offline uses the cache, and --certs takes a folder gathered on another computer",
        )
    return ()


def hints_for_gather(
    bundles: Sequence[BundleReport], report: GatherReport | None, *, offline: bool
) -> tuple[Hint, ...]:
    """Return the hints for fetched bundles and for a gathering; ``report`` is None where no path was asked for."""
    from pkcs12kit.retrieval.bundles.checksums import ChecksumStatus
    from pkcs12kit.retrieval.retrieved import Status

    hints: tuple[Hint, ...] = ()
    statuses = [(bundle.checksum.status, bundle.why) for bundle in bundles if bundle.checksum is not None]
    if any(status is ChecksumStatus.NOT_ANCHORED for status, _ in statuses):
        hints = _hints("--bundle-anchor FILE names the root to which the signer of the checksums must lead")
    if any(status is ChecksumStatus.WEAK and not why for status, why in statuses):
        hints = (*hints, *_hints("--strict-checksums rejects a bundle whose checksums are weakly signed"))
    of_bundles = [retrieval for bundle in bundles if bundle.url is None for retrieval in bundle.retrievals]
    if report is None:
        return (*hints, *hints_for_retrievals(of_bundles))
    if report.path is not None:
        return hints
    advice = hints_for_retrievals((*of_bundles, *report.retrievals))
    if not advice and offline and any(url.retrieval.status is Status.SKIPPED for url in report.urls):
        advice = _hints("leave --offline out, and what is missing is fetched from the URLs in the certificates")
    searched = report.report
    if searched is not None and not advice:
        advice = hints_for_no_path(searched, sources_given=True, retrievals=())
    elif searched is not None:
        advice = (*advice, *_cure(searched.rejected, (), searched.time, trust_anchors=searched.trust_anchors))
    return (*hints, *advice)


def hints_for_graph(target: str) -> tuple[Hint, ...]:
    """Return the hint for a picture in which no path of the file ``target`` is valid."""
    return (Hint(text="show the reason", command=f"pkcs12kit paths {quote(target)} --certs SOURCE --anchor FILE"),)


def hints_for_verification(report: VerificationReport) -> tuple[Hint, ...]:
    """Return the hints for a file that failed a check."""
    wrong_time = _about_time(report.rejected)
    if wrong_time:
        return _with_cure(wrong_time, _cure(report.rejected, report.certificates, report.parameters.time))
    problems = {finding.check for finding in report.findings if finding.is_problem}
    if problems == {Check.PRIVATE_KEY} and not report.has_private_key:
        own = () if report.format.value == _PKCS12 else ("--key names the file with the private key",)
        return _hints(*own, "--certs-only checks a file that holds only certificates")
    hints = (*_for_revocation(report), *(hint for checks, hint in _BY_CHECK if problems & checks))
    if Check.JAVA_ENTRIES in problems and _REBUILD not in hints:
        hints = (*hints, _REBUILD if report.has_private_key else _TRUSTSTORE)
    if report.format.value != _PKCS12:  # it is not converted to anything that a reader opens
        hints = tuple(_REBUILD_CHAIN if hint is _REBUILD else hint for hint in hints if hint is not _CONVERT)
    return hints or ((_OTHER_PATH,) if Check.PATH in problems else ())


def _for_revocation(report: VerificationReport) -> tuple[Hint, ...]:
    failure = None if report.revocation is None else report.revocation.failure
    if failure is None:
        return ()
    return for_unknown_status(failure) or for_revoked(failure)


def hints_for_rehearsal(report: RehearsalReport) -> tuple[Hint, ...]:
    """Return the hints for a file that a client does not accept."""
    chain = report.served_chain
    wrong_time = _about_time(chain.rejected)
    if wrong_time:
        return _with_cure(wrong_time, _cure(chain.rejected, chain.message.certificates, chain.parameters.time))
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
        yield _right_time()
    for chain in chains:
        if _about_time(chain.rejected):
            yield from _cure(chain.rejected, chain.message.certificates, chain.parameters.time)
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
        yield from _hints(*filter(None, [_BY_CONTACT.get(report.answer.contact.value)]))
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
