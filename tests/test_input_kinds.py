"""Files where certificates are wanted, and certificates where files are: taken where that can only mean one thing."""

from __future__ import annotations

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


@pytest.mark.usefixtures("answering")  # of the clients, OpenSSL is asked
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


@pytest.mark.parametrize("find", [pk.find_path, lambda *given, **more: pk.find_paths(*given, **more).best])
def test_a_search_begins_from_files_or_loaded_values(find, replica, files, anchor, parameters):
    """Target, candidates and trust anchors are paths, bytes, loaded values or those of pyca/cryptography, alike."""
    expected = replica.valid_paths[0].certificates
    server = replica.server.certificate
    targets = (server, server.as_cryptography, files.certificate, str(files.certificate), server.der)
    for target in targets:
        found = find(target, certificates=replica.pool, trust_anchors=[anchor], parameters=parameters)
        assert found.certificates == expected
    for certificates in (files.certificates, [files.certificates], [replica.pool], [*replica.pool]):
        found = find(server, certificates=certificates, trust_anchors=[anchor], parameters=parameters)
        assert found.certificates == expected
    for trusted in (anchor, files.trust_anchor, [str(files.trust_anchor)], replica.trust_anchor):
        assert find(server, pool=replica.pool, trust_anchors=trusted, parameters=parameters).certificates == expected
    half = [*replica.pool][::2]
    rest = pk.CertificatePool([*replica.pool][1::2])
    found = find(server, pool=rest, certificates=half, trust_anchors=[anchor], parameters=parameters)
    assert found.certificates == expected


def test_the_time_is_now_unless_it_is_given(replica, anchor):
    """``time`` and ``server_name`` are short for parameters with just these; both ways at once are refused."""
    given = {"pool": replica.pool, "trust_anchors": [anchor]}
    target = replica.server.certificate
    before = datetime.now(UTC).replace(microsecond=0)
    now = pk.find_path(target, **given).parameters.time
    assert before <= now <= datetime.now(UTC)
    assert pk.find_path(target, **given, time=replica.at).parameters.time == replica.at
    with pytest.raises(pk.NoValidPathError) as refused:
        pk.find_path(target, **given, server_name="other.example")
    assert refused.value.attempts[0].failures[0].reason is pk.FailureReason.SERVER_NAME
    for more in ({"time": replica.at}, {"server_name": "mdm.example.mil"}):
        with pytest.raises(pk.ArgumentError, match="put time and server_name into parameters"):
            pk.find_path(target, **given, parameters=pk.ValidationParameters(time=replica.at), **more)


def test_the_identity_may_be_loaded(replica, files, anchor, data):
    """``build`` accepts an Identity, a PKCS#12 file, and keys and certificates of pyca/cryptography."""
    given = {"certificates": replica.pool, "trust_anchors": anchor, "password": PASSWORD, "profile": PROFILE}
    identity = replica.server
    forms = (
        {"identity": identity},
        {
            "identity": pk.encode_pfx(
                pk.Bundle.from_path(identity, replica.valid_paths[0]), password="x", profile=PROFILE
            )
        },
        {"key": identity.private_key, "certificate": identity.certificate},
        {"key": identity.private_key, "certificate": identity.certificate.as_cryptography},
        {"key": files.key, "certificate": identity.certificate},
        {"key": data, "certificate": files.certificate},
        {"key": data, "certificate": data},
        {"pkcs12": data, "certificate": identity.certificate},
        {"pkcs12": pk.decode_pfx(data, password=PASSWORD), "certificate": data},
    )
    for form in forms:
        opened = {"pkcs12_password": "x" if isinstance(form.get("identity"), bytes) else PASSWORD}
        built = pk.build(**form, **opened, **given)
        assert built.path.certificates == replica.valid_paths[0].certificates
        assert pk.decode_pfx(built.data, password=PASSWORD).private_key.private_numbers() == (
            identity.private_key.private_numbers()
        )
    with pytest.raises(pk.InputError, match="only one of them"):
        pk.build(identity=identity, key=files.key, **given)


