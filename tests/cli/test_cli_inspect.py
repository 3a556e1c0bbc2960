"""``pkcs12kit inspect``: structure without the password, contents with it, and the JSON of the contract."""

from __future__ import annotations

import base64

import pytest

from pkcs12kit import Bundle, encode_pfx, lab, profiles

from .conftest import PASSWORD

CERTIFICATE_FIELDS = {"subject", "issuer", "serial", "sha256", "not_before", "not_after"}


@pytest.fixture(scope="module")
def pfx(replica):
    """The file of the main job."""
    bundle = Bundle.from_path(replica.server, replica.valid_paths[0], friendly_name="mdm.example.mil")
    profile = profiles.MODERN.with_iterations(encryption=100_000, mac=100_000)
    return encode_pfx(bundle, password=PASSWORD, profile=profile)


@pytest.fixture
def file(folder, pfx):
    """That file in the current folder."""
    path = folder / "server.p12"
    path.write_bytes(pfx)
    return path.name


def test_without_the_password(call, file, replica):
    """Protection and structure, the key by its name alone; no certificate, and a hint."""
    outcome = call("inspect", file)
    assert outcome.status == 0
    lines = outcome.text.splitlines()
    assert lines[0] == "server.p12"
    assert "MAC: HMAC, SHA-256, 100,000 iterations, 8 bytes of salt  not verified" in lines[1]
    assert "encrypted: PBES2, AES-256-CBC, PBKDF2 with SHA-256, 100,000 iterations" in lines[2]
    assert "closed without the password" in lines[3]
    assert "pkcs8ShroudedKeyBag" in outcome.text
    assert "friendlyName 'mdm.example.mil', localKeyID " in outcome.text
    assert "DOD ID SW CA-37" not in outcome.text
    assert outcome.errors == "hint: --password-file, --password-env or --password-stdin opens the encrypted parts\n"
    assert replica.server.certificate.sha256 not in outcome.text


def test_with_the_password(call, file, password_file, replica):
    """Every certificate in order, which is the end-entity's, friendly names and local key IDs."""
    outcome = call("inspect", file, "--password-file", password_file)
    assert (outcome.status, outcome.errors) == (0, "")
    drawn = [line for line in outcome.text.splitlines() if "certBag" in line]
    names = [certificate.subject.common_name for certificate in replica.valid_paths[0].with_anchor]
    assert all(f"certBag  {name}  #" in line for name, line in zip(names, drawn, strict=True))
    assert [line.endswith("end-entity") for line in drawn] == [True] + [False] * 5
    assert outcome.text.count("localKeyID") == 2
    assert "verified" in outcome.text


def test_wrong_password(call, file, tmp_path):
    """Exit status 1; what can be seen without it is shown all the same."""
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("not it")
    outcome = call("inspect", file, "--password-file", wrong)
    assert outcome.status == 1
    assert "wrong password" in outcome.text
    error, hint = outcome.errors.splitlines()
    assert error == "error: server.p12: the password does not open it"
    assert hint == "hint: the password is the whole first line of the file, with every space in it"
    assert call("inspect", file, "--password-file", wrong, "--json").json["mac_verified"] is False


def test_wrong_password_without_a_mac(call, folder, files, require_tool, tmp_path):
    """A file without a MAC cannot tell a wrong password at once; that nothing opens is a no all the same."""
    import subprocess

    made = [require_tool("openssl"), "pkcs12", "-export", "-nomac", "-certpbe", "AES-256-CBC"]
    made += ["-inkey", files.key, "-in", files.certificate, "-out", folder / "nomac.p12", "-passout", "pass:right"]
    subprocess.run(made, check=True)
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("not it")
    outcome = call("inspect", "nomac.p12", "--password-file", wrong)
    assert outcome.status == 1
    assert "MAC: none" in outcome.text
    warning, *errors = outcome.errors.splitlines()
    assert "has no MAC" in warning
    assert [line.partition(" of the ")[0] for line in errors] == [
        "error: nomac.p12: the contents",
        "error: nomac.p12: the private key",
    ]
    assert outcome.errors.count("wrong password or damaged file") == 2


