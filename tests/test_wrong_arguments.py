"""Arguments of every wrong kind, to every public function: each error that a script meets is in the tree of errors."""

from __future__ import annotations

import inspect
from dataclasses import replace
from datetime import date
from enum import Enum

import pytest

import pkcs12kit as pk
from pkcs12kit.pkcs12.compatibility import of_profile

PASSWORD = "correct horse 42"
PROFILE = pk.profiles.MODERN.with_iterations(encryption=1_000, mac=1_000)
MANIFEST = """\
version = 1
[[bundle]]
name = "a"
key = "no.key"
certificate = "no.pem"
trust_anchors = "no.pem"
password = { env = "NO" }
output = "no.p12"
"""
# Values of kinds that a script may give by mistake. Some are right for some parameters: those calls may succeed.
VALUES = {
    "object": object(),
    "integer": 3,
    "float": 3.5,
    "none": None,
    "text": "no such thing",
    "bytes": b"\x30\x03junk",
    "list": [object()],
    "numbers": (1, 2),
    "mapping": {"a": 1},
    "function": lambda: 1,
    "flag": True,
    "class": pk.Certificate,
}


class Calls:
    """One right call of each public function, by keyword, on the lab."""

    def __init__(self, replica, folder):
        self.replica = replica
        self.folder = folder
        (folder / "cache").mkdir(mode=0o700)
        self.manifest = folder / "fleet.toml"
        self.manifest.write_text(MANIFEST, "utf-8")
        self.server = replica.server
        self.anchor = pk.TrustAnchor.from_certificate(replica.trust_anchor)
        self.parameters = pk.ValidationParameters(time=replica.at)
        self.path = pk.find_path(
            self.server.certificate, pool=replica.pool, trust_anchors=[self.anchor], parameters=self.parameters
        )
        self.report = pk.find_paths(
            self.server.certificate, pool=replica.pool, trust_anchors=[self.anchor], parameters=self.parameters
        )
        self.periods = pk.validity_periods(
            self.server.certificate, pool=replica.pool, trust_anchors=[self.anchor], parameters=self.parameters
        )
        self.picture = pk.pictures.picture_of_path(self.path)
        self.bundle = pk.Bundle.from_path(self.server, self.path)
        self.data = pk.encode_pfx(self.bundle, password=PASSWORD, profile=PROFILE)
        self.crl = pk.lab.Authority.create("Issuer", key_type=pk.lab.KeyType.EC_P256).make_crl()
        self.certificate = self.server.certificate.to_pem().encode()

    def of(self, name):
        """Return the function and its keywords, all that it has."""
        search = {
            "target": self.server.certificate,
            "certificates": self.replica.pool,
            "trust_anchors": [self.anchor],
            "parameters": self.parameters,
        }
        judged = {"trust_anchors": [self.anchor], "parameters": self.parameters}
        given = {
            "batch": {"manifest": self.manifest, "plan": True, "jobs": 1},
            "build": {
                "identity": self.server,
                "certificates": self.replica.pool,
                "trust_anchors": [self.anchor],
                "parameters": self.parameters,
                "password": PASSWORD,
                "profile": PROFILE,
                "second_opinion": False,
            },
            "compare_certificates": {
                "before": self.replica.pool,
                "after": self.server.certificate,
                "targets": self.server.certificate,
                **judged,
            },
            "expiry_report": {"bundles": self.path.certificates[0], **judged},
            "find_path": search,
            "find_paths": search,
            "validity_periods": search,
            "confirm": {"path": self.path, "parameters": self.parameters},
            "check_served_chain": {
                "message": pk.probing.CertificateMessage(certificates=self.path.certificates, protocol="TLSv1.3"),
                **judged,
            },
            "convert_pfx": {"data": self.data, "password": PASSWORD, "new_password": "y", "profile": PROFILE},
            "decode_pfx": {"data": self.data, "password": PASSWORD},
            "encode_pem": {"decoded": pk.decode_pfx(self.data, password=PASSWORD)},
            "encode_pfx": {"bundle": self.bundle, "password": PASSWORD, "profile": PROFILE},
            "gather": {**search, "options": pk.FetchOptions(offline=True, cache_folder=self.folder / "cache")},
            "inspect_pfx": {"source": self.data, "password": PASSWORD},
            "list_contents": {"sources": self.certificate},
            "lint_certificates": {"certificates": self.path.certificates},
            "load_certificate": {"source": self.certificate},
            "load_certificates": {"sources": self.certificate},
            "load_crls": {"sources": self.crl},
            "load_identity": {"pkcs12": self.data, "password": PASSWORD},
            "load_ocsp_responses": {},
            "load_policy_names": {"source": b"2.999.1 Red"},
            "policy_names": {"names": {"2.999.1": "Red"}},
            "load_trust_anchors": {"sources": self.certificate},
            "longest_lasting": {"path": self.path},
            "probe": {"host": "127.0.0.1:1", "timeout": 5.0, **judged},
            "rehearse": {"file": self.data, "password": PASSWORD, **judged},
            "shortest": {"path": self.path},
            "to_html": {"value": self.server.certificate},
            "verify": {"file": self.data, "password": PASSWORD, **judged},
            "what_if": {**search, "without": [self.path.certificates[1]]},
            "why_before": {"better": self.path, "worse": self.path},
            "write_pfx": {"path": self.folder / "server.p12", "data": self.data},
            "Bundle.from_path": {"identity": self.server, "path": self.path},
            "Bundle.certificates_only": {"path": self.path},
            "Certificate.from_der": {"data": self.server.certificate.der},
            "Certificate.from_pem": {"text": self.server.certificate.to_pem()},
            "TrustAnchor.from_certificate": {"certificate": self.replica.trust_anchor},
            "CertificatePool": {"certificates": list(self.replica.pool)},
            "FetchOptions": {},
            "Identity": {"private_key": self.server.private_key, "certificate": self.server.certificate},
            "Revocation": {"mode": pk.RevocationMode.SOFT},
            "ValidationParameters": {"time": self.replica.at},
            "profiles.find": {"profile": "modern"},
            "profiles.for_readers": {"readers": "openssl-3"},
            "AlgorithmPolicy": {"name": "x"},
            "AlgorithmPolicy.weakness_of_digest": {
                "digest": "sha256",
                "issuer_key": self.server.certificate.public_key,
            },
            "AlgorithmPolicy.weakness_of_key": {"key": self.server.certificate.public_key},
            "AlgorithmPolicy.weakness_of_signature": {
                "certificate": self.server.certificate,
                "issuer_key": self.replica.trust_anchor.public_key,
            },
            "Bundle": {"private_key": self.server.private_key, "certificates": self.path.certificates},
            "Certificate": {"der": self.server.certificate.der},
            "CertificatePool.__or__": {"other": self.replica.pool},
            "CertificatePool.by_key_identifier": {"key_identifier": b"1"},
            "CertificatePool.by_subject": {"name": self.anchor.name},
            "CertificationPath": {"certificates": self.path.certificates, "trust_anchor": self.anchor},
            "DecodedPfx.key": {},
            "Limits": {},
            "Name": {"relative_distinguished_names": [[("2.5.4.3", "CA")]]},
            "Name.from_cryptography": {"name": self.server.certificate.as_cryptography.subject},
            "Profile": {
                "name": "x",
                "date": date(2026, 12, 1),
                "summary": "x",
                "certificate_encryption": None,
                "key_encryption": pk.profiles.MODERN.key_encryption,
                "encryption_iterations": 1_000,
                "encryption_salt_length": 16,
                "mac_digest": "SHA-256",
                "mac_iterations": 1_000,
                "mac_salt_length": 8,
            },
            "Profile.with_iterations": {"encryption": 1_000},
            "TrustAnchor": {
                "name": self.anchor.name,
                "subject_public_key_info": self.anchor.subject_public_key_info,
                "certificate": self.replica.trust_anchor,
            },
            "pictures.picture_of_path": {"path": self.path},
            "pictures.picture_of_report": {"report": self.report, "trust_anchors": [self.anchor]},
            "pictures.to_dot": {"picture": self.picture},
            "pictures.to_mermaid": {"picture": self.picture},
            "pictures.to_svg": {"picture": self.picture},
            "pictures.timeline_to_svg": {"report": self.periods},
            "probing.CertificateMessage": {"certificates": self.path.certificates, "protocol": "TLSv1.3"},
            "probing.CertificateMessage.from_der": {"encoded": [self.server.certificate.der], "protocol": "TLSv1.3"},
            "profiles.Scheme": {"algorithm": "PBES2"},
            "profiles.names": {},
            "profiles.readers_of": {"profile": "modern"},
            "published.PublishedBundle": {"name": "x", "title": "x", "urls": ["https://x.example/"]},
            "published.fetch_bundle": {
                "bundle": "https://x.example/",
                "trust_anchors": [self.anchor],
                "time": self.replica.at,
                "previous": self.replica.pool,
                "options": pk.FetchOptions(offline=True, cache_folder=self.folder / "cache"),
            },
            "published.load_bundles": {"file": b""},
            "readers.find": {"reader": "java-8"},
            "readers.judge": {"facts": of_profile(PROFILE)},
            "readers.judge_profile": {"profile": PROFILE},
            "pictures.picture_of_pool": {
                "pool": self.replica.pool,
                "trust_anchors": [self.anchor],
                "time": self.replica.at,
            },
        }
        return given[name]

    def function(self, name):
        """Return the public function of a dotted name; a method is that of a right value."""
        values = {
            "AlgorithmPolicy": pk.algorithms.SP800_78,
            "CertificatePool": self.replica.pool,
            "DecodedPfx": pk.decode_pfx(self.data, password=PASSWORD),
            "Profile": PROFILE,
        }
        value = pk
        for part in name.split("."):
            value = getattr(value, part)
        owner, _, method = name.rpartition(".")
        return getattr(values[owner], method) if owner in values else value


