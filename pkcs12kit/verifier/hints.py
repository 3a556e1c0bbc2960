"""Hints for a file or a server whose checks say no."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from cryptography import x509

from pkcs12kit.errors import FailureReason, MalformedCertificateError
from pkcs12kit.findings import Check
from pkcs12kit.hints import Hint
from pkcs12kit.paths.calls import Call
from pkcs12kit.paths.cures import for_revoked, for_unknown_status
from pkcs12kit.paths.hints import (
    RENEW_ISSUER,
    fails_only_for_time,
    hints_about_time,
    hints_for_cure,
    in_hints,
    right_time,
)
from pkcs12kit.text import shortened
from pkcs12kit.tls.probing.contact import Contact
from pkcs12kit.verifier.checks import KEY_OF_ANOTHER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.findings import Finding
    from pkcs12kit.paths.cures import Attempt
    from pkcs12kit.paths.failure import Failure
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.tls.certificate_message import CertificateMessage
    from pkcs12kit.tls.probing.answers import ServerAnswer
    from pkcs12kit.tls.probing.target import ProbedServer

_SERVER_NAME: Final = Hint(
    text="give a name that the certificate is for with --server-name, or ask its CA for another certificate"
)
_NAMED_ISSUER: Final = Hint(
    text="build the file again, and give the certificate that the authorityKeyIdentifier names with --certs; or ask the"
    " CA for a new certificate"
)
_BY_CHECK: Final = (
    ({Check.AUTHORITY_KEY_IDENTIFIER}, _NAMED_ISSUER),
    ({Check.SERVER_NAME}, _SERVER_NAME),
    ({Check.EXPIRY}, Hint(text="renew the certificate that expires, and build the file again")),
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
_OTHER_KEY: Final = Hint(
    text="the private key is of another certificate: build the file again with the key that was made for this one, or"
    " with the certificate that was issued for this key"
)
_OUT_OF_ORDER: Final = frozenset({Check.LOCAL_KEY_ID, Check.DUPLICATES, Check.CHAIN, Check.ORDER})
_NAMES_SHOWN: Final = 3
_NAME: Final = re.compile(r"[A-Za-z0-9*_.-]{1,253}", re.ASCII)


class Chain(Protocol):
    """The report on a served chain, as far as hints need it; its module imports this one."""

    @property
    def message(self) -> CertificateMessage:
        """The served chain."""

    @property
    def parameters(self) -> ValidationParameters:
        """The time and the server name."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """One for each check."""

    @property
    def path(self) -> ValidatedPath | None:
        """The valid path, if there is one."""

    @property
    def rejected(self) -> tuple[Attempt, ...]:
        """The paths that failed, the closest first."""

    @property
    def changes(self) -> tuple[str, ...]:
        """The changes to make on the server."""


def _with_cure(hints: tuple[Hint, ...], cures: tuple[Hint, ...]) -> tuple[Hint, ...]:
    """Return both: the certificates are fetched before the file is built again, and renewed before they are fetched."""
    return (*cures, *hints) if hints == (RENEW_ISSUER,) else (*hints, *cures)


def hints_for_file(
    findings: Sequence[Finding],
    rejected: Sequence[Attempt],
    certificates: Sequence[Certificate],
    *,
    time: datetime,
    is_pkcs12: bool,
    has_private_key: bool,
    revocation: Sequence[Failure],
    unreadable_by: Callable[[str], bool],
) -> tuple[Hint, ...]:
    """Return the hints for a file that failed a check.

    ``revocation`` has the failures of that check; ``unreadable_by`` tells if a reader needs another protection.
    """
    call = Call.current()._replace(is_pkcs12=is_pkcs12)
    wrong_time = hints_about_time(rejected)
    if any(finding.why == KEY_OF_ANOTHER for finding in findings):  # a file that is built with this key is no better
        return (_OTHER_KEY, *wrong_time)
    if wrong_time and fails_only_for_time(rejected):
        return _with_cure(wrong_time, hints_for_cure(rejected, certificates, time, call=call))
    problems = {finding.check for finding in findings if finding.is_problem}
    if problems == {Check.PRIVATE_KEY} and not has_private_key:
        own = () if is_pkcs12 else in_hints("--key names the file with the private key")
        return (
            *own,
            Hint(text="--certs-only checks a file that holds only certificates", command=call.again(certs_only=True)),
        )
    hints = _for_revocation(revocation)
    hints = (*hints, *(_about_anchor(rejected, call) or _about_missing_issuer(rejected, certificates, time, call)))
    out_of_order = problems & _OUT_OF_ORDER
    if not hints and (out_of_order or (Check.JAVA_ENTRIES in problems and has_private_key)):
        text = "build the file again, in order" if is_pkcs12 else "build a file with the right chain, in order"
        hints = (Hint(text=text, command=call.rebuild()),)
    elif Check.JAVA_ENTRIES in problems and not has_private_key:
        hints = (*hints, _truststore(call))
    hints = (*hints, *(hint for checks, hint in _BY_CHECK if problems & checks))
    if Check.READERS in problems and is_pkcs12:
        asked = tuple(filter(unreadable_by, call.readers))
    if Check.READERS in problems and is_pkcs12 and (asked or not call.readers):
        hints = (*hints, Hint(text="protect the file so that the reader can open it", command=call.convert(asked)))
    if not hints and Check.PATH in problems:
        hints = (Hint(text="build the file again with another path", command=call.rebuild()),)
    return (*wrong_time, *hints)


def _for_revocation(failures: Sequence[Failure]) -> tuple[Hint, ...]:
    if not failures:
        return ()
    if failures[0].reason is FailureReason.REVOKED:
        return for_revoked(failures[0])
    return for_unknown_status(failures)


def _truststore(call: Call) -> Hint:
    certs_only = call._replace(certs_only=True)
    return Hint(
        text="build a truststore, in which each certificate has a name of its own and Java's mark of trust",
        command=certs_only.rebuild(more=("--truststore",)),
    )


def _about_anchor(rejected: Sequence[Attempt], call: Call) -> tuple[Hint, ...]:
    """Return the hints for certificates that lead to another root; none for another fault."""
    failures = rejected[0].failures if rejected else ()
    untrusted = [one.certificate for one in failures if one.reason is FailureReason.NO_TRUST_ANCHOR]
    if not untrusted:
        return ()
    last = untrusted[0]
    end = f"is self-signed and not the --anchor: {last.label}" if last.is_self_issued else f"is {last.label}"
    others = call._replace(certificates=call.certificates or ("CROSS-CERTIFICATES",))
    return (
        Hint(text=f"is this the right --anchor? The last certificate of the chain {end}"),
        Hint(
            text="or build the file again, with cross-certificates that lead to the trust anchor",
            command=others.rebuild(),
        ),
    )


def _about_missing_issuer(
    rejected: Sequence[Attempt], certificates: Sequence[Certificate], time: datetime, call: Call
) -> tuple[Hint, ...]:
    """Return the hints for a chain that lacks the certificate of an issuer, which must come from elsewhere."""
    failures = rejected[0].failures if rejected else ()
    missing = [one.missing_issuer.name.label for one in failures if one.missing_issuer is not None]
    if not missing:
        return ()
    text = f"build the file again, and give the missing certificate of {missing[0]} with --certs"
    others = call._replace(certificates=call.certificates or ("CA-CERTIFICATES",))
    fetching = hints_for_cure(rejected, certificates, time, call=call)
    return (*fetching, Hint(text=f"or {text}" if fetching else text, command=others.rebuild()))


def hints_for_rehearsal(chain: Chain, *, is_pkcs12: bool) -> tuple[Hint, ...]:
    """Return the hints for a file whose chain a client does not accept."""
    call = Call.current()._replace(is_pkcs12=is_pkcs12)
    certificates, time = chain.message.certificates, chain.parameters.time
    wrong_time = hints_about_time(chain.rejected)
    if wrong_time and fails_only_for_time(chain.rejected):
        return _with_cure(wrong_time, hints_for_cure(chain.rejected, certificates, time, call=call))
    problems = _problems(chain)
    hints = (*wrong_time, *((_SERVER_NAME,) if Check.SERVER_NAME in problems else ()))
    if about_anchor := _about_anchor(chain.rejected, call):
        return (*hints, *about_anchor)
    if about_issuer := _about_missing_issuer(chain.rejected, certificates, time, call):
        return (*hints, *about_issuer)
    if not chain.changes or not problems - {Check.SERVER_NAME, Check.PURPOSE, Check.EXPIRY}:
        return hints
    text = "build the file again, in order" if is_pkcs12 else "build a file with the right chain, in order"
    return (*hints, Hint(text=text, command=call.rebuild()))


def hints_for_server(server: ProbedServer, answer: ServerAnswer, chains: Sequence[Chain]) -> Iterator[Hint]:
    """Yield the hints for a server that failed a check."""
    if any(path.clock_looks_wrong for chain in chains for path in chain.rejected[:1]):
        yield right_time()
    for chain in chains:
        if hints_about_time(chain.rejected):
            yield from hints_for_cure(chain.rejected, chain.message.certificates, chain.parameters.time)
        if chain.path is not None and Check.EXPIRY in _problems(chain):
            yield _RENEW_SERVED
        if Check.SERVER_NAME in _problems(chain):
            yield _other_name(server, chain)
        if chain.rejected and chain.rejected[0].reason is FailureReason.NO_TRUST_ANCHOR:
            yield Hint(
                text="is this the right --anchor? If it is, give cross-certificates that lead to it with --certs, to"
                " see whether the server has to send them"
            )
    yield from in_hints(*filter(None, [_BY_CONTACT.get(answer.contact.value)]))
    silent = {Contact.CLOSED, Contact.TIMED_OUT, Contact.STARTTLS_BROKEN}
    if server.starttls is not None and answer.contact in silent and answer.answered_at is not None:
        yield Hint(text="if TLS begins at once on that port, leave --starttls out")  # such a server may wait for TLS
    protocols = tuple(sorted(_protocols_of(server, answer)))
    for protocol in protocols:
        yield Hint(text=f"--starttls {protocol} begins with {protocol} and then switches to TLS")
    if server.starttls is None and answer.contact is Contact.NOT_TLS and not protocols:
        yield _SPEAK_FIRST


def _other_name(server: ProbedServer, chain: Chain) -> Hint:
    """Return the hint to ask for a name that the certificate is for."""
    if server.server_name == server.address.name and server.address.is_ip_address:
        return _ASK_FOR_NAME
    names = _names(chain.message.certificates[:1])
    shown = f"; the certificate is for {', '.join(shortened(names, _NAMES_SHOWN))}" if names else ""
    name = next((one for one in names if "*" not in one), None)
    return Hint(
        text=f"if the clients use another name for this server, ask for it: --server-name {name or 'NAME'}{shown}",
        command=None if name is None else Call.current().again(server_name=name),
    )


def _names(certificates: Sequence[Certificate]) -> tuple[str, ...]:
    """Return the DNS names of a certificate that are safe to show in a command."""
    with suppress(MalformedCertificateError):
        names = (one for each in certificates for one in each.extensions.subject_alternative_name or ())
        return tuple(one.value for one in names if isinstance(one, x509.DNSName) and _NAME.fullmatch(one.value))
    return ()


def _problems(chain: Chain) -> frozenset[Check]:
    return frozenset(finding.check for finding in chain.findings if finding.is_problem)


def _protocols_of(server: ProbedServer, answer: ServerAnswer) -> Iterator[str]:
    """Yield the protocols that the port is for, where the server did not speak TLS there."""
    from pkcs12kit.tls.probing.starttls_protocols import STARTTLS

    if server.starttls is None and answer.contact in {Contact.NOT_TLS, Contact.CLOSED, Contact.TIMED_OUT}:
        yield from (one.name for one in STARTTLS.values() if one.port == server.port)
