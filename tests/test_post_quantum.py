"""Post-quantum keys and signatures that are not supported: named, refused with the reason, never accepted."""

from __future__ import annotations

import json
from functools import cache
from types import SimpleNamespace

import pytest
from asn1crypto import pem
from asn1crypto.core import ObjectIdentifier
from cryptography.hazmat.primitives.asymmetric import mlkem, x448, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.certificates.key_algorithms import KEY_ENCAPSULATION, UNCHECKED_SIGNATURES
from pkcs12kit.cli import cli
from pkcs12kit.errors import FailureReason
from pkcs12kit.lab import KeyType
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.sources.keys import read_private_key
from pkcs12kit.verifier.served_chain_checks import check_server_purpose

from .der import integer, sequence, tlv
from .resigning import key_info, with_parts
from .thoroughness import mostly_slow

NAME = "www.example.mil"
SLH, SLH_NAME = "2.16.840.1.101.3.4.3.20", "SLH-DSA-SHA2-128s"
# One of each family by RFC 9909 section 3, RFC 9881 section 8.3, RFC 9802 and the drafts on composite keys.
FAMILIES = {
    SLH: SLH_NAME,
    "2.16.840.1.101.3.4.3.31": "SLH-DSA-SHAKE-256f",
    "2.16.840.1.101.3.4.3.33": "HashML-DSA-65 with SHA-512",
    "2.16.840.1.101.3.4.3.35": "HashSLH-DSA-SHA2-128s with SHA-256",
    "2.16.840.1.101.3.4.3.37": "HashSLH-DSA-SHA2-192s with SHA-512",
    "2.16.840.1.101.3.4.3.42": "HashSLH-DSA-SHAKE-128f with SHAKE128",
    "2.16.840.1.101.3.4.3.46": "HashSLH-DSA-SHAKE-256f with SHAKE256",
    "1.2.840.113549.1.9.16.3.17": "HSS/LMS",
    "1.3.6.1.5.5.7.6.37": "composite MLDSA44-RSA2048-PSS-SHA256",
    "1.3.6.1.5.5.7.6.54": "composite MLDSA87-ECDSA-P521-SHA512",
}
EVERY_SIGNATURE = mostly_slow(UNCHECKED_SIGNATURES, every=12)


@cache
def setup(key_type=KeyType.EC_P256):
    """A server below a CA below a root. The keys of the CA and the root have this type."""
    root = lab.Authority.create("Root", key_type=key_type)
    authority = lab.Authority.create("CA", key_type=key_type)
    certificate = root.issue_ca(authority)
    server = authority.issue_server(NAME, key_type=KeyType.EC_P256)
    return SimpleNamespace(
        root=root.certificate,
        root_key=root.private_key,
        authority=certificate,
        authority_key=authority.private_key,
        server=server.certificate,
        server_key=server.private_key,
    )


def failures(target, authority, root, **about):
    """Return the failures of the only attempt for a path; there must be no valid one."""
    report = pk.find_paths(target, certificates=[authority], trust_anchors=[root], **about)
    assert not report.valid
    assert not any(one.reason is FailureReason.BAD_SIGNATURE for each in report.rejected for one in each.failures)
    return report.rejected[0].failures


def test_each_family_has_its_name():
    """RFC 9909 section 3, RFC 9881 section 8.3: the names have the parameter set, and for pre-hashing the hash."""
    assert {dotted: UNCHECKED_SIGNATURES[dotted] for dotted in FAMILIES} == FAMILIES
    assert len({*UNCHECKED_SIGNATURES.values(), *KEY_ENCAPSULATION.values()}) == 12 + 3 + 12 + 3 + 18 + 3 + 12


