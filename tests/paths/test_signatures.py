"""Signatures of every kind, one check a (certificate, key), remembered (RFC 5280 section 6.1.3 (a)(1))."""

from __future__ import annotations

import dataclasses
import pickle
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from asn1crypto import keys as asn1_keys
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, padding, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pkcs12kit import lab
from pkcs12kit.certificates import lenient
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import FailureReason
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths import signature_schemes, signatures
from pkcs12kit.paths.budget import BudgetExhaustedError, SearchBudget
from pkcs12kit.paths.search import find_paths
from pkcs12kit.paths.signatures import REMEMBERED, SignatureMemory, SignatureVerdict, WorkingKey, check_signature
from pkcs12kit.paths.validation.algorithms import ALLOW_ALL
from pkcs12kit.paths.validation.parameters import ValidationParameters

AT = datetime(2026, 3, 1, tzinfo=UTC)
VALID, INVALID, UNSUPPORTED = SignatureVerdict.VALID, SignatureVerdict.INVALID, SignatureVerdict.UNSUPPORTED
KINDS = [
    "rsa",
    "pss",
    "pss-sha512",
    "ec-p256",
    "ec-p384",
    "ec-p521",
    "dsa",
    "ed25519",
    "ed448",
    "mldsa44",
    "mldsa65",
    "mldsa87",
]


FRESH = {
    "rsa": lambda _: lab.KeyType.RSA_2048.generate(),
    "dsa": lambda key: key.parameters().generate_private_key(),
    "ed25519": lambda _: ed25519.Ed25519PrivateKey.generate(),
    "ed448": lambda _: ed448.Ed448PrivateKey.generate(),
    "mldsa44": lambda _: mldsa.MLDSA44PrivateKey.generate(),
    "mldsa65": lambda _: mldsa.MLDSA65PrivateKey.generate(),
    "mldsa87": lambda _: mldsa.MLDSA87PrivateKey.generate(),
}
FRESH |= dict.fromkeys(("pss", "pss-sha512"), FRESH["rsa"])
FRESH |= dict.fromkeys(("ec-p256", "ec-p384", "ec-p521"), lambda key: ec.generate_private_key(key.curve))


@pytest.fixture(scope="module")
def keys():
    """One key of each kind."""
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return {
        "rsa": rsa_key,
        "pss": rsa_key,
        "pss-sha512": rsa_key,
        "ec-p256": ec.generate_private_key(ec.SECP256R1()),
        "ec-p384": ec.generate_private_key(ec.SECP384R1()),
        "ec-p521": ec.generate_private_key(ec.SECP521R1()),
        "dsa": dsa.generate_private_key(key_size=1024),  # noqa: S505  # the smallest, for speed
        "ed25519": ed25519.Ed25519PrivateKey.generate(),
        "ed448": ed448.Ed448PrivateKey.generate(),
        "mldsa44": mldsa.MLDSA44PrivateKey.generate(),
        "mldsa65": mldsa.MLDSA65PrivateKey.generate(),
        "mldsa87": mldsa.MLDSA87PrivateKey.generate(),
    }


@pytest.fixture
def key_of(keys):
    """The key of a kind."""
    return keys.__getitem__


def pss(digest):
    """PSS as certificates use it: MGF1 and salt of the hash's own size (RFC 4055)."""
    return padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)


def signing(kind):
    """Hash and padding that a kind of key signs with."""
    by_itself = kind.startswith(("ed", "mldsa"))
    digest = {"ec-p384": hashes.SHA384(), "ec-p521": hashes.SHA512(), "pss-sha512": hashes.SHA512()}.get(
        kind, hashes.SHA256()
    )
    return {"digest": None if by_itself else digest, "rsa_padding": pss(digest) if kind.startswith("pss") else None}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_signature(sign_by, key_of, judge, refusal, kind):
    """RFC 5280 section 4.1.1.2 leaves the algorithm open: RSA (both paddings), ECDSA, DSA, EdDSA, ML-DSA (RFC 9881)."""
    key = key_of(kind)
    anchor = TrustAnchor(name=lab.Authority.create("TA").certificate.subject, subject_public_key_info=spki(key))
    target = sign_by("TA", key, "EE", lab.KeyType.EC_P256.generate().public_key(), ca=False, **signing(kind))
    assert target.encoding_error is None
    path = CertificationPath(certificates=(target,), trust_anchor=anchor)
    assert judge(path, algorithm_policy=ALLOW_ALL).certificates == (target,)
    assert check_signature(target, key.public_key()) is VALID

    damaged = Certificate.from_der(target.der.replace(b"EE", b"EF", 1))
    failure = refusal(dataclasses.replace(path, certificates=(damaged,)), algorithm_policy=ALLOW_ALL)
    assert failure.reason is FailureReason.BAD_SIGNATURE


