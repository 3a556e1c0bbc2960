"""``build(to="pem")``: the key, not encrypted, and its chain, in one file or in two, which are written together."""

from __future__ import annotations

import itertools
import os
import stat

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

import pkcs12kit as pk
from pkcs12kit import paired_files
from pkcs12kit.builder.pem_output import as_pkcs12

from .thoroughness import mostly_slow

BEGIN_KEY = b"-----BEGIN PRIVATE KEY-----"


@pytest.fixture
def build(files, tmp_path):
    """Call ``build(to="pem")`` on the lab, if changed, into ``server.pem``; a keyword given replaces its own."""

    def call(**changed):
        given = {
            "key": files.key,
            "certificate": files.certificate,
            "certificates": [files.certificates],
            "trust_anchors": [files.trust_anchor],
            "output": tmp_path / "server.pem",
            "to": "pem",
            "if_changed": True,
            "second_opinion": False,
        }
        return pk.build(**(given | changed))

    return call


@pytest.fixture
def key_output(tmp_path):
    """The key's own file."""
    return tmp_path / "server.key.pem"


def test_one_file_in_the_order_of_servers(build, replica, tmp_path):
    """The key, its certificate, then each issuer: RFC 8446 section 4.4.2, which lets the anchor be left out."""
    report = build()
    written = (tmp_path / "server.pem").read_bytes()
    assert written == report.data
    assert written.startswith(BEGIN_KEY)
    assert load_pem_private_key(written, None).public_key() == replica.server.certificate.public_key
    assert tuple(pk.load_certificates(tmp_path / "server.pem")) == report.certificates == report.path.certificates
    assert report.certificates[0] == replica.server.certificate
    assert stat.S_IMODE((tmp_path / "server.pem").stat().st_mode) == 0o600
    assert (report.format, report.profile, report.key_output, report.key_data) == ("pem", None, None, None)
    assert report.to_json()["profile"] is report.to_json()["iterations"] is None
    with_anchor = build(include_anchor=True)
    assert with_anchor.change == "it held other certificates"
    assert with_anchor.certificates == report.path.with_anchor
    assert written.decode().split("-----")[2][1:30] not in repr(report)


def test_two_files(build, key_output, tmp_path):
    """With ``key_output`` the two files are the halves of the one, and only their owner can read the key."""
    whole = build().data
    report = build(key_output=key_output)
    assert key_output.read_bytes() + (tmp_path / "server.pem").read_bytes() == whole
    assert report.key_data + report.data == whole
    assert stat.S_IMODE(key_output.stat().st_mode) == 0o600
    assert report.to_json()["key_output"] == str(key_output)
    assert not build(key_output=key_output).changed
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_only_certificates(build, tmp_path):
    """``certs_only`` writes the chain without a key."""
    report = build(key=None, certs_only=True)
    assert b"PRIVATE" not in (tmp_path / "server.pem").read_bytes()
    assert not report.has_private_key
    with pytest.raises(pk.ArgumentError, match="writes no key"):
        build(key=None, certs_only=True, key_output=tmp_path / "key")


@pytest.mark.parametrize(
    ("change", "why"),
    mostly_slow(
        [
            pytest.param(*case)
            for case in (
                (lambda text, _key: text.replace(b"\n", b"\r\n"), "written in another way"),
                (lambda text, _key: b"# mine\n" + text, "written in another way"),
                (lambda text, _key: text[text.index(b"-----BEGIN CERT") :], "no private key"),
                (lambda text, _key: text[: text.index(b"-----BEGIN CERT")] * 2 + text, "several private keys"),
                (lambda text, key: _encoded(key, PrivateFormat.TraditionalOpenSSL) + _chain(text), "in another form"),
                (lambda text, key: _encoded(key, PrivateFormat.PKCS8, b"x") + _chain(text), "was encrypted"),
                (
                    lambda text, key: _encoded(key, PrivateFormat.TraditionalOpenSSL, b"x") + _chain(text),
                    "was encrypted",
                ),
                (lambda text, _key: text[: text.rindex(b"-----BEGIN CERT")], "other certificates"),
                (
                    lambda text, _key: (
                        text + b"-----BEGIN DH PARAMETERS-----\nMAYCAQUCAQI=\n-----END DH PARAMETERS-----\n"
                    ),
                    "other",
                ),
                (lambda text, _key: _swapped(text), "another order"),
                (lambda _text, _key: b"", "not PEM"),
                (lambda _text, _key: os.urandom(500), "not PEM"),
            )
        ],
        every=4,
    ),
)
def test_each_difference(build, replica, tmp_path, change, why):
    """Every other content is replaced, with the reason; then the file is left alone."""
    first, path = build().data, tmp_path / "server.pem"
    path.write_bytes(change(first, replica.server.private_key))
    report = build(overwrite=True)
    assert why in report.change
    assert path.read_bytes() == first
    assert not build().changed


