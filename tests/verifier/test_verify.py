"""``verify``: each check fails where it should and nowhere else, with the certificates of the file only."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

import pkcs12kit as pk
from pkcs12kit import Check, Outcome, lab
from pkcs12kit.findings import FILE_CHECKS
from pkcs12kit.pkcs12.bags import certificate_bag, other_bag
from pkcs12kit.pkcs12.encoder import PlainKey, encode_contents
from pkcs12kit.pkcs12.opening import PasswordUse
from pkcs12kit.verifier import checks
from pkcs12kit.verifier import verify as verifying

from ..counting import counted_calls
from ..thoroughness import examples

PASSWORD = "correct horse 42 battery"
QUICK = replace(pk.profiles.MODERN, encryption_iterations=3, mac_iterations=3)
DAY = timedelta(days=1)
SECRET = bytes.fromhex("300b06032a0304a00404020102")  # SecretBag, RFC 7292 section 4.2.5
PAST = lab.Validity.around(days_before=300, days_after=-10)


@pytest.fixture(scope="module")
def topology():
    """A server below two CAs and an anchor, another server, and cross-certificates beside the way.

    EE < I < P < TA,  I < TA,  Other < TA
    """
    return lab.Topology.from_edges("EE<I<P<TA", "I<TA", "Other<TA")


@pytest.fixture(scope="module")
def anchor(topology):
    """The anchor's certificate, as a source."""
    return topology.authorities["TA"].certificate.der


@pytest.fixture(scope="module")
def chain(topology):
    """EE, I, P and TA's own."""
    return (
        topology.certificate("EE", "I"),
        topology.certificate("I", "P"),
        topology.certificate("P", "TA"),
        topology.authorities["TA"].certificate,
    )


def key_of(identity, *, name="s", local_key_id=b"1"):
    """The key of an identity as a file has it."""
    info = identity.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return PlainKey(private_key_info=info, friendly_name=name, local_key_id=local_key_id)


def pfx(certificates, *keys, ids=(b"1",), bags=(), attributes=()):
    """Make a file that may break any rule; ``ids`` are the localKeyIDs of the first certificates."""
    padded = [*ids, *[None] * len(certificates)]
    contents = [
        certificate_bag(certificate.der, local_key_id=its_id, attributes=attributes)
        for certificate, its_id in zip(certificates, padded, strict=False)
    ]
    return encode_contents([*contents, *bags], list(keys), password=PASSWORD, profile=QUICK)


@pytest.fixture
def judge(topology, anchor):
    """Verify a file of certificates with the server's key, or with ``keys``; other keywords are ``verify``'s."""

    def call(certificates, *, keys=None, ids=(b"1",), bags=(), attributes=(), data=None, **more):
        if data is None:
            keys = (key_of(topology.servers["EE"]),) if keys is None else keys
            data = pfx(certificates, *keys, ids=ids, bags=bags, attributes=attributes)
        return pk.verify(data, **({"trust_anchors": [anchor], "password": PASSWORD} | more))

    return call


def refused(report):
    """Name the checks that say no; the report says no as a whole just where there are any."""
    found = {finding.check for finding in report.findings if finding.outcome is Outcome.NOT_OK}
    assert report.ok is (not found)
    assert report.failed == tuple(finding.check.value for finding in report.findings if finding.is_problem)
    assert report.to_json()["ok"] is report.ok
    return found


def finding(report, check):
    """Find the one finding of a check."""
    (found,) = [one for one in report.findings if one.check is check]
    return found


