"""The replica has the shape of the real PKI, is valid for other validators, and has the same dead ends."""

from __future__ import annotations

import asyncio
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.authority import CertTrustAnchor
from pyhanko_certvalidator.errors import PathValidationError, RevokedError
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.policy_decl import PKIXValidationParams
from pyhanko_certvalidator.validate import async_validate_path

from pkcs12kit import lab
from pkcs12kit.certificates.certificate import Certificate

from ..counting import counted_calls

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
FBCA_DEVICES = "2.16.840.1.101.3.2.1.3.37"
COMMON_HARDWARE = "2.16.840.1.101.3.2.1.3.7"


@pytest.fixture(scope="module")
def replica():
    """One replica for all tests that do not change it; EC keys, for speed."""
    return lab.make_replica(AT, key_type=lab.KeyType.EC_P256)


def judge(path, *, at=AT, policies=None, crls=None):
    """Ask certvalidator; with CRLs, every certificate must be shown not to be revoked."""
    anchor = CertTrustAnchor(asn1_x509.Certificate.load(path.trust_anchor.certificate.der))
    certificates = [asn1_x509.Certificate.load(certificate.der) for certificate in path.certificates]
    context = ValidationContext(
        trust_roots=[anchor],
        moment=at,
        other_certs=certificates[1:],
        allow_fetching=False,
        crls=[asn1_crl.CertificateList.load(crl.der) for crl in crls or ()],
        revocation_mode="soft-fail" if crls is None else "require",
    )
    parameters = PKIXValidationParams(user_initial_policy_set=frozenset(policies or {"any_policy"}))
    chain = ValidationPath(anchor, certificates[:0:-1], certificates[0])
    asyncio.run(async_validate_path(context, chain, parameters=parameters))


def simple_paths(replica):
    """Yield every path to the anchor by name, signature and time only, without a repeated (subject, key)."""

    def climb(path, nodes):
        for issuer in replica.pool:
            if issuer.subject != path[-1].issuer or not (issuer.not_before <= replica.at <= issuer.not_after):
                continue
            try:
                path[-1].as_cryptography.verify_directly_issued_by(issuer.as_cryptography)
            except InvalidSignature:
                continue
            if issuer.node == replica.valid_paths[0].trust_anchor.node:
                yield tuple(path)
            elif issuer.node not in nodes:
                yield from climb([*path, issuer], nodes | {issuer.node})

    server = replica.server.certificate
    return set(climb([server], {server.node}))


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("policies", [None, {lab.COMMON_DEVICES}])
def test_certvalidator_accepts_each_valid_path(replica, number, policies):
    """RFC 5280 section 6.1 by another implementation: valid for any-policy, and for Common Policy's own."""
    judge(replica.valid_paths[number], policies=policies)


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("policy", [FBCA_DEVICES, lab.DOD_MEDIUM_NPE, COMMON_HARDWARE])
def test_certvalidator_refuses_each_path_for_other_policies(replica, number, policy):
    """The user-initial-policy-set must name the policy in the anchor's own domain (RFC 5280 section 6.1.1 (c))."""
    with pytest.raises(PathValidationError, match="polic"):
        judge(replica.valid_paths[number], policies={policy})


