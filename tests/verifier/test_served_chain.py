"""Served chains: each fault is named with the changes that remedy it, and nothing else is."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

import pkcs12kit as pk
from pkcs12kit import Check, Outcome, lab
from pkcs12kit.findings import SERVED_CHAIN_CHECKS

from ..thoroughness import examples

DAY = timedelta(days=1)
NOW = datetime.now(UTC)
PAST = lab.Validity.around(days_before=300, days_after=-10)
CROSS_CERTIFICATE = "by a cross-certificate on the way to TA"
STRICT = ": against RFC 5246 section 7.4.2; RFC 8446 section 4.4.2 asks clients to tolerate it"


@pytest.fixture(scope="module")
def topology():
    """A server below two CAs and an anchor; a CA of the same name with another key; one below a bridge.

    EE < I < P < TA,  I' < P,  X < TA;  S < R < B < TA, and R is a root of its own
    """
    return lab.Topology.from_edges(
        "EE<I<P<TA", "I'<P", "X<TA", "S<R<B<TA", lab.Edge(subject="I", issuer="P", validity=PAST), "R<R", "Y<X"
    )


@pytest.fixture(scope="module")
def judge(topology):
    """Judge certificates, by their edges (``EE<I``) or themselves; keywords are those of ``check_served_chain``."""

    def call(*certificates, anchor="TA", pool=False, protocol="TLSv1.3", server_name=None, **more):
        found = (topology.certificate(*one.split("<")) if isinstance(one, str) else one for one in certificates)
        return pk.check_served_chain(
            pk.probing.CertificateMessage(certificates=tuple(found), protocol=protocol),
            **{
                "trust_anchors": (topology.trust_anchor(anchor),),
                "parameters": pk.ValidationParameters(time=NOW, server_name=server_name),
                "pool": topology.pool if pool else None,
            }
            | more,
        )

    return call


@pytest.fixture(scope="module")
def root(topology):
    """The anchor's own certificate."""
    return topology.authorities["TA"].certificate


def refused(report):
    """Return the reason of each failed check; the report says no exactly where there is one, or no path."""
    problems = {finding.check: finding.why for finding in report.findings if finding.is_problem}
    assert report.failed == tuple(check.value for check in problems)
    assert report.ok is (not problems)
    assert [finding.check for finding in report.findings] == list(SERVED_CHAIN_CHECKS)
    assert json.loads(json.dumps(report.to_json()))["ok"] is report.ok
    return problems


def finding(report, check):
    """Find the one finding of a check."""
    (found,) = [one for one in report.findings if one.check is check]
    return found


def replacing(position, old, new):
    """Return the change that replaces one certificate by another."""
    return f"replace certificate {position}, {old}, by {new}, which is in the pool"


class TestSound:
    """Chains without a fault."""

    @pytest.mark.parametrize("with_anchor", [False, True])
    def test_the_anchor_is_optional(self, judge, topology, root, with_anchor):
        """RFC 5246 section 7.4.2: the root may be left out, for the client has it."""
        report = judge("EE<I", "I<P", "P<TA", *([root] if with_anchor else []), server_name="EE")
        assert refused(report) == {}
        assert (topology.draw(report.path), report.path_with_pool, report.changes) == ("EE<I<P<TA", None, ())
        assert report.should_send == report.message.certificates
        told = "is sent and need not be" if with_anchor else "is not sent, and need not be"
        assert told in finding(report, Check.TRUST_ANCHOR).why
        assert {one.check for one in report.findings if one.outcome is Outcome.NOT_CHECKED} == {Check.POOL}

    def test_what_goes_on_beyond_the_anchor(self, judge):
        """A chain that other clients need in full is superfluous for these, and right all the same."""
        report = judge("S<R", "R<B", "B<TA", anchor="R")
        assert refused(report) == {}
        assert report.changes == ()
        assert finding(report, Check.SUPERFLUOUS).outcome is Outcome.NOTE
        assert "1 certificate beside the path" in finding(report, Check.SUPERFLUOUS).why

    def test_wrong_use(self, judge):
        """Nothing is trusted that was not named; time lies ahead."""
        with pytest.raises(ValueError, match="trust anchor"):
            judge("EE<I", trust_anchors=())
        with pytest.raises(ValueError, match="must not be negative"):
            judge("EE<I", expires_within=-DAY)


