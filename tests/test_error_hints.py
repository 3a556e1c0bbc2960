"""Errors and reports of the library have the hints that a terminal shows, and keep them in another process."""

from __future__ import annotations

import copy
import pickle
import traceback

import pytest

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.errors import KeyChoiceError, KeyMismatchError


@pytest.fixture(scope="module")
def made():
    """A server under a CA whose certificate is missing, and the root."""
    root, ca = lab.Authority.create("Root"), lab.Authority.create("CA")
    return ca.issue_server("s.example").certificate, pk.TrustAnchor.from_certificate(root.certificate)


@pytest.fixture(scope="module")
def no_path(made):
    """The error of a search without the CA."""
    target, anchor = made
    with pytest.raises(pk.NoValidPathError) as no:
        pk.find_path(target, certificates=pk.CertificatePool(), trust_anchors=[anchor])
    return no.value


def test_a_search(no_path):
    """The error has the hints of the report, once each, as notes too."""
    assert no_path.hints == no_path.report.hints
    assert "give the missing certificate" in no_path.hints[0].text
    assert no_path.__notes__ == [str(hint) for hint in no_path.hints]
    shown = "".join(traceback.format_exception(no_path))
    assert all(shown.count(str(hint)) == 1 for hint in no_path.hints)


def test_another_process(no_path, tmp_path):
    """Pickling and copying keep text, hints and notes; so does a place that is put before the text."""
    (tmp_path / "server.pem").touch()
    with pytest.raises(pk.InputError) as missing:
        pk.load_certificate(tmp_path / "sever.pem")
    assert missing.value.hints[0].text == f"did you mean {tmp_path / 'server.pem'}?"
    with pytest.raises(pk.InputError) as unknown:
        pk.profiles.find("modrn")
    for error in (no_path, missing.value, unknown.value.hinting(*no_path.hints)):
        for same in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301  # our own
            assert (type(same), str(same), same.hints) == (type(error), str(error), error.hints)
            assert getattr(same, "__notes__", None) == getattr(error, "__notes__", None)
    placed = missing.value.placed("here:")
    assert (str(placed), placed.hints) == (f"here: {missing.value}", missing.value.hints)


def test_a_valid_path_has_none(made):
    """A report that says yes has nothing to do."""
    target, _ = made
    anchor = pk.TrustAnchor.from_certificate(target)
    report = pk.find_paths(target, certificates=pk.CertificatePool(), trust_anchors=[anchor])
    assert bool(report.hints) != bool(report.valid)


@pytest.mark.parametrize("kind", [KeyMismatchError, KeyChoiceError])
def test_errors_with_one_cure(kind):
    """Each such error says what to give."""
    assert kind("x").hints[0].text.startswith(("give", "choose"))


def test_a_notebook_shows_them(no_path):
    """The display of the report and of the error has a part with the hints."""
    for shown in (no_path, no_path.report):
        assert "What to do" in shown._repr_mimebundle_()["text/html"]


@pytest.fixture(scope="module")
def other_kinds():
    """Contents that users give in the place of something else: by name, the bytes."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    server = lab.Authority.create("CA").issue_server("s.example")
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return {
        "key": server.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "certificate": server.certificate.to_pem().encode(),
        "request": request.sign(server.private_key, hashes.SHA256()).public_bytes(Encoding.PEM),
        "page": b"<!DOCTYPE html><html>sign in</html>",
        "nothing": b"",
        "part": server.certificate.der[:-9],
    }


@pytest.mark.parametrize("in_file", [False, True])
@pytest.mark.parametrize(
    ("load", "kind", "hint"),
    [
        (pk.load_certificate, "key", "give the certificate of this key"),
        (pk.load_certificates, "request", "give the certificate that the CA issued"),
        (pk.load_trust_anchors, "page", "the file is a web page"),
        (pk.load_certificates, "nothing", "copy or download the file again"),
        (pk.load_certificate, "part", "the end of the file is missing"),
        (pk.load_crls, "certificate", "give certificates with --certs"),
        (lambda source: pk.load_identity(key=source), "certificate", "give the private key of this certificate"),
        (lambda source: pk.load_identity(key=source), "request", "give the private key that was made"),
    ],
)
def test_another_kind_of_file(other_kinds, tmp_path, load, kind, hint, in_file):
    """Each loader says what to give instead, of a file and of bytes."""
    source = tmp_path / "given"
    source.write_bytes(other_kinds[kind])
    with pytest.raises(pk.InputError) as no:
        load(source if in_file else other_kinds[kind])
    assert no.value.hints[0].text.startswith(hint)


@pytest.mark.parametrize("kind", ["certificate", "page"])
def test_another_file_than_a_pkcs12(other_kinds, tmp_path, kind):
    """A certificate is a part of such a file; a page is no part of anything."""
    (tmp_path / "given").write_bytes(other_kinds[kind])
    with pytest.raises(pk.InputError) as no:
        pk.inspect_pfx(tmp_path / "given")
    assert no.value.hints[0].text.startswith("make a PKCS#12" if kind == "certificate" else "the file is a web page")


def test_a_wrong_password(tmp_path):
    """The error of a file and that of a key say what counts."""
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

    server = lab.Authority.create("CA").issue_server("s.example")
    bundle = pk.Bundle(private_key=server.private_key, certificates=(server.certificate,))
    pfx = pk.encode_pfx(bundle, password="right", profile=pk.profiles.MODERN)
    key = server.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"right"))
    (tmp_path / "server.pem").write_text(server.certificate.to_pem())
    for call in (
        lambda: pk.decode_pfx(pfx, password="wrong"),
        lambda: pk.load_identity(key=key, certificate=tmp_path / "server.pem", key_password="wrong"),
    ):
        with pytest.raises(pk.PasswordError) as no:
            call()
        assert "spaces, capital letters" in no.value.hints[0].text


def test_an_output_without_a_folder(tmp_path):
    """The command makes the folder; for a folder in the place of a file there is a hint at a name in it."""
    with pytest.raises(pk.OutputError) as no:
        pk.write_pfx(tmp_path / "a b" / "server.p12", b"")
    assert no.value.hints[0].command == f"mkdir -p '{tmp_path / 'a b'}'"
    with pytest.raises(pk.OutputError) as no:
        pk.write_pfx(tmp_path, b"", overwrite=True)
    assert no.value.hints[0].text == "give the name of a file in this folder"
