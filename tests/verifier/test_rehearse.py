"""``rehearse``: served as the file has it, judged by what has to accept it, and closed wherever that is not known."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import pkcs12kit as pk
from pkcs12kit import Check, lab
from pkcs12kit.errors import UnknownNameError
from pkcs12kit.pkcs12.bags import certificate_bag
from pkcs12kit.pkcs12.encoder import PlainKey, encode_contents
from pkcs12kit.probing import Verdict
from pkcs12kit.tls.rehearsal.clients.registry import CLIENTS
from pkcs12kit.verifier import rehearse as rehearsing

PASSWORD = "correct horse 42 battery"
QUICK = replace(pk.profiles.MODERN, encryption_iterations=3, mac_iterations=3)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def topology():
    """EE < I < P < TA, and another server, Other < TA."""
    return lab.Topology.from_edges("EE<I<P<TA", "Other<TA")


@pytest.fixture(scope="module")
def chain(topology):
    """EE, I, P and TA's own."""
    return (*topology.certificates[:3], topology.authorities["TA"].certificate)


def key_of(identity, *, name="s", local_key_id=b"1"):
    """The key of an identity as a file has it."""
    info = identity.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return PlainKey(private_key_info=info, friendly_name=name, local_key_id=local_key_id)


@pytest.fixture
def rehearse(topology, answering):  # noqa: ARG001  # which leaves OpenSSL alone
    """Rehearse a file of these certificates with the server's key; keywords are those of ``rehearse``."""

    def call(chain, *, identity=None, keys=None, data=None, **more):
        if data is None:
            keys = (key_of(identity or topology.servers["EE"]),) if keys is None else keys
            bags = [certificate_bag(one.der) for one in chain]
            data = encode_contents(bags, list(keys), password=PASSWORD, profile=QUICK)
        anchors = [topology.authorities["TA"].certificate.der]
        return pk.rehearse(data, **({"trust_anchors": anchors, "password": PASSWORD} | more))

    return call


def refused(report):
    """Name the checks that say no, and the clients and devices; the report says no as a whole just where any does."""
    checks = {check.value: check for check in Check}
    found = {checks.get(name, name) for name in report.failed}
    assert report.ok is (not found)
    assert bool(report.problems) is not report.ok
    assert json.loads(json.dumps(report.to_json()))["ok"] is report.ok
    return found


def handshakes(report, client):
    """The handshakes of one client."""
    return [one for one in report.handshakes if one.client == client]


class TestServed:
    """The served chain is that of an appliance."""

    @pytest.mark.parametrize("with_anchor", [False, True])
    def test_sound(self, rehearse, chain, with_anchor):
        """OpenSSL accepts by both versions, and received just what is in the file (RFC 5246 section 7.4.2)."""
        report = rehearse(chain if with_anchor else chain[:3])
        assert refused(report) == set()
        ours = handshakes(report, "openssl")
        assert [one.protocol for one in ours] == ["TLSv1.2", "TLSv1.3"]
        assert {one.verdict for one in ours} == {Verdict.ACCEPTED}
        assert {one.received.certificates for one in ours} == {report.served_chain.message.certificates}
        assert [report.as_served(one) for one in ours] == [True, True]
        assert report.served_chain.message.certificates == (chain if with_anchor else chain[:3])
        assert report.required == {"openssl"}

    def test_the_keys_own_first(self, rehearse, chain, topology):
        """An appliance begins with the certificate of the key; all others follow in file order, the stranger too."""
        stranger = topology.certificate("Other", "TA")
        report = rehearse([chain[1], stranger, chain[0], chain[2]])
        assert report.served_chain.message.certificates == (chain[0], chain[1], stranger, chain[2])
        assert refused(report) == {Check.ORDER}
        assert {one.verdict for one in handshakes(report, "openssl")} == {Verdict.ACCEPTED}

    def test_the_key_as_the_file_has_it(self, rehearse, chain, topology, monkeypatch):
        """The server gets the key's PrivateKeyInfo, which may say RSASSA-PSS (RFC 4055 section 1.2)."""
        told = []
        honest = rehearsing.shake_hands
        monkeypatch.setattr(
            rehearsing,
            "shake_hands",
            lambda *given, **more: told.append(more["private_key_info"]) or honest(*given, **more),
        )
        rehearse(chain)
        assert told == [key_of(topology.servers["EE"]).private_key_info]

    def test_nothing_is_added(self, rehearse, chain):
        """A missing intermediate stays missing: the strict reading and OpenSSL both say so, and what to change."""
        report = rehearse([chain[0], *chain[2:]], certificates=[chain[1].der])
        assert refused(report) == {Check.ORDER, Check.CHAIN, "openssl"}
        assert {one.verdict for one in handshakes(report, "openssl")} == {Verdict.REFUSED}
        assert report.served_chain.changes == ("add I (issued by P, serial number 2), which is in the pool, after EE",)

    def test_wrong_anchor(self, rehearse, chain):
        """Nothing but the anchors is trusted, not even what comes with the file."""
        other = lab.Authority.create("TA").certificate
        assert {Check.CHAIN, "openssl"} <= refused(rehearse(chain, trust_anchors=[other.der]))

    def test_one_of_several_keys(self, rehearse, chain, topology):
        """Which one is meant has to be said; the certificates of others are sent all the same."""
        keys = [key_of(topology.servers["EE"]), key_of(topology.servers["Other"], name="other", local_key_id=b"2")]
        other = topology.certificate("Other", "TA")
        with pytest.raises(pk.UnsupportedPfxError, match="2 private keys"):
            rehearse([*chain, other], keys=keys)
        report = rehearse([*chain, other], keys=keys, key_name="other")
        assert report.served_chain.message.certificates == (other, *chain)
        assert report.server_name == "other"


