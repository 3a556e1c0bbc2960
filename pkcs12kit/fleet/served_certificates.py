"""The certificates of a bundle's file, compared with those that a server sends.

The file is known by the SHA-256 of its certificates: neither it nor its password is needed. The rules are those of
``probe --expect``:

- Of the server's answers, those with a key of the bundle's type count, in TLS 1.3 and in TLS 1.2. Other bundles with
  the same server may have keys of other types, and each is compared with its own.
- The first certificate must be that of the file in all of them, and the handshake must show that the server has its
  key. So a server of which only some processes have loaded the new file does not pass as soon as one of them answers
  with the old one.
- Every other certificate of the file must be sent, except for the trust anchor's, which clients have. A certificate
  that is not in the file may only be a self-signed one. The order may differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.choice import are_akin
from pkcs12kit.findings import Check
from pkcs12kit.times import format_time
from pkcs12kit.tls.probing.contact import Contact
from pkcs12kit.tls.probing.key_types import server_key_type
from pkcs12kit.verifier.probe_checks import check_server
from pkcs12kit.verifier.probed_chains import handshakes_label, served_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.tls.probing.answers import ServerAnswer
    from pkcs12kit.tls.probing.target import ProbedServer

_SHOWN: Final = 16  # hexadecimal digits of a SHA-256 in a message
_NAMED_AT_MOST: Final = 3  # certificates of a chain in a message


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedChain:
    """The certificates of a bundle's file."""

    sha256: tuple[str, ...]
    """The SHA-256 of each, hexadecimal, the server's own first."""
    target: Certificate | None = None
    """The server's own certificate, where it is known: only the words of a message and the key's type depend on it."""
    has_anchor: bool = True
    """True if the last one is the trust anchor's, which a server may leave out."""

    def __str__(self) -> str:
        short = f"SHA-256 {_short(self.sha256[0])}"
        return f"that of the file ({short})" if self.target is None else f"the one that {_span(self.target)} ({short})"


def why_not_served(
    server: ProbedServer, answer: ServerAnswer, expected: ExpectedChain, of_bundles: Collection[str] = ()
) -> str | None:
    """Return why a server does not send a bundle's certificates, in one sentence without the server's name, or None.

    ``of_bundles`` are the SHA-256 of the certificates that this bundle and others expect from the same server.
    """
    contact, *findings = check_server(server, answer, None)
    if answer.message is None:
        return contact.why
    slow = [one for one in answer.protocols if one.contact is Contact.TIMED_OUT]
    if slow:
        return f"it did not answer in time in {' and '.join(one.protocol for one in slow)}"
    for sent in _chains(answer, expected, of_bundles):
        why = _difference(answer, sent, expected)
        if why is not None:
            return why
    handshake = next(one for one in findings if one.check is Check.HANDSHAKE)
    return handshake.why if handshake.is_problem else None


def _chains(
    answer: ServerAnswer, expected: ExpectedChain, of_bundles: Collection[str]
) -> Sequence[tuple[Certificate, ...]]:
    """Return the chains to compare, each once: those with a key of the expected type, else the first."""
    found = [one.message.certificates for one in answer.all_answers if one.message is not None]
    target = expected.target or next((one[0] for one in found if one[0].sha256 == expected.sha256[0]), None)
    alike = (
        one
        for one in found
        if (target is None or server_key_type(one[0]) is server_key_type(target))
        and (one[0].sha256 not in of_bundles or one[0].sha256 == expected.sha256[0])
    )
    return tuple(dict.fromkeys(alike)) or found[:1]


def _difference(answer: ServerAnswer, sent: tuple[Certificate, ...], expected: ExpectedChain) -> str | None:
    """Return how a chain that is sent differs from the file."""
    where = handshakes_label(served_in(answer, sent))
    if sent[0].sha256 != expected.sha256[0]:
        return f"{_sent_instead(sent[0], expected, where)}; expected {expected}"
    differences = tuple(_above(sent, expected))
    if differences:
        return f"it sends the right certificate ({where}), but not the others of the file: {'; '.join(differences)}"
    return None


def _sent_instead(sent: Certificate, expected: ExpectedChain, where: str) -> str:
    """Return the words for another certificate than the expected one."""
    described = f"{_span(sent)} (SHA-256 {_short(sent.sha256)}, {where})"
    target = expected.target
    if target is not None and are_akin(target, sent):
        if (sent.not_before, sent.not_after) < (target.not_before, target.not_after):
            return f"it still sends the certificate that {described}"
        if (sent.not_before, sent.not_after) > (target.not_before, target.not_after):
            return f"it sends a newer certificate, which {described}"
    return f"it sends another certificate, {sent.label}, which {described}"


def _above(sent: Sequence[Certificate], expected: ExpectedChain) -> Iterator[str]:
    """Yield the differences above the server's own certificate that matter to clients."""
    served = {one.sha256 for one in sent}
    required = expected.sha256[1:-1] if expected.has_anchor else expected.sha256[1:]
    missing = [one for one in required if one not in served]
    extra = [one for one in sent[1:] if one.sha256 not in expected.sha256 and not one.is_self_issued]
    if missing:
        numbers = ", ".join(
            f"number {expected.sha256.index(one) + 1} (SHA-256 {_short(one)})" for one in missing[:_NAMED_AT_MOST]
        )
        yield f"it leaves out {numbers}{_more(missing)} of {len(expected.sha256)}"
    if extra:
        names = ", ".join(f"{one.label} (SHA-256 {_short(one.sha256)})" for one in extra[:_NAMED_AT_MOST])
        yield f"it sends {names}{_more(extra)}, which the file does not have"


def _more(found: Sequence[object]) -> str:
    left = len(found) - _NAMED_AT_MOST
    return f" and {left} more" if left > 0 else ""


def _span(certificate: Certificate) -> str:
    return f"ends {format_time(certificate.not_after)}"


def _short(sha256: str) -> str:
    return f"{sha256[:_SHOWN]}..."
