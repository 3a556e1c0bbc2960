"""The dialogue before TLS, protocol by protocol: the yes, every no, and what is not the protocol at all."""

from __future__ import annotations

import socket
import struct
from contextlib import contextmanager
from dataclasses import replace

import pytest

from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.tls.channel import Deadline
from pkcs12kit.tls.probing.contact import Contact, ContactError
from pkcs12kit.tls.probing.starttls import Dialogue
from pkcs12kit.tls.probing.starttls_protocols import STARTTLS, start_tls

from ..thoroughness import mostly_slow

SECONDS = 30
XMPP_STREAM = (
    b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    b" id='1>2' from='example.mil' version='1.0'>"
)
XMPP_OPENING = (
    b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    b" to=\"mdm.example.mil\" version='1.0'>"
)
XMPP_TLS = b"urn:ietf:params:xml:ns:xmpp-tls"
XMPP_FEATURES = b"<stream:features><starttls xmlns='" + XMPP_TLS + b"'><required/></starttls></stream:features>"
LDAP_REQUEST = bytes.fromhex("301d 020101 7718 8016") + b"1.3.6.1.4.1.1466.20037"


def ldap_response(code, words=b"", *, number=1, name=b""):
    """Encode an ExtendedResponse (RFC 4511 section 4.12) by hand, to hold against what asn1crypto makes of it."""
    result = bytes([10, 1, code, 4, 0, 4, len(words)]) + words + name
    return bytes([0x30, len(result) + 5, 2, 1, number, 0x78, len(result)]) + result


def mysql_greeting(capabilities=0xFFFF, *, protocol=10):
    """Make an initial handshake packet as MySQL's documentation has it."""
    rest = struct.pack("<I8sBHBH", 7, b"scramble", 0, capabilities, 33, 2) + bytes(13) + b"more scramble\0"
    packet = bytes([protocol]) + b"8.0.36\0" + rest
    return struct.pack("<I", len(packet)) + packet


# What a server and a client say in turn, the server's yes last. The standards' own examples where they have some.
GOOD = {
    "smtp": [
        *(b"220-mail.example.mil\r\n220 ready\r\n", b"EHLO [127.0.0.1]\r\n"),
        *(
            b"250-mail.example.mil\r\n250-8BITMIME\r\n250-starttls\r\n250 HELP\r\n",
            b"STARTTLS\r\n",
            b"220 Go ahead\r\n",
        ),
    ],
    "ftp": [b"220-Welcome\r\n221 this is text, too\r\n 220\r\n220 ready\r\n", b"AUTH TLS\r\n", b"234 AUTH TLS OK.\r\n"],
    "nntp": [b"201 reading only\r\n", b"STARTTLS\r\n", b"382 Continue with TLS negotiation\r\n"],
    "imap": [
        b"* OK [CAPABILITY IMAP4rev2 STARTTLS] ready\r\n",
        b"a1 STARTTLS\r\n",
        b"* CAPABILITY IMAP4rev2\r\na1 OK Begin TLS negotiation now\r\n",
    ],
    "pop3": [b"+OK POP3 server ready\r\n", b"STLS\r\n", b"+OK Begin TLS negotiation\r\n"],
    "sieve": [
        b'"IMPLEMENTATION" "Example1"\r\n"SASL" ""\r\n"STARTTLS"\r\nOK "ready"\r\n',
        *(b"STARTTLS\r\n", b'OK "Begin TLS negotiation now."\r\n'),
    ],
    "ldap": [LDAP_REQUEST, ldap_response(0, name=b"\x8a\x161.3.6.1.4.1.1466.20037")],
    "xmpp": [
        XMPP_OPENING,
        *(
            XMPP_STREAM + XMPP_FEATURES,
            b"<starttls xmlns='" + XMPP_TLS + b"'/>",
            b"<proceed xmlns='" + XMPP_TLS + b"'/>",
        ),
    ],
    "postgres": [bytes.fromhex("00000008 04d2162f"), b"S"],
    "mysql": [mysql_greeting(), bytes.fromhex("20000001 018a0000 00000001 21") + bytes(23)],
}
SPEAKS_FIRST = {"smtp", "ftp", "nntp", "imap", "pop3", "sieve", "mysql"}
HAS_A_YES = sorted(GOOD.keys() - {"mysql"})  # there the client has the last word
protocols = pytest.mark.parametrize("protocol", sorted(GOOD))
some_protocols = pytest.mark.parametrize("protocol", mostly_slow(sorted(GOOD), every=3))


