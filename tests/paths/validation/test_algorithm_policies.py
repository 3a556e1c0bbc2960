"""Named algorithm policies: the default rejections and their reasons, those of SP 800-78, and allow-all.

Certificates get new signatures with MD5 and SHA-1, as pyca's builder does not make them. No library at hand signs with
MD2 and MD4.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

from pkcs12kit import lab
from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import FailureReason
from pkcs12kit.paths.validation.algorithms import ALLOW_ALL, DEFAULT, POLICIES, SP800_78

AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def keys():
    """One key of each kind and size that a policy tells apart."""
    return {
        "rsa-1024": rsa.generate_private_key(public_exponent=65537, key_size=1024),  # noqa: S505  # what is refused
        "rsa-2047": rsa.generate_private_key(public_exponent=65537, key_size=2047),  # noqa: S505  # as above
        "rsa-2048": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "dsa-1024": dsa.generate_private_key(key_size=1024),  # noqa: S505  # as above
        "p192": ec.generate_private_key(ec.SECP192R1()),
        "p224": ec.generate_private_key(ec.SECP224R1()),
        "p256": ec.generate_private_key(ec.SECP256R1()),
        "p384": ec.generate_private_key(ec.SECP384R1()),
        "p521": ec.generate_private_key(ec.SECP521R1()),
        "k256": ec.generate_private_key(ec.SECP256K1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate(),
    }


@pytest.mark.parametrize(
    ("kind", "digest", "says"),
    [
        ("rsa-2048", "md5", "MD5"),
        ("rsa-2048", "sha1", "SHA-1"),
        ("p256", "sha1", "SHA-1"),
        ("dsa-1024", "sha1", "SHA-1"),
    ],
)
def test_broken_hashes_are_refused_by_default(chain, resign, keys, judge, refusal, kind, digest, says):
    """MD5 and SHA-1, in a CA certificate or the target: refused, and the detail says which; allow-all checks them."""
    key = keys[kind]
    for position in (0, 1):
        links = [{}, {}]
        if position == 0:
            links[0]["private_key"] = key
        path = chain(*links, anchor_key=key if position else None)
        certificates = list(path.certificates)
        certificates[position] = resign(certificates[position], key, digest=digest)
        path = dataclasses.replace(path, certificates=tuple(certificates))
        failure = refusal(path)
        assert failure.reason is FailureReason.WEAK_ALGORITHM
        assert failure.certificate is certificates[position]
        assert failure.detail == f"signed with {says}, which algorithm policy 'default' refuses"
        assert judge(path, algorithm_policy=ALLOW_ALL)


def test_a_wrong_signature_is_wrong_whatever_the_hash(chain, resign, keys, refusal):
    """Allow-all does not mean that nothing is checked; and a wrong signature is said to be that rather than weak."""
    path = chain({}, {})
    wrong = dataclasses.replace(
        path, certificates=(resign(path.target, keys["p256"], digest="sha1"), path.certificates[1])
    )
    assert refusal(wrong, algorithm_policy=ALLOW_ALL).reason is FailureReason.BAD_SIGNATURE
    assert refusal(wrong).reason is FailureReason.BAD_SIGNATURE


@pytest.mark.parametrize(("kind", "bits"), [("rsa-1024", 1024), ("rsa-2047", 2047), ("dsa-1024", 1024), ("p192", 192)])
def test_short_keys_are_refused_by_default(chain, keys, judge, refusal, kind, bits):
    """RSA and DSA below 2,048 bits and curves below 224 (NIST SP 800-131A revision 2): of anchor, CA and target."""
    for position in (0, 1, 2):
        links = [{}, {}]
        if position < 2:
            links[1 - position]["private_key"] = keys[kind]
        path = chain(*links, anchor_key=keys[kind] if position == 2 else None)
        failure = refusal(path)
        assert failure.reason is FailureReason.WEAK_ALGORITHM
        assert f"of {bits} bits" in failure.detail
        assert judge(path, algorithm_policy=ALLOW_ALL)


def test_a_weak_issuer_is_named(chain, keys, refusal):
    """The failure is about the certificate that the weak key signed, and says whose key it is."""
    path = chain({"private_key": keys["rsa-1024"]}, {})
    failure = refusal(path)
    assert failure.certificate is path.target
    assert "weak key of CN=CA 1" in failure.detail


@pytest.mark.parametrize("kind", ["rsa-2048", "p224", "p256", "p384", "p521", "k256", "ed25519"])
def test_what_the_default_accepts(chain, keys, judge, kind):
    """At the bound and above."""
    assert judge(chain({"private_key": keys[kind]}, {}))


@pytest.mark.parametrize(
    ("kind", "accepted"),
    [
        ("rsa-2048", True),
        ("p256", True),
        ("rsa-2047", False),
        ("p224", False),
        ("p521", False),
        ("k256", False),
        ("ed25519", False),
        ("dsa-1024", False),
    ],
)
def test_sp800_78_keys(keys, kind, accepted):
    """NIST SP 800-78-5 section 3: RSA from 2,048 bits, P-256 and P-384."""
    weakness = SP800_78.weakness_of_key(keys[kind].public_key())
    assert (weakness is None) is accepted, weakness
    if weakness is not None:
        assert "sp800-78" in weakness


def test_sp800_78_hash_of_the_curve(keys, judge, refusal, sign_by):
    """Table 3-5: P-256 signs with SHA-256, P-384 with SHA-384; any other pair is refused."""
    from cryptography.hazmat.primitives import hashes

    for kind, digest, accepted in (
        ("p256", hashes.SHA256(), True),
        ("p384", hashes.SHA384(), True),
        ("p384", hashes.SHA256(), False),
        ("p256", hashes.SHA384(), False),
        ("rsa-2048", hashes.SHA512(), True),
        ("rsa-2048", hashes.SHA224(), False),
    ):
        key = keys[kind]
        authority = lab.Authority.create("TA", private_key=key, validity=lab.Validity.around(AT))
        target = sign_by("TA", key, "EE", keys["p256"].public_key(), ca=False, digest=digest)
        anchor = TrustAnchor.from_certificate(authority.certificate)
        path = CertificationPath(certificates=(target,), trust_anchor=anchor)
        if accepted:
            assert judge(path, algorithm_policy=SP800_78)
        else:
            assert refusal(path, algorithm_policy=SP800_78).reason is FailureReason.WEAK_ALGORITHM
        assert judge(path)


def test_sp800_78_refuses_what_the_default_refuses(chain, resign, keys, refusal):
    """SHA-1 here as there."""
    path = chain({"private_key": keys["p256"]}, {})
    path = dataclasses.replace(
        path, certificates=(resign(path.target, keys["p256"], digest="sha1"), path.certificates[1])
    )
    assert refusal(path, algorithm_policy=SP800_78).reason is FailureReason.WEAK_ALGORITHM


def test_the_hash_that_signed_the_anchor_does_not_matter(chain, resign, keys, judge):
    """An anchor is trusted by decision: its own signature is never checked (RFC 5280 section 6.1)."""
    path = chain({}, {}, anchor_key=keys["rsa-2048"])
    old = resign(path.trust_anchor.certificate, keys["rsa-2048"], digest="sha1")
    assert judge(dataclasses.replace(path, trust_anchor=TrustAnchor.from_certificate(old)))


def test_policies_are_found_by_name():
    """``--algorithms`` accepts these names."""
    assert POLICIES == {"default": DEFAULT, "sp800-78": SP800_78, "allow-all": ALLOW_ALL}