def _encoded(key, form, password=None):
    return key.private_bytes(
        Encoding.PEM, form, NoEncryption() if password is None else BestAvailableEncryption(password)
    )


def _chain(text):
    return text[text.index(b"-----BEGIN CERT") :]


def _swapped(text):
    head, *certificates = text.split(b"-----BEGIN CERTIFICATE-----")
    return b"-----BEGIN CERTIFICATE-----".join([head, *reversed(certificates)])


def test_another_key_is_named(build, tmp_path):
    """A key of the same form that is another one."""
    other = pk.lab.Authority.create("Other CA").issue_server("mdm.example.mil")
    first, path = build().data, tmp_path / "server.pem"
    path.write_bytes(_encoded(other.private_key, PrivateFormat.PKCS8) + other.certificate.to_pem().encode())
    assert build().change == "it held another private key"
    path.write_bytes(_encoded(other.private_key, PrivateFormat.PKCS8) + _chain(first))
    assert build(overwrite=True).change == "it held another private key"
    assert path.read_bytes() == first


def test_a_key_is_replaced_only_beside_its_certificate(build, key_output, tmp_path):
    """A server's files may get a new key; the only copy of a key, without its certificate, is not replaced unasked."""
    other = pk.lab.Authority.create("Other CA").issue_server("mdm.example.mil")
    old = _encoded(other.private_key, PrivateFormat.PKCS8)
    path = tmp_path / "server.pem"
    for target in (path, key_output):
        target.write_bytes(old)
        with pytest.raises(pk.OutputError, match="of another key"):
            build(key_output=None if target is path else key_output)
        assert target.read_bytes() == old
        target.unlink()
        assert not any(one.is_file() for one in tmp_path.iterdir())
    key_output.write_bytes(old)
    path.write_text(other.certificate.to_pem())
    assert build(key_output=key_output).changed
    assert key_output.read_bytes() != old


def test_the_files_of_another_server_are_kept(build, key_output, tmp_path):
    """A mistyped output: the key of a server with another name, with its certificate, is not replaced unasked."""
    other = pk.lab.Authority.create("Other CA").issue_server("other.example.mil")
    key, certificate = _encoded(other.private_key, PrivateFormat.PKCS8), other.certificate.to_pem().encode()
    path = tmp_path / "server.pem"
    for changed in ({"dry_run": True}, {}):
        path.write_bytes(key + certificate)
        with pytest.raises(pk.OutputError, match="of another key"):
            build(**changed)
        assert path.read_bytes() == key + certificate
        key_output.write_bytes(key)
        path.write_bytes(certificate)
        with pytest.raises(pk.OutputError, match="of another key"):
            build(key_output=key_output, **changed)
        assert (key_output.read_bytes(), path.read_bytes()) == (key, certificate)
    assert build(key_output=key_output, overwrite=True).changed


def test_no_key_is_replaced_without_a_key(build, tmp_path):
    """``certs_only`` has no key: the one in a server's file, beside its certificate, would be lost."""
    path = tmp_path / "server.pem"
    build()
    old = path.read_bytes()
    for dry_run in (True, False):
        with pytest.raises(pk.OutputError, match="private key and a certificate in PEM, which"):
            build(key=None, certs_only=True, dry_run=dry_run)
        assert path.read_bytes() == old
    assert build(key=None, certs_only=True, overwrite=True).changed
    assert b"PRIVATE" not in path.read_bytes()


def test_a_file_that_loses_a_part_is_named(build, key_output, tmp_path):
    """A server that reads its key from the one file does not find it there after a build into two."""
    build()
    path = tmp_path / "server.pem"
    for dry_run in (True, False):
        report = build(key_output=key_output, dry_run=dry_run)
        assert [line for line in report.warnings if f"{path}: the file there has the private key" in line]
    assert not build(key_output=key_output).warnings
    with_certificates = build().data
    assert build(output=path, to="pem").data == with_certificates


def test_inputs_are_never_replaced(build, files, tmp_path):
    """Neither file is an input, also not through a link, with ``overwrite`` either."""
    before = {path: path.read_bytes() for path in (files.key, files.certificate, files.trust_anchor)}
    for path in before:
        os.link(path, tmp_path / path.name)
        for given in ({"output": path}, {"key_output": path}, {"key_output": tmp_path / path.name}):
            with pytest.raises(pk.OutputError, match="never replaces an input"):
                build(**({"output": tmp_path / "new"} | given), overwrite=True)
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("mode", mostly_slow([0o644, 0o660, 0o604], every=3))
def test_a_key_that_others_can_read_is_written_again(build, key_output, mode):
    """A key is left alone only if no one else can read it."""
    build(key_output=key_output)
    key_output.chmod(mode)
    assert build(key_output=key_output).change == f"{key_output}: its mode was 0{mode:o}"
    assert stat.S_IMODE(key_output.stat().st_mode) in {0o600, 0o640}