SHA512_PARAMETERS = {
    "hash_algorithm": {"algorithm": "sha512"},
    "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": "sha512"}},
    "salt_length": 64,
}


@pytest.mark.parametrize(
    ("parameters", "kinds"),
    [
        (None, {"pss", "pss-sha512"}),
        (SHA512_PARAMETERS, {"pss-sha512"}),
        (SHA512_PARAMETERS | {"salt_length": 10}, {"pss-sha512"}),
        (SHA512_PARAMETERS | {"salt_length": 65}, set()),
        (SHA512_PARAMETERS | {"hash_algorithm": {"algorithm": "sha256"}}, set()),
    ],
    ids=["none", "sha-512", "shorter salt", "longer salt", "another hash"],
)
def test_an_rsa_key_for_pss_alone_verifies_nothing_else(sign_by, keys, judge, refusal, parameters, kinds):
    """RFC 4055 section 1.2: with id-RSASSA-PSS a key 'MUST only be used for' that; 3.3: by the parameters it states."""
    info = asn1_keys.PublicKeyInfo.load(spki(keys["rsa"]))
    algorithm = {"algorithm": "rsassa_pss", **({"parameters": parameters} if parameters else {})}
    restricted = asn1_keys.PublicKeyInfo({"algorithm": algorithm, "public_key": info["public_key"].parsed})
    name = lab.Authority.create("TA").certificate.subject
    anchor = TrustAnchor(name=name, subject_public_key_info=restricted.dump())
    for kind in ("rsa", "pss", "pss-sha512"):
        target = sign_by("TA", keys[kind], "EE", keys["ec-p256"].public_key(), ca=False, **signing(kind))
        path = CertificationPath(certificates=(target,), trust_anchor=anchor)
        if kind in kinds:
            assert judge(path)
        else:
            assert refusal(path).reason is FailureReason.BAD_SIGNATURE