@pytest.mark.parametrize("opened", [False, True])
def test_json_has_the_contracts_shape(call, file, password_file, replica, opened):
    """Mac, safe contents with bags, mac_verified, as far as can be seen without the password."""
    more = ("--password-file", password_file) if opened else ()
    report = call("inspect", file, "--json", *more).json
    assert set(report["mac"]) >= {"algorithm", "digest", "iterations", "salt_length"}
    assert (report["mac"]["algorithm"], report["mac"]["digest"]) == ("HMAC", "SHA-256")
    assert (report["mac"]["iterations"], report["mac"]["salt_length"]) == (100_000, 8)
    assert report["mac_verified"] is (True if opened else None)
    certificates, key = report["safe_contents"]
    assert certificates["encryption"]["iterations"] == 100_000
    assert key["encryption"] is None
    (shrouded,) = key["bags"]
    assert shrouded["type"] == "pkcs8ShroudedKeyBag"
    assert shrouded["encryption"]["cipher"] == "AES-256-CBC"
    if not opened:
        assert certificates["bags"] is None
        return
    for bag in (*certificates["bags"], shrouded):
        assert set(bag) >= {"type", "friendly_name", "local_key_id", "certificate", "encryption"}
    assert [set(bag["certificate"]) == CERTIFICATE_FIELDS for bag in certificates["bags"]] == [True] * 6
    assert certificates["bags"][0]["certificate"]["sha256"] == replica.server.certificate.sha256
    assert certificates["bags"][0]["local_key_id"] == shrouded["local_key_id"]
    assert [bag["local_key_id"] for bag in certificates["bags"][1:]] == [None] * 5


def test_from_standard_input(call, pfx, password_file):
    """``-`` reads the file there, so the password has to come from elsewhere."""
    outcome = call("inspect", "-", "--password-file", password_file, stdin=pfx)
    assert outcome.status == 0
    assert outcome.text.startswith("standard input\n")
    refused = call("inspect", "-", "--password-stdin", stdin=pfx)
    assert refused.status == 2
    assert "standard input can be read only once, not for FILE and --password-stdin" in refused.errors


def test_base64(call, pfx, folder):
    """As mail programs and secret stores hold such files."""
    (folder / "server.b64").write_bytes(base64.encodebytes(pfx))
    assert call("inspect", "server.b64").status == 0


def test_legacy_profile(call, folder, replica, password_file):
    """What an old reader gets is named as RFC 7292 names it."""
    bundle = Bundle(private_key=replica.server.private_key, certificates=(replica.server.certificate,))
    (folder / "old.p12").write_bytes(encode_pfx(bundle, password=PASSWORD, profile=profiles.LEGACY))
    outcome = call("inspect", "old.p12", "--password-file", password_file)
    assert "encrypted: pbeWithSHAAnd3-KeyTripleDES-CBC, DES-EDE3-CBC, PKCS12KDF with SHA-1, 2,048" in outcome.text


@pytest.mark.parametrize(
    ("make", "found"),
    [
        pytest.param(lambda _: b"", "nothing: it is empty", id="empty"),
        pytest.param(lambda _: bytes(range(128, 256)), "binary data", id="noise"),
        pytest.param(lambda files: files.key.read_bytes(), "PEM text", id="key"),
    ],
)
def test_what_is_no_pkcs12(call, folder, files, make, found):
    """One sentence with the file and what was found in it; exit status 2."""
    (folder / "given.p12").write_bytes(make(files))
    outcome = call("inspect", "given.p12")
    assert outcome.status == 2
    assert outcome.errors.startswith("error: given.p12: expected a PKCS#12 file, found ")
    assert found in outcome.errors
    assert [line.split()[0] for line in outcome.errors.splitlines()] in (["error:"], ["error:", "hint:"])


def test_a_chain_is_listed(call, files):
    """PEM, DER and PKCS#7, as ``show`` lists them; a required MAC is never waived."""
    for name in (files.certificate, *files.certificates.glob("*.cer"), *files.certificates.glob("*.p7b")):
        outcome = call("inspect", name, "--json")
        assert outcome.status == 0
        assert outcome.json["certificates"] == call("show", name, "--json").json["certificates"] != []
        assert call("inspect", name).text.splitlines()[:-1] == call("show", name).text.splitlines()[:-1]
        assert call("inspect", name, "--require-mac").status == 2


