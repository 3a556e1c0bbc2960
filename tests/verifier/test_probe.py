"""``probe``: what a live server does and sends, each a finding; a no wherever something is not as it should be."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

import pkcs12kit as pk
from pkcs12kit import Check, Outcome, lab
from pkcs12kit.errors import ArgumentError, UnknownNameError
from pkcs12kit.findings import SERVER_CHECKS
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.probing import Contact
from pkcs12kit.tls.certificate_message import TLS_1_2, TLS_1_3, CertificateMessage
from pkcs12kit.tls.probing import server as probing
from pkcs12kit.tls.probing.answers import ProtocolAnswer, ServerAnswer
from pkcs12kit.tls.probing.target import probed_server
from pkcs12kit.tls.rehearsal.server import LoopbackServer
from pkcs12kit.verifier.probe import probe_servers

from ..waiting import HOUR, waiting_for_nothing

SECONDS = 30


@pytest.fixture(scope="module")
def topology():
    """A server below two CAs and the anchor."""
    return lab.Topology.from_edges("EE<B<A<TA")


@pytest.fixture(scope="module")
def chain(topology):
    """Return the certificates that the server should send."""
    return topology.certificates


@pytest.fixture(scope="module")
def anchor(topology):
    """The anchor's certificate, as a source."""
    return topology.authorities["TA"].certificate.der


@pytest.fixture
def probe(topology, chain, anchor):
    """Probe a server on loopback that sends these certificates, and is called EE."""

    def call(sent=chain, **more):
        with LoopbackServer(topology.servers["EE"].private_key, sent) as server:
            given = {"trust_anchors": [anchor], "server_name": "EE", "timeout": SECONDS} | more
            return pk.probe(f"127.0.0.1:{server.port}", **given)

    return call


@pytest.fixture
def probe_answer(monkeypatch, anchor):
    """Judge an answer as if a server had given it."""

    def call(answer, **more):
        monkeypatch.setattr(probing, "ask_server", lambda *_, **__: answer)
        return pk.probe("mdm.example.mil", **({"trust_anchors": [anchor], "server_name": "EE"} | more))

    return call


def answered(*protocols):
    """Put together what came of asking, version by version."""
    return ServerAnswer(contact=Contact.ANSWERED, why="", answered_at="192.0.2.1:443", protocols=protocols)


def in_version(protocol, certificates, **more):
    """Make the answer in one version."""
    message = CertificateMessage(certificates=tuple(certificates), protocol=protocol)
    return ProtocolAnswer(protocol=protocol, contact=Contact.ANSWERED, message=message, **more)


def outcomes(report):
    """Return the outcome of each check of the server; each is there once, in order."""
    assert [finding.check for finding in report.findings] == list(SERVER_CHECKS)
    return {finding.check: finding.outcome for finding in report.findings}


def why(report, check):
    """Return the reason of one finding."""
    return next(finding.why for finding in report.findings if finding.check is check)


def test_a_server_that_is_as_it_should_be(probe, chain, topology):
    """Yes, with what was sent in the newest version, its path, and the address that answered."""
    report = probe()
    assert report.ok
    assert set(outcomes(report).values()) == {Outcome.OK}
    assert report.answer.answered_at == f"127.0.0.1:{report.server.port}"
    assert report.served_chain.message == CertificateMessage(certificates=tuple(chain), protocol=TLS_1_3)
    assert topology.draw(report.served_chain.path) == "EE<B<A<TA"
    assert (report.served_chain_in_tls_1_2, report.changes, report.problems, report.devices) == (None, (), (), ())
    described = json.loads(json.dumps(report.to_json()))
    assert (described["ok"], described["contact"], described["server_name"]) == (True, "answered", "ee")
    assert [one["protocol"] for one in described["protocols"]] == [TLS_1_3, TLS_1_2]
    assert [one["certificates"] for one in described["protocols"]] == [[one.sha256 for one in chain]] * 2