def spki(key):
    """Encode a public key."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", ["rsa", "ec-p256", "dsa", "ed25519", "ed448", "mldsa44"])
def test_a_key_of_another_kind_verifies_nothing(sign_by, key_of, keys, kind, other):
    """The algorithm is the signature's and has to be the key's: INVALID, whatever the library makes of the pair."""
    key = key_of(kind)
    if key_of(other) is key:
        return
    target = sign_by("TA", key, "EE", keys["ec-p256"].public_key(), ca=False, **signing(kind))
    assert check_signature(target, key_of(other).public_key()) is INVALID


@pytest.mark.parametrize("kind", KINDS)
def test_another_key_of_the_same_kind_verifies_nothing(sign_by, key_of, keys, kind):
    """Only the key that signed."""
    key = key_of(kind)
    other = FRESH[kind](key)
    target = sign_by("TA", key, "EE", keys["ec-p256"].public_key(), ca=False, **signing(kind))
    assert check_signature(target, other.public_key()) is INVALID


def test_a_key_that_cannot_sign_verifies_nothing(sign_by, keys):
    """An X25519 key under an Ed25519 signature (RFC 8410): INVALID."""
    target = sign_by("TA", keys["ed25519"], "EE", keys["ec-p256"].public_key(), ca=False)
    assert check_signature(target, x25519.X25519PrivateKey.generate().public_key()) is INVALID


def test_an_algorithm_nobody_knows_is_unsupported(resign, keys):
    """Neither yes nor no."""
    authority = lab.Authority.create("TA", private_key=keys["ec-p256"])
    odd = resign(authority.issue_server("EE").certificate, keys["ec-p256"], algorithm={"algorithm": "2.999.5"})
    assert check_signature(odd, keys["ec-p256"].public_key()) is UNSUPPORTED


def test_algorithm_fields_that_differ_are_invalid(keys):
    """RFC 5280 section 4.1.1.2: 'This field MUST contain the same algorithm identifier as the signature field'."""
    from asn1crypto import x509 as asn1_x509

    authority = lab.Authority.create("TA", private_key=keys["ec-p256"])
    structure = asn1_x509.Certificate.load(authority.issue_server("EE").certificate.der)
    tbs = structure["tbs_certificate"]
    tbs["signature"] = {"algorithm": "sha384_ecdsa"}
    signed = keys["ec-p256"].sign(tbs.dump(force=True), ec.ECDSA(hashes.SHA256()))
    structure["signature_value"] = signed
    certificate = Certificate.from_der(structure.dump(force=True))
    keys["ec-p256"].public_key().verify(certificate.signature, certificate.tbs_certificate, ec.ECDSA(hashes.SHA256()))
    assert check_signature(certificate, keys["ec-p256"].public_key()) is INVALID


@pytest.mark.parametrize("claimed", ["1.3.101.113", "1.2.840.10045.4.3.2", "1.2.840.113549.1.1.11", "2.999.5"])
def test_the_algorithm_of_an_eddsa_signature_is_eddsa(resign, keys, claimed):
    """RFC 8410 section 3: a signature by an Ed25519 key that calls itself anything else is none."""
    authority = lab.Authority.create("TA", private_key=keys["ed25519"])
    target = authority.issue_server("EE").certificate
    assert (
        check_signature(
            resign(target, keys["ed25519"], algorithm={"algorithm": "1.3.101.112"}), keys["ed25519"].public_key()
        )
        is VALID
    )
    odd = resign(target, keys["ed25519"], algorithm={"algorithm": claimed})
    assert check_signature(odd, keys["ed25519"].public_key()) is INVALID


# DSA with inherited parameters (RFC 5280 section 6.1.4 (e), (f); RFC 3279 section 2.3.2; PKITS 4.1.5)


def without_parameters(tbs):
    """Leave the parameters out of a DSA key."""
    from asn1crypto import keys, parser

    info = tbs["subject_public_key_info"]
    algorithm = parser.emit(0, 1, 16, info["algorithm"]["algorithm"].dump())
    bare = parser.emit(0, 1, 16, algorithm + info["public_key"].dump())
    tbs["subject_public_key_info"] = keys.PublicKeyInfo.load(bare)


@pytest.fixture(scope="module")
def inheriting(keys, sign_by, resign):
    """TA (DSA) -> CA (DSA without parameters) -> CA 2 (the same) -> EE."""
    group = keys["dsa"].parameters()
    ta, ca, ca_2 = keys["dsa"], group.generate_private_key(), group.generate_private_key()
    digest = {"digest": hashes.SHA256()}
    first = resign(sign_by("TA", ta, "CA", ca.public_key(), ca=True, **digest), ta, edit=without_parameters)
    second = resign(sign_by("CA", ca, "CA 2", ca_2.public_key(), ca=True, **digest), ca, edit=without_parameters)
    target = sign_by("CA 2", ca_2, "EE", keys["ec-p256"].public_key(), ca=False, **digest)
    anchor = TrustAnchor(name=first.issuer, subject_public_key_info=spki(ta))
    return CertificationPath(certificates=(target, second, first), trust_anchor=anchor), ca_2


def test_dsa_parameters_are_inherited(inheriting, judge):
    """6.1.4 (e): 'If ... the parameters are null or omitted', the working parameters stay, link after link."""
    path, key = inheriting
    assert judge(path, algorithm_policy=ALLOW_ALL)
    ca_path = dataclasses.replace(path, certificates=path.certificates[1:])
    working = judge(ca_path, algorithm_policy=ALLOW_ALL).working_public_key
    assert working.key == key.public_key()
    assert working.info == spki(key)


def test_dsa_parameters_are_inherited_in_a_search(inheriting):
    """Discovery finds the same path with the certificates in a pool."""
    path, _ = inheriting
    report = find_paths(
        path.target,
        pool=CertificatePool(path.certificates[1:]),
        trust_anchors=[path.trust_anchor],
        parameters=ValidationParameters(time=AT, algorithm_policy=ALLOW_ALL),
    )
    assert [found.certificates for found in report.valid] == [path.certificates]


@pytest.mark.parametrize("days", [(30, 300), (300, 30)])
def test_a_key_without_parameters_is_another_below_another_issuer(keys, resign, days):
    """TA => A, B => X -> EE, X's key without parameters: the signature verifies with A's and not with B's."""
    span = lab.Validity.around(AT)
    of_a = keys["dsa"].parameters()
    of_b = dsa.generate_private_key(key_size=1024)  # noqa: S505  # the smallest, for speed
    issuer = lab.Authority.create("X", private_key=of_a.generate_private_key(), validity=span)
    root = lab.Authority.create("TA", private_key=keys["ec-p256"], validity=span)
    pool, below = [], []
    for name, key, lasting in zip(("A", "B"), (keys["dsa"], of_b), days, strict=True):
        above = lab.Authority.create(name, private_key=key, validity=span)
        whole = above.issue_ca(issuer, validity=lab.Validity.around(AT, days_after=lasting))
        below.append(resign(whole, key, edit=without_parameters))
        pool.append(root.issue_ca(above))
    report = find_paths(
        issuer.issue_server("www.example.com").certificate,
        pool=CertificatePool([*pool, *below]),
        trust_anchors=[TrustAnchor.from_certificate(root.certificate)],
        parameters=ValidationParameters(time=AT, algorithm_policy=ALLOW_ALL),
    )
    assert [path.certificates[1:] for path in report.valid] == [(below[0], pool[0])]


