"""A failed attempt lists every fault of each of its certificates: injected faults are found, and no others."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.revocation import Revocation
from pkcs12kit.paths.search import find_paths
from pkcs12kit.paths.validation.algorithms import AlgorithmPolicy
from pkcs12kit.paths.validation.parameters import ValidationParameters

from ..thoroughness import mostly_slow

AT = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
KEYS = [ec.generate_private_key(ec.SECP256R1()) for _ in range(5)]
NAMES = ["www.example.com", "Issuing CA", "Middle CA", "Upper CA", "Root"]
TARGET, ISSUER, MIDDLE, UPPER, ROOT = range(5)
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\x00")


def name(text):
    """A name of one attribute."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def usage(*, signs):
    """A keyUsage, with or without keyCertSign."""
    others = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(digital_signature=True, key_cert_sign=signs, **others)


def parts(at):
    """The contents of a certificate without faults, which the faults change."""
    extensions = {
        "basic": (x509.BasicConstraints(ca=at > TARGET, path_length=None), True),
        "usage": (usage(signs=at > TARGET), True),
        "policies": (x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3.4"), None)]), False),
        "key": (x509.SubjectKeyIdentifier.from_public_key(KEYS[at].public_key()), False),
        "issuer": (x509.AuthorityKeyIdentifier.from_issuer_public_key(KEYS[min(at + 1, ROOT)].public_key()), False),
    }
    if at == TARGET:
        extensions["names"] = (x509.SubjectAlternativeName([x509.DNSName("www.example.com")]), False)
    return {"from": AT - 90 * DAY, "to": AT + 90 * DAY, "hash": hashes.SHA256(), "damaged": False, "ext": extensions}


def issue(at, content):
    """Issue one certificate of the chain."""
    builder = x509.CertificateBuilder(
        name(NAMES[min(at + 1, ROOT)]), name(NAMES[at]), KEYS[at].public_key(), 100 + at, content["from"], content["to"]
    )
    for value, critical in content["ext"].values():
        builder = builder.add_extension(value, critical)
    der = builder.sign(KEYS[min(at + 1, ROOT)], content["hash"]).public_bytes(Encoding.DER)
    return Certificate(der[:-1] + bytes([der[-1] ^ 1]) if content["damaged"] else der)


# Faults: the certificates that can have them, and the change. A fault may show at another certificate.


def constrain(contents, at, reason):
    """Let a CA permit other names than those of the target."""
    constraints = x509.NameConstraints(permitted_subtrees=[x509.DNSName("example.org")], excluded_subtrees=None)
    contents[at]["ext"]["constraints"] = (constraints, True)
    return {(TARGET, reason)}


def shorten(contents, at, reason):
    """Let a CA allow no CA below it."""
    contents[at]["ext"]["basic"] = (x509.BasicConstraints(ca=True, path_length=0), True)
    return {(at - 1, reason)}


def change(**changes):
    """Return a fault that changes fields of a certificate, which fails for it."""

    def inject(contents, at, reason):
        contents[at].update(changes)
        return {(at, reason)}

    return inject


def extend(key, value, *, critical=True):
    """Return a fault that is an extension of a certificate, which fails for it."""

    def inject(contents, at, reason):
        contents[at]["ext"][key] = (value, critical)
        return {(at, reason)}

    return inject


def drop_policies(contents, at, reason):
    """Let a certificate have no policies, where one is required."""
    del contents[at]["ext"]["policies"]
    return {(at, reason)}


ANY = (TARGET, ISSUER, MIDDLE, UPPER)
CAS = (ISSUER, MIDDLE, UPPER)
FAULTS = {
    "expired": (ANY, change(to=AT - DAY)),
    "not-yet-valid": (ANY, change(**{"from": AT + DAY})),
    "weak-algorithm": (ANY, change(hash=hashes.SHA384())),
    "bad-signature": (ANY, change(damaged=True)),
    "unknown-critical-extension": (ANY, extend("unknown", UNKNOWN)),
    "extended-key-usage": (ANY, extend("purposes", x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]))),
    "server-name": ((TARGET,), extend("names", x509.SubjectAlternativeName([x509.DNSName("a.example.com")]))),
    "not-a-ca": (CAS, extend("basic", x509.BasicConstraints(ca=False, path_length=None))),
    "key-usage": (CAS, extend("usage", usage(signs=False))),
    "path-length": ((MIDDLE, UPPER), shorten),
    "name-constraints": (CAS, constrain),
    "explicit-policy": (ANY, drop_policies),
}


