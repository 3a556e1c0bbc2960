"""Servers asked until they send a bundle's certificates: on loopback, and by a clock of steps."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.errors import InputError
from pkcs12kit.fleet.bundles import FleetBundle
from pkcs12kit.fleet.outcomes import BundleOutcome, Status
from pkcs12kit.fleet.serving import await_served
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.tls.certificate_message import CertificateMessage
from pkcs12kit.tls.probing import server as probing
from pkcs12kit.tls.probing.answers import ProtocolAnswer, ServerAnswer
from pkcs12kit.tls.probing.connect import SocketAddress
from pkcs12kit.tls.probing.contact import Contact
from pkcs12kit.tls.probing.target import server_of_text
from pkcs12kit.tls.rehearsal.server import LoopbackServer

from ..thoroughness import examples
from .hosts import Hosts

NAME = "mail.example.mil"
QUICK = replace(DEFAULT_LIMITS, probe_seconds=0.3, served_seconds=60, served_unchanged_seconds=5)


def _world():
    """Return two generations of a server's certificate with those above them, and one of another server."""
    root, issuer = map(lab.Authority.create, ("TA", "A"))
    generations = [lab.Validity.around(days_before=before) for before in (300, 10)]
    old, new = (issuer.issue_server(NAME, validity=validity) for validity in generations)
    above = (root.issue_ca(issuer),)
    return SimpleNamespace(
        old=(old.private_key, (old.certificate, *above)),
        new=(new.private_key, (new.certificate, *above)),
    )


WORLD = _world()


class Clock:
    """A clock that only sleeping moves; ``steps`` are the pauses."""

    def __init__(self, *, at=lambda _: None):
        self.now = 0.0
        self.steps = []
        self._at = at

    def __call__(self):
        """Return the time in seconds."""
        return self.now

    def sleep(self, seconds):
        """Let time pass, and whatever happens at this step."""
        self.steps.append(seconds)
        self.now += seconds
        self._at(len(self.steps))


def bundle(*serves, name="mail", **given):
    """A bundle with servers."""
    return FleetBundle(name=name, output="/o", folder="/", serves=serves, options={"server_name": NAME}, **given)


def outcome(chain=WORLD.new[1], *, status=Status.REWRITTEN, name="mail"):
    """The outcome of a bundle whose file has these certificates and the trust anchor's."""
    hashes = (*(one.sha256 for one in chain), "0" * 64)
    return BundleOutcome(
        name=name,
        output="/o",
        status=status,
        certificates=hashes,
        record=SimpleNamespace(target=chain[0].der),
    )


def ask_one(*serves, clock, status=Status.REWRITTEN, limits=QUICK, **given):
    """Ask the servers of one bundle."""
    found = await_served(
        [(bundle(*serves, **given), outcome(status=status))], clock=clock, sleep=clock.sleep, limits=limits
    )
    return found["mail"]


def load(server, identity):
    """Let a server load another file, as a reload does."""
    server._context = LoopbackServer(*identity)._context


def at(server):
    """Return the server as a manifest names it."""
    return f"127.0.0.1:{server.port}"


def test_the_right_certificate_at_once():
    """No pause, and no second try."""
    clock = Clock()
    with LoopbackServer(*WORLD.new) as server:
        assert ask_one(at(server), clock=clock) is None
    assert clock.steps == []


def test_a_reload_while_waiting():
    """The new certificate counts as soon as it is sent; the pauses double."""
    with LoopbackServer(*WORLD.old) as server:
        clock = Clock(at=lambda step: load(server, WORLD.new) if step == 3 else None)
        assert ask_one(at(server), clock=clock) is None
    assert clock.steps == [0.5, 1, 2]


@pytest.mark.parametrize(
    ("status", "given", "steps"),
    [
        (Status.REWRITTEN, {"serves_timeout": 20.0}, [0.5, 1, 2, 4, 8, 4.5]),
        (Status.UNCHANGED, {"serves_timeout": 20.0}, [0.5, 1, 2, 1.5]),
        (Status.CREATED, {"serves_timeout": 1.0}, [0.5, 0.5]),
    ],
)
def test_a_server_that_never_changes(status, given, steps):
    """The time is up after serves_timeout, or soon for a file that did not change; the last try is at the end."""
    clock = Clock()
    with LoopbackServer(*WORLD.old) as server:
        error = ask_one(at(server), clock=clock, status=status, **given)
        assert error.startswith(f"127.0.0.1:{server.port}: it still sends the certificate that ends ")
    assert clock.steps == steps


def test_a_reload_at_the_last_moment():
    """A server that is right at the end of its time is right."""
    with LoopbackServer(*WORLD.old) as server:
        clock = Clock(at=lambda step: load(server, WORLD.new) if step == 2 else None)
        assert ask_one(at(server), clock=clock, serves_timeout=1.0) is None


