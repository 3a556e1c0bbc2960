"""Checks of live servers: the connection, the versions of TLS and the handshake, beside the served chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.serial_numbers import serial_number_label
from pkcs12kit.findings import SERVER_CHECKS, Check, not_checked, not_ok, note, ok
from pkcs12kit.times import format_time
from pkcs12kit.tls.certificate_message import TLS_1_2, TLS_1_3
from pkcs12kit.tls.probing.contact import Contact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.findings import Finding
    from pkcs12kit.tls.probing.answers import ProtocolAnswer, ServerAnswer
    from pkcs12kit.tls.probing.key_types import ServerKeyType
    from pkcs12kit.tls.probing.target import ProbedServer
    from pkcs12kit.verifier.probed_chains import ProbedChain
    from pkcs12kit.verifier.reports import ServedChainReport

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
    Contact.NOT_TLS: "this is not a TLS server",
    Contact.STARTTLS_REFUSED: "it refuses to start TLS",
    Contact.STARTTLS_BROKEN: "it does not start TLS as its protocol requires",
    Contact.NAME_REFUSED: "it knows no server of that name",
    Contact.HANDSHAKE_FAILED: "no handshake led to its certificates",
    Contact.UNREADABLE: "its certificates cannot be read",
    Contact.INTERRUPTED: "the probe was interrupted",
}


def check_server(
    server: ProbedServer,
    answer: ServerAnswer,
    tls_1_2: ServedChainReport | None,
    others: Sequence[ProbedChain] = (),
) -> Iterator[Finding]:
    """Yield the finding of each check, in their order.

    ``tls_1_2`` is about the chain served there, if another, and ``others`` about those for other types of keys.
    """
    yield _contact(server, answer)
    if answer.message is None:
        for check in SERVER_CHECKS[1:]:
            yield not_checked(check, _NO_ANSWER)
        return
    yield _protocols(answer)
    yield _handshake(answer)
    yield _client_certificate(answer)
    yield _same_certificates(answer, tls_1_2)
    yield _key_types(answer, others)


def _contact(server: ProbedServer, answer: ServerAnswer) -> Finding:
    at = "" if answer.answered_at is None else f" (at {answer.answered_at})"
    if answer.contact is not Contact.ANSWERED:
        asked = f" for {server.server_name!r}" if answer.contact is Contact.NAME_REFUSED else ""
        return not_ok(Check.CONTACT, f"{_WORDS[answer.contact]}{at}{asked}: {answer.why}")
    after = "" if server.starttls is None else f", after the STARTTLS of {server.starttls}"
    sent = f"{answer.answered_at} sent its certificates{after}"
    if not answer.not_asked:
        return ok(Check.CONTACT, sent)
    left = len(answer.not_asked) - _NAMED_AT_MOST
    others = f"{', '.join(answer.not_asked[:_NAMED_AT_MOST])}{f' and {left} more' if left > 0 else ''}"
    return note(
        Check.CONTACT,
        f"{sent}; not asked, if other servers to be probed with --server-name {server.server_name}: {others}",
    )


def _protocols(answer: ServerAnswer) -> Finding:
    """Check the versions of TLS; RFC 8996 forbids the old ones to servers and to clients."""
    spoken = [one.protocol for one in answer.answers]
    if all(one.is_old for one in answer.answers) and _CURRENT.intersection(spoken):
        suites = ", ".join(f"{one.protocol} with {one.cipher_suite}" for one in answer.answers)
        return not_ok(
            Check.PROTOCOLS,
            f"{suites}, and nothing that all clients accept: App Transport Security of iOS and macOS requires ECDHE and"
            " AES, and signatures without SHA-1 (developer.apple.com, Preventing Insecure Network Connections)",
        )
    if not _CURRENT.intersection(spoken):
        return not_ok(
            Check.PROTOCOLS,
            f"only {', '.join(spoken)}, which no client may accept (RFC 8996 sections 4 and 5): App Transport Security"
            " of iOS and macOS does not, nor does Go since 1.18 (golang.org/issue/45428)",
        )
    silent = [one for one in answer.protocols if one.message is None]
    others = f"; not {'; '.join(f'{one.protocol}: {one.contact.value}, {one.why}' for one in silent)}" if silent else ""
    if any(one.contact is Contact.TIMED_OUT for one in silent):  # clients do not fall back: RFC 8446 appendix D.1
        why = f"{', '.join(spoken)}{others}: a client that offers both may wait in vain as well"
        return not_ok(Check.PROTOCOLS, why)
    groups = dict.fromkeys(one.group for one in answer.answers if one.group and one.group.lower() not in _GROUPS)
    rare = f"; keys are exchanged by {', '.join(groups)}, which not all clients have: enable X25519 and P-256 as well"
    found = f"{', '.join(spoken)}{others}{rare if groups else ''}"
    return note(Check.PROTOCOLS, found) if silent or groups else ok(Check.PROTOCOLS, found)


def _handshake(answer: ServerAnswer) -> Finding:
    """Check that the handshake ended, by which the server showed that it has the private key."""
    check = Check.HANDSHAKE
    # A server without a key that was asked for may break off, or send a certificate that was not asked for.
    broken = [one for one in answer.all_answers if not one.is_complete and one.was_asked_for]
    if not broken:
        return ok(check, "complete: the server has the private key of its certificate")
    words = "; ".join(f"{_where(one)}: {one.why}" for one in broken)
    # In TLS 1.3 the server learns only after the end that there is none, so the break has another reason.
    if all(one.asks_for_client_certificate and one.ended_by_server and one.protocol != TLS_1_3 for one in broken):
        return note(check, f"ended by the server, which was shown no client certificate: {words}")
    return not_ok(check, f"it broke off after the certificates: {words}")


def _where(one: ProtocolAnswer) -> str:
    return f"{one.protocol} with {one.key_type.value}" if one.asked_key_types and one.key_type else one.protocol


def _client_certificate(answer: ServerAnswer) -> Finding:
    """Report the request for a client certificate, and its CAs (RFC 5246 section 7.4.4, RFC 8446 section 4.3.2)."""
    check = Check.CLIENT_CERTIFICATE
    asking = [one for one in answer.all_answers if one.asks_for_client_certificate]
    if not asking:
        return ok(check, "it asks for none")
    named = list(dict.fromkeys(str(name) for one in asking for name in one.client_authorities))
    more = f" and {len(named) - _NAMED_AT_MOST} more" if len(named) > _NAMED_AT_MOST else ""
    of = f", of {'; '.join(named[:_NAMED_AT_MOST])}{more}" if named else ", and names no CA for it"
    versions = ", ".join(dict.fromkeys(one.protocol for one in asking))
    return note(check, f"it asks for one{of} ({versions})")


def _same_certificates(answer: ServerAnswer, tls_1_2: ServedChainReport | None) -> Finding:
    check = Check.SAME_CERTIFICATES
    spoken = [one.protocol for one in answer.answers]
    if len(spoken) == 1:
        return not_checked(check, f"it speaks only {spoken[0]}")
    if tls_1_2 is None:
        return ok(check, f"the same in {' and '.join(spoken)}")
    if tls_1_2.ok:
        return note(check, f"others in {TLS_1_2} than in {TLS_1_3}, and they pass every check")
    return not_ok(check, f"others in {TLS_1_2} than in {TLS_1_3}, and they failed: {', '.join(tls_1_2.failed)}")


def _key_types(answer: ServerAnswer, others: Sequence[ProbedChain]) -> Finding:
    """Check the certificates for types of keys that the first handshakes did not lead to, and name all of them."""
    check = Check.KEY_TYPES
    if all(one.is_old for one in answer.answers):
        return not_checked(check, "it speaks no current version of TLS, in which clients name the types")
    found = "; ".join(_served_certificates(answer))
    failed = [f"that of {one} failed: {', '.join(one.report.failed)}" for one in others if not one.report.ok]
    if failed:
        return not_ok(check, f"{found}; {'; '.join(failed)}")
    if answer.other_keys_stopped:
        return note(check, f"{found}; not every type was asked for: {answer.other_keys_stopped}")
    return ok(check, found)


def _served_certificates(answer: ServerAnswer) -> Iterator[str]:
    """Yield each certificate that the server sends as its own, with the types of keys and versions of TLS."""
    served: dict[Certificate, dict[ServerKeyType, dict[str, None]]] = {}
    for one in answer.all_answers:
        if one.message is not None and one.key_type is not None:
            versions = served.setdefault(one.message.certificates[0], {}).setdefault(one.key_type, {})
            versions[one.protocol] = None
    for certificate, types in served.items():
        for key_type, versions in types.items():
            serial = serial_number_label(certificate.serial_number)
            until = format_time(certificate.not_after)
            yield f"{key_type.value} in {' and '.join(versions)}: {certificate.label} {serial}, until {until}"
