"""``HOST[:PORT]``, and connections to all addresses of a name."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace
from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkcs12kit import InputError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.tls.address import ServerAddress, parse_address, parse_host
from pkcs12kit.tls.channel import Deadline
from pkcs12kit.tls.probing.connect import SocketAddress, connected, resolve
from pkcs12kit.tls.probing.contact import Contact, ContactError, OpenSockets

from ..waiting import HOUR, waiting_for_nothing

SECONDS = 30


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("mdm.example.mil", "mdm.example.mil", None),
        ("MDM.Example.MIL:8443", "mdm.example.mil", 8443),
        ("localhost:1", "localhost", 1),
        ("mdm.example.mil.:65535", "mdm.example.mil.", 65535),
        ("core_1.example.mil", "core_1.example.mil", None),
        ("1password.example", "1password.example", None),
        ("192.0.2.1", "192.0.2.1", None),
        ("192.0.2.1:443", "192.0.2.1", 443),
        ("[2001:DB8::1]:443", "2001:db8::1", 443),
        ("[2001:db8::1]", "2001:db8::1", None),
        ("2001:db8::1", "2001:db8::1", None),
        ("2001:db8::1:443", "2001:db8::1:443", None),
        ("::ffff:192.0.2.1", str(IPv6Address("::ffff:c000:201")), None),
        ("fe80::1%eth0", "fe80::1%eth0", None),
        ("bücher.example:443", "xn--bcher-kva.example", 443),
        ("BÜCHER。example", "xn--bcher-kva.example", None),
        ("xn--bcher-kva.example", "xn--bcher-kva.example", None),
    ],
)
def test_reads_what_people_write(text, host, port):
    """Names in any case and script (RFC 5891 section 5), IPv4, IPv6 in brackets or not (RFC 3986 section 3.2.2)."""
    assert parse_address(text) == ServerAddress(host=host, port=port)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            ":",
            ":443",
            "host:",
            "host:0",
            "host:65536",
            "host:-1",
            "host:+1",
            "host:4 43",
            "host:٤٤٣",
            "host:https",
        ),
        *("host:443:443", "https://mdm.example.mil", "mdm.example.mil/", "user@mdm.example.mil", "a b", "a\nb", "\0"),
        *("[192.0.2.1]:443", "[2001:db8::1", "2001:db8::1]", "[]:443", "[::1]443", "[::1]:", "[[::1]]:443", "[name]:1"),
        *(
            "1.2.3",
            "256.1.1.1",
            "0x7f.1",
            "127.1",
            "1_1",
            "1.2.3.4.",
            "2001:db8:::1",
            "-a.example",
            "a-.example",
            "a..b",
            ".a",
        ),
        *(
            ".",
            "a" * 64,
            ".".join(["a" * 60] * 5),
            "x" * 10_000,
            "ü" * 254,
            "\ud800.example",
            "xn--ü.example",
            "a\u200b/",
        ),
    ],
)
def test_nonsense_is_said_to_be_nonsense(text):
    """Text that is not a host and port raises InputError, in one short sentence with an example."""
    with pytest.raises(InputError, match=r"is not HOST\[:PORT\]: .*; write it like mdm\.example\.mil") as error:
        parse_address(text)
    assert len(str(error.value)) < 600


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://mdm.example.mil/login?next=1", "mdm.example.mil"),
        ("https://mdm.example.mil:8443", "mdm.example.mil:8443"),
        ("mdm.example.mil/", "mdm.example.mil"),
        ("https://[2001:db8::1]:8443/", "'[2001:db8::1]:8443'"),
        ("ldaps://admin:secret@mdm.example.mil", "mdm.example.mil"),
        ("https://mdm.example.mil:99999/", None),
        ("https://", None),
        ("http://a b/", None),
    ],
)
def test_the_hint_at_a_url_probes_its_server(url, host):
    """The command has the host and port of the URL, where they are a server's; a password in it is not repeated."""
    with pytest.raises(InputError) as error:
        parse_address(url)
    assert [hint.command for hint in error.value.hints] == ([] if host is None else [f"pkcs12kit probe {host}"])
    assert "secret" not in str(error.value)


@given(st.text(max_size=300))
def test_any_text_is_an_address_or_an_input_error(text):
    """No text raises another error; an address that was parsed can be written and parsed again."""
    try:
        address = parse_address(text)
    except InputError:
        return
    assert address.host.isascii()
    assert parse_address(str(address)) == address
    assert parse_host(address.host) == address.host


@pytest.mark.parametrize(
    ("text", "name"), [("mdm.example.mil.", "mdm.example.mil"), ("[fe80::1%eth0]:443", "fe80::1"), ("::1", "::1")]
)
def test_names_itself_as_a_certificate_would(text, name):
    """Without the trailing dot (RFC 6066 section 3), without the zone, which means something on one host only."""
    assert parse_address(text).name == name