def test_what_is_of_another_kind_is_refused_by_name(replica, files, anchor, parameters, data):
    """ArgumentError names the argument and says what belongs there; nothing is asked or written."""
    message = pk.probing.CertificateMessage(certificates=(replica.server.certificate,), protocol="TLSv1.3")
    for given, more, says in (
        (files.certificate, {}, "message: expected CertificateMessage, not PosixPath"),
        (message, {"pool": [files.certificates]}, "pool: expected CertificatePool, not list"),
    ):
        with pytest.raises(pk.ArgumentError, match=says):
            pk.check_served_chain(given, **{"trust_anchors": [anchor], "parameters": parameters, **more})
    for call, says in (
        (lambda: pk.verify(replica, trust_anchors=[anchor], password=PASSWORD), "a source is a path or bytes"),
        (
            lambda: pk.verify(data, trust_anchors=[replica], password=PASSWORD),
            "trust_anchors: expected a path, bytes, TrustAnchors or Certificates",
        ),
        (
            lambda: pk.rehearse(data, trust_anchors=[anchor], certificates=[replica], password=PASSWORD),
            "certificates: expected a path, bytes, Certificates or CertificatePools",
        ),
    ):
        with pytest.raises(pk.ArgumentError, match=f"^{says}, not Replica$"):
            call()


def test_anchors_may_come_one_by_one(replica, anchor, parameters):
    """An iterable that is gone after one look is a collection as any other: no trust anchor is lost."""
    message = pk.probing.CertificateMessage(certificates=replica.valid_paths[0].certificates, protocol="TLSv1.3")
    assert pk.check_served_chain(message, trust_anchors=iter([anchor]), parameters=parameters).path is not None


def test_a_renewed_root_does_not_hide_behind_the_expired_one():
    """Two certificates of one root, name and key the same: a search and a build find the path to the valid one."""
    at = datetime.now(UTC)
    root = pk.lab.Authority.create("Root", key_type=pk.lab.KeyType.EC_P256)
    lapsed = pk.lab.Authority.create(
        root.name, private_key=root.private_key, validity=pk.lab.Validity.around(at, days_after=-9)
    )
    server = root.issue_server("mdm.example.mil")
    for anchors in ([lapsed.certificate, root.certificate], [root.certificate, lapsed.certificate]):
        path = pk.find_path(server.certificate, trust_anchors=anchors, time=at)
        assert path.trust_anchor.certificate == root.certificate
        built = pk.build(identity=server, trust_anchors=anchors, password=PASSWORD, profile=PROFILE, time=at)
        assert built.certificates == (server.certificate, root.certificate)


def test_a_file_for_readers(replica, anchor):
    """``for_readers`` chooses the strongest profile that all of them open, and refuses a password that one does not."""
    given = {"identity": replica.server, "certificates": replica.pool, "trust_anchors": anchor}
    built = pk.build(**given, password=PASSWORD, for_readers=["java-8", pk.readers.find("windows-2016")])
    expected = pk.profiles.for_readers("java-8", "windows-2016")
    assert built.profile == expected
    with pytest.raises(pk.PasswordError):
        pk.build(**given, password="pässword", for_readers=["java-17"])
    with pytest.raises(pk.ArgumentError, match="not both"):
        pk.build(**given, password=PASSWORD, for_readers=["java-8"], profile="modern")
    with pytest.raises(pk.ArgumentError, match="is a collection"):
        pk.build(**given, password=PASSWORD, for_readers="java-8")
    with pytest.raises(pk.UnknownNameError, match="did you mean 'modern'"):
        pk.build(**given, password=PASSWORD, profile="modren")
    with pytest.raises(pk.UnknownNameError, match="unknown profile ''"):
        pk.build(**given, password=PASSWORD, profile="")