def revoke(certificates):
    """Return the issuing CA's response that the target is revoked."""
    about, issuer = (x509.load_der_x509_certificate(bytes(certificates[at].der)) for at in (TARGET, ISSUER))
    builder = ocsp.OCSPResponseBuilder().add_response(
        about, issuer, hashes.SHA256(), ocsp.OCSPCertStatus.REVOKED, AT - DAY, AT + DAY, AT - 2 * DAY, None
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, issuer)
    response = builder.sign(KEYS[ISSUER], hashes.SHA256()).public_bytes(Encoding.DER)
    return Revocation(mode="soft", ocsp_responses=[response])


def attempt(injected, *, missing=(), revoked=False, limits=DEFAULT_LIMITS):
    """Search in a chain with faults; return the expected failures and those of the closest attempt, by place."""
    contents = {at: parts(at) for at in range(ROOT + 1)}
    expected = set()
    for kind, at in injected:
        expected |= FAULTS[kind][1](contents, at, kind)
    certificates = [issue(at, contents[at]) for at in range(ROOT + 1)]
    report = find_paths(
        certificates[TARGET],
        pool=CertificatePool(certificates[at] for at in CAS if at not in missing),
        trust_anchors=[TrustAnchor.from_certificate(certificates[ROOT])],
        parameters=ValidationParameters(
            time=AT,
            server_name="www.example.com",
            initial_explicit_policy=True,
            algorithm_policy=AlgorithmPolicy(name="no SHA-384", refused_hashes=frozenset({"sha384"})),
        ),
        revocation=revoke(certificates) if revoked else None,
        limits=limits,
    )
    assert not report.valid
    closest = report.to_json()["rejected"][0]
    places = {certificate.sha256: at for at, certificate in enumerate(certificates)}
    listed = [(places[one["certificate"]["sha256"]], one["reason"]) for one in closest["failures"]]
    assert closest["lists_all_failures"] is (limits is DEFAULT_LIMITS)
    return expected, listed


def check(injected):
    """Check that exactly the injected faults are listed, each once."""
    expected, listed = attempt(injected)
    assert set(listed) == expected, injected
    assert max(Counter(listed).values()) == 1


PAIRS = [
    ((one, at), (other, there))
    for one, other in itertools.combinations(FAULTS, 2)
    for at in FAULTS[one][0]
    for there in FAULTS[other][0]
    if not (at == there and {one, other} in ({"expired", "not-yet-valid"}, {"not-a-ca", "path-length"}))
    if not (at == there and {one, other} == {"not-a-ca", "name-constraints"})
]


@pytest.mark.parametrize("kind", FAULTS)
def test_one_fault(kind):
    """Each kind of fault is listed, at each certificate that can have it, and nothing else is."""
    for at in FAULTS[kind][0]:
        check([(kind, at)])


@pytest.mark.parametrize("seed", mostly_slow(range(8), every=8))
def test_two_faults(seed):
    """Every pair of kinds, at all certificates: both are listed (a part of the pairs for each seed)."""
    for pair in PAIRS[seed::8]:
        check(pair)


@pytest.mark.parametrize("kind", mostly_slow(list(FAULTS), every=6))
def test_a_fault_and_a_revoked_target(kind):
    """A revoked target is listed beside any other fault, unless nothing proves the key that signed the response."""
    for at in FAULTS[kind][0]:
        expected, listed = attempt([(kind, at)], revoked=True)
        proven = set() if kind == "bad-signature" else {(TARGET, "revoked")}
        assert set(listed) == expected | proven, at
        assert max(Counter(listed).values()) == 1


def test_without_a_way_to_the_anchor_no_revocation_counts():
    """Nothing vouches for the issuer's key where an issuer above it is missing."""
    expected, listed = attempt([("server-name", TARGET)], missing=(MIDDLE,), revoked=True)
    assert set(listed) == {*expected, (ISSUER, "issuer-not-found")}


def test_a_limit_leaves_faults_out_and_says_so():
    """Beyond ``explained_certificates`` what is listed is true, and the attempt says that there may be more."""
    few = dataclasses.replace(DEFAULT_LIMITS, explained_certificates=1)
    _, listed = attempt([("server-name", TARGET)], missing=(MIDDLE,), limits=few)
    assert listed == [(ISSUER, "issuer-not-found")]
