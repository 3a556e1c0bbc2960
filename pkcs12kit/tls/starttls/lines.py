"""Protocols of lines: SMTP, FTP, NNTP with replies of three digits; IMAP, POP3, ManageSieve with words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pkcs12kit.tls.starttls.dialogue import Dialogue

_REPLY: Final = re.compile(r"([1-5][0-9]{2})(?:([ -])(.*))?", re.ASCII | re.DOTALL)
_SIEVE_END: Final = re.compile(r"(OK|NO|BYE)\b", re.IGNORECASE)


def smtp(dialogue: Dialogue, _: str) -> None:
    """RFC 3207 section 4; a client without a name of its own gives its address (RFC 5321 section 4.1.3)."""
    _expect(dialogue, {"220"})
    address = dialogue.own_address
    dialogue.send_line(f"EHLO [IPv6:{address}]" if ":" in address else f"EHLO [{address}]")
    offered = [line.upper().split(" ")[0] for line in _expect(dialogue, {"250"})]
    if "STARTTLS" not in offered:
        dialogue.refused("STARTTLS is not among its extensions")
    dialogue.send_line("STARTTLS")
    _expect(dialogue, {"220"})


def ftp(dialogue: Dialogue, _: str) -> None:
    """RFC 4217 section 4."""
    _expect(dialogue, {"220"})
    dialogue.send_line("AUTH TLS")
    _expect(dialogue, {"234"})


def nntp(dialogue: Dialogue, _: str) -> None:
    """RFC 4642 section 2.2; replies are of one line (RFC 3977 section 3.1)."""
    _expect(dialogue, {"200", "201"})
    dialogue.send_line("STARTTLS")
    _expect(dialogue, {"382"})


def _expect(dialogue: Dialogue, codes: set[str]) -> list[str]:
    """Read one reply and give its texts; more lines follow a hyphen (RFC 5321 section 4.2.1, RFC 959 section 4.2).

    Inside such a reply FTP allows lines of any kind.
    """
    said = dialogue.line()
    reply = _REPLY.fullmatch(said)
    if reply is None:
        dialogue.strange(said)
    code, separator, text = reply.groups()
    texts = [text or ""]
    while separator == "-":
        more = dialogue.line()
        following = _REPLY.fullmatch(more)
        if following is not None and following[1] == code:
            separator, more = following[2], following[3] or ""
        texts.append(more)
    if code not in codes:
        dialogue.refused(said)
    return texts


def imap(dialogue: Dialogue, _: str) -> None:
    """RFC 9051 sections 6.2.1 and 7.1; a session that is authenticated already takes no STARTTLS."""
    greeting = dialogue.line()
    if not greeting.startswith("* "):
        dialogue.strange(greeting)
    if not re.match(r"\* OK\b", greeting, re.IGNORECASE):  # PREAUTH or BYE
        dialogue.refused(greeting)
    dialogue.send_line("a1 STARTTLS")
    while (said := dialogue.line()).startswith("* "):
        pass
    if re.match(r"a1 (NO|BAD)\b", said, re.IGNORECASE):
        dialogue.refused(said)
    if not re.match(r"a1 OK\b", said, re.IGNORECASE):
        dialogue.strange(said)


def pop3(dialogue: Dialogue, _: str) -> None:
    """RFC 2595 section 4."""
    for command in ("", "STLS"):
        if command:
            dialogue.send_line(command)
        said = dialogue.line()
        if re.match(r"-ERR\b", said, re.IGNORECASE):
            dialogue.refused(said)
        if not re.match(r"\+OK\b", said, re.IGNORECASE):
            dialogue.strange(said)


def sieve(dialogue: Dialogue, _: str) -> None:
    """RFC 5804 sections 1.2, 1.7 and 2.2."""
    capabilities = [line.upper() for line in _sieve_response(dialogue)]
    if not any(line.startswith('"STARTTLS"') for line in capabilities):
        dialogue.refused("STARTTLS is not among its capabilities")
    dialogue.send_line("STARTTLS")
    _sieve_response(dialogue)


def _sieve_response(dialogue: Dialogue) -> list[str]:
    lines: list[str] = []
    while (end := _SIEVE_END.match(said := dialogue.line())) is None:
        if not said.startswith('"'):
            dialogue.strange(said)
        lines.append(said)
    if end[1].upper() != "OK":
        dialogue.refused(said)
    return lines
