"""Devices by rule: each kind of rule refuses and accepts, unknown is never yes, every rule has a source."""

from __future__ import annotations

import importlib.metadata
import json
import runpy
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

import pkcs12kit
from pkcs12kit import lab
from pkcs12kit.devices import versions
from pkcs12kit.devices.judge import Bearing, judge_by_rules
from pkcs12kit.devices.model import (
    FEDERAL_COMMON_POLICY_CA,
    FEDERAL_COMMON_POLICY_CA_G2,
    ChainProperty,
    Device,
    DeviceLimit,
    DeviceRule,
    Effect,
    LifetimeLimit,
    Note,
    Quantity,
    Root,
    RootInclusion,
)
from pkcs12kit.devices.properties import find_properties, measure
from pkcs12kit.devices.table import DEVICES
from pkcs12kit.devices.versions import DEVICE_NAMES, VERSIONS
from pkcs12kit.errors import ArgumentError, UnknownNameError
from pkcs12kit.findings import Answer, Evidence
from pkcs12kit.lab import extensions as ext
from pkcs12kit.tls.certificate_message import TLS_1_2, CertificateMessage

PROJECT = Path(__file__).parents[2]
NOW = datetime.now(UTC).replace(microsecond=0)
RULE = {"evidence": Evidence.DOCUMENTED, "source": "https://client.example/rule"}
SERVER = "mdm.example.mil"
# What a server's certificate from the lab on P-256 has: nothing that a client must be asked about but its key.
PLAIN = {ChainProperty.P256_KEY}


@pytest.fixture(scope="module")
def authority():
    """A root with a key on P-256, made once."""
    return lab.Authority.create("TA", validity=lab.Validity.around(days_before=3000, days_after=3000))


@pytest.fixture(scope="module")
def authorities():
    """Some more CAs, for chains."""
    validity = lab.Validity.around(days_before=3000, days_after=3000)
    return [lab.Authority.create(f"CA {number}", validity=validity) for number in range(12)]


def build(target, issuers, anchor, *, server_name=SERVER, time=NOW):
    """Return certificates as sent, with the path that they make, if any."""
    parameters = pkcs12kit.ValidationParameters(time=time, server_name=server_name)
    report = pkcs12kit.find_paths(
        target, pool=pkcs12kit.CertificatePool(issuers), trust_anchors=[anchor], parameters=parameters
    )
    message = CertificateMessage(certificates=(target, *issuers), protocol=TLS_1_2)
    path = report.valid[0] if report.valid else None
    return {"message": message, "path": path, "trust_anchors": [anchor], "parameters": parameters}


@pytest.fixture(scope="module")
def rsa_replica():
    """Return a replica with RSA keys."""
    return lab.make_replica(key_type=lab.KeyType.RSA_2048)


@pytest.fixture(scope="module")
def replica_case(rsa_replica):
    """Return the certificates that the replica's MDM server sends."""
    anchor = pkcs12kit.TrustAnchor.from_certificate(rsa_replica.trust_anchor)
    best = rsa_replica.valid_paths[0].certificates
    return build(best[0], best[1:], anchor, server_name=rsa_replica.server_name)


@pytest.fixture
def sent(authority):
    """Build what a server below the root sends: ``sent(extensions=..., validity=...)``."""

    def send(*issuers, server_name=SERVER, issuer=authority, **how):
        certificate = issuer.issue_server(SERVER, **how).certificate
        anchor = pkcs12kit.TrustAnchor.from_certificate(authority.certificate)
        return build(certificate, issuers, anchor, server_name=server_name)

    return send


@pytest.fixture
def judged(monkeypatch):
    """Judge a case by the rules of a client made for the purpose, which knows what a plain certificate needs."""

    def judge(case, *stated, **given):
        plain = [DeviceRule(property=one, effect=Effect.ACCEPTED, **RULE) for one in (*PLAIN, ChainProperty.RSA_KEY)]
        named = {rule.property for rule in stated}
        known = (*stated, *(rule for rule in plain if rule.property not in named))
        device = Device(name="client", title="Client", rules=known, **given)
        monkeypatch.setattr(versions, "DEVICES", DEVICES | {"client": device})
        return judge_by_rules("client", **case)

    return judge


def states(chain_property, effect, **more):
    """Return a rule for a test."""
    return DeviceRule(property=chain_property, effect=effect, **RULE, **more)