class TestSoundFiles:
    """Files without a fault, and the notes on them."""

    def test_every_check_once(self, judge, chain):
        """Each check has one finding, in the order of the list; the report is frozen and says which path."""
        report = judge(chain)
        assert refused(report) == set()
        assert [one.check for one in report.findings] == list(FILE_CHECKS)
        assert report.certificates == chain
        assert (report.target, report.path.certificates) == (chain[0], chain[:3])
        assert report.confirmation.opinion is pk.Opinion.VALID
        assert {one.check for one in report.findings if one.outcome is Outcome.NOT_CHECKED} == {
            Check.SERVER_NAME,
            Check.REVOCATION,
        }
        with pytest.raises(FrozenInstanceError):
            report.path = None

    def test_json_without_secrets(self, judge, chain, topology):
        """The report is JSON, certificates as everywhere, without key or password in it or in ``repr``."""
        report = judge(chain, server_name="EE")
        text = json.dumps(report.to_json()) + repr(report)
        value = json.loads(json.dumps(report.to_json()))
        assert [certificate["sha256"] for certificate in value["path"]] == [it.sha256 for it in chain[:3]]
        assert value["trust_anchor"]["sha256"] == chain[3].sha256
        assert value["findings"][0] == {"check": "mac", "outcome": "ok", "why": "verifies with the password"}
        assert value["readers"]["openssl-3"]["opens"] == "yes"
        secret = topology.servers["EE"].private_key.private_numbers().private_value
        for form in (PASSWORD, str(secret), f"{secret:x}"):
            assert form not in text

    def test_a_report_is_neither_true_nor_false(self, judge, chain):
        """A report that were always true would be taken for a yes: ``ok`` has the answer."""
        report = judge(chain)
        with pytest.raises(TypeError, match=r"ask for its \.ok"):
            bool(report)

    def test_without_the_anchors_certificate(self, judge, chain):
        """Clients have the anchor: its certificate may be left out, which the finding mentions."""
        report = judge(chain[:3])
        assert refused(report) == set()
        assert finding(report, Check.CHAIN).why.endswith("not in the file")
        assert finding(judge(chain), Check.CHAIN).why.endswith("whose own certificate is in the file")

    def test_superfluous_at_the_end(self, judge, chain, topology):
        """A certificate on no path, behind the path, is named and does no harm (RFC 8446 section 4.4.2)."""
        report = judge([*chain, topology.certificate("Other", "TA")])
        assert refused(report) == set()
        assert finding(report, Check.CONTENTS).outcome is Outcome.NOTE
        assert "on no path at all: Other" in finding(report, Check.CONTENTS).why

    def test_another_path(self, judge, chain, topology, anchor):
        """With P trusted as well, the file's own order ends at P, and the path to TA is named as another one."""
        report = judge(chain, trust_anchors=[anchor, topology.authorities["P"].certificate.der])
        assert refused(report) == set()
        assert report.path.certificates == chain[:2]
        assert finding(report, Check.OTHER_PATHS).outcome is Outcome.NOTE
        assert "EE <- I <- P" in finding(report, Check.OTHER_PATHS).why
        assert "no path" not in finding(report, Check.CONTENTS).why

    def test_other_things(self, judge, chain, topology):
        """Secrets beside the certificates and bytes behind the file are counted."""
        data = pfx(chain, key_of(topology.servers["EE"]), bags=[other_bag("secretBag", SECRET)]) + b"\0\0"
        report = judge((), data=data)
        assert refused(report) == set()
        assert "1 secretBag; 2 bytes after its end" in finding(report, Check.CONTENTS).why