NAMES = [
    "batch",
    "build",
    "check_served_chain",
    "compare_certificates",
    "expiry_report",
    "find_path",
    "find_paths",
    "confirm",
    "convert_pfx",
    "decode_pfx",
    "encode_pem",
    "encode_pfx",
    "gather",
    "inspect_pfx",
    "lint_certificates",
    "list_contents",
    "load_certificate",
    "load_certificates",
    "load_crls",
    "load_identity",
    "load_ocsp_responses",
    "load_policy_names",
    "policy_names",
    "load_trust_anchors",
    "longest_lasting",
    "probe",
    "rehearse",
    "shortest",
    "to_html",
    "validity_periods",
    "verify",
    "what_if",
    "why_before",
    "write_pfx",
    "Bundle.from_path",
    "Bundle.certificates_only",
    "Certificate.from_der",
    "Certificate.from_pem",
    "TrustAnchor.from_certificate",
    "CertificatePool",
    "FetchOptions",
    "Identity",
    "Revocation",
    "ValidationParameters",
    "profiles.find",
    "profiles.for_readers",
    "pictures.picture_of_pool",
    "AlgorithmPolicy",
    "AlgorithmPolicy.weakness_of_digest",
    "AlgorithmPolicy.weakness_of_key",
    "AlgorithmPolicy.weakness_of_signature",
    "Bundle",
    "Certificate",
    "CertificatePool.__or__",
    "CertificatePool.by_key_identifier",
    "CertificatePool.by_subject",
    "CertificationPath",
    "DecodedPfx.key",
    "Limits",
    "Name",
    "Name.from_cryptography",
    "Profile",
    "Profile.with_iterations",
    "TrustAnchor",
    "pictures.picture_of_path",
    "pictures.picture_of_report",
    "pictures.to_dot",
    "pictures.to_mermaid",
    "pictures.to_svg",
    "pictures.timeline_to_svg",
    "probing.CertificateMessage",
    "probing.CertificateMessage.from_der",
    "profiles.Scheme",
    "profiles.names",
    "profiles.readers_of",
    "published.PublishedBundle",
    "published.fetch_bundle",
    "published.load_bundles",
    "readers.find",
    "readers.judge",
    "readers.judge_profile",
]