def resolving(monkeypatch, *addresses):
    """Let every name have these addresses."""

    def getaddrinfo(host, port, type=0, flags=0):  # noqa: A002  # socket's own name
        assert type == socket.SOCK_STREAM
        if flags:
            raise socket.gaierror(socket.EAI_NONAME, "not numeric")
        assert host == "many.example"
        families = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(families[":" in one], type, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def resolved(host="many.example", port=443, **changed):
    """Resolve a name within the deadline."""
    given = {"deadline": Deadline.after(SECONDS), "sockets": OpenSockets(), "limits": DEFAULT_LIMITS} | changed
    return resolve(host, port, **given)


def test_families_take_turns_and_none_is_tried_twice(monkeypatch):
    """RFC 8305 section 4: the other family is second in every order of the resolver; duplicates are dropped."""
    resolving(monkeypatch, "2001:db8::1", "2001:db8::2", "2001:db8::1", "192.0.2.1", "192.0.2.2", "2001:db8::3")
    assert list(map(str, resolved())) == [
        *("[2001:db8::1]:443", "192.0.2.1:443", "[2001:db8::2]:443", "192.0.2.2:443", "[2001:db8::3]:443")
    ]


def test_no_more_addresses_than_the_limit(monkeypatch):
    """A name with a thousand addresses costs ``probe_addresses`` connections at most."""
    resolving(monkeypatch, *(f"192.0.2.{number}" for number in range(200)))
    assert len(resolved()) == DEFAULT_LIMITS.probe_addresses
    assert len(resolved(limits=replace(DEFAULT_LIMITS, probe_addresses=3))) == 3


def test_a_name_without_address(monkeypatch):
    """The resolver's own words, and no exception of the socket module."""

    def getaddrinfo(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(ContactError, match=r"many\.example cannot be resolved: Name or service not known") as error:
        resolved()
    assert error.value.contact is Contact.UNRESOLVABLE


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_resolver_that_hangs_is_left(monkeypatch, interrupted):
    """The deadline holds for the resolver too, which has none of its own, and so does an interruption."""
    release = threading.Event()

    def getaddrinfo(*_, flags=0, **__):
        if not flags:
            release.wait()
        raise socket.gaierror(socket.EAI_AGAIN, "try again")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    sockets = OpenSockets()
    if interrupted:
        threading.Timer(0.1, sockets.interrupt).start()
    try:
        with pytest.raises(ContactError) as error:
            resolved(deadline=Deadline.after(SECONDS if interrupted else 0.1), sockets=sockets)
    finally:
        release.set()
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and thread.name.startswith("resolver"):
                thread.join(SECONDS)
    assert error.value.contact is (Contact.INTERRUPTED if interrupted else Contact.TIMED_OUT)


def at_port(port, host="127.0.0.1"):
    """One address on loopback."""
    return SocketAddress(socket.AF_INET6 if ":" in host else socket.AF_INET, (host, port))


def failure(*addresses, seconds=SECONDS, sockets=None):
    """Connect to addresses none of which takes the connection, and give what is raised."""
    connecting = connected(addresses, deadline=Deadline.after(seconds), sockets=sockets or OpenSockets())
    with pytest.raises(ContactError) as error, connecting:
        pass
    return error.value


@pytest.fixture
def listener():
    """A socket that takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        yield one


@pytest.fixture
def closed_port():
    """Yield a port without a listener: it is bound, so that no other program can use it."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        yield one.getsockname()[1]


@pytest.fixture
def full_listener():
    """A socket whose queue is full: what connects to it gets no answer."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen(0)
        waiting = []
        try:
            for _ in range(8):
                waiting.append(socket.socket())
                waiting[-1].settimeout(0)
                waiting[-1].connect_ex(one.getsockname())
            yield one
        finally:
            for each in waiting:
                each.close()


def test_passes_over_what_refuses(listener, closed_port, nothing_left):
    """Every address is tried, and the one that accepted is reported; all sockets are closed in the end."""
    port = listener.getsockname()[1]
    wanted = at_port(port)
    with (
        nothing_left(),
        connected([at_port(closed_port), wanted], deadline=Deadline.after(SECONDS), sockets=OpenSockets()) as won,
    ):
        assert won[1] == wanted
        assert won[0].getpeername() == ("127.0.0.1", port)


def test_passes_by_what_does_not_answer(listener, full_listener, nothing_left):
    """RFC 8305 section 5: an address that swallows what is sent there is not waited for, here for an hour."""
    silent, wanted = at_port(full_listener.getsockname()[1]), at_port(listener.getsockname()[1])
    with (
        waiting_for_nothing(),
        nothing_left(),
        connected([silent, wanted], deadline=Deadline.after(HOUR), sockets=OpenSockets()) as (_, by),
    ):
        assert by == wanted


def test_says_what_each_address_said(closed_port, full_listener, nothing_left):
    """Where none takes the connection, each is named with its own reason, one that said nothing too."""
    silent = at_port(full_listener.getsockname()[1])
    with nothing_left():
        error = failure(at_port(closed_port), silent, seconds=0.5)
    assert error.contact is Contact.TIMED_OUT
    assert f"127.0.0.1:{closed_port}: Connection refused" in str(error)
    assert f"{silent}: no answer in time" in str(error)
    with nothing_left():
        assert failure(at_port(closed_port)).contact is Contact.REFUSED


def test_an_address_of_no_use_here_is_told_and_not_raised(nothing_left):
    """An address that the system itself refuses is unreachable: here one of broadcast."""
    with nothing_left():
        assert failure(at_port(9, "255.255.255.255")).contact is Contact.UNREACHABLE


def test_is_interrupted_while_it_waits(full_listener, nothing_left):
    """Another thread ends the wait for a connection, and connections that would be opened later."""
    silent = at_port(full_listener.getsockname()[1])
    with nothing_left():
        sockets = OpenSockets()
        timer = threading.Timer(0.1, sockets.interrupt)
        timer.start()
        for _ in range(2):
            assert failure(silent, sockets=sockets).contact is Contact.INTERRUPTED
        timer.join()


def test_reads_a_host_alone():
    """A server's name is a host without a port; brackets around IPv6 are allowed."""
    assert parse_host("[2001:DB8::1]") == "2001:db8::1"
    for text in ("host:443", "[192.0.2.1]", "[::1]:443"):
        with pytest.raises(InputError):
            parse_host(text)