def test_a_yes_needs_a_path(probe):
    """Without a valid path the answer is no, with any findings: nothing sent, or nothing valid in either version."""
    report = probe()
    pathless = replace(report.served_chain, path=None)
    assert not replace(report, served_chain=None).ok
    assert not replace(report, served_chain=pathless).ok
    assert not replace(report, served_chain_in_tls_1_2=pathless).ok


@pytest.mark.parametrize(
    ("arrange", "problem"),
    [
        pytest.param(lambda c: c[:1], "chain", id="missing intermediates"),
        pytest.param(lambda c: (c[0], c[2], c[1]), "order", id="wrong order"),
        pytest.param(lambda c: (*c, c[1]), "duplicates", id="twice"),
    ],
)
def test_what_is_sent_is_judged_strictly(probe, chain, arrange, problem):
    """The strict reading's no is a no, by name, with what to change; contact and handshake are as they should be."""
    report = probe(arrange(chain))
    assert not report.ok
    assert problem in report.failed
    assert report.changes
    assert set(outcomes(report).values()) == {Outcome.OK}


def test_the_pool_is_asked_for_what_is_missing(probe, chain, topology):
    """A path is found with ``certificates``; the answer is still no, for devices have no such pool."""
    report = probe(chain[:1], certificates=[one.der for one in chain[1:]])
    assert not report.ok
    assert topology.draw(report.served_chain.path_with_pool) == "EE<B<A<TA"


def test_the_name_is_the_hosts_unless_another_is_given(probe):
    """RFC 9525: what the client wanted to reach counts, here an address that the certificate is not for."""
    assert probe(server_name="ee.").ok
    report = probe(server_name=None)
    assert report.server.server_name == "127.0.0.1"
    assert "server-name" in report.failed


def test_time_and_expiry(probe, chain):
    """The time is an argument, short for parameters with just that; what expires soon after it is a no if asked."""
    assert "path" in probe(time=datetime(2001, 1, 1, tzinfo=UTC)).failed
    assert probe(parameters=pk.ValidationParameters(time=chain[0].not_before + timedelta(days=1))).ok
    assert probe(expires_within=timedelta(days=10_000)).failed == ("expiry",)


def test_devices_say_no_by_rule(probe, chain):
    """A device that is known to refuse makes it a no; one of which nothing is known does not."""
    report = probe(chain[:1], devices=["go", "go", "ios"])
    assert [verdict.device for verdict in report.devices] == ["go", "ios"]
    assert report.failed == ("chain", "go")
    assert [one["device"] for one in report.to_json()["devices"]] == ["go", "ios"]


def test_devices_judge_what_each_version_gets(probe_answer, chain):
    """An older phone speaks TLS 1.2: what it is known to refuse there is a no, too."""
    report = probe_answer(answered(in_version(TLS_1_3, chain), in_version(TLS_1_2, chain[:1])), devices=["go"])
    verdicts = (*report.devices, *report.devices_in_tls_1_2)
    assert [bool(verdict.refusals) for verdict in verdicts] == [False, True]
    assert "go" in report.failed
    assert [one["accepted"] for one in report.to_json()["devices_in_tls_1_2"]] == ["no"]


def test_chains_that_differ_by_version_are_both_judged(probe_answer, chain):
    """The chain for TLS 1.2 clients is checked as well: a note where it is right, else a no with the changes."""
    right = answered(in_version(TLS_1_3, chain), in_version(TLS_1_2, chain))
    assert outcomes(probe_answer(right))[Check.SAME_CERTIFICATES] is Outcome.OK
    with_anchor = (*chain, lab.Topology.from_edges("X<Y").certificates[0])
    note = probe_answer(answered(in_version(TLS_1_3, chain), in_version(TLS_1_2, with_anchor)))
    assert note.served_chain_in_tls_1_2.message.certificates == with_anchor
    assert outcomes(note)[Check.SAME_CERTIFICATES] in {Outcome.NOTE, Outcome.NOT_OK}
    wrong = probe_answer(answered(in_version(TLS_1_3, chain), in_version(TLS_1_2, chain[:1])))
    assert outcomes(wrong)[Check.SAME_CERTIFICATES] is Outcome.NOT_OK
    assert wrong.served_chain.ok
    assert not wrong.ok
    assert wrong.failed == ("same-certificates", "chain")
    assert wrong.changes == wrong.served_chain_in_tls_1_2.changes
    assert wrong.to_json()["sent_in_tls_1_2"]["ok"] is False