def properties(case):
    """Return the properties of a case."""
    return set(find_properties(case["message"], case["path"], case["trust_anchors"]))


class TestAnswer:
    """The answers that follow from rules and properties."""

    def test_yes_needs_everything_known(self, judged, sent):
        """A valid path whose properties are all accepted is a yes; it is by rule, and says so in JSON."""
        verdict = judged(sent())
        assert (verdict.answer, verdict.refusals, verdict.basis) == (Answer.YES, (), "by rule")
        described = json.loads(json.dumps(verdict.to_json()))
        assert described["basis"] == "by rule"
        assert described["accepted"] == "yes"
        assert "tried" not in json.dumps(described["basis"])

    @pytest.mark.parametrize(
        ("effect", "answer"),
        [
            (Effect.ACCEPTED, Answer.YES),
            (Effect.REFUSED, Answer.NO),
            (Effect.DEPENDS, Answer.UNKNOWN),
            (Effect.REFUSED_BELOW_SHIPPED_ROOTS, Answer.UNKNOWN),
        ],
    )
    def test_each_effect(self, judged, sent, effect, answer):
        """An effect gives its answer; of a root that is not known to be shipped or not, shipped roots' rule is open."""
        assert judged(sent(), states(ChainProperty.P256_KEY, effect)).answer is answer

    def test_unknown_is_never_yes(self, judged, sent):
        """A property without a rule makes it unknown, and the remark names it and no source."""
        case = sent(key_type=lab.KeyType.EC_P384)
        verdict = judged(case)
        assert verdict.answer is Answer.UNKNOWN
        (remark,) = (remark for remark in verdict.remarks if remark.bearing is Bearing.UNKNOWN)
        assert (remark.evidence, remark.source) == (None, "")
        assert remark.certificate == case["message"].certificates[0]
        assert ChainProperty.P384_KEY.value in remark.why

    def test_no_comes_before_unknown(self, judged, sent):
        """One refusal makes it a no, beside anything that is unknown, and stands first."""
        case = sent(key_type=lab.KeyType.EC_P384)
        verdict = judged(
            case,
            limits=(DeviceLimit(quantity=Quantity.CERTIFICATES, most=0, **RULE),),
            notes=(Note(text="note", **RULE),),
        )
        assert verdict.answer is Answer.NO
        assert [remark.bearing for remark in verdict.remarks[:2]] == [Bearing.REFUSED, Bearing.UNKNOWN]
        assert verdict.refusals[0].source == RULE["source"]
        assert verdict.refusals[0].evidence is Evidence.DOCUMENTED

    def test_no_path_is_no_yes(self, judged, sent):
        """Without a valid path nothing is known to be accepted: an expired certificate is never a yes."""
        expired = sent(validity=lab.Validity.around(days_before=20, days_after=-10))
        assert expired["path"] is None
        assert judged(expired).answer is Answer.UNKNOWN

    def test_wrong_use(self, sent):
        """Names of no device and empty messages are errors of the caller."""
        with pytest.raises(UnknownNameError, match="unknown device 'abacus'"):
            judge_by_rules("abacus", **sent())
        case = sent() | {"message": CertificateMessage(certificates=(), protocol=TLS_1_2)}
        with pytest.raises(ArgumentError, match="no certificate"):
            judge_by_rules("ios", **case)

    def test_name_that_was_not_asked_for(self, judged, sent):
        """Where no server name is given the verdict says that it was not looked at."""
        said = [remark.why for remark in judged(sent(server_name=None)).remarks]
        assert "the name in the certificate was not checked: no server name was given" in said
        assert not any("was not checked" in remark.why for remark in judged(sent()).remarks)