def test_every_protocol_is_tested():
    """One that is added to the table without its dialogue here would pass unseen."""
    assert set(GOOD) == set(STARTTLS)


class Script:
    """A server that says its part and keeps what the client says."""

    def __init__(self, protocol, parts, *, piecewise=False):
        self.parts = parts
        self.heard = []
        self._server_first = protocol in SPEAKS_FIRST
        self._piecewise = piecewise

    @property
    def to_hear(self):
        """The client's parts."""
        return self.parts[self._server_first :: 2]

    def __call__(self, over):
        """Play the part."""
        for number, part in enumerate(self.parts):
            if (number % 2 == 0) == self._server_first:
                over.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for piece in [part[at : at + 1] for at in range(len(part))] if self._piecewise else [part]:
                    over.sendall(piece)
            else:
                self.heard.append(over.recv(len(part), socket.MSG_WAITALL))
        while over.recv(4096):  # until the client has closed
            pass


@pytest.fixture
def talk(listening):
    """Speak up to TLS with a server that says these parts; gives what it heard, and raises what the client says."""

    @contextmanager
    def connect(protocol, parts, *, seconds=SECONDS, limits=DEFAULT_LIMITS, piecewise=False, host="127.0.0.1"):
        script = Script(protocol, parts, piecewise=piecewise)
        with listening(script, host) as port, socket.create_connection((host, port)) as over:
            start_tls(
                over,
                STARTTLS[protocol],
                server_name="mdm.example.mil",
                deadline=Deadline.after(seconds),
                limits=limits,
            )
            yield over
        assert script.heard == script.to_hear

    return connect


def refusal(talk, protocol, parts, **options):
    """Speak with a server that does not come to its yes; give what is said of it."""
    with pytest.raises(ContactError) as error, talk(protocol, parts, **options):
        pass
    assert str(error.value).startswith(f"{protocol}: ")
    assert "\n" not in str(error.value)
    return error.value.contact, str(error.value)


@protocols
@pytest.mark.parametrize("piecewise", [False, True])
def test_speaks_up_to_the_yes(talk, protocol, piecewise, nothing_left):
    """Both sides follow the standard, however the bytes are cut; afterwards the connection is free for TLS."""
    with nothing_left(), talk(protocol, GOOD[protocol], piecewise=piecewise) as over:
        over.settimeout(SECONDS)
        over.sendall(b"\x16")


def test_names_itself_by_its_address_over_ipv6(talk):
    """RFC 5321 section 4.1.3: an address literal, which for IPv6 has a tag."""
    parts = [part.replace(b"[127.0.0.1]", b"[IPv6:::1]") for part in GOOD["smtp"]]
    with talk("smtp", parts, host="::1"):
        pass


@pytest.mark.parametrize("protocol", HAS_A_YES)
@pytest.mark.parametrize("more", [b"\r\n", b"250 OK\r\n", b"\x16\x03\x03"])
def test_nothing_follows_the_yes(talk, protocol, more):
    """Bytes that a man in the middle adds are not a part of TLS (CVE-2011-0411, RFC 9051 section 11.1)."""
    *before, yes = GOOD[protocol]
    contact, why = refusal(talk, protocol, [*before, yes + more])
    assert contact is Contact.STARTTLS_BROKEN
    assert "it sent more in the clear" in why