def test_old_versions_alone_are_a_no(probe_answer, chain):
    """RFC 8996: TLS 1.0 and 1.1 must not be used, so that a sound chain is of no use; newer beside others is enough."""
    failed = {"contact": Contact.HANDSHAKE_FAILED, "why": "tlsv1 alert protocol version"}
    new = [ProtocolAnswer(protocol=name, **failed) for name in (TLS_1_3, TLS_1_2)]
    report = probe_answer(answered(*new, in_version("TLSv1.1", chain)))
    assert report.served_chain.ok
    assert report.failed == ("protocols",)
    assert "RFC 8996" in why(report, Check.PROTOCOLS)
    assert report.changes == ("let the server speak TLS 1.2 or TLS 1.3",)
    assert outcomes(report)[Check.SAME_CERTIFICATES] is Outcome.NOT_CHECKED
    enough = probe_answer(answered(new[0], in_version(TLS_1_2, chain)))
    assert enough.ok
    assert outcomes(enough)[Check.PROTOCOLS] is Outcome.NOTE
    assert "protocol version" in why(enough, Check.PROTOCOLS)


def test_a_handshake_that_breaks_off(probe_answer, chain):
    """After the certificates it is a no: the key may not be theirs. A server that wants one of the client may do so."""
    broken = answered(in_version(TLS_1_3, chain), in_version(TLS_1_2, chain, why="bad signature"))
    report = probe_answer(broken)
    assert report.failed == ("handshake",)
    assert "bad signature" in why(report, Check.HANDSHAKE)
    names = tuple(pk.Name([[("2.5.4.3", f"CA {number}")]]) for number in range(7))
    asks = {"asks_for_client_certificate": True, "client_authorities": names}
    ended = {"why": "handshake failure", "ended_by_server": True} | asks
    refused = answered(in_version(TLS_1_3, chain, **asks), in_version(TLS_1_2, chain, **ended))
    report = probe_answer(refused)
    assert report.ok
    assert report.asks_for_client_certificate
    assert outcomes(report)[Check.HANDSHAKE] is Outcome.NOTE
    assert "of CN=CA 0; CN=CA 1; CN=CA 2; CN=CA 3; CN=CA 4 and 2 more" in why(report, Check.CLIENT_CERTIFICATE)
    assert report.to_json()["protocols"][0]["client_authorities"] == [str(name) for name in names]
    nameless = answered(in_version(TLS_1_3, chain, asks_for_client_certificate=True))
    assert "names no CA" in why(probe_answer(nameless), Check.CLIENT_CERTIFICATE)


@pytest.mark.parametrize(("protocol", "by_server"), [(TLS_1_3, True), (TLS_1_3, False), (TLS_1_2, False)])
def test_asking_for_a_certificate_explains_no_other_break(probe_answer, chain, protocol, by_server):
    """RFC 8446 section 4.3.2: the request comes before CertificateVerify, so that the key may still be another."""
    broken = in_version(
        protocol, chain, why="bad signature", asks_for_client_certificate=True, ended_by_server=by_server
    )
    assert probe_answer(answered(broken)).failed == ("handshake",)


def test_cipher_suites_that_phones_lack_are_a_no(probe_answer, chain):
    """TLS 1.2 with what iOS or Android do not offer is of no use to them, however sound the chain."""
    report = probe_answer(answered(in_version(TLS_1_2, chain, is_old=True, cipher_suite="DHE-RSA-AES128-GCM-SHA256")))
    assert report.failed == ("protocols",)
    assert "TLSv1.2 with DHE-RSA-AES128-GCM-SHA256" in why(report, Check.PROTOCOLS)
    assert report.changes == ("let the server offer cipher suites of ECDHE and AES-GCM, signed with SHA-256",)