class TestChainAndOrder:
    """The certificates in the order of the file have to be a valid path."""

    @pytest.mark.parametrize("left_out", [1, 2])
    def test_missing_intermediate(self, judge, chain, left_out):
        """The chain comes only from the file; a missing issuer is named (RFC 5246 section 7.4.2)."""
        report = judge([one for number, one in enumerate(chain) if number != left_out])
        assert refused(report) == {Check.CHAIN}
        assert report.path is None
        assert report.rejected[0].reason is pk.FailureReason.ISSUER_NOT_FOUND
        assert f"CN={'EIP'[left_out]}" in finding(report, Check.CHAIN).why
        assert finding(report, Check.PATH).outcome is Outcome.NOT_CHECKED

    def test_wrong_order(self, judge, chain):
        """Each certificate has to certify the one before it (RFC 5246 section 7.4.2); the right order is named."""
        for order in ((0, 2, 1), (1, 0, 2), (2, 1, 0), (0, 3, 1, 2)):
            report = judge([chain[number] for number in order], ids=[b"1" if number == 0 else None for number in order])
            assert refused(report) == {Check.ORDER}
            assert report.path.certificates == chain[:3]
            assert finding(report, Check.ORDER).why.endswith("in order: EE <- I <- P")

    def test_something_in_between(self, judge, chain, topology):
        """A certificate in between that does not belong there breaks the order."""
        report = judge([chain[0], topology.certificate("Other", "TA"), *chain[1:]])
        assert refused(report) == {Check.ORDER}
        assert "make no valid path; in order" in finding(report, Check.ORDER).why

    def test_order_where_there_is_no_path(self, judge, chain):
        """Without a path the names still tell whether what is there is in order."""
        assert refused(judge([chain[0], chain[3], chain[1]])) == {Check.CHAIN, Check.ORDER}

    def test_own_order_expired_where_another_is_valid(self, judge):
        """The order of the file counts; another valid certificate does not help (RFC 5280 section 6.1.3 (a)(2))."""
        topology = lab.Topology.from_edges("EE<I", lab.Edge(subject="I", issuer="P", validity=PAST), "P<TA", "I<TA")
        get = topology.certificate
        report = judge(
            [get("EE", "I"), get("I", "P"), get("P", "TA"), get("I", "TA")],
            keys=[key_of(topology.servers["EE"])],
            trust_anchors=[topology.authorities["TA"].certificate.der],
        )
        assert refused(report) == {Check.ORDER, Check.DUPLICATES}
        assert "expired on" in finding(report, Check.ORDER).why
        assert topology.draw(report.path) == "EE<I<TA"

    def test_duplicates(self, judge, chain, topology):
        """Two certificates of one (subject, key): Java serves a cut chain."""
        report = judge([*chain, topology.certificate("I", "TA")])
        assert refused(report) == {Check.DUPLICATES}
        assert "CN=I" in finding(report, Check.DUPLICATES).why
        assert "a shorter one: EE <- I" in finding(report, Check.OTHER_PATHS).why

    def test_another_anchor(self, judge, chain):
        """A chain that ends elsewhere is not complete."""
        other = lab.Authority.create("Elsewhere").certificate
        report = judge(chain, trust_anchors=[other.der])
        assert refused(report) == {Check.CHAIN}
        assert report.rejected[0].reason is pk.FailureReason.NO_TRUST_ANCHOR

    def test_an_impostor(self, judge, chain):
        """A CA of the right name with another key is not an issuer (RFC 5280 section 6.1.3 (a)(1))."""
        impostor = lab.Authority.create("I").certificate
        assert refused(judge([chain[0], impostor, *chain[2:]])) == {Check.CHAIN}

    @settings(max_examples=examples(80), deadline=None)
    @given(data=st.data())
    def test_any_arrangement(self, topology, anchor, chain, data):
        """Of any certificates in any order: yes just where the file begins with the path, and nothing comes twice."""
        heap = (*chain, topology.certificate("Other", "TA"), topology.certificate("I", "TA"))
        certificates = data.draw(st.lists(st.sampled_from(heap), max_size=6))
        ids = [b"1" if one == chain[0] else None for one in certificates]
        file = pfx(certificates, key_of(topology.servers["EE"]), ids=ids)
        report = pk.verify(file, trust_anchors=[anchor], password=PASSWORD, second_opinion=False)
        paths = [list(chain[:3]), [chain[0], heap[5]]]
        begins = any(certificates[: len(path)] == path for path in paths)
        assert report.ok is (begins and len({one.node for one in certificates}) == len(certificates))