MODULES = ("", "algorithms", "pictures", "probing", "profiles", "published", "readers", "revocation", "lab")
# Public functions and classes that are not called here, by the reason. Exceptions and enumerations are Python's own
# kinds, made by their own rules: a wrong value for an enumeration is a ValueError, as Python programs expect.
LEFT_OUT = {
    "the library makes it, as the answer of a function": {
        "BuildReport",
        "Cause",
        "Comparison",
        "Confirmation",
        "Contents",
        "DecodedPfx",
        "ExpiryReport",
        "Failure",
        "Finding",
        "FleetReport",
        "GatherReport",
        "Hint",
        "Note",
        "PathReport",
        "PfxReport",
        "RejectedPath",
        "ValidatedPath",
        "ValidityReport",
        "VerificationReport",
        "WhatIfReport",
        "pictures.Picture",
        "pictures.PictureEdge",
        "pictures.PictureNode",
        "probing.DeviceVerdict",
        "probing.ExpectedFile",
        "probing.FileComparison",
        "probing.Handshake",
        "probing.ProbeReport",
        "probing.ProbedChain",
        "probing.ProbedServer",
        "probing.ProtocolAnswer",
        "probing.RehearsalReport",
        "probing.ServedChainReport",
        "probing.ServedIn",
        "probing.ServerAnswer",
        "published.BundleChanges",
        "published.BundleReport",
        "published.ChecksumVerdict",
        "revocation.CertificateStatus",
        "revocation.EvidenceAttempt",
        "revocation.EvidenceLocations",
        "revocation.EvidenceTime",
        "revocation.OtherFault",
        "revocation.RevocationReport",
    },
    "the library makes it, while it reads a source": {"Reject"},
    "test material: a test may need a certificate that breaks a rule": {
        "lab.Authority",
        "lab.Authority.create",
        "lab.CrlEntry",
        "lab.Edge",
        "lab.LabFiles",
        "lab.NamedCrl",
        "lab.Replica",
        "lab.Topology",
        "lab.Topology.from_edges",
        "lab.Validity",
        "lab.Validity.around",
        "lab.certificate_policies",
        "lab.critical",
        "lab.key_usage",
        "lab.make_replica",
        "lab.non_critical",
        "lab.policy_mappings",
        "lab.write",
    },
    "another name of the same class": {"algorithms.AlgorithmPolicy", "profiles.Profile", "revocation.Revocation"},
}