def test_a_hang_in_one_version_is_a_no(probe_answer, chain):
    """RFC 8446 appendix D: a client offers all its versions at once, and falls back to none by itself."""
    hangs = ProtocolAnswer(protocol=TLS_1_3, contact=Contact.TIMED_OUT, why="no answer in time")
    report = probe_answer(answered(hangs, in_version(TLS_1_2, chain)))
    assert report.failed == ("protocols",)
    assert "no answer in time" in why(report, Check.PROTOCOLS)


def test_a_rare_group_is_told(probe_answer, chain):
    """RFC 8446 section 9.1: P-256 is a must and X25519 a should; a server that takes another may have neither."""
    common = probe_answer(answered(in_version(TLS_1_3, chain, group="x25519")))
    assert outcomes(common)[Check.PROTOCOLS] is Outcome.OK
    rare = probe_answer(answered(in_version(TLS_1_3, chain, group="x448")))
    assert outcomes(rare)[Check.PROTOCOLS] is Outcome.NOTE
    assert "x448" in why(rare, Check.PROTOCOLS)


def test_addresses_that_were_not_asked_are_told(probe_answer, chain):
    """The answer is about one address of the name; others may be servers that send something else."""
    report = probe_answer(replace(answered(in_version(TLS_1_3, chain)), not_asked=("192.0.2.2:443", "192.0.2.3:443")))
    assert outcomes(report)[Check.CONTACT] is Outcome.NOTE
    assert "--server-name ee: 192.0.2.2:443, 192.0.2.3:443" in why(report, Check.CONTACT)
    assert report.to_json()["not_asked"] == ["192.0.2.2:443", "192.0.2.3:443"]


@pytest.mark.parametrize("contact", [one for one in Contact if one is not Contact.ANSWERED])
def test_no_answer_is_a_no_in_words(probe_answer, contact):
    """Each way in which a server can fail to answer has words of its own, beside what was seen."""
    answer = ServerAnswer(contact=contact, why="the details", answered_at=None, protocols=())
    report = probe_answer(answer, devices=["ios"])
    assert not report.ok
    assert report.failed == ("contact",)
    assert why(report, Check.CONTACT).endswith("the details")
    assert len(why(report, Check.CONTACT)) > len(": the details")
    assert {outcome for check, outcome in outcomes(report).items() if check is not Check.CONTACT} == {
        Outcome.NOT_CHECKED
    }
    assert (report.served_chain, report.devices, report.changes) == (None, (), ())
    assert (report.to_json()["contact"], report.to_json()["sent"]) == (contact.value, None)


@pytest.mark.parametrize(
    ("given", "port", "name"),
    [
        ({"host": "mdm.example.mil"}, 443, "mdm.example.mil"),
        ({"host": "mdm.example.mil.:8443"}, 8443, "mdm.example.mil"),
        ({"host": "mdm.example.mil", "port": 7443}, 7443, "mdm.example.mil"),
        ({"host": "[2001:db8::1]", "starttls": "smtp"}, 25, "2001:db8::1"),
        ({"host": "mdm.example.mil", "starttls": "imap", "port": 144}, 144, "mdm.example.mil"),
        ({"host": "mdm.example.mil", "server_name": "Bücher.example."}, 443, "xn--bcher-kva.example"),
        ({"host": "mdm.example.mil", "server_name": "[2001:db8::1]"}, 443, "2001:db8::1"),
    ],
)
def test_where_and_for_what_name(given, port, name):
    """The port is what was said, else that of the protocol; names are as certificates have them."""
    server = probed_server(**given)
    assert (server.port, server.server_name) == (port, name)


def test_shows_itself_with_port_and_label():
    """An IPv6 address is in brackets."""
    assert str(probed_server("2001:db8::1", port=8443, label="administrators")) == "[2001:db8::1]:8443 (administrators)"