class TestPath:
    """Validity at the time, name, expiry, revocation, second opinion."""

    def test_expired_link(self, judge):
        """An expired CA: the chain is complete and not valid (RFC 5280 section 6.1.3 (a)(2))."""
        topology = lab.Topology.from_edges("EE<I", lab.Edge(subject="I", issuer="P", validity=PAST), "P<TA")
        certificates = [topology.certificate(*pair) for pair in (("EE", "I"), ("I", "P"), ("P", "TA"))]
        keys, anchors = [key_of(topology.servers["EE"])], [topology.authorities["TA"].certificate.der]
        report = judge(certificates, keys=keys, trust_anchors=anchors)
        assert refused(report) == {Check.PATH, Check.EXPIRY}
        assert finding(report, Check.CHAIN).outcome is Outcome.OK
        assert "I: expired on" in finding(report, Check.PATH).why
        assert finding(report, Check.EXPIRY).why.startswith("I expired on ")
        assert judge(certificates, keys=keys, trust_anchors=anchors, time=PAST.not_after).ok

    def test_server_name(self, judge, chain):
        """A wrong name has a finding of its own, beside a path that is valid all the same (RFC 9525 section 6)."""
        report = judge(chain, server_name="other.example")
        assert refused(report) == {Check.SERVER_NAME}
        assert report.path.certificates == chain[:3]
        assert refused(judge(chain, server_name="EE")) == set()

    def test_purpose(self, judge, chain):
        """Asking for a server's name asks for its purpose, name or not (RFC 5280 section 4.2.1.12)."""
        ca_path = {"keys": (), "certs_only": True, "ids": ()}
        assert refused(judge(chain[1:], **ca_path)) == set()
        assert refused(judge(chain[1:], server_name="EE", **ca_path)) == {Check.SERVER_NAME}
        client = lab.Authority.create("TA")
        usage = lab.extensions.non_critical(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]))
        identity = client.issue_server("s.example", extensions=[usage])
        given = {"keys": [key_of(identity)], "trust_anchors": [client.certificate.der]}
        for name, expected in (("s.example", {Check.PATH}), ("t.example", {Check.PATH, Check.SERVER_NAME})):
            assert refused(judge([identity.certificate], server_name=name, **given)) == expected
        assert refused(judge([identity.certificate], **given)) == set()

    def test_expires_within(self, judge, chain):
        """The path has to be valid until then, to the second; both ends included (RFC 5280 section 4.1.2.5)."""
        now = chain[0].not_before + 100 * DAY
        left = min(certificate.not_after for certificate in chain) - now
        assert refused(judge(chain, time=now, expires_within=left)) == set()
        assert refused(judge(chain, time=now, expires_within=left + timedelta(seconds=1))) == {Check.EXPIRY}
        with pytest.raises(ValueError, match="must not be negative"):
            judge(chain, expires_within=-DAY)

    def test_expiry_is_of_the_path(self, judge, chain):
        """A certificate that is on no path may expire; that of the anchor counts where the clients mind it."""
        short = lab.Validity.around(days_after=3)
        other = lab.Authority.create("Short", validity=short).certificate
        assert refused(judge([*chain, other], expires_within=7 * DAY)) == set()
        anchor = lab.Authority.create("TA", validity=short)
        server = anchor.issue_server("s.example", validity=lab.Validity.around())
        given = {"keys": [key_of(server)], "trust_anchors": [anchor.certificate.der], "expires_within": 7 * DAY}
        assert refused(judge([server.certificate], **given)) == {Check.EXPIRY}
        minds_not = pk.ValidationParameters(time=chain[0].not_before + 365 * DAY, check_trust_anchor_validity=False)
        assert refused(judge([server.certificate], parameters=minds_not, **given)) == set()

    def test_revocation(self, judge, chain, topology):
        """Only where it is asked for; a revoked CA is a no (RFC 5280 section 6.1.3 (a)(3))."""
        issuer = topology.authorities["P"]
        entry = lab.CrlEntry(serial_number=chain[1].serial_number, date=issuer.certificate.not_before)
        good = [topology.authorities[label].make_crl() for label in ("I", "TA")]
        for crl, expected in ((issuer.make_crl(), set()), (issuer.make_crl(revoked=[entry]), {Check.REVOCATION})):
            revocation = pk.Revocation(mode="require", crls=[*good, crl])
            report = judge(chain, revocation=revocation)
            assert refused(report) == expected
        assert "I: revoked on" in finding(report, Check.REVOCATION).why
        report = judge(chain, revocation=pk.Revocation(mode="soft"))
        assert finding(report, Check.REVOCATION).outcome is Outcome.NOTE
        assert refused(judge(chain, revocation=pk.Revocation(mode="require"))) == {Check.REVOCATION}

    @pytest.mark.parametrize(
        ("opinion", "outcome"),
        [(pk.Opinion.INVALID, Outcome.NOT_OK), (pk.Opinion.CANNOT_JUDGE, Outcome.NOTE)],
    )
    def test_second_opinion(self, judge, chain, monkeypatch, opinion, outcome):
        """A no of certvalidator is a no; that it cannot judge is a note."""
        monkeypatch.setattr(verifying, "confirm", lambda *_: pk.Confirmation(opinion=opinion, detail="because"))
        found = finding(judge(chain), Check.SECOND_OPINION)
        assert (found.outcome, "because" in found.why) == (outcome, True)

    def test_no_second_opinion(self, judge, chain):
        """It can be left out, and the report says so."""
        report = judge(chain, second_opinion=False)
        assert finding(report, Check.SECOND_OPINION).outcome is Outcome.NOT_CHECKED
        assert report.confirmation.opinion is pk.Opinion.NOT_ASKED

    def test_policies(self, judge, chain):
        """The parameters of validation are the caller's (RFC 5280 section 6.1.1)."""
        when = chain[0].not_before + DAY
        parameters = pk.ValidationParameters(
            time=when, user_initial_policy_set={"2.16.840.1"}, initial_explicit_policy=True
        )
        report = judge(chain, parameters=parameters)
        assert refused(report) == {Check.PATH}
        assert report.rejected[0].reason is pk.FailureReason.EXPLICIT_POLICY
        with pytest.raises(TypeError, match="into parameters"):
            judge(chain, parameters=parameters, time=when)