class TestOrder:
    """RFC 5246 section 7.4.2: the sender's certificate first, each certifying the one before it."""

    def test_wrong_order(self, judge, topology, root):
        """The first break is named, and so is the path in another order."""
        report = judge("EE<I", "P<TA", "I<P", root)
        assert refused(report) == {
            Check.ORDER: f"certificate 2, P, does not certify the one before it, EE, which I issued{STRICT}"
        }
        assert topology.draw(report.path) == "EE<I<P<TA"
        assert report.changes == ("move I (issued by P, serial number 2) after EE",)

    def test_end_entity_not_first(self, judge):
        """RFC 8446 section 4.4.2 as well wants it first."""
        report = judge("I<P", "P<TA", "EE<I")
        assert refused(report) == {
            Check.END_ENTITY: "the first is a CA certificate, I; EE is certificate 3",
            Check.ORDER: f"certificate 3, EE, does not certify the one before it, P, which TA issued{STRICT}",
        }
        assert report.changes == ("move EE (issued by I, serial number 1) to the first place",)

    def test_no_end_entity(self, judge):
        """A chain of only CA certificates has no end-entity."""
        report = judge("I<P", "P<TA")
        assert set(refused(report)) == {Check.END_ENTITY, Check.PURPOSE}
        assert report.changes == ("put the server's own certificate in the first place",)

    def test_nothing(self, judge):
        """An empty list is a no to be read, and no error."""
        report = judge(pool=True)
        assert set(refused(report)) == {Check.END_ENTITY, Check.CHAIN}
        assert (report.path, report.should_send) == (None, None)

    def test_superfluous(self, judge):
        """A certificate that certifies nothing of the chain breaks the order, at the end or in the middle."""
        chain = ["EE<I", "I<P", "P<TA"]
        for place, lower, issuer in ((3, "P", "TA"), (1, "EE", "I")):
            report = judge(*chain[:place], "X<TA", *chain[place:])
            which = f"certificate {place + 1}, X, does not certify the one before it, {lower}, which {issuer} issued"
            assert refused(report) == {Check.ORDER: which + STRICT}
            assert finding(report, Check.SUPERFLUOUS).why.endswith("bytes: X")
            assert report.changes == (
                f"remove certificate {place + 1}, X (issued by TA, serial number 5), which is on no path",
            )

    def test_very_much(self, judge):
        """Many certificates are named by their positions, so that a report never has a thousand lines."""
        report = judge("EE<I", *["X<TA"] * 3, "I<P", *["X<TA"] * 4, "P<TA")
        assert report.changes == ("remove the certificates 2 to 4, 6 to 9, which are on no path",)
        report = judge("EE<I", *["I<P"] * 7, "P<TA")
        assert report.changes == ("remove the certificates 3 to 8, which are sent before",)

    def test_twice(self, judge):
        """A (subject, key) comes once (RFC 4158 section 2.4.2)."""
        report = judge("EE<I", "I<P", "I<P", "P<TA")
        assert refused(report) == {
            Check.ORDER: f"certificate 3, I, does not certify the one before it, I, which P issued{STRICT}",
            Check.DUPLICATES: "2 certificates have the subject I and the same key",
        }
        assert report.changes == ("remove certificate 3, I (issued by P, serial number 2), which is sent before",)

    def test_the_anchor_twice(self, judge, root):
        """It may end the list (RFC 5246 section 7.4.2), once; the same value twice is twice, too."""
        report = judge("EE<I", "I<P", "P<TA", root, root)
        assert set(refused(report)) == {Check.DUPLICATES}
        assert report.changes == ("remove certificate 5, TA (self-signed, serial number 1), which is sent before",)
        assert report.should_send == report.message.certificates[:4]

    def test_what_follows_the_second_of_a_key(self, judge, topology, root):
        """Without the second, what comes after it would certify nothing that is before it: it goes too."""
        other = lab.Authority.create("Other")
        cross = other.issue_ca(topology.authorities["TA"], serial_number=7)
        report = judge("EE<I", "I<P", "P<TA", root, cross, other.certificate)
        assert set(refused(report)) == {Check.DUPLICATES}
        assert report.should_send == report.message.certificates[:4]
        assert refused(judge(*report.should_send)) == {}

    def test_signature_in_the_middle(self, judge, topology, root):
        """A name without the key certifies nothing (RFC 5280 section 6.1.3 (a)(1))."""
        forger = replace(topology.authorities["P"], private_key=lab.KeyType.EC_P256.generate())
        real = lab.extensions.non_critical(
            lab.extensions.authority_key_identifier(topology.authorities["P"].private_key.public_key())
        )
        forged = forger.issue_ca(topology.authorities["I"], serial_number=66, extensions=[real])
        report = judge("EE<I", forged, "P<TA", root)
        problems = refused(report)
        assert set(problems) == {Check.ORDER, Check.CHAIN}
        assert problems[Check.ORDER] == (
            f"certificate 3, P, bears the name of the issuer of I before it, but not its key{STRICT}"
        )
        assert report.changes == ("replace I (issued by P, serial number 66), whose signature does not verify",)
        report = judge("EE<I", forged, "P<TA", pool=True)
        assert report.changes == (
            replacing(2, "I (issued by P, serial number 66)", "I (issued by P, serial number 2)"),
        )