@pytest.mark.parametrize(
    ("policy", "accepted"), [("anyPolicy", True), (lab.COMMON_DEVICES, True), (FBCA_DEVICES, False)]
)
def test_openssl_agrees_on_each_valid_path(replica, tmp_path, require_tool, policy, accepted):
    """OpenSSL agrees with certvalidator, given the certificates of one path."""
    anchor, target = tmp_path / "anchor.pem", tmp_path / "server.pem"
    anchor.write_text(replica.trust_anchor.to_pem())
    target.write_text(replica.server.certificate.to_pem())
    for path in replica.valid_paths:
        untrusted = tmp_path / "untrusted.pem"
        untrusted.write_text("".join(certificate.to_pem() for certificate in path.certificates[1:]))
        answer = subprocess.run(
            [
                *(require_tool("openssl"), "verify", "-x509_strict", "-purpose", "sslserver"),
                *("-verify_hostname", "mdm.example.mil", "-attime", str(int(AT.timestamp()))),
                *("-policy", policy, "-policy_check", "-trusted", anchor, "-untrusted", untrusted, target),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (answer.returncode == 0) is accepted, answer.stderr


def test_valid_paths_are_all_there_are(replica):
    """Issue: two hops have parallel certificates, so there are four simple paths, and no trap makes a fifth."""
    assert simple_paths(replica) == {path.certificates for path in replica.valid_paths}


def test_valid_paths_last_longest_first(replica):
    """The order is by the first expiry; the two that end together are ordered by the newer cross-certificate."""
    expiries = [path.expires - AT for path in replica.valid_paths]
    assert expiries == [timedelta(days=days) for days in (360, 300, 150, 150)]
    assert replica.server.certificate.not_after > max(path.expires for path in replica.valid_paths)
    assert replica.valid_paths[2].certificates[2].not_before > replica.valid_paths[3].certificates[2].not_before


def test_the_servers_certificate_lasts_as_long_as_browsers_take(replica):
    """398 days are the most below roots that they ship (CA/Browser Forum, ballot SC31); it ends after the path does."""
    for identity in (replica.server, replica.issue_server("other.example.mil")):
        lasts = identity.certificate.not_after - identity.certificate.not_before
        assert timedelta(days=390) < lasts < timedelta(days=398)


def test_path_has_the_reference_names(replica):
    """The reference job: these six names, and O=Replica in each."""
    path = replica.valid_paths[0].with_anchor
    assert [str(certificate.subject) for certificate in path] == [
        "CN=mdm.example.mil,OU=PKI,OU=DoD,O=Replica,C=US",
        "CN=DOD ID SW CA-37,OU=PKI,OU=DoD,O=Replica,C=US",
        "CN=DoD Root CA 3,OU=PKI,OU=DoD,O=Replica,C=US",
        "CN=DoD Interoperability Root CA 2,OU=PKI,OU=DoD,O=Replica,C=US",
        "CN=Federal Bridge CA 2016,OU=FPKI,O=Replica,C=US",
        "CN=Federal Common Policy CA,OU=FPKI,O=Replica,C=US",
    ]
    assert path[1] == replica.issuing_ca
    assert path[-1] == replica.trust_anchor


@pytest.fixture(scope="module")
def real_certificates(fpki):
    """Find the real certificate that each of the replica's is modelled on, by the replica's serial number."""
    historic = {
        certificate.serial_number: certificate
        for certificate in x509.load_pem_x509_certificates((fpki / "fpki-historic.pem").read_bytes())
    }
    of_2024 = pkcs7.load_pem_pkcs7_certificates((fpki / "fpki-2024-10.p7b").read_bytes())

    def issued(issuer, subject):
        found = [
            certificate
            for certificate in of_2024
            if f"CN={issuer}," in certificate.issuer.rfc4514_string()
            and f"CN={subject}," in certificate.subject.rfc4514_string()
        ]
        assert len(found) == 1
        return found[0]

    bridge = issued("Federal Common Policy CA G2", "Federal Bridge CA G4")
    interoperability = issued("Federal Bridge CA G4", "DoD Interoperability Root CA 2")
    common = x509.load_der_x509_certificate((fpki / "fcpcag2-from-fbcag4.cer").read_bytes())
    aces = next(found for serial, found in historic.items() if serial % 100_000 == 87042)
    return {
        304: x509.load_pem_x509_certificate((fpki / "fcpca.pem").read_bytes()),
        1: historic[1],
        18: x509.load_pem_x509_certificate((fpki / "dod-id-sw-ca-37.pem").read_bytes()),
        16194: bridge,
        11424: bridge,
        47633: interoperability,
        9644: interoperability,
        93812: common,
        5724: common,
        87042: aces,
        **{serial: historic[serial] for serial in (748, 655, 1061, 28)},
    }


def statements(certificate):
    """Read what the extensions say about paths, with the government's organization replaced by the replica's."""
    extensions = certificate.extensions
    constraints = extensions.name_constraints

    def subtrees(names):
        return [str(name).replace("U.S. Government", "Replica") for name in names or ()]

    return {
        "critical": {oid: oid in extensions.critical for oid in extensions.oids},
        "policies": set(extensions.certificate_policies or ()),
        "mappings": set(extensions.policy_mappings or ()),
        "policy constraints": extensions.policy_constraints,
        "inhibit any policy": extensions.inhibit_any_policy,
        "basic constraints": extensions.basic_constraints,
        "key usage": extensions.key_usage,
        "permitted": subtrees(constraints and constraints.permitted_subtrees),
        "excluded": subtrees(constraints and constraints.excluded_subtrees),
    }


@pytest.mark.parametrize("serial", [304, 1, 18, 16194, 11424, 47633, 9644, 748, 655, 93812, 5724, 1061, 28, 87042])
def test_extensions_are_those_of_the_real_certificate(replica, real_certificates, serial):
    """Issue: all extensions as on the real certificates; same set, same criticality, same policies and constraints."""
    real = Certificate.from_der(real_certificates[serial].public_bytes(Encoding.DER))
    assert statements(replica.certificate(serial)) == statements(real)


def test_bridge_constrains_critically(replica):
    """Issue: critical policyConstraints 0/0, inhibitAnyPolicy 0, directoryName subtrees; one policy maps to several."""
    extensions = replica.certificate(47633).extensions
    assert {"2.5.29.36", "2.5.29.54", "2.5.29.30"} <= extensions.critical
    assert extensions.policy_constraints == x509.PolicyConstraints(0, 0)
    assert extensions.inhibit_any_policy == 0
    assert all(name.form == "directoryName" for name in extensions.name_constraints.permitted_subtrees)
    issuer_policies = [issuer for issuer, _ in extensions.policy_mappings]
    assert len(set(issuer_policies)) < len(issuer_policies)


def test_bridge_excludes_names_outside_the_dod(replica):
    """RFC 5280 section 6.1.3 (b): the name constraints reject a server with a name outside them."""
    issuing = replica.authorities["issuing-37"]
    elsewhere = issuing.issue_server(
        "mdm.example.mil", subject=x509.Name.from_rfc4514_string("CN=mdm.example.mil,O=Elsewhere,C=US")
    )
    path = replica.valid_paths[0]
    with pytest.raises(PathValidationError, match="permitted"):
        judge(type(path)(certificates=(elsewhere.certificate, *path.certificates[1:]), trust_anchor=path.trust_anchor))


def test_server_is_a_tls_server(replica):
    """The server's name is only in subjectAltName (RFC 9525); serverAuth, not a CA, a policy of the DoD's domain."""
    extensions = replica.server.certificate.extensions
    assert extensions.subject_alternative_name == (x509.DNSName("mdm.example.mil"),)
    assert extensions.extended_key_usage == {"1.3.6.1.5.5.7.3.1"}
    assert extensions.certificate_policies == (lab.DOD_MEDIUM_NPE,)
    assert extensions.basic_constraints is None
    assert not extensions.key_usage.key_encipherment


def test_urls_are_below_the_base():
    """Every URL in a certificate points where the caller said."""
    replica = lab.make_replica(AT, key_type=lab.KeyType.EC_P256, base_url="http://localhost:8080/pki/")
    for certificate in (*replica.pool, replica.server.certificate):
        extensions = certificate.extensions
        for url in (*extensions.ca_issuers, *extensions.ca_repositories):
            assert url.startswith("http://localhost:8080/pki/")
            assert "pki//" not in url
        assert certificate.is_self_issued or b"http://localhost:8080/pki/" in certificate.der


def test_pool_holds_the_traps(replica):
    """Issue: loops, self-signed roots, expired ones; a rekeyed bridge; an unrelated CA; one not valid yet."""
    pool = tuple(replica.pool)
    edges = {(found.issuer.common_name, found.subject.common_name) for found in pool if not found.is_self_issued}
    loops = {edge for edge in edges if edge[::-1] in edges}
    assert ("Federal Bridge CA 2016", "Federal Common Policy CA") in loops
    assert ("DoD Interoperability Root CA 2", "Federal Bridge CA 2016") in loops
    assert ("DoD Root CA 3", "DoD Interoperability Root CA 2") in loops
    self_signed = {certificate.subject.common_name for certificate in pool if certificate.is_self_issued}
    assert self_signed >= {"DoD Root CA 3", "DoD Interoperability Root CA 2", "Federal Common Policy CA"}
    assert len([certificate for certificate in pool if certificate.not_after < AT]) == 10
    assert len([certificate for certificate in pool if certificate.not_before > AT]) == 1
    bridge_keys = {
        certificate.subject_public_key_info
        for certificate in pool
        if certificate.subject.common_name == "Federal Bridge CA 2016"
    }
    assert len(bridge_keys) == 2
    assert any("OU=Unrelated" in str(certificate.subject) for certificate in pool)
    assert replica.server.certificate not in pool


def test_serial_numbers_name_certificates(replica):
    """Documentation and tests may speak of #748: no serial number occurs twice, and a wrong one is a KeyError."""
    serials = [certificate.serial_number for certificate in replica.pool]
    assert len(set(serials)) == len(serials)
    with pytest.raises(KeyError):
        replica.certificate(4242)


def test_crls_show_that_nothing_is_revoked(replica):
    """Each CA has a CRL that is valid now; certvalidator accepts every path with revocation required."""
    assert len(replica.crls) == len(replica.authorities)
    assert len({crl.name for crl in replica.crls}) == len(replica.crls)
    for path in replica.valid_paths:
        judge(path, crls=replica.crls)


@pytest.mark.parametrize("position", range(5))
def test_revoke_lists_certificate_with_date_and_reason(replica, position):
    """RFC 5280 section 5.3.1: the issuer's CRL names the serial number, the date and the reason; others do not."""
    certificate = replica.valid_paths[0].certificates[position]
    since = AT - timedelta(days=3)
    revoked = replica.revoke(certificate, date=since, reason=x509.ReasonFlags.superseded)
    entries = [
        (crl.issuer.rfc4514_string(), entry)
        for crl in (x509.load_der_x509_crl(crl.der) for crl in revoked.crls)
        for entry in crl
        if entry.serial_number == certificate.serial_number
    ]
    assert [issuer for issuer, _ in entries] == [str(certificate.issuer)]
    assert entries[0][1].revocation_date_utc == since
    assert entries[0][1].extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.superseded
    with pytest.raises(RevokedError):
        judge(revoked.valid_paths[0], crls=revoked.crls)
    judge(replica.valid_paths[0], crls=replica.crls)


def test_revoke_refuses_foreign_certificate(replica):
    """A CRL is signed by the issuer of its entries: a certificate of another issuer cannot be revoked."""
    with pytest.raises(ValueError, match="no authority"):
        replica.revoke(lab.Authority.create("Stranger").certificate)


def test_issue_server_gives_another_valid_server(replica):
    """One replica serves many servers: a second identity is valid on the same path."""
    other = replica.issue_server("192.0.2.7")
    path = replica.valid_paths[1]
    judge(type(path)(certificates=(other.certificate, *path.certificates[1:]), trust_anchor=path.trust_anchor))
    assert str(other.certificate.extensions.subject_alternative_name[0].value) == "192.0.2.7"
    assert other.private_key != replica.server.private_key


def test_time_is_an_argument():
    """Validity follows from ``at``, serial numbers and names do not depend on it; a naive time is refused."""
    past, later = (lab.make_replica(instant, key_type=lab.KeyType.EC_P256) for instant in (AT.replace(year=2018), AT))
    for serial in {certificate.serial_number for certificate in past.pool}:
        before, after = past.certificate(serial), later.certificate(serial)
        assert before.subject == after.subject
        assert before.not_after - past.at == after.not_after - later.at
    judge(past.valid_paths[0], at=past.at, crls=past.crls)
    with pytest.raises(ValueError, match="time zone"):
        lab.make_replica(datetime(2026, 3, 1))  # noqa: DTZ001 - a naive time is what is tested


def test_keys_are_random_and_hidden(replica):
    """Keys are generated each time, and no key is in a repr."""
    again = lab.make_replica(AT, key_type=lab.KeyType.EC_P256)
    assert again.trust_anchor.public_key != replica.trust_anchor.public_key
    for text in (repr(replica), repr(replica.authorities["common"]), repr(replica.server)):
        assert "key=" not in text.replace("private_key=", "key=")


def test_publishes_what_its_certificates_point_to():
    """By path: what each caIssuers gives is for its issuer, what each caRepository gives is by its subject.

    Dead are the four URLs for which there is no certificate to publish, as some real ones are.
    """
    made = lab.make_replica(AT, key_type=lab.KeyType.EC_P256, base_url="https://pki.replica.example/below/")
    published = made.published()
    dead = set()
    for certificate in (made.server.certificate, *made.pool):
        pointers = [(url, "subject", certificate.issuer) for url in certificate.extensions.ca_issuers]
        pointers += [(url, "issuer", certificate.subject) for url in certificate.extensions.ca_repositories]
        for url, field, name in pointers:
            found = published.get(url.removeprefix("https://pki.replica.example"))
            if found is None:
                dead.add(url.rpartition("/")[2])
                continue
            loaded = [Certificate(each.public_bytes(Encoding.DER)) for each in pkcs7.load_der_pkcs7_certificates(found)]
            assert {getattr(each, field) for each in loaded} == {name}
            assert set(loaded) <= set(made.pool)
    assert dead == {
        "USDODCCEBINTEROPERABILITYROOTCA2_IT.p7c",
        "acespublicsector1_IT.p7c",
        "caCertsIssuedByfbca2016-2.p7c",
        "unrelatedissuing1_IB.p7c",
    }
    assert published["/below/crl/DODROOTCA3.crl"] in {crl.der for crl in made.crls}


def test_default_replica_is_rsa_and_quick():
    """The default is as real as the real one, RSA 2048 with SHA-256; few keys are made, which takes longest."""
    with counted_calls() as calls:
        replica = lab.make_replica()
    assert calls["generate_private_key"] <= 2 * 15  # of cryptography, which calls its own of that name
    assert {certificate.public_key.key_size for certificate in replica.pool} == {2048}
    assert replica.server.certificate.extensions.key_usage.key_encipherment
    assert replica.server.certificate.as_cryptography.signature_hash_algorithm.name == "sha256"
    judge(replica.valid_paths[0], at=replica.at, crls=replica.crls)