class TestNames:
    """The names that the clients ask for."""

    def test_given(self, rehearse, chain):
        """A name that the certificate is not for: both say no (RFC 9525 section 6)."""
        report = rehearse(chain, server_name="else.example")
        assert (report.server_name, report.server_name_given) == ("else.example", True)
        assert refused(report) == {Check.SERVER_NAME, "openssl"}

    @pytest.mark.parametrize("name", ["EE.", "ee", "EE"])
    def test_as_clients_ask(self, rehearse, chain, monkeypatch, name):
        """The reported name is the one in SNI: no trailing dot (RFC 6066 section 3), small letters."""
        told = []
        honest = rehearsing.shake_hands
        monkeypatch.setattr(
            rehearsing, "shake_hands", lambda *given, **more: told.append(more["server_name"]) or honest(*given, **more)
        )
        report = rehearse(chain, server_name=name)
        assert refused(report) == set()
        assert {report.server_name, report.served_chain.parameters.server_name, *told} == {"ee"}

    def test_empty(self, rehearse, chain):
        """A name that was given and is none, an unset variable of a script perhaps, is not left to the certificate."""
        with pytest.raises(pk.InputError, match="neither a DNS name nor an IP address"):
            rehearse(chain, server_name="")

    @pytest.mark.parametrize(
        ("names", "asked"),
        [
            (["mdm.example.mil", "b.example"], "mdm.example.mil"),
            (["*.example.mil"], "www.example.mil"),
            (["under_score.example", "b.example"], "b.example"),
            ([IPv4Address("192.0.2.1")], "192.0.2.1"),
            ([IPv4Address("192.0.2.1"), "late.example"], "late.example"),
        ],
    )
    def test_from_the_certificate(self, rehearse, topology, names, asked):
        """The first dNSName that counts, else an iPAddress; a wildcard stands for a name that matches."""
        general = [x509.DNSName(name) if isinstance(name, str) else x509.IPAddress(name) for name in names]
        extension = lab.extensions.non_critical(x509.SubjectAlternativeName(general))
        server = topology.authorities["TA"].issue_server("s.example", extensions=[extension])
        report = rehearse([server.certificate], identity=server)
        assert (report.server_name, report.server_name_given) == (asked, False)
        assert refused(report) == set()

    def test_common_name_alone(self, rehearse, topology):
        """It is not a server name (RFC 9525 section 2): asked for, it is a no; an error where it is not a host."""
        authority = topology.authorities["TA"]
        nothing = lab.extensions.non_critical(x509.SubjectAlternativeName([x509.RFC822Name("a@b.example")]))
        server = authority.issue_server("s.example", extensions=[nothing])
        report = rehearse([server.certificate], identity=server)
        assert report.server_name == "s.example"
        assert Check.SERVER_NAME in refused(report)
        server = authority.issue_server("s.example", subject=x509.Name([]), extensions=[nothing])
        with pytest.raises(pk.InputError, match="the certificate has no DNS name and no IP address"):
            rehearse([server.certificate], identity=server)


