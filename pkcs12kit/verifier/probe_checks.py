"""What is asked of a live server beside what it sends, each a function to its finding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.findings import ProbeCheck
from pkcs12kit.tls.certificate_message import TLS_1_2, TLS_1_3
from pkcs12kit.tls.probing.contact import Contact
from pkcs12kit.verifier.delivered import not_checked, not_ok, note, ok

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.findings import Finding
    from pkcs12kit.tls.probing.server import ServerAnswer
    from pkcs12kit.verifier.reports import ProbedServer, SentReport

_CURRENT: Final = frozenset({TLS_1_2, TLS_1_3})
# What iOS and Android have, as OpenSSL names it in small letters; servers choose X25519 or P-256 if they have it.
_GROUPS: Final = frozenset({"x25519", "secp256r1", "prime256v1", "secp384r1", "x25519mlkem768"})
_NO_ANSWER: Final = "no certificate came"
_NAMED_AT_MOST: Final = 5
_WORDS: Final = {
    Contact.UNRESOLVABLE: "it has no address",
    Contact.REFUSED: "nothing listens there",
    Contact.UNREACHABLE: "it cannot be reached",
    Contact.TIMED_OUT: "the time is up",
    Contact.CLOSED: "it closed the connection without an answer",
    Contact.NOT_TLS: "this is no TLS server",
    Contact.STARTTLS_REFUSED: "it refuses to begin with TLS",
    Contact.STARTTLS_BROKEN: "it does not begin with TLS as its protocol has it",
    Contact.NAME_REFUSED: "it knows no server of that name",
    Contact.HANDSHAKE_FAILED: "no handshake led to its certificates",
    Contact.UNREADABLE: "its certificates cannot be read",
    Contact.INTERRUPTED: "it was not waited for",
}


def findings_of(server: ProbedServer, answer: ServerAnswer, tls_1_2: SentReport | None) -> Iterator[Finding]:
    """Say what came of each check, in their order; ``tls_1_2`` is what was sent there, where it is something else."""
    yield _contact(server, answer)
    if answer.message is None:
        for check in list(ProbeCheck)[1:]:
            yield not_checked(check, _NO_ANSWER)
        return
    yield _protocols(answer)
    yield _handshake(answer)
    yield _client_certificate(answer)
    yield _same_certificates(answer, tls_1_2)


def _contact(server: ProbedServer, answer: ServerAnswer) -> Finding:
    at = "" if answer.answered_at is None else f" (at {answer.answered_at})"
    if answer.contact is not Contact.ANSWERED:
        asked = f" for {server.server_name!r}" if answer.contact is Contact.NAME_REFUSED else ""
        return not_ok(ProbeCheck.CONTACT, f"{_WORDS[answer.contact]}{at}{asked}: {answer.why}")
    after = "" if server.starttls is None else f", after the STARTTLS of {server.starttls}"
    sent = f"{answer.answered_at} sent its certificates{after}"
    if not answer.not_asked:
        return ok(ProbeCheck.CONTACT, sent)
    left = len(answer.not_asked) - _NAMED_AT_MOST
    others = f"{', '.join(answer.not_asked[:_NAMED_AT_MOST])}{f' and {left} more' if left > 0 else ''}"
    return note(
        ProbeCheck.CONTACT,
        f"{sent}; not asked, if other servers to be probed with --server-name {server.server_name}: {others}",
    )


def _protocols(answer: ServerAnswer) -> Finding:
    """Say which versions are spoken; RFC 8996 forbids the old ones to servers and to clients."""
    spoken = [one.protocol for one in answer.answers]
    if all(one.is_old for one in answer.answers) and _CURRENT.intersection(spoken):
        suites = ", ".join(f"{one.protocol} with {one.cipher_suite}" for one in answer.answers)
        return not_ok(
            ProbeCheck.PROTOCOLS,
            f"{suites}, and nothing that all clients take: App Transport Security of iOS and macOS wants ECDHE and AES,"
            " and signatures without SHA-1 (developer.apple.com, Preventing Insecure Network Connections)",
        )
    if not _CURRENT.intersection(spoken):
        return not_ok(
            ProbeCheck.PROTOCOLS,
            f"{', '.join(spoken)} alone, which no client may take (RFC 8996 sections 4 and 5): App Transport Security"
            " of iOS and macOS does not, nor does Go since 1.18 (golang.org/issue/45428)",
        )
    silent = [one for one in answer.protocols if one.message is None]
    others = f"; not {'; '.join(f'{one.protocol}: {one.contact.value}, {one.why}' for one in silent)}" if silent else ""
    if any(one.contact is Contact.TIMED_OUT for one in silent):  # nobody falls back: RFC 8446 appendix D.1
        why = f"{', '.join(spoken)}{others}: a client that offers both may wait in vain too"
        return not_ok(ProbeCheck.PROTOCOLS, why)
    groups = dict.fromkeys(one.group for one in answer.answers if one.group and one.group.lower() not in _GROUPS)
    rare = f"; keys are exchanged by {', '.join(groups)}, which not all clients have: let it have X25519 and P-256 too"
    found = f"{', '.join(spoken)}{others}{rare if groups else ''}"
    return note(ProbeCheck.PROTOCOLS, found) if silent or groups else ok(ProbeCheck.PROTOCOLS, found)


def _handshake(answer: ServerAnswer) -> Finding:
    """Say whether the server showed that it has the private key, which is the end of a handshake."""
    check = ProbeCheck.HANDSHAKE
    broken = [one for one in answer.answers if not one.is_complete]
    if not broken:
        return ok(check, "complete: the server has the private key of its certificate")
    words = "; ".join(f"{one.protocol}: {one.why}" for one in broken)
    # In TLS 1.3 the server learns that there is none after the end, so that the break has another reason.
    if all(one.asks_for_client_certificate and one.ended_by_server and one.protocol != TLS_1_3 for one in broken):
        return note(check, f"ended by the server, which was shown no client certificate: {words}")
    return not_ok(check, f"it broke off after the certificates: {words}")


def _client_certificate(answer: ServerAnswer) -> Finding:
    """Say whether clients are asked for one, and whose (RFC 5246 section 7.4.4, RFC 8446 section 4.3.2)."""
    check = ProbeCheck.CLIENT_CERTIFICATE
    asking = [one for one in answer.answers if one.asks_for_client_certificate]
    if not asking:
        return ok(check, "it asks for none")
    named = list(dict.fromkeys(str(name) for one in asking for name in one.client_authorities))
    more = f" and {len(named) - _NAMED_AT_MOST} more" if len(named) > _NAMED_AT_MOST else ""
    of = f", of {'; '.join(named[:_NAMED_AT_MOST])}{more}" if named else ", and names no CA for it"
    return note(check, f"it asks for one{of} ({', '.join(one.protocol for one in asking)})")


def _same_certificates(answer: ServerAnswer, tls_1_2: SentReport | None) -> Finding:
    check = ProbeCheck.SAME_CERTIFICATES
    spoken = [one.protocol for one in answer.answers]
    if len(spoken) == 1:
        return not_checked(check, f"it speaks {spoken[0]} alone")
    if tls_1_2 is None:
        return ok(check, f"the same in {' and '.join(spoken)}")
    if tls_1_2.ok:
        return note(check, f"others in {TLS_1_2} than in {TLS_1_3}, and as they should be")
    problems = ", ".join(finding.check.value for finding in tls_1_2.problems) or "path"
    return not_ok(check, f"others in {TLS_1_2} than in {TLS_1_3}, and not as they should be: {problems}")