class TestKeys:
    """The key, its certificate and its localKeyID."""

    def test_key_of_another(self, judge, chain, topology):
        """A key that no certificate is for."""
        report = judge(chain, keys=[key_of(topology.servers["Other"])])
        assert refused(report) == {Check.PRIVATE_KEY}
        assert report.target == chain[0]

    @pytest.mark.parametrize(
        "ids", [(), (b"2",), (None, b"1"), (b"1", b"1")], ids=["missing", "another", "moved", "on a CA too"]
    )
    def test_local_key_id(self, judge, chain, ids):
        """Key and certificate have the same, and no other certificate has it (RFC 2985 section 5.5.2)."""
        assert refused(judge(chain, ids=ids)) == {Check.LOCAL_KEY_ID}

    def test_no_key(self, judge, chain):
        """A file with only certificates is a no, unless that is asked for."""
        report = judge(chain, keys=(), ids=())
        assert refused(report) == {Check.PRIVATE_KEY}
        assert not report.has_private_key
        assert "only certificates" in finding(report, Check.PRIVATE_KEY).why
        assert refused(judge(chain[1:], keys=(), ids=(), certs_only=True)) == set()
        assert refused(judge(chain, certs_only=True)) == {Check.PRIVATE_KEY}

    def test_truststore(self, judge, chain, anchor):
        """Java's truststores are recognized by their mark."""
        path = pk.CertificationPath(certificates=chain[1:3], trust_anchor=pk.load_trust_anchors(anchor)[0])
        data = pk.encode_pfx(pk.Bundle.certificates_only(path, truststore=True), password=PASSWORD, profile=QUICK)
        assert "Java truststore" in finding(judge((), data=data), Check.PRIVATE_KEY).why

    def test_no_certificate(self, judge):
        """A key without certificates leads nowhere."""
        report = judge(())
        assert refused(report) == {Check.PRIVATE_KEY, Check.CHAIN}
        assert (report.target, report.path) == (None, None)
        assert report.to_json()["target"] is None

    def test_several_keys(self, judge, chain, topology):
        """Which one is meant has to be said, by name or ID; the other's certificate is not in its way."""
        other = topology.certificate("Other", "TA")
        keys = [key_of(topology.servers["EE"]), key_of(topology.servers["Other"], name="other", local_key_id=b"2")]
        given = {"certificates": [other, *chain], "keys": keys, "ids": (b"2", b"1")}
        with pytest.raises(pk.UnsupportedPfxError, match="2 private keys"):
            judge(**given)
        with pytest.raises(pk.InputError, match="no private key with this name"):
            judge(**given, key_name="nobody")
        assert refused(judge(**given, certs_only=True)) == {Check.PRIVATE_KEY}
        report = judge(**given, key_name="s")
        assert (refused(report), report.target) == (set(), chain[0])
        report = judge(**given, key_id=b"2")
        assert (refused(report), report.path.certificates) == (set(), (other,))

    def test_unreadable_certificate(self, judge, chain, topology):
        """A certificate that no reader can parse is a no, even beside a path: programs refuse the whole file."""
        broken = certificate_bag(bytes.fromhex("300302012a"))
        report = judge((), data=pfx(chain, key_of(topology.servers["EE"]), bags=[broken]))
        assert refused(report) == {Check.CONTENTS}


