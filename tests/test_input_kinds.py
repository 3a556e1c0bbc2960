"""Files where certificates are wanted, and certificates where files are: taken where that can only mean one thing."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

import pkcs12kit as pk

PASSWORD = "correct horse 42"
BROKEN = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
PROFILE = pk.profiles.MODERN.with_iterations(encryption=1_000, mac=1_000)


@pytest.fixture(scope="module")
def anchor(replica):
    """The trust anchor, loaded."""
    return pk.TrustAnchor.from_certificate(replica.trust_anchor)


@pytest.fixture(scope="module")
def parameters():
    """Now."""
    return pk.ValidationParameters(time=datetime.now(UTC))


@pytest.fixture(scope="module")
def data(replica):
    """A PKCS#12 file of the replica's server."""
    return pk.encode_pfx(
        pk.Bundle.from_path(replica.server, replica.valid_paths[0]), password=PASSWORD, profile=PROFILE
    )


def test_what_is_loaded_stands_for_itself(replica, files, anchor, data):
    """Calls that read files take pools, certificates and anchors that are loaded, and say the same of them."""
    reject = pk.load_certificates(BROKEN + replica.trust_anchor.to_pem().encode())
    assert reject.rejects
    assert set(pk.load_certificates(replica.pool, replica.server.certificate)) == {
        *replica.pool,
        replica.server.certificate,
    }
    assert pk.load_certificates(reject, files.certificates).rejects == reject.rejects
    assert pk.load_trust_anchors(anchor, replica.trust_anchor, files.trust_anchor) == (anchor,)
    key = {"key": files.key, "certificate": files.certificate, "password": PASSWORD, "profile": PROFILE}
    for certificates in (replica.pool, [replica.pool], list(replica.pool)):
        built = pk.build(**key, certificates=certificates, trust_anchors=[anchor])
        assert built.path.certificates == replica.valid_paths[0].certificates
    assert pk.verify(data, trust_anchors=[anchor], password=PASSWORD).ok
    assert pk.rehearse(data, trust_anchors=[replica.trust_anchor], certificates=replica.pool, password=PASSWORD).ok
    assert pk.probe("127.0.0.1:1", trust_anchors=[anchor], certificates=replica.pool, timeout=5).problems


def test_what_is_of_another_kind_is_refused_by_name(replica, files, anchor, parameters, data):
    """TypeError says what belongs there, and which call reads it from a file; nothing is asked or written."""
    message = pk.probing.CertificateMessage(certificates=(replica.server.certificate,), protocol="TLSv1.3")
    steps = (
        lambda target, **more: pk.find_path(target, parameters=parameters, **more),
        lambda target, **more: pk.find_paths(target, parameters=parameters, **more),
        lambda target, **more: pk.find_path_fetching(target, parameters=parameters, **more),
        lambda target, **more: pk.gather(target, parameters=parameters, **more),
    )
    right = {"target": replica.server.certificate, "pool": replica.pool, "trust_anchors": [anchor]}
    for step in steps:
        for wrong, says in (
            ({"target": files.certificate}, "the target is a pkcs12kit Certificate, not PosixPath; load_certificate"),
            ({"pool": [files.certificates]}, "pool is a CertificatePool, not list; .* load_certificates"),
            ({"trust_anchors": [files.trust_anchor]}, "TrustAnchors, not PosixPath; .* load_trust_anchors"),
            ({"trust_anchors": [replica.trust_anchor]}, "TrustAnchors, not Certificate; TrustAnchor.from_certificate"),
            ({"trust_anchors": anchor}, "trust_anchors is a collection, not one of them"),
            ({"trust_anchors": str(files.trust_anchor)}, "trust_anchors is a collection, not one of them"),
        ):
            with pytest.raises(TypeError, match=says):
                step(**{**right, **wrong})
    for given, more, says in (
        (files.certificate, {}, "the message is a CertificateMessage, not PosixPath"),
        (message, {"trust_anchors": [files.trust_anchor]}, "TrustAnchors, not PosixPath"),
        (message, {"pool": [files.certificates]}, "pool is a CertificatePool, not list"),
    ):
        with pytest.raises(TypeError, match=says):
            pk.check_served_chain(given, **{"trust_anchors": [anchor], "parameters": parameters, **more})
    for call in (
        lambda: pk.verify(replica, trust_anchors=[anchor], password=PASSWORD),
        lambda: pk.verify(data, trust_anchors=[replica], password=PASSWORD),
        lambda: pk.rehearse(data, trust_anchors=[anchor], certificates=[replica], password=PASSWORD),
    ):
        with pytest.raises(TypeError, match=re.escape("a source is a path or bytes, not Replica")):
            call()


def test_anchors_may_come_one_by_one(replica, anchor, parameters):
    """An iterable that is gone after one look is a collection as any other: no trust anchor is lost."""
    message = pk.probing.CertificateMessage(certificates=replica.valid_paths[0].certificates, protocol="TLSv1.3")
    assert pk.check_served_chain(message, trust_anchors=iter([anchor]), parameters=parameters).path is not None