class TestTime:
    """Rehearsals at another time than now."""

    def test_another_time(self, rehearse):
        """A chain of the past is accepted then, and refused now."""
        past = lab.Validity.around(days_before=300, days_after=-10)
        authority = lab.Authority.create("TA", validity=past)
        server = authority.issue_server("s.example")
        given = {"identity": server, "trust_anchors": [authority.certificate.der]}
        report = rehearse([server.certificate], **given, time=past.not_after - DAY)
        assert refused(report) == set()
        report = rehearse([server.certificate], **given)
        assert {"openssl", Check.PATH, Check.EXPIRY} <= refused(report)
        soon = rehearse([server.certificate], **given, time=past.not_after - DAY, expires_within=2 * DAY)
        assert soon.failed == ("expiry",)

    def test_now_is_not_told(self, rehearse, chain, monkeypatch):
        """Clients get no time where it is now: most of them can only use the clock."""
        told = []
        honest = rehearsing.shake_hands
        monkeypatch.setattr(
            rehearsing, "shake_hands", lambda *given, **more: told.append(more["time"]) or honest(*given, **more)
        )
        now = datetime.now(UTC)
        for time in (None, now, now + DAY):
            rehearse(chain, time=time)
        assert told == [None, None, (now + DAY).replace(microsecond=0)]

    def test_parameters(self, rehearse, chain):
        """Policies are asked of the path; the parameters hold time and name."""
        parameters = pk.ValidationParameters(
            time=datetime.now(UTC), user_initial_policy_set={"1.2.3"}, initial_explicit_policy=True
        )
        assert refused(rehearse(chain, parameters=parameters)) == {Check.PATH}
        with pytest.raises(TypeError, match="into parameters"):
            rehearse(chain, parameters=parameters, server_name="EE")


class TestClients:
    """The clients that have to accept."""

    def test_required_and_missing(self, rehearse, chain):
        """A client that is named and not there is never passed over."""
        with pytest.raises(pk.InputError, match=r"java \(needs java\)"):
            rehearse(chain, clients=["java"])
        with pytest.raises(pk.InputError, match="needs curl"):
            rehearse(chain, clients=["all", "curl"])
        with pytest.raises(UnknownNameError, match="unknown client 'lynx'"):
            rehearse(chain, clients=["lynx"])

    @pytest.mark.parametrize("verdict", [Verdict.REFUSED, Verdict.NOT_TRIED])
    def test_no_is_a_note_unless_named(self, rehearse, chain, answering, verdict):
        """The answer does not depend on what is installed; one that has to accept, and was not tried, says no."""
        answering(go=verdict)
        report = rehearse(chain)
        assert refused(report) == set()
        assert [one.verdict for one in handshakes(report, "go")] == [verdict, verdict]
        report = rehearse(chain, clients=["go"])
        assert refused(report) == {"go"}
        assert report.problems == tuple(f"go, {one}: {verdict.value}: because\x1b[2J" for one in ("TLSv1.2", "TLSv1.3"))

    @pytest.mark.parametrize(
        ("named", "asked", "required"),
        [
            ([], list(CLIENTS), {"openssl"}),
            (["openssl"], ["openssl"], {"openssl"}),
            (["go"], ["openssl", "go"], {"openssl", "go"}),
            (["all"], list(CLIENTS), {"openssl", "go", "nss"}),
        ],
        ids=["nobody", "openssl", "go", "all"],
    )
    def test_who_is_named_is_asked_alone(self, rehearse, chain, answering, named, asked, required):
        """And has to accept; all means all that are installed, of whom each has to accept."""
        answering(go=Verdict.ACCEPTED, nss=Verdict.ACCEPTED)
        report = rehearse(chain, clients=named)
        assert list(dict.fromkeys(one.client for one in report.handshakes)) == asked
        assert report.required == required
        assert refused(report) == set()
        answering(go=Verdict.ACCEPTED, nss=Verdict.REFUSED)
        assert refused(rehearse(chain, clients=named)) == required & {"nss"}

    def test_our_own_refusal_is_a_no(self, rehearse, chain, answering, monkeypatch):
        """OpenSSL's refusal is a no with any findings, and so is the lack of a handshake."""
        answering(openssl=Verdict.REFUSED)
        assert refused(rehearse(chain)) == {"openssl"}
        monkeypatch.setattr(rehearsing, "shake_hands", lambda *_, **__: ())
        report = rehearse(chain)
        assert not report.ok
        assert report.problems == ("openssl: it made no handshake",)

    def test_no_path_is_never_ok(self, rehearse, chain):
        """Whatever the findings and the clients say."""
        report = rehearse(chain)
        assert not replace(report, served_chain=replace(report.served_chain, path=None)).ok

    def test_other_certificates_than_were_served(self, rehearse, chain, answering):
        """Acceptance of other certificates does not count."""
        received = pk.probing.CertificateMessage(certificates=chain[:1], protocol="TLSv1.3")
        answering(openssl=(Verdict.ACCEPTED, received))
        report = rehearse(chain)
        assert refused(report) == {"openssl"}
        assert "it received other certificates than were served" in report.problems[0]

    def test_progress(self, rehearse, chain):
        """Each handshake as it comes, in the caller's thread."""
        came = []
        report = rehearse(chain, on_progress=lambda one: came.append((one, threading.current_thread())))
        assert {one for one, _ in came} == set(report.handshakes)
        assert {thread for _, thread in came} == {threading.current_thread()}

    def test_interrupt(self, rehearse, chain):
        """The interruption reaches the caller, and no thread stays (the server's port is gone with its thread)."""
        before = set(threading.enumerate())

        def interrupt(_):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            rehearse(chain, on_progress=interrupt)
        left = [thread for thread in threading.enumerate() if thread not in before]
        for thread in left:
            thread.join(30)
        assert not any(thread.is_alive() for thread in left)


