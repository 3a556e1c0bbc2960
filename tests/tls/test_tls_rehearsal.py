"""Rehearsals: each client asked, in a fixed order, and nothing left however it ends."""

from __future__ import annotations

import signal
import socket
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from pkcs12kit import lab
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import InputError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.tls.certificate_message import TLS_1_2, TLS_1_3
from pkcs12kit.tls.handshake import Endpoint, Handshake, Verdict
from pkcs12kit.tls.rehearsal import run as rehearsal
from pkcs12kit.tls.rehearsal.clients.registry import CLIENTS, make_client
from pkcs12kit.tls.rehearsal.run import longest_seconds, shake_hands

SECONDS = 30


@dataclass
class FakeClient:
    """A client that does what the test says with the endpoint, and then accepts."""

    name: str
    lacks: str | None = None
    act: object = None
    endpoints: list[Endpoint] = field(default_factory=list)

    def missing(self):
        """Return the answers of the test."""
        return self.lacks

    def shake_hands(self, endpoint):
        """Do what the test says."""
        self.endpoints.append(endpoint)
        for protocol in endpoint.protocols:
            if self.act is not None:
                self.act(endpoint)
            yield Handshake(client=self.name, version="1", protocol=protocol, verdict=Verdict.ACCEPTED, why="")


@pytest.fixture
def fakes(monkeypatch):
    """Put clients of the test's own in the place of the real ones: ``fakes(FakeClient("java"), ...)``."""

    def install(*clients):
        by_name = {client.name: client for client in clients}
        monkeypatch.setattr(rehearsal, "make_client", lambda name: by_name[name])
        return [client.name for client in clients]

    return install


@pytest.fixture
def rehearse(chain):
    """Rehearse with ``chain``: ``rehearse(["openssl"])``."""

    def run(clients, **changes):
        given = {
            "private_key": chain.servers["EE"].private_key,
            "certificates": chain.certificates,
            "server_name": "EE",
            "trust_anchors": [chain.trust_anchor("TA")],
            **changes,
        }
        return shake_hands(given.pop("private_key"), given.pop("certificates"), clients=clients, **given)

    return run


# The clients


def test_the_registry_has_the_clients_in_their_order():
    """The order is that of the report, and each is what it is called."""
    assert list(CLIENTS) == ["openssl", "java", "go", "gnutls", "nss", "curl"]
    for name in CLIENTS:
        client = make_client(name)
        assert client.name == name
        assert client.missing() is None or client.missing()
    assert make_client("openssl").missing() is None


def test_openssl_is_asked_in_both_versions(rehearse):
    """Right is accepted and wrong refused, by the client that is always there."""
    accepted = rehearse(["openssl"])
    assert [(one.client, one.protocol, one.verdict) for one in accepted] == [
        ("openssl", TLS_1_2, Verdict.ACCEPTED),
        ("openssl", TLS_1_3, Verdict.ACCEPTED),
    ]
    refused = rehearse(["openssl"], server_name="other.example")
    assert [one.verdict for one in refused] == [Verdict.REFUSED] * 2
    refused = rehearse(["openssl"], time=datetime(2000, 1, 1, tzinfo=UTC))
    assert [one.verdict for one in refused] == [Verdict.REFUSED] * 2


def test_each_client_that_is_here_accepts_a_plain_chain():
    """With no constraint in the path every maker's client agrees, and says what it received if it says anything."""
    topology = lab.Topology.from_edges(
        "mdm.example.mil<B<A<TA", validity=lab.Validity.around(days_before=2, days_after=90)
    )
    came = shake_hands(
        topology.servers["mdm.example.mil"].private_key,
        topology.certificates,
        clients=CLIENTS,
        server_name="mdm.example.mil",
        trust_anchors=[topology.trust_anchor("TA")],
    )
    assert [(one.client, one.protocol) for one in came] == [
        (name, protocol) for name in CLIENTS for protocol in (TLS_1_2, TLS_1_3)
    ]
    for one in came:
        expected = Verdict.ACCEPTED if make_client(one.client).missing() is None else Verdict.NOT_TRIED
        assert (one.verdict, one.client) == (expected, one.client), one.why
        if one.received is not None:
            assert one.received.certificates == topology.certificates