def test_damaged_files(call, folder, pfx):
    """Cut short, too large, missing, a folder: the file is named."""
    for name, data in (("cut.p12", pfx[:-20]), ("large.p12", b"\x30\x84\x02\x00\x00\x00" + bytes(32 << 20))):
        (folder / name).write_bytes(data)
    (folder / "folder").mkdir()
    for name in ("cut.p12", "large.p12", "missing.p12", "folder"):
        outcome = call("inspect", name)
        assert outcome.status == 2
        assert outcome.errors.startswith(f"error: {name}: ")
        assert [line.split()[0] for line in outcome.errors.splitlines()] in (["error:"], ["error:", "hint:"])


def test_hostile_friendly_name(call, folder, password_file):
    """A friendly name is shown as text: no escape sequence, no markup."""
    server = lab.Authority.create("CA").issue_server("s.example")
    name = "[red]\x1b]0;owned\x07\u202eevil"
    bundle = Bundle(private_key=server.private_key, certificates=(server.certificate,), friendly_name=name)
    (folder / "s.p12").write_bytes(encode_pfx(bundle, password=PASSWORD))
    shown = call("inspect", "s.p12", "--password-file", password_file).text
    assert r"friendlyName '[red]\x1b]0;owned\x07\u202eevil'" in shown


def test_two_passwords(call, folder, files, require_tool, password_file, tmp_path):
    """--contents-password-file opens what OpenSSL's -twopass wrote; the text says which password did what."""
    import subprocess

    second = tmp_path / "second.txt"
    second.write_text("of the contents")
    asked = f"{PASSWORD}\n{PASSWORD}\nof the contents\nof the contents\n"  # openssl takes it from its input alone
    made = [require_tool("openssl"), "pkcs12", "-export", "-twopass", "-inkey", files.key, "-in", files.certificate]
    subprocess.run([*made, "-out", folder / "two.p12"], check=True, input=asked.encode(), start_new_session=True)
    arguments = ("inspect", "two.p12", "--password-file", password_file)
    closed = call(*arguments)
    assert closed.status == 1
    assert "its contents cannot be decrypted with the same password" in closed.errors
    assert "its private key cannot be decrypted with the same password" in closed.errors
    assert [why in closed.errors for why in call(*arguments, "--json").json["unopened"]] == [True, True]
    outcome = call(*arguments, "--contents-password-file", second)
    assert (outcome.status, outcome.errors) == (0, "")
    assert "contents: password as UTF-8 in PBKDF2, by the password of the contents" in outcome.text
    uses = call(*arguments, "--contents-password-file", second, "--json").json["password_uses"]
    assert [use["contents_password"] for use in uses] == [False, True, True]
    alone = call("inspect", "two.p12", "--contents-password-file", second)
    assert (alone.status, "--contents-password-file needs" in alone.errors) == (2, True)


def test_iterations_beyond_the_limit(call, file, password_file):
    """The error names the option, and the option raises the limit."""
    arguments = ("inspect", file, "--password-file", password_file)
    outcome = call(*arguments, "--max-iterations", "99999")
    assert outcome.status == 2
    assert "100,000 iterations for one key; limits.pfx_iterations allows 99,999 (--max-iterations raises it)" in (
        outcome.errors
    )
    assert call(*arguments, "--max-iterations", "100000").status == 0


def test_findings(call, folder, file, password_file):
    """The text says when the first certificate expires, who can import the file, and what follows it."""
    outcome = call("inspect", file, "--password-file", password_file)
    assert "First expiry: 20" in outcome.text
    assert "── Can be imported by: " in outcome.text
    assert "── Cannot be imported by: " in outcome.text
    (folder / "padded.p12").write_bytes((folder / file).read_bytes() + bytes(5))
    assert "Bytes after the PKCS#12 file: 5" in call("inspect", "padded.p12", "--password-file", password_file).text
