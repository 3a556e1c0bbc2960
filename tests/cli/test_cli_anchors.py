"""``--anchor``: one file with one root. A folder or a zip is refused; anything odd is trusted with a warning."""

from __future__ import annotations

import zipfile

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import serialize_certificates

import pkcs12kit as pk
from pkcs12kit import InputError, lab
from pkcs12kit.certificates.trust_anchor import TrustAnchor


@pytest.fixture
def calls(call, build, files, password_file, folder):
    """Each command with an anchor: ``calls(anchor)`` yields its name and a function that calls it with ``--json``."""
    assert build(out="given.p12").status == 0
    opened = ("--password-file", password_file)

    def each(anchor):
        given = ("--anchor", anchor, "--json")
        pool = ("--certs", files.certificates)
        yield "paths", lambda: call("paths", files.certificate, *pool, *given)
        yield "build", lambda: build("--json", anchor=anchor)
        yield "verify", lambda: call("verify", "given.p12", *opened, *given)
        yield "rehearse", lambda: call("rehearse", "given.p12", *opened, *given, "--clients", "openssl")
        yield "graph", lambda: call("graph", files.certificates, *given)
        yield (
            "gather",
            lambda: call(
                *(
                    "gather",
                    files.certificate,
                    *pool,
                    *given,
                    "--into",
                    folder.parent / "into",
                    "--offline",
                    "--cache",
                    folder.parent / "cache",
                )
            ),
        )

    return each


def test_folder_and_zip_are_refused(calls, call, files, tmp_path):
    """Everything in them would be trusted, and nobody has named it."""
    (tmp_path / "anchors").mkdir()
    (tmp_path / "anchors" / "root.pem").write_bytes(files.trust_anchor.read_bytes())
    with zipfile.ZipFile(tmp_path / "anchors.zip", "w") as archive:
        archive.write(files.trust_anchor, "root.pem")
    for name, said in (("anchors", "a folder; name the file in it"), ("anchors.zip", "found a zip archive")):
        for command, run in calls(tmp_path / name):
            outcome = run()
            assert outcome.status == 2, (command, name)
            assert said in outcome.errors, (command, name)
        outcome = call("probe", "127.0.0.1:1", "--anchor", tmp_path / name)
        assert outcome.status == 2
        assert said in outcome.errors
        with pytest.raises(InputError):
            pk.load_trust_anchors(tmp_path / name)
    with pytest.raises(InputError, match="a zip archive"):
        pk.load_trust_anchors((tmp_path / "anchors.zip").read_bytes())


def test_a_file_with_several_is_a_warning_that_names_each(calls, replica, tmp_path):
    """By name and SHA-256, on standard error and in JSON; the answer is not changed."""
    other = lab.Topology.from_edges("EE<TA").authorities["TA"].certificate
    anchor = replica.valid_paths[0].trust_anchor.certificate
    file = tmp_path / "roots.pem"
    file.write_text(anchor.to_pem() + other.to_pem())
    for command, run in calls(file):
        outcome = run()
        assert outcome.status == 0, command
        (warning,) = (one for one in outcome.json["warnings"] if "each of them is now a trust anchor" in one)
        assert warning.startswith(f"{file}: holds 2 certificates")
        for certificate in (anchor, other):
            assert f"{certificate.label} (SHA-256 {certificate.sha256})" in warning
        assert f"warning: {warning}\n" in outcome.errors, command


def test_one_that_is_not_self_signed_is_a_warning(calls, replica, tmp_path):
    """A cross-certificate or an intermediate CA, named with its issuer."""
    below = replica.valid_paths[0].certificates[-1]
    file = tmp_path / "cross.pem"
    file.write_text(below.to_pem())
    for command, run in calls(file):
        outcome = run()
        (warning,) = (one for one in outcome.json["warnings"] if one.startswith("trust anchor "))
        assert f"{below.label} (SHA-256 {below.sha256})" in warning, command
        assert f"is not self-signed, but issued by {below.issuer.label}" in warning
        assert f"warning: {warning}\n" in outcome.errors


def heard(*sources):
    """Return the warnings of ``load_trust_anchors``."""
    warnings = []
    pk.load_trust_anchors(*sources, on_warning=warnings.append)
    return warnings


def test_library_names_each_oddity(replica, files):
    """Not a CA's; self-issued, but by another key; many of a kind; nothing of a usual root, however it is given."""
    root = replica.valid_paths[0].trust_anchor.certificate
    assert heard(files.trust_anchor, root, TrustAnchor.from_certificate(root), root.der) == []
    assert heard(root.to_pem().encode() * 2) == []
    server = replica.server.certificate
    (warning,) = heard(server.der)
    assert "is not self-signed" in warning
    assert "is not the certificate of a CA" in warning
    assert "own certificate" not in warning
    changed = pk.Certificate.from_der(root.der[:-1] + bytes([root.der[-1] ^ 1]))
    assert changed.is_self_issued
    (warning,) = heard(changed)
    assert "is not self-signed: its issuer has the same name, but another key" in warning
    pool = [one for one in replica.pool if not one.is_self_issued][:15]
    data = serialize_certificates([one.as_cryptography for one in pool], Encoding.DER)
    warnings = heard(data)
    assert warnings[0].startswith("the bytes given: holds 15 certificates")
    assert warnings[0].count("SHA-256") == 10
    assert "and 5 more" in warnings[0]
    assert len(warnings) == 12
    assert warnings[-1].startswith("5 other trust anchors are not self-signed")


def test_reports_of_the_library():
    """``pk.build`` and ``pk.find_paths`` pass them on, also for anchors that are loaded."""
    made = lab.Topology.from_edges("EE<B<A<TA")
    server = made.servers["EE"]
    below = next(one for one in made.pool if one.subject.common_name == "A")
    given = {"certificates": list(made.pool), "trust_anchors": [TrustAnchor.from_certificate(below)]}
    built = pk.build(identity=server, password="x", **given)
    assert sum("is not self-signed" in warning for warning in built.warnings) == 1
    warnings = []
    pk.find_paths(server.certificate, on_warning=warnings.append, **given)
    assert sum("is not self-signed" in warning for warning in warnings) == 1


def test_password_of_another_input(calls, call, build, files, password_file):
    """A PKCS#12 file with a password as ``--anchor`` or ``--certs``: bad usage, never a wrong password of FILE."""
    assert build(out="anchor.p12").status == 0
    for command, run in calls("anchor.p12"):
        outcome = run()
        assert outcome.status == 2, command
        assert "anchor.p12: a PKCS#12 file that is protected by a password; give the trust anchor as PEM or DER" in (
            outcome.errors
        )
        assert "the password is the whole" not in outcome.errors
    with pytest.raises(InputError, match="give the trust anchor as PEM or DER") as raised:
        pk.load_trust_anchors("anchor.p12")
    assert not isinstance(raised.value, pk.PasswordError)
    given = ("--anchor", files.trust_anchor, "--certs", "anchor.p12", "--clients", "openssl")
    outcome = call("rehearse", "given.p12", "--password-file", password_file, *given)
    assert outcome.status == 2
    assert outcome.errors.startswith("error: --certs anchor.p12: the PKCS#12 file is protected by a password")