@pytest.mark.parametrize("dotted", EVERY_SIGNATURE)
@pytest.mark.parametrize("key_type", mostly_slow((KeyType.EC_P256, KeyType.ED25519, KeyType.ML_DSA_65), every=2))
def test_a_signature_that_cannot_be_checked(dotted, key_type):
    """RFC 5280 section 6.1.3 (a)(1): it is neither good nor bad, whichever kind of key the issuer has."""
    made, name = setup(key_type), UNCHECKED_SIGNATURES[dotted]
    target = with_parts(made.server, made.server_key, algorithm=dotted)
    (found,) = failures(target, made.authority, made.root)
    assert found.reason is FailureReason.UNSUPPORTED_ALGORITHM
    assert found.certificate == target
    assert found.detail == f"its signature cannot be checked: signature algorithm {name} is not supported"
    authority = with_parts(made.authority, made.server_key, algorithm=dotted)
    (found,) = failures(made.server, authority, made.root)
    assert (found.reason, found.certificate) == (FailureReason.UNSUPPORTED_ALGORITHM, authority)
    assert name in found.detail


@pytest.mark.parametrize("dotted", EVERY_SIGNATURE)
def test_a_ca_whose_signatures_cannot_be_checked(dotted):
    """RFC 5280 sections 6.1.2 (g) and 6.1.4 (d): at the trust anchor, and below it; damaged encodings as well."""
    made, name = setup(), UNCHECKED_SIGNATURES[dotted]
    for octets, parameters in ((b"\x5a" * 32, b""), (b"", b""), (b"\x5a" * 32, b"\x05\x00")):
        info = key_info(dotted, octets, parameters)
        authority = with_parts(made.authority, made.server_key, info=info, algorithm=dotted)
        target = with_parts(made.server, made.server_key, algorithm=dotted)
        found = failures(target, made.root, authority)[0]
        assert found.reason is FailureReason.UNSUPPORTED_ALGORITHM
        expected = f"the trust anchor's signatures cannot be checked: signature algorithm {name} is not supported"
        assert found.detail == expected
        of_root = with_parts(made.authority, made.root_key, info=info)
        assert {one.reason for one in failures(target, of_root, made.root)} <= {FailureReason.UNSUPPORTED_ALGORITHM}


KEMS = {
    "X25519": x25519.X25519PrivateKey.generate(),
    "X448": x448.X448PrivateKey.generate(),
    "ML-KEM-768": mlkem.MLKEM768PrivateKey.generate(),
    "ML-KEM-1024": mlkem.MLKEM1024PrivateKey.generate(),
}


def info_of(name):
    """Return a SubjectPublicKeyInfo for one of the keys that cannot sign."""
    if name in KEMS:
        return KEMS[name].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return key_info(next(dotted for dotted, one in KEY_ENCAPSULATION.items() if one == name))


CANNOT_SIGN = mostly_slow(dict.fromkeys((*KEMS, *KEY_ENCAPSULATION.values())), every=3)


@pytest.mark.parametrize("name", CANNOT_SIGN)
def test_a_server_whose_key_cannot_sign(name):
    """RFC 8446 section 4.4.2.2, RFC 9935: the certificate may be good, and a TLS server cannot use it."""
    made = setup()
    target = with_parts(made.server, made.authority_key, info=info_of(name))
    for asked in ({"extended_key_usage": "1.3.6.1.5.5.7.3.1"}, {"server_name": NAME}):
        found = failures(
            target, made.authority, made.root, parameters=pk.ValidationParameters(time=target.not_before, **asked)
        )[0]
        assert (found.reason, found.certificate) == (FailureReason.KEY_USAGE, target)
        assert f"a key for {name}, which cannot sign" in found.detail
        assert "ML-DSA" in found.would_pass
    assert check_server_purpose(target).is_problem
    report = pk.find_paths(target, certificates=[made.authority], trust_anchors=[made.root])
    assert bool(report.valid) == (name in KEMS), "without a purpose, a key that can be read is good"
    assert not check_server_purpose(made.server).is_problem