def test_a_refused_and_a_hanging_server():
    """Each has its words, and neither is waited for longer than the time for one try."""
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.create_server(("127.0.0.1", 0)) as gone:
        ports = [one.getsockname()[1] for one in (silent, gone)]
        gone.close()
        error = ask_one(*(f"127.0.0.1:{port}" for port in ports), clock=Clock(), limits=_once(0.3))
    hanging, refused = error.split("; 127")
    assert f"127.0.0.1:{ports[0]}: the time is up" in hanging
    assert f":{ports[1]}: nothing listens there" in refused


def _once(seconds):
    return replace(QUICK, probe_seconds=seconds, served_seconds=0, served_unchanged_seconds=0.3)


def test_starttls():
    """A protocol before TLS is named as in a URL; a server that does not speak it is not right."""
    with LoopbackServer(*WORLD.new) as server:
        error = ask_one(f"smtp://{at(server)}", clock=Clock(), limits=_once(0.3))
        assert error.startswith(f"smtp://127.0.0.1:{server.port}: ")


@pytest.mark.parametrize(
    ("text", "host", "port", "starttls"),
    [
        ("mail.example.mil", "mail.example.mil", 443, None),
        ("mail.example.mil:8443", "mail.example.mil", 8443, None),
        ("[2001:db8::1]:443", "2001:db8::1", 443, None),
        ("smtp://mail.example.mil", "mail.example.mil", 25, "smtp"),
        ("SMTP://mail.example.mil:587", "mail.example.mil", 587, "smtp"),
        ("ldap://[2001:db8::1]", "2001:db8::1", 389, "ldap"),
    ],
)
def test_servers_as_text(text, host, port, starttls):
    """The forms of ``probe``, and its protocols before the host."""
    server = server_of_text(text, server_name=NAME)
    assert (server.address.host, server.port, server.starttls, server.server_name) == (host, port, starttls, NAME)


@pytest.mark.parametrize(
    "text", ["https://a", "smtps://a", "smtp://", "smtp://a/", "://a", "smtp://smtp://a", "", "a:b"]
)
def test_texts_that_are_no_server(text):
    """One sentence each."""
    with pytest.raises(InputError) as caught:
        server_of_text(text)
    assert str(caught.value).isprintable()


@pytest.fixture
def two_addresses(monkeypatch):
    """A name with two addresses, 127.0.0.1 and 127.0.0.2, at one port."""
    resolve = probing.resolve

    def resolve_both(host, port, **given):
        if host == NAME:
            return tuple(SocketAddress(socket.AF_INET, (f"127.0.0.{number}", port)) for number in (1, 2))
        return resolve(host, port, **given)

    monkeypatch.setattr(probing, "resolve", resolve_both)


@contextmanager
def second_server(port, identity):
    """Serve at the same port of the next address of loopback."""
    with pytest.MonkeyPatch.context() as patched:
        create = socket.create_server
        patched.setattr(LoopbackServer, "host", "127.0.0.2")
        patched.setattr(socket, "create_server", lambda where, *more, **given: create((where[0], port), *more, **given))
        server = LoopbackServer(*identity)
        with ExitStack() as stack:
            try:
                stack.enter_context(server)
            except OSError as error:
                pytest.skip(f"127.0.0.2 cannot be used here: {error}")
            patched.undo()
            yield server


@pytest.mark.usefixtures("two_addresses")
def test_every_address_of_a_name():
    """A yes is about all servers behind the name: one that was forgotten is found, and named by its address."""
    with LoopbackServer(*WORLD.new) as first:
        assert ask_one(f"{NAME}:{first.port}", clock=Clock()) is None  # nothing listens at the other one
        with second_server(first.port, WORLD.old) as second:
            error = ask_one(f"{NAME}:{first.port}", clock=Clock(), limits=_once(2))
            assert error.startswith(f"{NAME}:{first.port} at 127.0.0.2:{first.port}: it still sends")
            load(second, WORLD.new)
            assert ask_one(f"{NAME}:{first.port}", clock=Clock()) is None


class Fleet:
    """Servers that reload at given times of a clock; ``asked`` are the servers of each round."""

    def __init__(self, clock, reloads):
        self._clock = clock
        self._reloads = reloads
        self.asked = []

    def ask(self, servers, *, seconds=None, limits=None):
        """Answer as the servers do now, in the place of ``ask_servers``."""
        assert seconds is not None
        assert limits is not None
        self.asked.append([one.port for one in servers])
        for server in servers:
            reload = self._reloads[server.port]
            chain = (WORLD.new if self._clock() >= reload else WORLD.old)[1]
            message = CertificateMessage(certificates=chain, protocol="TLSv1.3")
            answer = ProtocolAnswer(protocol="TLSv1.3", contact=Contact.ANSWERED, message=message)
            yield ServerAnswer(contact=Contact.ANSWERED, why="", answered_at=str(server), protocols=(answer,))


