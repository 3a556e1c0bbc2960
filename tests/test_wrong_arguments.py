"""Arguments of every wrong kind, to every public function: each error that a script meets is in the tree of errors."""

from __future__ import annotations

import inspect

import pytest

import pkcs12kit as pk

PASSWORD = "correct horse 42"
PROFILE = pk.profiles.MODERN.with_iterations(encryption=1_000, mac=1_000)
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
        self.server = replica.server
        self.anchor = pk.TrustAnchor.from_certificate(replica.trust_anchor)
        self.parameters = pk.ValidationParameters(time=replica.at)
        self.path = pk.find_path(
            self.server.certificate, pool=replica.pool, trust_anchors=[self.anchor], parameters=self.parameters
        )
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
            "build": {
                "identity": self.server,
                "certificates": self.replica.pool,
                "trust_anchors": [self.anchor],
                "parameters": self.parameters,
                "password": PASSWORD,
                "profile": PROFILE,
                "second_opinion": False,
            },
            "find_path": search,
            "find_paths": search,
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
            "load_certificate": {"source": self.certificate},
            "load_certificates": {"sources": self.certificate},
            "load_crls": {"sources": self.crl},
            "load_identity": {"pkcs12": self.data, "password": PASSWORD},
            "load_ocsp_responses": {},
            "load_trust_anchors": {"sources": self.certificate},
            "longest_lasting": {"path": self.path},
            "probe": {"host": "127.0.0.1:1", "timeout": 5.0, **judged},
            "rehearse": {"file": self.data, "password": PASSWORD, **judged},
            "shortest": {"path": self.path},
            "to_html": {"value": self.server.certificate},
            "verify": {"file": self.data, "password": PASSWORD, **judged},
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
            "profiles.for_readers": {"readers": "openssl"},
            "pictures.picture_of_pool": {
                "pool": self.replica.pool,
                "trust_anchors": [self.anchor],
                "time": self.replica.at,
            },
        }
        return given[name]


def function_of(name):
    """Return the public function of a dotted name."""
    value = pk
    for part in name.split("."):
        value = getattr(value, part)
    return value


NAMES = [
    "build",
    "check_served_chain",
    "find_path",
    "find_paths",
    "confirm",
    "convert_pfx",
    "decode_pfx",
    "encode_pem",
    "encode_pfx",
    "gather",
    "inspect_pfx",
    "load_certificate",
    "load_certificates",
    "load_crls",
    "load_identity",
    "load_ocsp_responses",
    "load_trust_anchors",
    "longest_lasting",
    "probe",
    "rehearse",
    "shortest",
    "to_html",
    "verify",
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
]


# Functions of the caller's own: their errors are the caller's, so only values that are no functions are tried.
CALLED = frozenset({"ranking", "password", "random_bytes", "on_warning", "on_progress"})
OWN = frozenset({"function", "class"})


@pytest.fixture(scope="module")
def calls(replica, tmp_path_factory):
    """The right calls."""
    return Calls(replica, tmp_path_factory.mktemp("calls"))


def attempt(function, keywords):
    """Call with keywords, those of ``*parameters`` by position; return the error that is not in the tree, or None."""
    parameters = inspect.signature(function).parameters
    starred = [name for name, one in parameters.items() if one.kind is one.VAR_POSITIONAL]
    several = [keywords.pop(name) for name in starred if name in keywords]
    positional = [
        keywords.pop(name)
        for name, one in parameters.items()
        if one.kind in {one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD} and name in keywords
    ]
    try:
        function(*positional, *several, **keywords)
    except pk.Pkcs12KitError:
        return None
    except Exception as error:  # noqa: BLE001  # what is looked for
        return f"{type(error).__name__}: {error}"
    return None


@pytest.mark.parametrize("name", NAMES)
def test_every_error_is_in_the_tree(calls, name, monkeypatch):
    """No wrong kind of argument ends in an AttributeError or the like, from somewhere inside."""
    monkeypatch.chdir(calls.folder)  # for a path without a folder
    monkeypatch.setitem(pk.rehearse.__globals__, "shake_hands", lambda *_, **__: ())
    function = function_of(name)
    right = calls.of(name)
    assert attempt(function, dict(right)) is None
    found = {}
    for parameter in inspect.signature(function).parameters:
        for kind, value in VALUES.items():
            if parameter in CALLED and kind in OWN:
                continue
            error = attempt(function, {**right, parameter: value})
            if error is not None:
                found[parameter, kind] = error
    assert found == {}