def test_clients_are_told_the_anchors_the_name_and_the_time(rehearse, fakes, chain):
    """An endpoint on loopback, a name as SNI has it, and the limits' seconds."""
    asked = FakeClient("go")
    time = datetime(2026, 1, 1, tzinfo=UTC)
    limits = replace(DEFAULT_LIMITS, client_seconds=7)
    rehearse(fakes(asked), server_name="BÜCHER.example.", time=time, limits=limits)
    (endpoint,) = asked.endpoints
    assert endpoint.host == "127.0.0.1"
    assert endpoint.server_name == "xn--bcher-kva.example"
    assert endpoint.trust_anchors == (chain.authorities["TA"].certificate,)
    assert (endpoint.time, endpoint.seconds, endpoint.protocols) == (time, 7, (TLS_1_2, TLS_1_3))


def test_the_order_is_that_of_the_registry_and_not_of_the_answers(rehearse, fakes):
    """Progress is in the order of arrival, and the result in the order of the table."""
    others = threading.Event()
    slow = FakeClient("openssl", act=lambda _: others.wait(SECONDS))
    quick = [FakeClient(name) for name in ("nss", "java")]
    told = []

    def tell(handshake):
        told.append((handshake.client, threading.current_thread() is threading.main_thread()))
        if len(told) == 4:
            others.set()

    came = rehearse(fakes(*quick, slow), on_progress=tell)
    assert [one.client for one in came] == ["openssl", "openssl", "java", "java", "nss", "nss"]
    assert [one.protocol for one in came] == [TLS_1_2, TLS_1_3] * 3
    assert {name for name, _ in told[:4]} == {"nss", "java"}
    assert all(here for _, here in told), "progress is told in the thread that called"


def test_so_many_clients_are_asked_side_by_side(rehearse, fakes):
    """``limits.tls_clients`` at a time, and not one more."""
    together = threading.Barrier(2)
    count, most, lock = [], [], threading.Lock()

    def act(_):
        with lock:
            count.append(1)
            most.append(len(count))
        together.wait(SECONDS)
        with lock:
            count.pop()

    clients = [FakeClient(name, act=act) for name in ("openssl", "java", "go", "gnutls")]
    rehearse(fakes(*clients), limits=replace(DEFAULT_LIMITS, tls_clients=2))
    assert max(most) == 2


def test_a_client_that_is_not_here_is_not_tried(rehearse, fakes):
    """It says why, and is neither a yes nor a no."""
    came = rehearse(fakes(FakeClient("gnutls", lacks="needs gnutls-cli"), FakeClient("openssl")))
    assert [(one.client, one.verdict.value, one.why) for one in came] == [
        ("openssl", "accepted", ""),
        ("openssl", "accepted", ""),
        ("gnutls", "not-tried", "needs gnutls-cli"),
        ("gnutls", "not-tried", "needs gnutls-cli"),
    ]


# What is refused before anything is served


def test_a_required_client_that_is_not_here_is_an_error(rehearse, fakes, monkeypatch):
    """All missing clients are named, and no client is served or asked."""
    present = FakeClient("openssl")
    names = fakes(present, FakeClient("java", lacks="needs java"), FakeClient("nss", lacks="needs tstclnt"))
    monkeypatch.setattr(rehearsal, "LoopbackServer", None)
    with pytest.raises(
        InputError, match=r"required clients are not installed: java \(needs java\), nss \(needs tstclnt\)"
    ):
        rehearse(names, required=frozenset({"java", "nss", "openssl"}))
    assert present.endpoints == []


def test_a_required_client_is_asked_without_being_named_again(rehearse, fakes):
    """A required client is asked."""
    fakes(FakeClient("go"))
    assert [one.client for one in rehearse([], required=frozenset({"go"}))] == ["go", "go"]