class TestMissing:
    """Nothing is fetched: Android, for one, fetches nothing."""

    def test_intermediate(self, judge, topology):
        """The missing issuer is named with its place; with a pool also the certificate."""
        key = topology.authorities["I"].certificate.key_identifier.hex()
        report = judge("EE<I", "P<TA")
        assert set(refused(report)) == {Check.ORDER, Check.CHAIN}
        assert f"its issuer CN=I (key identifier {key}) was not supplied" in refused(report)[Check.CHAIN]
        assert report.changes == (f"add the certificate of I with the key identifier {key} after EE",)
        report = judge("EE<I", "P<TA", pool=True)
        assert set(refused(report)) == {Check.ORDER, Check.CHAIN}
        assert topology.draw(report.path_with_pool) == "EE<I<P<TA"
        assert report.changes == ("add I (issued by P, serial number 2), which is in the pool, after EE",)
        assert "does not deliver: EE <- I <- P <- TA" in finding(report, Check.POOL).why

    def test_all_of_them(self, judge, topology):
        """A server that sends only its own certificate, in order as far as it goes."""
        report = judge("EE<I", pool=True)
        assert set(refused(report)) == {Check.CHAIN}
        assert report.changes == (
            "add I (issued by P, serial number 2), which is in the pool, after EE",
            "add P (issued by TA, serial number 3), which is in the pool, after I",
        )
        assert topology.draw(report.should_send) == "EE<I<P"

    def test_root_instead_of_cross_certificate(self, judge, topology):
        """The classic: self-signed where the bridge's clients need what the bridge issued."""
        report = judge("S<R", "R<R")
        assert set(refused(report)) == {Check.CHAIN}
        assert report.changes == (
            f"replace R (self-signed, serial number 10), which is not a trust anchor, {CROSS_CERTIFICATE}",
        )
        report = judge("S<R", "R<R", pool=True)
        assert topology.draw(report.path_with_pool) == "S<R<B<TA"
        assert report.changes == (
            replacing(2, "R (self-signed, serial number 10)", "R (issued by B, serial number 7)"),
            "add B (issued by TA, serial number 8), which is in the pool, after R",
        )

    @pytest.mark.parametrize("is_ca", [False, True])
    def test_self_signed_server(self, judge, is_ca):
        """No CA cross-certifies a server (RFC 5280 section 3.2), nor what many programs make for one, with cA."""
        constraints = lab.extensions.critical(x509.BasicConstraints(ca=is_ca, path_length=None))
        usage = lab.extensions.critical(lab.extensions.key_usage("digital_signature"))
        own = lab.Authority.create("s.example", serial_number=7, extensions=[constraints, usage])
        change, *others = judge(own.certificate).changes
        assert change == (
            "replace s.example (self-signed, serial number 7), which is not a trust anchor,"
            " by a certificate that a CA below TA issued"
        )
        assert others == (["put the server's own certificate in the first place"] if is_ca else [])

    def test_the_least_to_add(self):
        """Of several paths with the pool that one is proposed for which the server has the least to change."""
        more = lab.Topology.from_edges("EE<I<P<TA", "I<TA")
        report = pk.check_served_chain(
            pk.probing.CertificateMessage(
                certificates=(more.certificate("EE", "I"), more.certificate("P", "TA")), protocol="TLSv1.2"
            ),
            trust_anchors=(more.trust_anchor("TA"),),
            parameters=pk.ValidationParameters(time=NOW),
            pool=more.pool,
        )
        assert more.draw(report.path_with_pool) == "EE<I<P<TA"
        assert report.changes == ("add I (issued by P, serial number 2), which is in the pool, after EE",)

    def test_key_rollover(self, judge, topology):
        """The same name with another key is another CA (RFC 4158 section 2.4.2)."""
        keys = {label: topology.authorities[label].certificate.key_identifier.hex() for label in ("I", "I'")}
        report = judge("EE<I", "I'<P", "P<TA")
        problems = refused(report)
        assert problems[Check.ORDER] == (
            f"certificate 2, I, bears the name of the issuer of EE before it, but not its key{STRICT}"
        )
        assert keys["I"] in problems[Check.CHAIN]
        assert keys["I'"] in problems[Check.CHAIN]
        assert report.changes == (f"add the certificate of I with the key identifier {keys['I']} after EE",)
        assert judge("EE<I", "I'<P", "P<TA", pool=True).changes == (
            replacing(2, "I (issued by P, serial number 4)", "I (issued by P, serial number 2)"),
        )

    def test_wrong_anchor(self, judge):
        """A chain to a root that is not trusted; the pool has nothing better."""
        report = judge("EE<I", "I<P", "P<TA", anchor="X", pool=True)
        assert set(refused(report)) == {Check.CHAIN}
        assert "even with the pool there is no valid path" in finding(report, Check.POOL).why
        assert report.path_with_pool is None