@pytest.mark.parametrize(("dotted", "name"), [*FAMILIES.items(), *KEY_ENCAPSULATION.items()])
def test_a_private_key_is_named(dotted, name):
    """A key that is not supported is not called damaged, whatever its octets are; with ML-KEM the text has the cure."""
    for octets in (b"", b"\x5a" * 64, sequence(tlv(4, b"\x5a" * 64))):
        encoded = sequence(integer(0), algorithm_of(dotted), tlv(4, octets))
        with pytest.raises(pk.InputError) as caught:
            read_private_key(encoded, name="server.key", password=None, limits=DEFAULT_LIMITS)
        text = str(caught.value)
        assert name in text
        assert "not supported" in text
        assert "damaged" not in text
        assert ("a TLS server needs a key that signs" in text) == (dotted in KEY_ENCAPSULATION)


def algorithm_of(dotted):
    """Return an AlgorithmIdentifier without parameters."""
    return sequence(ObjectIdentifier(dotted).dump())


def written(folder, **certificates):
    """Write certificates as PEM files, each by its name."""
    for name, one in certificates.items():
        (folder / f"{name}.pem").write_bytes(pem.armor("CERTIFICATE", one.der))


def test_on_the_command_line(tmp_path, monkeypatch, capsys):
    """Each command says no with the name of the algorithm, in words and in JSON, and none fails in another way."""
    monkeypatch.chdir(tmp_path)
    made = setup()
    of_slh = with_parts(made.server, made.server_key, algorithm=SLH)
    kem = with_parts(made.server, made.authority_key, info=info_of("ML-KEM-768"))
    slh = with_parts(made.server, made.authority_key, info=key_info(SLH))
    written(tmp_path, ca=made.authority, root=made.root, of_slh=of_slh, kem=kem, slh=slh)
    key = made.server_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "server.key").write_bytes(key)
    (tmp_path / "password").write_text("correct horse 42 battery")
    trusted = ["--certs", "ca.pem", "--anchor", "root.pem"]
    out = ["--out", "server.p12", "--password-file", "password"]
    for target, more, text in (
        ("of_slh.pem", [], f"its signature cannot be checked: signature algorithm {SLH_NAME} is not supported"),
        ("slh.pem", [], f"signatures by its key cannot be checked: signature algorithm {SLH_NAME} is not supported"),
        ("kem.pem", ["--server-name", NAME], "has a key for ML-KEM-768, which cannot sign"),
    ):
        said = run(capsys, "paths", target, *trusted, *more, "--json")
        assert (said.status, said.json["rejected"][0]["failures"][0]["detail"].find(text)) == (1, 0)
        said = run(capsys, "paths", target, *trusted, *more)
        assert said.status == 1
        assert text in said.out
        cure = "another path" if target == "of_slh.pem" else "certificate for"
        assert cure in said.hints.splitlines()[0]
    said = run(capsys, "build", "--key", "server.key", "--cert", "of_slh.pem", *trusted, *out)
    assert said.status == 1
    assert SLH_NAME in said.err
    assert not (tmp_path / "server.p12").exists()
    said = run(capsys, "show", "slh.pem", "kem.pem", "of_slh.pem", "--json")
    shown = {one["key"]: one["signature_algorithm"] for one in said.json["certificates"]}
    assert shown == {SLH_NAME: "ecdsa-with-SHA256", "ML-KEM-768": "ecdsa-with-SHA256", "EC P-256": SLH_NAME}
    assert f"{SLH_NAME} (not supported)" in run(capsys, "show", "slh.pem").out


def run(capsys, *arguments):
    """Run a command; return its exit status and what it printed."""
    with pytest.raises(SystemExit) as ended:
        cli.main(list(arguments), prog_name="pkcs12kit")
    out, err = capsys.readouterr()
    hints = "\n".join(line for line in err.splitlines() if line.startswith("hint: "))
    as_json = json.loads(out) if "--json" in arguments else None
    return SimpleNamespace(status=ended.value.code, out=" ".join(out.split()), err=err, hints=hints, json=as_json)
