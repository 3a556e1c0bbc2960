"""PKCS#12 files from sources: decoded, inspected and converted alike from a path, standard input or bytes."""

from __future__ import annotations

import base64
import io

import pytest

import pkcs12kit as pk

from .conftest import der, key_pem

PASSWORD = "correct horse 42"
DAMAGED = bytes.fromhex("30050201033000")  # version 3 and an empty authSafe (RFC 7292 section 4)
PROFILE = pk.profiles.MODERN.with_iterations(encryption=1_000, mac=1_000)


@pytest.fixture(scope="module")
def data(leaf):
    """A PKCS#12 file of the leaf's key and certificate."""
    bundle = pk.Bundle(private_key=leaf[1], certificates=(pk.Certificate.from_der(der(leaf[0])),))
    return pk.encode_pfx(bundle, password=PASSWORD, profile=PROFILE)


def calls(source):
    """Return the three calls on a source, each of which returns the bytes of one certificate."""
    return (
        lambda **more: pk.decode_pfx(source, password=PASSWORD, **more).certificate.der,
        lambda **more: pk.inspect_pfx(source, password=PASSWORD, **more).end_entity.der,
        lambda **more: (
            pk.decode_pfx(
                pk.convert_pfx(source, password=PASSWORD, new_password="new", profile=PROFILE, **more), password="new"
            ).certificate.der
        ),
    )


def test_each_kind_of_source(data, leaf, tmp_path, monkeypatch):
    """A path, its string, bytes, base64 and standard input hold the same file."""
    path = tmp_path / "server.p12"
    path.write_bytes(data)
    (tmp_path / "server.b64").write_bytes(base64.encodebytes(data))
    for source in (path, str(path), tmp_path / "server.b64", data, bytearray(data), base64.b64encode(data)):
        for call in calls(source):
            assert call() == der(leaf[0])
    assert pk.inspect_pfx(path) == pk.inspect_pfx(str(path)) == pk.inspect_pfx(data)
    for call in calls("-"):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
        assert call() == der(leaf[0])


def test_errors_begin_with_the_name_of_the_file(leaf, tmp_path):
    """A path is named, and so is the kind of a file that is not PKCS#12; bytes have no name."""
    path, key = tmp_path / "server.p12", tmp_path / "server.key"
    path.write_bytes(DAMAGED)
    key.write_bytes(key_pem(leaf[1]))
    for call in calls(path):
        with pytest.raises(pk.MalformedPfxError, match=r"server\.p12: not a PKCS#12 file, or a damaged one"):
            call()
    for call in calls(key):
        with pytest.raises(pk.InputError, match=r"server\.key: expected a PKCS#12 file, found PEM text"):
            call()
    for call in calls(DAMAGED):
        with pytest.raises(pk.MalformedPfxError, match=r"^not a PKCS#12 file"):
            call()
    for path, reason in (
        ("absent.p12", "no such file"),
        (".", "a folder; expected a file"),
        ("nul\0.p12", "not a path"),
    ):
        for call in calls(f"{tmp_path}/{path}"):
            with pytest.raises(pk.InputError, match=f": {reason}"):
                call()
    for call in calls(7):
        with pytest.raises(pk.ArgumentError, match="a source is a path or bytes, not int"):
            call()


def test_limits_hold_for_files(data, tmp_path):
    """``input_bytes`` and ``pfx_bytes`` are checked before a file is parsed."""
    path = tmp_path / "server.p12"
    path.write_bytes(data)
    for limit in ("input_bytes", "pfx_bytes"):
        for call in calls(path):
            with pytest.raises(pk.LimitExceededError, match=rf"server\.p12: .*limits\.{limit}"):
                call(limits=pk.Limits(**{limit: len(data) - 1}))


def test_a_wrong_argument_is_not_about_the_file(data, tmp_path):
    """A mistake in the call and an unknown profile are named without the file."""
    path = tmp_path / "server.p12"
    path.write_bytes(data)
    with pytest.raises(pk.ArgumentError, match=r"^password: expected str, not bytes"):
        pk.decode_pfx(path, password=b"bytes")
    with pytest.raises(pk.UnknownNameError, match=r"^unknown profile 'modren': did you mean 'modern'"):
        pk.convert_pfx(path, password=PASSWORD, new_password="new", profile="modren")