class TestEndEntity:
    """Name, purpose and time; the chain is judged all the same."""

    def test_name(self, judge, topology):
        """RFC 9525 section 6."""
        report = judge("EE<I", "I<P", "P<TA", server_name="else.example")
        assert refused(report) == {Check.SERVER_NAME: "it is for EE, not for else.example"}
        assert topology.draw(report.path) == "EE<I<P<TA"
        assert report.changes == ("replace EE (issued by I, serial number 1) by a certificate for else.example",)

    def test_another_of_that_name(self, judge):
        """Two servers' certificates in the wrong order: clients take the first, so the one for the name is shown."""
        report = judge("EE<I", "S<R", "I<P", "P<TA", server_name="s")
        assert set(refused(report)) == {Check.SERVER_NAME, Check.ORDER}
        assert report.changes == (
            "remove certificate 2, S (issued by R, serial number 6), which is on no path",
            (
                "replace EE (issued by I, serial number 1) by a certificate for s: certificate 2, S (issued by R,"
                " serial number 6), is for the name, if the server has its key"
            ),
        )

    @pytest.mark.parametrize(
        ("extension", "why"),
        [
            (
                lab.extensions.non_critical(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])),
                (
                    "s.example has an extendedKeyUsage that does not allow serverAuth (1.3.6.1.5.5.7.3.1)"
                    " [RFC 5280 section 4.2.1.12]"
                ),
            ),
            (
                lab.extensions.non_critical(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])),
                (
                    "s.example is for any purpose and does not name TLS servers, which "
                    "Apple, Firefox and OpenSSL ask for [RFC 5280 section 4.2.1.12]"
                ),
            ),
            (
                lab.extensions.critical(lab.extensions.key_usage("key_encipherment")),
                "s.example has a keyUsage without digitalSignature [RFC 8446 section 4.4.2.2]",
            ),
        ],
        ids=["extended key usage", "any extended key usage", "key usage"],
    )
    def test_purpose(self, judge, topology, extension, why):
        """RFC 5280 section 4.2.1.12, RFC 8446 section 4.4.2.2."""
        server = topology.authorities["I"].issue_server("s.example", serial_number=5, extensions=[extension])
        report = judge(server.certificate, "I<P", "P<TA", server_name="s.example")
        assert refused(report) == {Check.PURPOSE: why}
        assert report.path is not None
        assert report.changes == ("replace s.example (issued by I, serial number 5) by a certificate for TLS servers",)

    def test_purpose_of_an_authority(self, judge, topology):
        """A CA that is not for TLS servers issues none, whether or not a name is asked for."""
        usage = lab.extensions.non_critical(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]))
        narrow = topology.authorities["P"].issue_ca(topology.authorities["I"], extensions=[usage])
        problems = refused(judge("EE<I", narrow, "P<TA"))
        assert set(problems) == {Check.PATH}
        assert "RFC 5280 section 4.2.1.12" in problems[Check.PATH]

    def test_purposes_that_some_clients_refuse(self, judge, topology):
        """RFC 5280 section 4.2.1.12 lets anyExtendedKeyUsage pass, and asks nothing of an anchor; OpenSSL says no."""
        for_any, for_clients = (
            lab.extensions.non_critical(x509.ExtendedKeyUsage([usage]))
            for usage in (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE, ExtendedKeyUsageOID.CLIENT_AUTH)
        )
        wide = topology.authorities["P"].issue_ca(topology.authorities["I"], extensions=[for_any])
        report = judge("EE<I", wide, "P<TA")
        assert refused(report) == {}
        assert finding(report, Check.PURPOSE).outcome is Outcome.NOTE
        assert "but I is for any purpose and does not name TLS servers" in finding(report, Check.PURPOSE).why
        root = lab.Authority.create("Root", extensions=[for_clients])
        server = root.issue_server("s.example").certificate
        report = judge(server, trust_anchors=(pk.TrustAnchor.from_certificate(root.certificate),))
        assert refused(report) == {}
        assert finding(report, Check.PURPOSE).outcome is Outcome.NOTE
        assert "but the trust anchor Root has an extendedKeyUsage" in finding(report, Check.PURPOSE).why

    def test_expired_link(self, judge, topology):
        """RFC 5280 section 6.1.3 (a)(2); with a pool, its successor is named."""
        expired = topology.certificates[8]
        report = judge("EE<I", expired, "P<TA")
        assert set(refused(report)) == {Check.PATH, Check.EXPIRY}
        (change,) = report.changes
        assert change.startswith("replace I (issued by P, serial number 9), which expired on ")
        assert judge("EE<I", expired, "P<TA", pool=True).changes == (
            replacing(2, "I (issued by P, serial number 9)", "I (issued by P, serial number 2)"),
        )
        then = pk.ValidationParameters(time=PAST.not_after)
        assert judge("EE<I", expired, "P<TA", parameters=then).ok

    @pytest.mark.parametrize("pool", [True, False])
    def test_expired_and_not_complete(self, topology, judge, pool):
        """Both faults are named, and the pool is not mentioned: RFC 5280 section 6.1.3 (a)(2)."""
        server = topology.authorities["I"].issue_server("s.example", validity=PAST, serial_number=8).certificate
        report = judge(server, pool=pool)
        assert report.should_send is None
        replace_it, add = report.changes
        assert add.startswith("add the certificate of I with the key identifier ")
        assert add.endswith(" after s.example")
        assert replace_it.startswith("replace s.example (issued by I, serial number 8), which expired on ")

    def test_expired_link_and_not_complete(self, topology, judge):
        """The same of a CA certificate; one that is not on the way is not named, nor one that ends later."""
        link, beside = (
            topology.certificates[8],
            topology.authorities["TA"].issue_ca(lab.Authority.create("Beside"), validity=PAST),
        )
        replace_it, add = judge("EE<I", link, beside).changes
        assert add.startswith("add the certificate of P with the key identifier ")
        assert replace_it.startswith("replace I (issued by P, serial number 9), which expired on ")
        assert len(judge("EE<I", link, parameters=pk.ValidationParameters(time=PAST.not_after)).changes) == 1

    def test_nowhere(self, judge):
        """A pool that leads to other anchors is said to."""
        (change,) = judge("EE<I", pool=True, anchor="R").changes
        assert change.endswith(" after EE; the pool has none that leads to a trust anchor")

    def test_expires_within(self, judge, topology):
        """To the second, both ends included (RFC 5280 section 4.1.2.5)."""
        left = topology.certificate("EE", "I").not_after - NOW.replace(microsecond=0)
        assert judge("EE<I", "I<P", "P<TA", expires_within=left).ok
        report = judge("EE<I", "I<P", "P<TA", expires_within=left + timedelta(seconds=1))
        assert set(refused(report)) == {Check.EXPIRY}