def test_what_cannot_be_asked_is_an_error(rehearse, chain):
    """Names that are none, anchors that clients do not take, and a time without a zone."""
    bare = replace(chain.trust_anchor("TA"), certificate=None)
    assert isinstance(bare, TrustAnchor)
    for changes, says in (
        ({"clients": ["openssl", "netscape"]}, "unknown client 'netscape'\\. Known names: openssl, java"),
        ({"trust_anchors": [bare]}, "CN=TA has no certificate"),
        ({"trust_anchors": iter(())}, "no trust anchor"),
        ({"server_name": "not a name"}, "not a name"),
        ({"certificates": chain.certificates[1:]}, "key values mismatch"),
    ):
        with pytest.raises(InputError, match=says):
            rehearse(**{"clients": ["openssl"], **changes})
    with pytest.raises(ValueError, match="no time zone"):
        rehearse(["openssl"], time=datetime(2026, 1, 1))  # noqa: DTZ001 - what is refused


# What is left


def hang(endpoint):
    """Wait as a client's program does: until it is cancelled."""
    assert endpoint.cancelled.wait(SECONDS)


def test_an_interrupt_ends_clients_server_and_threads(rehearse, fakes, nothing_left):
    """Ctrl-C while clients are at it, as the main thread gets it: each is cancelled, those in the queue never start."""
    waits = threading.Event()  # until the main thread waits for the clients

    def interrupt(endpoint):
        assert waits.wait(SECONDS)
        if endpoint.cancelled.is_set():  # its second handshake: another Ctrl-C would break off the wait for threads
            return
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        hang(endpoint)

    hanging = [FakeClient("openssl", act=hang), FakeClient("java", act=hang), FakeClient("go", act=interrupt)]
    once = threading.Event()
    hanging[0].act = lambda endpoint: hang(endpoint) if once.is_set() else once.set()  # its second handshake
    waiting = FakeClient("nss", act=hang)
    limits = replace(DEFAULT_LIMITS, tls_clients=3)
    with nothing_left(), pytest.raises(KeyboardInterrupt):
        rehearse(fakes(*hanging, waiting), limits=limits, on_progress=lambda _: waits.set())
    assert all(client.endpoints[0].cancelled.is_set() for client in hanging)
    assert waiting.endpoints == []
    assert_closed(hanging[0].endpoints[0])


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_error_of_the_listener_ends_everything(rehearse, fakes, nothing_left, error):
    """``on_progress`` that raises is passed on, after all has ended."""
    hanging = FakeClient("openssl", act=hang)

    def tell(_):
        raise error

    with nothing_left(), pytest.raises(error):
        rehearse(fakes(hanging, FakeClient("java")), on_progress=tell)
    assert_closed(hanging.endpoints[0])


def test_an_error_of_a_client_ends_everything(rehearse, fakes, nothing_left):
    """A defect in one client is not hidden, and no other is left behind."""

    def fail(_):
        raise RuntimeError("a defect")

    with nothing_left(), pytest.raises(RuntimeError, match="a defect"):
        rehearse(fakes(FakeClient("openssl"), FakeClient("java", act=fail)))


def test_nothing_is_left_in_the_end(rehearse, nothing_left):
    """No port, thread or socket after a rehearsal that ran its course."""
    rehearse(["openssl"])  # what loads when it is used
    with nothing_left():
        rehearse(["openssl"])


def assert_closed(endpoint):
    """Nobody listens there any more."""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((endpoint.host, endpoint.port), timeout=SECONDS)


def test_the_longest_time():
    """Clients that hang in each step, by the clock of a schedule: three at a time, a fourth where one has ended."""
    limits = replace(DEFAULT_LIMITS, client_seconds=10, tls_clients=3)
    assert longest_seconds([], limits) == 0
    assert longest_seconds(["openssl"], limits) == 20
    assert longest_seconds(["java", "go", "curl"], limits) == 30
    assert longest_seconds(["openssl", "java", "go", "nss"], limits) == 50
    assert longest_seconds(list(CLIENTS), limits) == 60
    assert longest_seconds(list(CLIENTS), replace(limits, tls_clients=1)) == 170