def public_names():
    """Yield the dotted name of each public function, class and class method."""
    for module in MODULES:
        owner = getattr(pk, module) if module else pk
        for name in owner.__all__:
            value, dotted = getattr(owner, name), f"{module}.{name}".lstrip(".")
            if inspect.isfunction(value) or (inspect.isclass(value) and not issubclass(value, BaseException | Enum)):
                yield dotted
            if inspect.isclass(value) and not issubclass(value, Enum):
                methods = inspect.getmembers(value, inspect.ismethod)
                yield from (f"{dotted}.{method}" for method, _ in methods if not method.startswith("_"))


def test_every_public_name_is_called_or_left_out():
    """A new public function is called below with every wrong kind, or the reason why not is written down."""
    public = set(public_names())
    left_out = set().union(*LEFT_OUT.values())
    assert public - set(NAMES) - left_out == set()
    assert left_out - public == set()
    assert left_out & set(NAMES) == set()


# Functions of the caller's own: their errors are the caller's, so only values that are no functions are tried.
CALLED = frozenset({"ranking", "password", "random_bytes", "on_warning", "on_progress", "on_outcome"})
OWN = frozenset({"function", "class"})


@pytest.fixture(scope="module")
def calls(replica, tmp_path_factory):
    """The right calls."""
    return Calls(replica, tmp_path_factory.mktemp("calls"))


def call(function, keywords):
    """Call with keywords, those of ``*parameters`` and those without a keyword by position."""
    parameters = inspect.signature(function).parameters
    starred = [name for name, one in parameters.items() if one.kind is one.VAR_POSITIONAL]
    several = [keywords.pop(name) for name in starred if name in keywords]
    positional = [
        keywords.pop(name)
        for name, one in parameters.items()
        if one.kind in {one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD} and name in keywords
    ]
    function(*positional, *several, **keywords)


def attempt(function, keywords):
    """Return the error of a call that is not in the tree, or None."""
    try:
        call(function, keywords)
    except pk.Pkcs12KitError:
        return None
    except Exception as error:  # noqa: BLE001  # what is looked for
        return f"{type(error).__name__}: {error}"
    return None


def test_a_profile_that_cannot_be_written(calls):
    """A profile of its caller's own is checked when a file is written: an unknown digest, a salt beyond the limit."""
    scheme = pk.profiles.Scheme(algorithm="PBES2", cipher="AES-256-CBC", digest="no such digest")
    for profile in (replace(PROFILE, key_encryption=scheme), replace(PROFILE, mac_digest="no such digest")):
        with pytest.raises(pk.InputError, match="not supported"):
            pk.encode_pfx(calls.bundle, password=PASSWORD, profile=profile)
    for salt in ("mac_salt_length", "encryption_salt_length"):
        with pytest.raises(pk.LimitExceededError, match="kdf_salt_bytes"):
            pk.encode_pfx(calls.bundle, password=PASSWORD, profile=replace(PROFILE, **{salt: 10**12}))
    unknown = replace(PROFILE, key_encryption=pk.profiles.Scheme(algorithm="no such algorithm"))
    assert {verdict.answer.value for verdict in pk.profiles.readers_of(unknown).values()} <= {"no", "unknown"}


@pytest.mark.parametrize("name", NAMES)
def test_every_error_is_in_the_tree(calls, name, monkeypatch):
    """No wrong kind of argument ends in an AttributeError or the like, from somewhere inside."""
    monkeypatch.chdir(calls.folder)  # for a path without a folder
    monkeypatch.setitem(pk.rehearse.__globals__, "shake_hands", lambda *_, **__: ())
    function = calls.function(name)
    right = calls.of(name)
    call(function, dict(right))  # raises nothing: else each call below could fail for the same reason
    found = {}
    for parameter in inspect.signature(function).parameters:
        for kind, value in VALUES.items():
            if parameter in CALLED and kind in OWN:
                continue
            error = attempt(function, {**right, parameter: value})
            if error is not None:
                found[parameter, kind] = error
    assert found == {}