class TestProperties:
    """Each property is found where it is, and not elsewhere."""

    def test_plain(self, sent):
        """A sound server certificate has only the property of its key."""
        assert properties(sent()) == PLAIN

    @pytest.mark.parametrize(
        ("purposes", "found"),
        [
            ((ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH), None),
            ((ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,), ChainProperty.ANY_PURPOSE),
            ((ExtendedKeyUsageOID.CLIENT_AUTH,), ChainProperty.OTHER_PURPOSE),
        ],
    )
    def test_purposes(self, sent, purposes, found):
        """The extendedKeyUsage (section 4.2.1.12) is looked at for serverAuth, and for anyExtendedKeyUsage."""
        case = sent(extensions=[ext.non_critical(x509.ExtendedKeyUsage(purposes))], server_name=None)
        assert properties(case) == PLAIN | ({found} if found else set())

    def test_no_purpose_and_no_name(self, authority):
        """Without extendedKeyUsage and subjectAltName both are said; a name of another form is none of a server."""
        anchor = pkcs12kit.TrustAnchor.from_certificate(authority.certificate)
        key = authority.private_key.public_key()
        bare = authority.issue(SERVER, key)
        assert properties(build(bare, [], anchor, server_name=None)) == PLAIN | {
            ChainProperty.COMMON_NAME_ONLY,
            ChainProperty.NO_PURPOSE,
        }
        mail = ext.non_critical(x509.SubjectAlternativeName([x509.RFC822Name("mdm@example.mil")]))
        assert ChainProperty.COMMON_NAME_ONLY in properties(
            build(authority.issue(SERVER, key, extensions=[mail]), [], anchor)
        )
        address = authority.issue_server("192.0.2.1").certificate
        assert properties(build(address, [], anchor, server_name="192.0.2.1")) == PLAIN

    @pytest.mark.parametrize(
        ("key", "found"),
        [
            (lab.KeyType.RSA_2048.generate, ChainProperty.RSA_KEY),
            (lab.KeyType.EC_P384.generate, ChainProperty.P384_KEY),
            (lambda: ec.generate_private_key(ec.SECP521R1()), ChainProperty.P521_KEY),
            (lab.KeyType.ED25519.generate, ChainProperty.ED25519_KEY),
            (lambda: ec.generate_private_key(ec.SECP256K1()), ChainProperty.OTHER_KEY),
            (ed448.Ed448PrivateKey.generate, ChainProperty.OTHER_KEY),
        ],
        ids=["rsa", "p384", "p521", "ed25519", "secp256k1", "ed448"],
    )
    def test_keys(self, authority, key, found):
        """Each key type is recognized; the anchor's own is listed beside it where there is a path."""
        anchor = pkcs12kit.TrustAnchor.from_certificate(authority.certificate)
        certificate = authority.issue_server(SERVER, private_key=key()).certificate
        case = build(certificate, [], anchor)
        assert properties(case) == {found} | (PLAIN if case["path"] is not None else set())

    @pytest.mark.parametrize(
        ("extension", "found"),
        [
            (ext.critical(x509.PolicyConstraints(9, None)), {ChainProperty.POLICY_CONSTRAINTS_CRITICAL}),
            (ext.non_critical(x509.PolicyConstraints(9, None)), set()),
            (ext.critical(x509.InhibitAnyPolicy(9)), {ChainProperty.INHIBIT_ANY_POLICY_CRITICAL}),
            (ext.non_critical(x509.InhibitAnyPolicy(9)), set()),
            (ext.critical(ext.policy_mappings(("1.2.3", "1.2.4"))), {ChainProperty.POLICY_MAPPINGS_CRITICAL}),
            (ext.critical(ext.certificate_policies("1.2.3")), {ChainProperty.CERTIFICATE_POLICIES_CRITICAL}),
            (
                ext.critical(x509.NameConstraints([x509.DirectoryName(lab.authority.as_name(SERVER))], None)),
                {ChainProperty.DIRECTORY_NAMES_CONSTRAINED},
            ),
            (
                ext.critical(x509.NameConstraints(None, [x509.DNSName("x.mil")])),
                {ChainProperty.OTHER_NAMES_CONSTRAINED},
            ),
            (
                ext.critical(x509.NameConstraints(None, [x509.UniformResourceIdentifier("x.mil")])),
                {ChainProperty.URIS_CONSTRAINED},
            ),
            (
                ext.critical(x509.NameConstraints(None, [x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))])),
                {ChainProperty.UNUSUAL_NAMES_CONSTRAINED},
            ),
            (
                ext.non_critical(x509.NameConstraints(None, [x509.DNSName("x.mil")])),
                {ChainProperty.NAME_CONSTRAINTS_NOT_CRITICAL},
            ),
        ],
        ids=lambda value: "" if isinstance(value, set) else f"{value.oid._name}-{value.critical}",
    )
    def test_extensions(self, authority, authorities, sent, extension, found):
        """Extensions of an intermediate certificate that some clients do not process (RFC 5280 section 4.2)."""
        issuing = authorities[0]
        case = sent(authority.issue_ca(issuing, extensions=[extension]), issuer=issuing)
        assert case["path"] is not None
        assert properties(case) == PLAIN | found

    def test_only_the_path_is_looked_at(self, authority, authorities, sent):
        """A superfluous certificate has no part in what is judged, where there is a path without it."""
        extension = ext.critical(x509.InhibitAnyPolicy(0))
        superfluous = authority.issue_ca(authorities[1], extensions=[extension])
        assert properties(sent(superfluous)) == PLAIN

    def test_sha1(self, sent, judged):
        """SHA-1 is seen by the signature's algorithm, which some of the real certificates have."""
        case = sent()
        structure = asn1_x509.Certificate.load(case["message"].certificates[0].der)
        for algorithm in (structure["signature_algorithm"], structure["tbs_certificate"]["signature"]):
            algorithm["algorithm"] = "sha1_ecdsa"
        weak = pkcs12kit.Certificate.from_der(structure.dump(force=True))
        case |= {"path": None, "message": CertificateMessage(certificates=(weak,), protocol=TLS_1_2)}
        assert properties(case) == PLAIN | {ChainProperty.SHA1_SIGNATURE}
        assert judged(case, states(ChainProperty.SHA1_SIGNATURE, Effect.REFUSED)).answer is Answer.NO

    def test_old_version(self, sent):
        """A certificate of version 1 has no extensions to say anything with (RFC 5280 section 4.1.2.1)."""
        case = sent()
        structure = asn1_x509.Certificate.load(case["message"].certificates[0].der)
        structure["tbs_certificate"]["version"] = "v1"
        structure["tbs_certificate"]["extensions"] = None
        old = pkcs12kit.Certificate.from_der(structure.dump(force=True))
        case |= {"path": None, "message": CertificateMessage(certificates=(old,), protocol=TLS_1_2)}
        assert properties(case) == PLAIN | {
            ChainProperty.OLD_VERSION,
            ChainProperty.NO_PURPOSE,
            ChainProperty.COMMON_NAME_ONLY,
        }

    def test_what_cannot_be_read_is_unknown(self, authority, judged):
        """Extensions that cannot be decoded crash nothing and are never a yes, for no device."""
        broken = x509.UnrecognizedExtension(x509.ExtensionOID.NAME_CONSTRAINTS, b"\x30\x03\x02\x01")
        key = authority.private_key.public_key()
        certificate = authority.issue(SERVER, key, extensions=[ext.critical(broken)])
        anchor = pkcs12kit.TrustAnchor.from_certificate(authority.certificate)
        case = build(certificate, [], anchor)
        assert properties(case) == PLAIN | {ChainProperty.UNREADABLE}
        assert judged(case).answer is Answer.UNKNOWN
        for name in DEVICES:
            assert judge_by_rules(name, **case).answer is not Answer.YES

    def test_real_encoding_errors_are_unknown(self, fpki):
        """DoD's ECDSA certificates with a NULL parameter are read, and what devices make of them is not known."""
        pool = pkcs12kit.load_certificates(fpki / "dod-2019.pem")
        slips = [certificate for certificate in pool if certificate.encoding_error is not None]
        assert len(slips) == 5
        message = CertificateMessage(certificates=tuple(slips), protocol=TLS_1_2)
        assert ChainProperty.ENCODING_ERROR in find_properties(message, None, ())
        assert not any(device.rule_for(ChainProperty.ENCODING_ERROR) for device in DEVICES.values())