class TestSize:
    """The limits of known clients apply to every chain."""

    def test_too_many(self, judge):
        """Java takes ten; with what is superfluous left out they are fewer."""
        line = "<".join(["EE", *(f"C{number}" for number in range(10)), "TA"])
        long = lab.Topology.from_edges(line)
        given = {"trust_anchors": (long.trust_anchor("TA"),)}
        report = judge(*long.certificates, **given)
        assert set(refused(report)) == {Check.SIZE}
        assert "11 certificates are sent, and Java accepts 10" in refused(report)[Check.SIZE]
        assert report.changes == ()
        report = judge(*long.certificates[1:], long.authorities["TA"].certificate, **given)
        assert "remove certificate 11, TA (self-signed, serial number 1), which is on no path" in report.changes

    def test_too_large(self, judge, topology):
        """Java takes 32 kB by default."""
        big = lab.extensions.non_critical(
            x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x04\x82\x80\x00" + bytes(0x8000))
        )
        server = topology.authorities["I"].issue_server("s.example", extensions=[big])
        report = judge(server.certificate, "I<P", "P<TA")
        assert set(refused(report)) == {Check.SIZE}
        assert f"{report.message.size:,} bytes are sent, and Java accepts 32,768" in refused(report)[Check.SIZE]


_HEAP = ("EE<I", "I<P", "P<TA", "X<TA", "I'<P", "R<B", "B<TA")