def test_what_follows_later_is_seen_too():
    """Bytes that came later, and are still in the socket, were sent in the clear as well."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        deadline = Deadline.after(SECONDS)
        dialogue = Dialogue(ours, "pop3", server_name="localhost", deadline=deadline, limits=DEFAULT_LIMITS)
        theirs.sendall(b"+OK\r\n")
        assert dialogue.line() == "+OK"
        dialogue.end()
        theirs.sendall(b"x")
        with pytest.raises(ContactError, match="it sent more in the clear: 'x'"):
            dialogue.end()


def test_nothing_follows_the_greeting_of_mysql(talk):
    """There the client has the last word before TLS; the server has to wait for it."""
    contact, why = refusal(talk, "mysql", [mysql_greeting() + b"\0"])
    assert (contact, "it sent more in the clear" in why) == (Contact.STARTTLS_BROKEN, True)


NO = {
    "smtp busy": ("smtp", [b"554 No SMTP service here\r\n"], "'554 No SMTP service here'"),
    "smtp not offered": ("smtp", [*GOOD["smtp"][:2], b"250-a\r\n250 XSTARTTLS\r\n"], "not among its extensions"),
    "smtp later": ("smtp", [*GOOD["smtp"][:4], b"454 TLS not available\r\n"], "'454 TLS not available'"),
    "ftp": ("ftp", [*GOOD["ftp"][:2], b"534 Not now\r\n"], "'534 Not now'"),
    "nntp": ("nntp", [*GOOD["nntp"][:2], b"580 Can not initiate TLS\r\n"], "'580 Can not initiate TLS'"),
    "imap preauth": ("imap", [b"* PREAUTH logged in\r\n"], "'* PREAUTH logged in'"),
    "imap bye": ("imap", [b"* BYE too many\r\n"], "'* BYE too many'"),
    "imap no": ("imap", [*GOOD["imap"][:2], b"a1 NO broken\r\n"], "'a1 NO broken'"),
    "imap bad": ("imap", [*GOOD["imap"][:2], b"a1 BAD what?\r\n"], "'a1 BAD what?'"),
    "pop3 greeting": ("pop3", [b"-ERR go away\r\n"], "'-ERR go away'"),
    "pop3": ("pop3", [*GOOD["pop3"][:2], b"-ERR no TLS\r\n"], "'-ERR no TLS'"),
    "sieve bye": ("sieve", [b'BYE "Too many"\r\n'], "Too many"),
    "sieve not offered": ("sieve", [b'"SASL" "PLAIN"\r\nOK\r\n'], "not among its capabilities"),
    "sieve no": ("sieve", [*GOOD["sieve"][:2], b'NO "never"\r\n'], "never"),
    "ldap": ("ldap", [LDAP_REQUEST, ldap_response(2, b"unsupported")], "'protocolError unsupported'"),
    "ldap unknown code": ("ldap", [LDAP_REQUEST, ldap_response(123)], "'result 123'"),
    "ldap disconnection": ("ldap", [LDAP_REQUEST, ldap_response(52, number=0)], "'unavailable'"),
    "xmpp not offered": (
        "xmpp",
        [GOOD["xmpp"][0], XMPP_STREAM + b"<stream:features><x/></stream:features>"],
        "starttls is not among its features",
    ),
    "xmpp failure": ("xmpp", [*GOOD["xmpp"][:3], b"<failure xmlns='" + XMPP_TLS + b"'/></stream:stream>"], "'failure'"),
    "xmpp error": (
        "xmpp",
        [GOOD["xmpp"][0], XMPP_STREAM + b"<stream:error><host-unknown xmlns='urn:x'/></stream:error>"],
        "'error host-unknown'",
    ),
    "xmpp end": ("xmpp", [GOOD["xmpp"][0], XMPP_STREAM + b"</stream:stream>"], "closed the stream"),
    "postgres": ("postgres", [GOOD["postgres"][0], b"N"], "'N'"),
    "postgres error": (
        "postgres",
        [GOOD["postgres"][0], b"E\0\0\0\x1dSFATAL\0Mtoo many clients\0\0"],
        "'too many clients'",
    ),
    "mysql without": ("mysql", [mysql_greeting(0xF7FF)], "CLIENT_SSL is not among the capabilities of 8.0.36"),
    "mysql error": ("mysql", [b"\x18\0\0\0\xff\x10\x04Too many connections\0"], "Too many connections"),
}


@pytest.mark.parametrize("case", NO)
def test_a_no_is_told_in_the_servers_words(talk, case):
    """Each way to say no that a protocol has is a refusal, and quoted."""
    protocol, parts, words = NO[case]
    contact, why = refusal(talk, protocol, parts)
    assert contact is Contact.STARTTLS_REFUSED
    assert words in why


STRANGE = {
    "smtp is SSH": ("smtp", [b"SSH-2.0-OpenSSH_9.2\r\n"]),
    "smtp code": ("smtp", [b"2200 what\r\n"]),
    "imap is SMTP": ("imap", [b"220 mail ESMTP\r\n"]),
    "imap tag": ("imap", [*GOOD["imap"][:2], b"a2 OK mine\r\n"]),
    "pop3 is IMAP": ("pop3", [b"* OK IMAP4rev2\r\n"]),
    "nntp is HTTP": ("nntp", [b"HTTP/1.1 400 Bad Request\r\n"]),
    "sieve is POP3": ("sieve", [b"+OK POP3\r\n"]),
    "ldap is SSH": ("ldap", [LDAP_REQUEST, b"SSH-2.0-OpenSSH_9.2\r\n"]),
    "ldap other message": ("ldap", [LDAP_REQUEST, ldap_response(0, number=2)]),
    "ldap search": ("ldap", [LDAP_REQUEST, bytes.fromhex("300c02010165070a010004000400")]),
    "ldap damaged": ("ldap", [LDAP_REQUEST, bytes.fromhex("300c0201017807ff010004000400")]),
    "xmpp is HTTP": ("xmpp", [GOOD["xmpp"][0], b"HTTP/1.1 400 Bad Request\r\n\r\n<html>"]),
    "xmpp is XML": ("xmpp", [GOOD["xmpp"][0], b"<html>"]),
    "xmpp document type": ("xmpp", [GOOD["xmpp"][0], b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>']),
    "postgres": ("postgres", [GOOD["postgres"][0], b"\x15\x03\x01"]),
    "postgres error without end": ("postgres", [GOOD["postgres"][0], b"E\xff\xff\xff\xffM"]),
    "mysql protocol": ("mysql", [mysql_greeting(protocol=9)]),
    "mysql short": ("mysql", [b"\x03\0\0\0\x0a1\0"]),
}


@pytest.mark.parametrize("case", STRANGE)
def test_another_protocol_is_told(talk, case):
    """Another protocol is not taken for a refusal."""
    protocol, parts = STRANGE[case]
    assert refusal(talk, protocol, parts)[0] is Contact.STARTTLS_BROKEN


@some_protocols
def test_silence_ends_by_the_deadline(talk, protocol):
    """A server that says nothing is not waited for beyond the time."""
    contact, why = refusal(talk, protocol, [] if protocol in SPEAKS_FIRST else GOOD[protocol][:1], seconds=0.2)
    assert (contact, "no answer in time" in why) == (Contact.TIMED_OUT, True)


@some_protocols
def test_half_an_answer_ends_by_the_deadline(talk, protocol):
    """Where a server stops in the middle of a line, the report quotes that line."""
    parts = GOOD[protocol][: 1 if protocol in SPEAKS_FIRST else 2]
    contact, why = refusal(talk, protocol, [*parts[:-1], parts[-1][:-2]], seconds=0.3)
    if protocol != "postgres":  # its answer is one byte
        assert "its last words were" in why
    assert contact is Contact.TIMED_OUT


@protocols
def test_a_connection_that_is_closed_is_told(listening, protocol):
    """A server that hangs up is not one that refuses TLS."""
    given = {"server_name": "a", "deadline": Deadline.after(SECONDS), "limits": DEFAULT_LIMITS}
    with (
        listening(lambda over: protocol in SPEAKS_FIRST or over.recv(1)) as port,
        socket.create_connection(("127.0.0.1", port)) as over,
        pytest.raises(ContactError) as error,
    ):
        start_tls(over, STARTTLS[protocol], **given)
    assert error.value.contact is Contact.CLOSED


ENDLESS = {
    "smtp": [b"220-again\r\n"],
    "ftp": [b"220-again\r\n", b"again\r\n"],
    "imap": [*GOOD["imap"][:2], b"* again\r\n"],
    "sieve": [b'"again"\r\n'],
}


@pytest.mark.parametrize("protocol", ENDLESS)
def test_lines_without_end_are_counted(talk, protocol):
    """``starttls_lines``: a reply that always has one more line is given up."""
    *before, again = ENDLESS[protocol]
    first = before if protocol == "imap" else []
    limits = replace(DEFAULT_LIMITS, starttls_lines=20)
    opening = before[0] if protocol == "ftp" else b""
    contact, why = refusal(talk, protocol, [*first, opening + again * 100], limits=limits)
    assert contact is Contact.STARTTLS_BROKEN
    assert "starttls_lines allows: 20 lines" in why


@protocols
def test_a_line_without_end_is_cut(talk, protocol):
    """``starttls_bytes``: an answer without end is given up, whichever length it announces."""
    endless = {"ldap": b"0\x84\x7f\xff\xff\xff", "mysql": b"\xff\xff\xff\0", "postgres": b"E\0\0\x70\0"}
    endless |= {"xmpp": XMPP_STREAM + b"<a b='"}
    limits = replace(DEFAULT_LIMITS, starttls_bytes=1000)
    before = [] if protocol in SPEAKS_FIRST else GOOD[protocol][:1]
    contact, why = refusal(talk, protocol, [*before, endless.get(protocol, b"220 ") + b"A" * 2000], limits=limits)
    assert contact is Contact.STARTTLS_BROKEN
    assert "starttls_bytes allows: 1000 bytes" in why


def test_a_long_answer_is_quoted_in_part(talk):
    """The server's words are quoted as one line that fits a terminal, control characters escaped."""
    _, why = refusal(talk, "smtp", [b"554 \x1b[2J" + b"A" * 1000 + b"\r\n"])
    assert "\x1b" not in why
    assert len(why) < 300