class TestMissingIssuers:
    """Chains in which an issuer is missing by its name."""

    def test_missing(self, authority, authorities, sent, judged):
        """An issuer that is not sent is a no for a client that fetches none; with it there is a path."""
        middle, issuing = authorities[:2]
        upper, lower = authority.issue_ca(middle), middle.issue_ca(issuing)
        fetches_none = states(ChainProperty.MISSING_ISSUER, Effect.REFUSED)
        assert judged(sent(lower, upper, issuer=issuing), fetches_none).answer is Answer.YES
        case = sent(lower, issuer=issuing)
        verdict = judged(case, fetches_none)
        assert verdict.answer is Answer.NO
        assert verdict.refusals[0].certificate == lower
        assert judged(case, states(ChainProperty.MISSING_ISSUER, Effect.DEPENDS)).answer is Answer.UNKNOWN

    def test_not_missing_where_names_lead_to_the_anchor(self, authority, authorities, sent):
        """A path whose names are all there has no missing issuer, with any other fault."""
        issuing = authorities[0]
        expired = authority.issue_ca(issuing, validity=lab.Validity.around(days_before=20, days_after=-10))
        case = sent(expired, issuer=issuing)
        assert case["path"] is None
        assert ChainProperty.MISSING_ISSUER not in properties(case)

    def test_loops_end(self, authorities, sent):
        """Two CAs that certify each other lead nowhere, once."""
        one, other = authorities[:2]
        case = sent(other.issue_ca(one), one.issue_ca(other), issuer=one)
        assert ChainProperty.MISSING_ISSUER in properties(case)