@pytest.mark.parametrize(
    ("stop", "there"),
    mostly_slow(
        [
            pytest.param(stop, there)
            for stop in ("second rename", "first rename", "killed between")
            for there in itertools.product([False, True], repeat=2)
        ],
        every=5,
    ),
    ids=str,
)
def test_all_or_none(build, key_output, tmp_path, monkeypatch, stop, there):
    """If a rename fails, every file is what it was; a process that is killed is mended by the next call."""
    chain = tmp_path / "server.pem"
    for path, exists in zip((key_output, chain), there, strict=True):
        if exists:
            path.write_bytes(b"")
            path.chmod(0o600)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    replace, count = os.replace, itertools.count()

    def failing(*arguments, **named):
        number = next(count)
        if stop == "killed between" and number == 1:
            os._exit(9)
        if number == {"first rename": 0, "second rename": 1}.get(stop):
            raise OSError(5, "Input/output error")
        replace(*arguments, **named)

    monkeypatch.setattr(paired_files.os, "replace", failing)
    if stop == "killed between":
        child = os.fork()
        if child == 0:
            try:
                build(key_output=key_output, if_changed=False)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
        assert key_output.read_bytes().startswith(BEGIN_KEY)  # the key is first
        assert (chain.read_bytes() if there[1] else None) == before.get(chain.name)
    else:
        with pytest.raises(pk.OutputError, match="Input/output error"):
            build(key_output=key_output, if_changed=False)
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before
    monkeypatch.undo()
    assert build(key_output=key_output).changed
    assert not build(key_output=key_output).changed
    assert chain.read_bytes().startswith(b"-----BEGIN CERTIFICATE-----")


def test_the_same_file_twice(build, tmp_path):
    """``key_output`` is refused if it is ``output`` under any name, before anything is read."""
    (tmp_path / "server.pem").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    os.link(tmp_path / "server.pem", tmp_path / "hard.pem")
    for spelling in ("server.pem", "./server.pem", "link/server.pem", "link/./server.pem", "hard.pem"):
        with pytest.raises(pk.OutputError, match=r"key_output .* is also the file of output"):
            build(key_output=f"{tmp_path}/{spelling}", key="missing.key")
    assert (tmp_path / "server.pem").read_text() == "old"


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"password": "x"}, "password"),
        ({"password": ""}, "password"),
        ({"password": lambda: "x"}, "password"),
        ({"profile": "legacy"}, "profile"),
        ({"profile": "no-password"}, "profile"),
        ({"for_readers": ["java-17"]}, "for_readers"),
        ({"friendly_name": "x"}, "friendly_name"),
        ({"certificate_name": "x"}, "certificate_name"),
        ({"ca_names": ["x"]}, "ca_names"),
        ({"truststore": True}, "truststore"),
        ({"to": "pkcs12", "password": "x", "key_output": "k"}, "key_output"),
        ({"to": "pkcs12", "password": "x", "traditional": True}, "traditional"),
        ({"output": None, "key_output": "k", "if_changed": False}, "key_output"),
        ({"to": "PEM"}, "form"),
        ({"to": None}, "to: expected str"),
        ({"key_output": 7}, "key_output"),
        ({"traditional": "no"}, "traditional"),
        ({"include_anchor": "no"}, "include_anchor"),
    ],
)
def test_arguments_without_meaning(build, tmp_path, given, name):
    """An argument that the form does not have is an error, and never ignored."""
    with pytest.raises((pk.ArgumentError, pk.UnknownNameError), match=name):
        build(**given)
    assert not (tmp_path / "server.pem").exists()


def test_dry_run(build, key_output, tmp_path):
    """Nothing is written, and both files are checked."""
    assert build(key_output=key_output, dry_run=True).changed
    assert not key_output.exists()
    key_output.symlink_to("elsewhere")
    with pytest.raises(pk.OutputError, match="symbolic link"):
        build(key_output=key_output, dry_run=True)
    with pytest.raises(pk.OutputError, match="symbolic link"):
        build(key_output=key_output)
    assert not (tmp_path / "server.pem").exists()


def test_a_rehearsal_gets_the_same(build, key_output):
    """What is rehearsed is what the PEM files hold."""
    report = build(key_output=key_output)
    data, password = as_pkcs12(report.key_data, report.certificates)
    decoded = pk.decode_pfx(data, password=password)
    assert decoded.certificates == report.certificates
    assert pk.encode_pem(decoded) == report.key_data + report.data