def test_parameters_of_no_dsa_key_are_not_inherited(inheriting, sign_by, resign, keys, refusal):
    """6.1.4 (f): only from a key of the same algorithm; below an EC key there is nothing to inherit."""
    path, key = inheriting
    ec_key = keys["ec-p256"]
    orphan = resign(
        sign_by("TA", ec_key, "CA 2", key.public_key(), ca=True, digest=hashes.SHA256()),
        ec_key,
        edit=without_parameters,
    )
    anchor = dataclasses.replace(path.trust_anchor, subject_public_key_info=spki(ec_key))
    failure = refusal(
        CertificationPath(certificates=(path.target, orphan), trust_anchor=anchor), algorithm_policy=ALLOW_ALL
    )
    assert failure.reason is FailureReason.UNSUPPORTED_ALGORITHM
    assert failure.certificate == orphan


# Memory


@pytest.fixture
def counted(monkeypatch):
    """Count the signature checks that are really made."""
    made = []

    def count(certificate, key):
        made.append(certificate)
        return check_signature(certificate, key)

    monkeypatch.setattr(signatures, "check_signature", count)
    return made


def test_a_check_is_remembered_by_certificate_and_key(counted):
    """One check a (certificate, key): asked again, it costs neither work nor budget; another key is another check."""
    ca, other = lab.Authority.create("CA"), lab.Authority.create("CA")
    certificate = ca.issue_server("EE").certificate
    memory, budget = SignatureMemory(size=10), SearchBudget(DEFAULT_LIMITS)
    good, bad = WorkingKey.of(ca.certificate), WorkingKey.of(other.certificate)
    for _ in range(3):
        assert memory.verdict(certificate, good.key, good.info, budget) is VALID
        assert memory.verdict(certificate, bad.key, bad.info, budget) is INVALID
        copy = pickle.loads(pickle.dumps(certificate))  # noqa: S301  # made here
        assert memory.verdict(copy, good.key, good.info, budget) is VALID
    assert len(counted) == budget.spent("signature_checks") == 2


def test_the_memory_forgets_the_least_recently_used(counted):
    """It holds so many verdicts and no more."""
    ca = lab.Authority.create("CA")
    key, memory, budget = WorkingKey.of(ca.certificate), SignatureMemory(size=2), SearchBudget(DEFAULT_LIMITS)
    first, second, third = (ca.issue_server(name).certificate for name in "abc")
    for certificate in (first, second, first, third, first, second):
        memory.verdict(certificate, key.key, key.info, budget)
    assert counted == [first, second, third, second]
    memory.forget()
    memory.verdict(first, key.key, key.info, budget)
    assert len(counted) == 5


def test_the_memory_serves_many_threads():
    """Verdicts are facts about bytes: eight threads on one memory agree, and it does not grow beyond its size."""
    ca, other = lab.Authority.create("CA"), lab.Authority.create("CA")
    certificates = [ca.issue_server(f"{number}").certificate for number in range(40)]
    memory = SignatureMemory(size=16)

    def judge_all(authority):
        key, budget = WorkingKey.of(authority.certificate), SearchBudget(DEFAULT_LIMITS)
        return {memory.verdict(certificate, key.key, key.info, budget) for certificate in certificates}

    with ThreadPoolExecutor(max_workers=8) as executor:
        found = list(executor.map(judge_all, [ca, other] * 8))
    assert found == [{VALID}, {INVALID}] * 8
    assert len(memory._verdicts) == 16


def test_a_search_checks_each_link_once(counted):
    """Three parallel certificates for B above one EE: EE's signature is checked once, each B's once."""
    topology = lab.Topology.from_edges(
        "EE<B", *(lab.Edge(subject="B", issuer="TA") for _ in range(3)), validity=lab.Validity.around(AT)
    )
    where = {"pool": topology.pool, "trust_anchors": [topology.trust_anchor("TA")]}
    for _ in range(2):
        report = find_paths(topology.servers["EE"].certificate, **where, parameters=ValidationParameters(time=AT))
        assert len(report.valid) == 3
    assert sorted(certificate.subject.common_name for certificate in counted) == ["B", "B", "B", "EE"]