class TestBounds:
    """Figures bite one beyond what is taken."""

    @pytest.mark.parametrize("quantity", list(Quantity))
    def test_each_quantity(self, authority, authorities, sent, judged, quantity):
        """As many as are taken pass, one more does not; nor does one less than the least."""
        issuing = authorities[0]
        superfluous = lab.Authority.create("Another").certificate
        case = sent(superfluous, authority.issue_ca(issuing), issuer=issuing, key_type=lab.KeyType.RSA_2048)
        figures = {kind: figure for kind, figure, _ in measure(case["message"], case["path"])}
        assert figures == {
            Quantity.CERTIFICATES: 3,
            Quantity.BYTES: case["message"].size,
            Quantity.INTERMEDIATES: 1,
            Quantity.INTERMEDIATES_NOT_IN_ORDER: 1,
            Quantity.RSA_BITS: 2048,
        }
        figure = figures[quantity]
        for most, least, answer in (
            (figure, figure, Answer.YES),
            (figure - 1, None, Answer.NO),
            (None, figure + 1, Answer.NO),
        ):
            bound = DeviceLimit(quantity=quantity, most=most, least=least, **RULE)
            verdict = judged(case, limits=(bound,))
            assert verdict.answer is answer
            if answer is Answer.NO:
                assert f"{figure:,} {quantity.value}, and it accepts {bound.figures}" in verdict.refusals[0].why

    def test_self_issued_certificates(self, authority, sent):
        """A self-issued certificate (RFC 5280 section 6.1) is not counted where only the others are."""
        rekeyed = lab.Authority.create("TA")
        superfluous = lab.Authority.create("Another").certificate
        case = sent(superfluous, authority.issue_ca(rekeyed), issuer=rekeyed)
        figures = {kind: figure for kind, figure, _ in measure(case["message"], case["path"])}
        assert figures[Quantity.INTERMEDIATES] == 1
        assert figures[Quantity.INTERMEDIATES_NOT_IN_ORDER] == 0

    def test_paths_that_are_sent_as_they_are(self, authority, authorities, sent):
        """A chain that has to be sorted has a limit of its own: another order, others in between or for the anchor."""
        upper, lower, another = authorities[:3]
        first, second = upper.issue_ca(lower), authority.issue_ca(upper)
        root, other = authority.certificate, another.certificate
        for issuers, in_order in (
            ((first, second), True),
            ((first, second, root), True),
            ((first, second, root, other), True),
            ((second, first), False),
            ((first, other, second), False),
            ((first, second, other), False),
            ((first, second, other, root), False),
        ):
            case = sent(*issuers, issuer=lower)
            figures = {kind: figure for kind, figure, _ in measure(case["message"], case["path"])}
            assert figures.get(Quantity.INTERMEDIATES_NOT_IN_ORDER) == (None if in_order else 2)

    def test_the_anchors_key_counts(self):
        """Clients ask the size of keys of the root too, where its certificate is known."""
        root = lab.Authority.create("TA", key_type=lab.KeyType.RSA_2048)
        anchor = pkcs12kit.TrustAnchor.from_certificate(root.certificate)
        certificate = root.issue_server(SERVER).certificate
        for known, expected in ((root.certificate, [(2048, root.certificate)]), (None, [])):
            case = build(certificate, [], replace(anchor, certificate=known))
            figures = measure(case["message"], case["path"])
            assert [(figure, of) for quantity, figure, of in figures if quantity is Quantity.RSA_BITS] == expected

    @pytest.mark.parametrize(("device", "taken"), [("java", 10), ("firefox", 100)])
    def test_java_takes_ten_certificates(self, authority, sent, device, taken):
        """Eleven certificates are one too many for Java, and none for Firefox."""
        for count, refused in ((10, False), (11, taken < 11)):
            case = sent(*[authority.certificate] * (count - 1))
            assert len(case["message"].certificates) == count
            assert (judge_by_rules(device, **case).answer is Answer.NO) is refused

    @pytest.mark.parametrize(("device", "most"), [("java", 5), ("firefox", 6)])
    def test_longest_paths(self, authority, authorities, sent, device, most):
        """Java, where it has to sort, and Firefox bound the CA certificates of a path."""
        for count in (most, most + 1):
            chain = [authority, *authorities[:count]]
            issued = [upper.issue_ca(lower) for upper, lower in pairwise(chain)]
            case = sent(*issued, issuer=chain[-1])  # the highest first, which Java has to sort
            assert case["path"] is not None
            refused = judge_by_rules(device, **case).refusals
            assert [f"{count} CA certificates" in remark.why for remark in refused] == [True] * (count - most)

    @pytest.mark.parametrize("device", ["ios", "macos"])
    def test_small_rsa_keys(self, authority, device):
        """Apple's systems take RSA keys from 2,048 bits on."""
        anchor = pkcs12kit.TrustAnchor.from_certificate(authority.certificate)
        for bits in (2047, 2048):
            key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
            case = build(authority.issue_server(SERVER, private_key=key).certificate, [], anchor)
            said = [remark.why for remark in judge_by_rules(device, **case).refusals]
            assert any("bits in an RSA key" in why for why in said) is (bits < 2048)