class TestFileAndReaders:
    """Protection, and who opens the file."""

    def test_readers(self, judge, chain, topology):
        """A named reader has to be known to open the file; without names, all readers are listed."""
        told = finding(judge(chain), Check.READERS)
        assert told.outcome is Outcome.NOTE
        assert told.why.startswith("can be imported by: openssl-")
        assert "; not by: " in told.why
        assert refused(judge(chain, readers=["openssl-3", "nss"])) == set()
        report = judge(chain, readers=["openssl-3", "java-8"])
        assert refused(report) == {Check.READERS}
        assert finding(report, Check.READERS).why.startswith("not known to import the file: java-8: ")
        bundle = pk.Bundle(private_key=topology.servers["EE"].private_key, certificates=chain)
        data = pk.encode_pfx(bundle, password=PASSWORD, profile=pk.profiles.UNENCRYPTED_CERTIFICATES_2023)
        report = judge((), data=data, readers=["dotnet"])  # of which nothing is known
        assert refused(report) == {Check.READERS}
        with pytest.raises(pk.UnknownNameError, match="unknown reader 'abacus'"):
            judge(chain, readers=["abacus"])

    def test_collections(self, judge, chain, anchor):
        """One text is not a collection of readers; one trust anchor is as good as several."""
        with pytest.raises(TypeError, match="is a collection"):
            judge(chain, readers="nss")
        with pytest.raises(pk.InputError, match="no such file"):
            judge(chain, trust_anchors="anchor.pem")
        assert judge(chain, trust_anchors=anchor).ok

    def test_no_password(self, judge, chain, topology):
        """A file that opens without a password, and one without MAC, have a note."""
        bundle = pk.Bundle(private_key=topology.servers["EE"].private_key, certificates=chain)
        data = pk.encode_pfx(bundle, password=None, profile=pk.profiles.NO_PASSWORD)
        report = judge((), data=data, password=None)
        assert refused(report) == set()
        assert finding(report, Check.MAC).outcome is Outcome.NOTE
        assert "anyone who has the file" in finding(report, Check.MAC).why

    def test_unusual_passwords(self, judge, chain):
        """A second password, and one in a rare encoding, have a note: few programs open such files."""
        anatomy = judge(chain).anatomy
        for use, told in (
            (PasswordUse(part="contents", kdf="PBKDF2", encoding="UTF-8", contents_password=True), "another password"),
            (PasswordUse(part="MAC", kdf="PKCS12KDF", encoding="Latin-1"), "encoded as Latin-1"),
        ):
            found = checks.check_mac(replace(anatomy, password_uses=(use,)), PASSWORD, "the other one")
            assert found.outcome is Outcome.NOTE
            assert told in found.why
            assert "the other one" not in found.why

    def test_wrong_password(self, judge, chain, tmp_path):
        """A wrong password is an error and not a finding; the file is named, and nothing of its contents."""
        with pytest.raises(pk.PfxPasswordError, match="the bytes given: the MAC"):
            judge(chain, password="wrong")
        with pytest.raises(pk.InputError, match=r"missing\.p12: no such file"):
            pk.verify(tmp_path / "missing.p12", trust_anchors=[chain[3].der], password=None)

    def test_no_anchor(self, judge, chain):
        """Nothing is trusted that was not named."""
        with pytest.raises(pk.InputError, match="no trust anchor"):
            judge(chain, trust_anchors=[])