class TestDevices:
    """Devices are judged by rule, and the report says so."""

    def test_answers(self, rehearse, topology):
        """A device that is known to refuse says no; one of which nothing is known does not."""
        critical = lab.extensions.critical(
            x509.PolicyConstraints(require_explicit_policy=None, inhibit_policy_mapping=0)
        )
        root, issuing = topology.authorities["TA"], lab.Authority.create("I")
        middle = root.issue_ca(issuing, extensions=[critical])
        server = issuing.issue_server("s.example")
        given = {"identity": server, "chain": [server.certificate, middle]}
        report = rehearse(**given, devices=["go", "firefox", "go"])
        assert [verdict.device for verdict in report.devices] == ["go", "firefox"]
        assert {verdict.basis for verdict in report.devices} == {"by rule"}
        assert "go" in refused(report)
        assert any(problem.startswith("go, by rule: critical policyConstraints") for problem in report.problems)
        assert refused(rehearse(**given)) == set()
        assert refused(rehearse([topology.certificate("Other", "TA")], identity=topology.servers["Other"])) == set()

    def test_unknown(self, rehearse, chain):
        """No device is guessed."""
        with pytest.raises(UnknownNameError, match=r"unknown device 'toaster'\. Known names: ios"):
            rehearse(chain, devices=["toaster"])


class TestFiles:
    """A file that cannot be served is an error that names the file."""

    def test_no_key(self, rehearse, chain):
        """A file with only certificates cannot be served."""
        with pytest.raises(pk.InputError, match="the bytes given: the PKCS#12 file has no private key"):
            rehearse(chain, keys=())

    def test_no_certificate(self, rehearse, chain):
        """A key that none of the certificates is for."""
        with pytest.raises(pk.InputError, match="no certificate for its private key"):
            rehearse(chain[1:])

    def test_unreadable_certificate(self, rehearse, chain, topology):
        """An appliance may choke on it, or drop it: what it would send is not known."""
        bags = [*(certificate_bag(one.der) for one in chain), certificate_bag(bytes.fromhex("300302012a"))]
        data = encode_contents(bags, [key_of(topology.servers["EE"])], password=PASSWORD, profile=QUICK)
        with pytest.raises(pk.InputError, match="the bytes given"):
            rehearse((), data=data)

    def test_password_and_nonsense(self, rehearse, chain, tmp_path):
        """The same errors as everywhere, and nothing served."""
        with pytest.raises(pk.PfxPasswordError, match="the bytes given: the MAC"):
            rehearse(chain, password="wrong")
        with pytest.raises(pk.InputError, match="expected a PKCS#12 file"):
            rehearse((), data=b"nonsense")
        with pytest.raises(pk.InputError, match=r"missing\.p12: no such file"):
            rehearse((), data=tmp_path / "missing.p12")
        with pytest.raises(TypeError, match="is a collection"):
            rehearse(chain, clients="openssl")
        with pytest.raises(pk.InputError, match="no trust anchor"):
            rehearse(chain, trust_anchors=[])
        with pytest.raises(ValueError, match="must not be negative"):
            rehearse(chain, expires_within=-DAY)

    def test_no_secrets(self, rehearse, chain, topology):
        """Neither key nor password is in what comes out."""
        report = rehearse(chain)
        text = repr(report) + json.dumps(report.to_json())
        number = topology.servers["EE"].private_key.private_numbers().private_value
        assert PASSWORD not in text
        assert str(number) not in text
        assert f"{number:x}" not in text