class TestLifetime:
    """How long the server's certificate may be valid (RFC 5280 section 4.1.2.5: both ends included)."""

    @staticmethod
    def issued(sent, since, valid):
        """Return a chain whose server certificate is valid for so long, including now, as path validation has it."""
        end = since + valid - timedelta(seconds=1)
        return sent(validity=lab.Validity(since, end))

    @pytest.mark.parametrize("device", ["ios", "macos"])
    def test_apple_825_days(self, authority, device):
        """Since July 2019 at most 825 days, below every root; before, certificates may last longer."""
        anchor = pkcs12kit.TrustAnchor.from_certificate(authority.certificate)
        for start, valid, refused in (
            (datetime(2024, 1, 1, tzinfo=UTC), timedelta(days=825), False),
            (datetime(2024, 1, 1, tzinfo=UTC), timedelta(days=825, seconds=1), True),
            (datetime(2019, 7, 1, tzinfo=UTC), timedelta(days=826), True),
            (datetime(2019, 6, 30, 23, tzinfo=UTC), timedelta(days=3000), False),
        ):
            validity = lab.Validity(start, start + valid - timedelta(seconds=1))
            certificate = authority.issue_server(SERVER, validity=validity).certificate
            verdict = judge_by_rules(device, **build(certificate, [], anchor, time=start + timedelta(days=1)))
            assert any("825" in remark.why for remark in verdict.refusals) is refused, start

    @pytest.mark.parametrize(("ships", "answer"), [(True, Answer.NO), (False, Answer.YES), (None, Answer.UNKNOWN)])
    def test_below_shipped_roots(self, authority, sent, judged, ships, answer):
        """Rules below shipped roots only: a no there, nothing elsewhere, unknown where that is not known."""
        root = Root(name="TA", sha256=authority.certificate.sha256)
        roots = () if ships is None else (RootInclusion(root=root, ships=ships, **RULE),)
        lifetime = LifetimeLimit(days=100, since=NOW.date() - timedelta(days=1), below_shipped_roots=True, **RULE)
        start = NOW - timedelta(hours=1)
        for days, expected in ((100, Answer.YES), (101, answer)):
            case = self.issued(sent, start, timedelta(days=days))
            assert judged(case, roots=roots, lifetimes=(lifetime,)).answer is expected
        assert (
            judged(sent(), states(ChainProperty.P256_KEY, Effect.REFUSED_BELOW_SHIPPED_ROOTS), roots=roots).answer
            is answer
        )

    def test_rules_since_a_day(self, sent, judged):
        """A rule for certificates issued from a day on does not hold for older ones."""
        case = self.issued(sent, NOW - timedelta(days=10), timedelta(days=90))
        issued_on = case["message"].certificates[0].not_before.date()
        for since, answer in ((issued_on, Answer.NO), (issued_on + timedelta(days=1), Answer.YES)):
            assert judged(case, states(ChainProperty.P256_KEY, Effect.REFUSED, since=since)).answer is answer