class TestLimits:
    """The file is from outside: what it asks for is bounded."""

    def test_a_budget_that_ends_is_a_no(self, judge, chain):
        """Without a verdict the answer is no."""
        report = judge(chain, limits=replace(pk.DEFAULT_LIMITS, path_length=1))
        assert not report.ok
        assert report.path is None
        assert refused(report) == {Check.PATH}
        assert "this is not a verdict" in finding(report, Check.PATH).why
        assert finding(report, Check.CHAIN).outcome is Outcome.NOT_CHECKED

    def test_no_path_is_never_ok(self, judge, chain):
        """Whatever the findings say."""
        assert not replace(judge(chain), path=None).ok

    def test_what_was_not_searched_is_not_told(self, judge, chain, topology):
        """Where the search was cut short, no certificate is called superfluous, and the report says why."""
        certificates = [*chain, topology.certificate("Other", "TA"), topology.certificate("I", "TA")]
        report = judge(certificates, limits=replace(pk.DEFAULT_LIMITS, valid_paths=1))
        assert finding(report, Check.CONTENTS).outcome is Outcome.OK
        assert "cut short" in finding(report, Check.OTHER_PATHS).why

    def test_the_same_root_twice(self, judge):
        """A (subject, key) that comes again under the anchor's name is refused, and ends the path."""
        root = lab.Authority.create("TA")
        server = root.issue_server("s.example")
        report = judge([server.certificate, root.certificate, root.certificate], keys=[key_of(server)])
        assert refused(report) == {Check.CHAIN, Check.DUPLICATES}

    def test_limits_of_reading(self, judge, chain):
        """Before any work is done."""
        with pytest.raises(pk.LimitExceededError):
            judge(chain, limits=replace(pk.DEFAULT_LIMITS, pfx_iterations=2))

    def test_many_candidates(self, judge, topology):
        """Check each of hundreds of certificates that all bear the anchor's name a few times at most."""
        heap = [lab.Authority.create("TA").certificate for _ in range(300)]
        server = topology.authorities["TA"].issue_server("s.example", private_key=topology.servers["EE"].private_key)
        fake = replace(topology.authorities["TA"], private_key=lab.KeyType.EC_P256.generate())
        end = fake.issue_server("s.example", private_key=server.private_key).certificate
        with counted_calls() as calls:
            report = judge([end, *heap])
        assert calls.total() < 2_000_000
        assert Check.CHAIN in refused(report)