def test_bad_arguments_are_errors(anchor, monkeypatch):
    """Arguments that cannot be used raise before anything is sent."""
    monkeypatch.setattr(probing, "ask_server", None)
    parameters = pk.ValidationParameters(time=datetime.now(UTC), server_name="EE")
    for error, more in (
        (pk.InputError, {"host": "no host"}),
        (pk.InputError, {"host": "a:1", "port": 2}),
        (pk.InputError, {"server_name": "no name"}),
        (pk.InputError, {"trust_anchors": []}),
        (pk.InputError, {"certificates": [b"no certificate"]}),
        (UnknownNameError, {"starttls": "gopher"}),
        (UnknownNameError, {"devices": ["toaster"]}),
        (ArgumentError, {"devices": "ios"}),
        (ArgumentError, {"trust_anchors": 3}),
        (pk.InputError, {"certificates": "file.pem"}),
        (ArgumentError, {"parameters": parameters}),
        (ArgumentError, {"parameters": replace(parameters, server_name=None), "time": datetime.now(UTC)}),
        (ArgumentError, {"port": 0}),
        (ArgumentError, {"port": -1}),
        (ArgumentError, {"port": 65_536}),
        (ArgumentError, {"timeout": 0}),
        (ArgumentError, {"timeout": float("nan")}),
        (ArgumentError, {"timeout": float("inf")}),
        (ArgumentError, {"expires_within": timedelta(-1)}),
    ):
        with pytest.raises(error):
            pk.probe(**({"host": "mdm.example.mil", "trust_anchors": [anchor]} | more))


@contextmanager
def silent_listeners(number):
    """Listen at so many ports, and never accept: connections wait in the queue until the listeners close."""
    with ExitStack() as stack:
        yield [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]


def port_of(listener):
    """Return the port that a socket listens at."""
    return listener.getsockname()[1]


def probing_of(ports, anchor, **more):
    """Probe ports of loopback, as an iterator."""
    given = {"trust_anchors": [anchor], "parameters": pk.ValidationParameters(time=datetime.now(UTC))} | more
    return probe_servers((probed_server("127.0.0.1", port=port) for port in ports), **given)


def test_several_servers_side_by_side_and_in_order(topology, chain, anchor):
    """A server that hangs delays no other; reports come in the order that was given, answers as they come."""
    told = []
    with LoopbackServer(topology.servers["EE"].private_key, chain) as good, silent_listeners(3) as silent:
        ports = [port_of(silent[0]), good.port, *map(port_of, silent[1:])]

        def tell(server, _):
            told.append(server.port)
            for listener in silent:  # which hung for as long as nothing else had come
                listener.close()

        reports = list(probing_of(ports, anchor, timeout=10 * SECONDS, on_answer=tell))
    assert [report.server.port for report in reports] == ports
    assert [report.answer.contact is Contact.ANSWERED for report in reports] == [False, True, False, False]
    assert told[0] == ports[1]
    assert sorted(told) == sorted(ports)


def test_no_more_at_a_time_than_the_limit(anchor, monkeypatch):
    """``probe_servers``: with one at a time, the second is asked when the first has timed out."""
    running, counts, ask_server = [], [], probing.ask_server

    def ask(*address, **given):
        running.append(address)
        counts.append(len(running))
        try:
            return ask_server(*address, **given)
        finally:
            running.pop()

    monkeypatch.setattr(probing, "ask_server", ask)
    with silent_listeners(2) as ports:
        limits = replace(DEFAULT_LIMITS, probe_servers=1)
        assert len(list(probing_of(map(port_of, ports), anchor, timeout=0.3, limits=limits))) == 2
    assert counts == [1, 1]


def test_closing_ends_what_is_on_its_way(anchor):
    """An iterator that is closed leaves no thread and waits for no server."""
    before = set(threading.enumerate())
    with silent_listeners(3) as silent, socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with waiting_for_nothing():
            reports = probing_of(map(port_of, (bound, *silent)), anchor, timeout=HOUR)
            assert next(reports).answer.contact is Contact.REFUSED
            reports.close()
    assert set(threading.enumerate()) <= before