class TestReal:
    """The paths that exist, and the replica of them with a server at the end."""

    @pytest.mark.parametrize(
        ("target", "pool", "anchor", "time", "root"),
        [
            (
                "dod-id-sw-ca-37.pem",
                ("fpki-historic.pem", "dod-2019.pem"),
                "fcpca.pem",
                datetime(2018, 6, 1, tzinfo=UTC),
                FEDERAL_COMMON_POLICY_CA,
            ),
            (
                "dod-sw-ca-67.pem",
                ("fpki-2024-10.p7b",),
                "fcpcag2.pem",
                datetime(2024, 10, 15, tzinfo=UTC),
                FEDERAL_COMMON_POLICY_CA_G2,
            ),
        ],
        ids=["2018", "2024"],
    )
    def test_real_paths(self, fpki, target, pool, anchor, time, root):
        """Each device's rules on the CA paths of 2018 and 2024: Go stops at what is critical, the others pass on."""
        (certificate,) = pkcs12kit.load_certificates(fpki / target)
        anchors = pkcs12kit.load_trust_anchors(fpki / anchor)
        parameters = pkcs12kit.ValidationParameters(time=time)
        path = pkcs12kit.find_path(
            certificate,
            pool=pkcs12kit.load_certificates(*(fpki / name for name in pool)),
            trust_anchors=anchors,
            parameters=parameters,
        )
        message = CertificateMessage(certificates=path.certificates, protocol=TLS_1_2)
        case = {"message": message, "path": path, "trust_anchors": anchors, "parameters": parameters}
        found = properties(case)
        assert {ChainProperty.POLICY_CONSTRAINTS_CRITICAL, ChainProperty.INHIBIT_ANY_POLICY_CRITICAL} <= found
        assert (ChainProperty.DIRECTORY_NAMES_CONSTRAINED in properties(case)) is (time.year == 2024)
        verdicts = {name: judge_by_rules(name, **case) for name in DEVICES}
        # No server's certificate is at the end of these paths, which most devices have to object to.
        assert {name for name, verdict in verdicts.items() if verdict.answer is Answer.YES} == {"java"}
        assert {name for name, verdict in verdicts.items() if verdict.answer is Answer.UNKNOWN} == {"windows"}
        for name, verdict in verdicts.items():
            why = " ".join(remark.why for remark in verdict.refusals)
            assert ("critical policyConstraints" in why) is (name == "go")
            assert ("directory names" in why) is (name == "go" and time.year == 2024)
        assert path.trust_anchor.certificate.sha256 == root.sha256
        (said,) = (it for it in verdicts["ios"].remarks if root.name in it.why)
        assert said.bearing is Bearing.NOTE
        assert said.why.startswith("it must be given, for example by the MDM in a profile")

    @pytest.mark.parametrize(
        ("name", "answer"),
        [
            ("ios", Answer.YES),
            ("android", Answer.YES),
            ("windows", Answer.UNKNOWN),
            ("macos", Answer.YES),
            ("chrome", Answer.YES),
            ("firefox", Answer.YES),
            ("java", Answer.YES),
            ("go", Answer.NO),
        ],
    )
    def test_replica(self, replica_case, monkeypatch, name, answer):
        """The job that this project is for: phones take the path across the bridge, Go does not."""
        root = Root(name="replica", sha256=replica_case["path"].trust_anchor.certificate.sha256)
        device = replace(DEVICES[name], roots=(RootInclusion(root=root, ships=False, **RULE),))
        monkeypatch.setattr(versions, "DEVICES", {name: device})
        assert judge_by_rules(name, **replica_case).answer is answer

    @pytest.mark.parametrize("name", ["ios", "macos", "chrome"])
    def test_replica_as_any_root(self, replica_case, name):
        """Its server's certificate lasts no longer than shipped roots may have it: yes, whichever those are."""
        assert judge_by_rules(name, **replica_case).answer is Answer.YES

    @pytest.mark.parametrize("name", ["ios", "macos", "chrome"])
    def test_a_long_certificate_below_any_root(self, rsa_replica, replica_case, name):
        """One that lasts longer, for who knows which roots are shipped."""
        long = rsa_replica.issue_server(
            rsa_replica.server_name, validity=lab.Validity.around(rsa_replica.at, days_before=1, days_after=730)
        ).certificate
        path = replace(replica_case["path"], certificates=(long, *replica_case["path"].certificates[1:]))
        message = replace(replica_case["message"], certificates=(long, *replica_case["message"].certificates[1:]))
        verdict = judge_by_rules(name, **replica_case | {"path": path, "message": message})
        assert verdict.answer is Answer.UNKNOWN
        (why,) = (remark.why for remark in verdict.remarks if remark.bearing is Bearing.UNKNOWN)
        assert why.endswith("at most 398 below roots that it ships; it is not known whether it ships this root")