def test_the_budget_for_checks_is_no_verdict(counted):
    """Past limits.signature_checks nothing is checked and nothing remembered."""
    ca = lab.Authority.create("CA")
    key, memory = WorkingKey.of(ca.certificate), SignatureMemory(size=10)
    budget = SearchBudget(dataclasses.replace(DEFAULT_LIMITS, signature_checks=1))
    first, second = (ca.issue_server(name).certificate for name in "ab")
    assert memory.verdict(first, key.key, key.info, budget) is VALID
    with pytest.raises(BudgetExhaustedError) as exhausted:
        memory.verdict(second, key.key, key.info, budget)
    assert (exhausted.value.limit, exhausted.value.allowed) == ("signature_checks", 1)
    assert memory.verdict(first, key.key, key.info, budget) is VALID
    assert counted == [first]
    assert REMEMBERED is not memory


def test_a_long_rsa_exponent_is_not_computed_with():
    """Exponents in use have 17 bits; beyond 32 nothing is computed: one of 2,048 bits takes 300 times as long."""
    modulus = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key().public_numbers().n
    ca = lab.Authority.create("CA", key_type=lab.KeyType.RSA_2048)
    certificate = ca.issue_server("www.example.com").certificate
    for bits, verdict in ((32, SignatureVerdict.INVALID), (33, SignatureVerdict.UNSUPPORTED)):
        key = rsa.RSAPublicNumbers(e=(1 << bits) - 1, n=modulus).public_key()
        assert check_signature(certificate, key) is verdict


def test_a_check_is_charged_by_its_cost(keys):
    """limits.signature_checks counts checks of ECDSA on P-256: larger and slower keys cost as many as they take."""
    cost = {kind: signature_schemes.verification_cost(key.public_key(), size=1000) for kind, key in keys.items()}
    assert cost["ec-p256"] == cost["rsa"] == 1
    assert cost["ec-p384"] > 4 * cost["ec-p256"]
    assert cost["dsa"] < signature_schemes.verification_cost(dsa.generate_private_key(2048).public_key(), size=1000)
    huge = rsa.RSAPublicNumbers(e=(1 << 32) - 1, n=(1 << 16_384) - 1).public_key()
    assert signature_schemes.verification_cost(huge, size=1000) > 25
    assert signature_schemes.verification_cost(keys["ec-p256"].public_key(), size=64 * 1024 * 1024) > 1_000
    memory, budget = SignatureMemory(size=10), SearchBudget(DEFAULT_LIMITS)
    target = lab.Authority.create("CA").issue_server("www.example.com").certificate
    memory.verdict(target, keys["ec-p384"].public_key(), b"info", budget)
    assert budget.spent("signature_checks") == cost["ec-p384"]


@pytest.mark.parametrize(("bits", "verdict"), [(16_384, INVALID), (16_385, UNSUPPORTED)])
def test_an_absurd_rsa_key_is_refused_before_it_is_tried(bits, verdict):
    """OpenSSL itself verifies with 16,384 bits at most; a longer key is not even loaded into a check."""
    certificate = lab.Authority.create("CA", key_type=lab.KeyType.RSA_2048).issue_server("www.example.com").certificate
    key = rsa.RSAPublicNumbers(e=65537, n=(1 << bits) - 1).public_key()
    assert check_signature(certificate, key) is verdict


@pytest.mark.parametrize("kind", KINDS)
def test_signed_data_is_judged_as_a_certificate_is(sign_by, keys, kind):
    """A certificate's parts, given as the octets, algorithm and signature of a CRL or OCSP response would be."""
    subject = lab.KeyType.EC_P256.generate().public_key()
    target = sign_by("TA", keys[kind], "EE", subject, ca=False, **signing(kind))
    structure = lenient.read_structure(target.der)
    signed = signatures.SignedData(
        content=structure.tbs_certificate,
        algorithm=structure.signature_algorithm,
        signature=target.signature,
        sha256=target.sha256,
    )
    damaged = dataclasses.replace(signed, content=signed.content.replace(b"EE", b"EF", 1), sha256="of another")
    unknown = dataclasses.replace(signed, algorithm=b"\x30\x05\x06\x03\x2a\x03\x04", sha256="of a third")
    memory, budget = SignatureMemory(size=10), SearchBudget(DEFAULT_LIMITS)
    own = WorkingKey(keys[kind].public_key(), spki(keys[kind]))
    fresh = FRESH[kind](keys[kind])
    assert memory.verdict_on(signed, own, budget) is VALID
    assert memory.verdict_on(signed, WorkingKey(fresh.public_key(), spki(fresh)), budget) is INVALID
    assert memory.verdict_on(damaged, own, budget) is INVALID
    assert memory.verdict_on(unknown, own, budget) is UNSUPPORTED