@settings(max_examples=examples(60), deadline=None)
@given(others=st.lists(st.sampled_from(_HEAP), max_size=6), place=st.integers(0, 6))
def test_what_should_be_sent(judge, others, place):
    """Whatever is sent beside the server's own: what is said to be right is, and is where the changes lead."""
    report = judge(*others[:place], "EE<I", *others[place:], pool=True)
    assert refused(report) or not report.changes
    assert bool(report.changes) is (report.should_send != report.message.certificates)
    right = judge(*report.should_send)
    assert refused(right) == {}
    assert (right.changes, right.should_send) == ((), report.should_send)


def test_many_namesakes(judge):
    """A server that sends hundreds of certificates of one name gets a short answer."""
    heap = [lab.Authority.create("I").certificate for _ in range(100)]
    report = judge("EE<I", *heap)
    assert set(refused(report)) == {Check.ORDER, Check.CHAIN, Check.SIZE}
    assert "and 97 more)" in refused(report)[Check.CHAIN]
    assert max(len(finding.why) for finding in report.findings) < 1000


def test_disallowed(judge, fpki):
    """A certificate that STIGs put into Disallowed is a note with the number of the rule, and not a problem."""
    listed = [one for one in pk.load_certificates(fpki) if one.sha256.startswith("f4f21cf5")]
    report = judge(*listed)
    assert finding(report, Check.DISALLOWED).outcome is Outcome.NOTE
    assert "V-220905" in finding(report, Check.DISALLOWED).why
    assert Check.DISALLOWED not in refused(report)


def test_a_budget_that_ends_is_a_no(judge):
    """Without a verdict the answer is no."""
    report = judge("EE<I", "I<P", "P<TA", limits=replace(pk.DEFAULT_LIMITS, path_length=1))
    assert set(refused(report)) == {Check.PATH}
    assert report.path is None