class TestTable:
    """The completeness of the table."""

    def test_devices(self):
        """Those that ``--device`` takes, in one order."""
        assert list(DEVICES) == ["ios", "android", "windows", "macos", "chrome", "firefox", "java", "go"]
        assert all(name == device.name for name, device in DEVICES.items())

    @pytest.mark.parametrize("name", DEVICE_NAMES)
    def test_every_rule_has_a_source(self, name):
        """Each has an address and evidence, and stands once; a bound bounds."""
        device = (DEVICES | VERSIONS)[name]
        said = (*device.rules, *device.limits, *device.lifetimes, *device.roots, *device.notes)
        for one in said:
            *tried, address = one.source.split("; ")
            assert address.startswith("https://")
            assert bool(tried) is (one.evidence is Evidence.TRIED)
            assert isinstance(one.evidence, Evidence)
        assert len({rule.property for rule in device.rules}) == len(device.rules)
        assert len({bound.quantity for bound in device.limits}) == len(device.limits)
        assert all(bound.figures for bound in device.limits)
        for depends in (it for it in device.rules if it.effect is Effect.DEPENDS):
            assert depends.note

    @pytest.mark.parametrize("name", DEVICES)
    def test_what_cannot_be_read_is_in_no_entry(self, name):
        """No rule is known for a certificate that cannot be read."""
        assert DEVICES[name].rule_for(ChainProperty.UNREADABLE) is None

    def test_roots_are_the_real_ones(self, fpki):
        """The fingerprints in the table are those of the real certificates."""
        for root, file in ((FEDERAL_COMMON_POLICY_CA, "fcpca.pem"), (FEDERAL_COMMON_POLICY_CA_G2, "fcpcag2.pem")):
            (anchor,) = pkcs12kit.load_trust_anchors(fpki / file)
            assert anchor.certificate.sha256 == root.sha256
            assert f"CN={root.name}," in str(anchor.name)

    def test_the_table_loads_quickly(self):
        """The names are shown by ``--help``, so reading them loads neither ASN.1 nor cryptography."""
        script = "import sys, pkcs12kit.devices.table; print(*{name.partition('.')[0] for name in sys.modules})"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert set(done.stdout.split()).isdisjoint({"asn1crypto", "cryptography", "OpenSSL", "rich"})

    def test_the_page_has_the_table(self, monkeypatch):
        """Each rule is on the page of devices, in the section of its device, with evidence and source."""
        monkeypatch.setattr(importlib.metadata, "version", lambda _: "0")
        generate = runpy.run_path(str(PROJECT / "docs" / "making" / "tables.py"))
        assert "```{include} /_generated/devices.md\n" in (PROJECT / "docs" / "reference" / "devices.md").read_text(
            "utf-8"
        )
        sections = "\n".join(generate["devices"]()).split("## ")[1:]
        assert [section.partition("\n")[0] for section in sections] == list(DEVICE_NAMES)
        for section, device in zip(sections, (*DEVICES.values(), *VERSIONS.values()), strict=True):
            rows = [line for line in section.splitlines() if line.startswith("| ")]
            expected = [
                *((it.property.value, it) for it in device.rules),
                *((it.quantity.value, it) for it in device.limits),
                *(("validity period of the server's certificate", it) for it in device.lifetimes),
                *((it.root.name, it) for it in device.roots),
            ]
            assert len(rows) == len(expected) + 2  # the head, and the line below it
            for row, (what, it) in zip(rows[2:], expected, strict=True):
                cells = row.split(" | ")
                assert cells[0] == f"| {what}"
                *tried, address = it.source.split("; ")
                *shown, link = cells[3].split("; ")
                assert (cells[2], shown) == (it.evidence.value, tried)
                assert link.endswith(f"](<{address}>)")
            for note in device.notes:
                assert note.source in section