@settings(max_examples=examples(200), deadline=None)
@given(
    servers=st.lists(
        st.tuples(
            st.floats(0, 100),  # when it reloads
            st.sampled_from([Status.REWRITTEN, Status.UNCHANGED, Status.FAILED]),
            st.none() | st.floats(0.1, 90),  # serves_timeout
        ),
        max_size=6,
    )
)
def test_exactly_those_that_reload_in_time(servers):
    """A server is right if and only if it sends the new certificate at some try, the last of which is at its deadline.

    The number of rounds depends on the longest time only, however many servers there are.
    """
    clock = Clock()
    fleet, deadlines = [], {}
    for number, (_, status, timeout) in enumerate(servers, 1):
        one = bundle(f"host:{number}", name=str(number), serves_timeout=timeout)
        fleet.append((one, outcome(status=status, name=str(number))))
        allowed = 60 if timeout is None else timeout
        deadlines[number] = min(allowed, 5) if status is Status.UNCHANGED else allowed
    made = Fleet(clock, {number: reload for number, (reload, _, _) in enumerate(servers, 1)})
    events = []
    found = await_served(fleet, ask=made.ask, clock=clock, sleep=clock.sleep, limits=QUICK, on_event=events.append)
    asked = {number for number, (_, status, _) in enumerate(servers, 1) if status is not Status.FAILED}
    assert set(found) == {str(number) for number in asked}
    for number in asked:
        reload = servers[number - 1][0]
        if reload <= deadlines[number]:
            assert found[str(number)] is None
        elif reload > 100:
            assert found[str(number)] is not None
        else:  # it may be asked once more, a pause after its deadline
            assert (found[str(number)] is None) == (reload <= _last_try(clock, made, number))
    assert len(made.asked) <= 12 + len(set(deadlines.values()))
    assert sum(one.has_ended for one in events) == len(asked)


def _last_try(clock, made, number):
    times = [0.0]
    for step in clock.steps:
        times.append(times[-1] + step)
    return max(time for time, ports in zip(times, made.asked, strict=True) if number in ports)


def test_one_server_of_several_bundles_is_asked_once():
    """Equal servers are asked once for all their bundles, each of which is judged by its own certificate."""
    clock = Clock()
    made = Fleet(clock, {1: 0})
    fleet = [
        (bundle("host:1", name="new"), outcome(name="new")),
        (bundle("host:1", name="old"), outcome(WORLD.old[1], name="old")),
    ]
    found = await_served(fleet, ask=made.ask, clock=clock, sleep=clock.sleep, limits=_once(1))
    assert made.asked == [[1]]
    assert found["new"] is None
    assert found["old"].startswith("host:1: it sends a newer certificate")


def test_bundles_whose_command_ran_have_all_the_time():
    """An unchanged file whose command was still due is waited for as a new one."""
    clock = Clock()
    made = Fleet(clock, {1: 30})
    fleet = [(bundle("host:1"), outcome(status=Status.UNCHANGED))]
    asked = {"ask": made.ask, "clock": clock, "sleep": clock.sleep, "limits": QUICK}
    assert await_served(fleet, reloaded={"mail"}, **asked) == {"mail": None}


def test_nothing_to_ask():
    """Bundles without servers are left out of the answer, and nothing is asked."""
    assert await_served([(bundle(), outcome())], ask=None) == {}


def test_a_server_or_a_name_that_cannot_be_read():
    """It is an error of its bundle, and the other servers are asked all the same."""
    clock = Clock()
    made = Fleet(clock, {1: 0})
    odd = replace(bundle("host:1", name="odd"), options={"server_name": "*.example.mil"})
    fleet = [(bundle("smpt://a", "host:1"), outcome()), (odd, outcome(name="odd"))]
    found = await_served(fleet, ask=made.ask, clock=clock, sleep=clock.sleep, limits=QUICK)
    assert found["mail"].startswith("'smpt://a' cannot be asked: unknown STARTTLS protocol 'smpt'")
    assert found["odd"].startswith("'host:1' cannot be asked: '*.example.mil' is not HOST")
    assert made.asked == [[1]]


def test_a_forgotten_reload_in_a_run(tmp_path):
    """An unchanged file that its server has not loaded fails the run, with the words for an old certificate."""
    hosts = Hosts(tmp_path, 1)
    (name,) = hosts.names
    old = _issue(hosts, name)
    hosts.issue(name)
    new = pk.load_identity(key=tmp_path / "hosts" / f"{name}.key", certificate=tmp_path / "hosts" / f"{name}.pem")
    above = tuple(pk.load_certificates(tmp_path / "cas"))
    with LoopbackServer(old.private_key, (old.certificate, *above)) as server, ThreadPoolExecutor(1) as executor:
        hosts.write_manifest(defaults=f'iterations = 1000\nserves = "{at(server)}"\nserves_timeout = 0.2')
        for status in (Status.CREATED, Status.UNCHANGED):
            report = pk.batch(hosts.path, executor=executor)
            (found,) = report.bundles
            assert (found.status, report.ok) == (status, False)
            assert found.served_error.startswith(f"{at(server)}: it still sends the certificate that ends ")
        assert pk.batch(hosts.path, executor=executor, plan=True).ok  # it asks nothing
        load(server, (new.private_key, (new.certificate, *above)))
        assert pk.batch(hosts.path, executor=executor).ok


def _issue(hosts, name):
    """Return the certificate that a host had before."""
    return hosts._issuers[False].issue_server(f"{name}.example", validity=lab.Validity.around(days_before=400))
