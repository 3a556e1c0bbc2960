"""``pkcs12kit verify``: yes, no and unreadable, each with its exit status, in text and in JSON."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from pkcs12kit import Bundle, encode_pfx, lab, profiles
from pkcs12kit.findings import FILE_CHECKS

from .conftest import AT_TIME, PASSWORD

QUICK = replace(profiles.MODERN, encryption_iterations=3, mac_iterations=3)
ERROR = "error: server.p12 failed: "


@pytest.fixture(scope="module")
def chain(replica):
    """The certificates of the main job, the anchor last."""
    return replica.valid_paths[0].with_anchor


@pytest.fixture
def verify(call, folder, files, password_file, replica):
    """Call ``verify`` on a file of these certificates with the server's key; a keyword gives an option."""

    def call_verify(certificates, *more, key=replica.server.private_key, data=None, stdin=b"", **changed):
        if data is None:
            names = tuple(None for _ in certificates)
            bundle = Bundle(private_key=key, certificates=tuple(certificates), certificate_names=names)
            data = encode_pfx(bundle, password=PASSWORD, profile=QUICK)
        (folder / "server.p12").write_bytes(data)
        options = {"anchor": files.trust_anchor, "password_file": password_file} | changed
        given = [(f"--{name.replace('_', '-')}", value) for name, value in options.items() if value is not None]
        return call("verify", "server.p12", *(part for pair in given for part in pair), *more, stdin=stdin)

    return call_verify


def test_yes(verify, chain, replica):
    """Exit status 0; the answer, every check with its outcome, and the path, on standard output alone."""
    outcome = verify(chain, server_name=replica.server_name, expires_within="30d")
    assert (outcome.status, outcome.errors) == (0, "")
    lines = outcome.text.splitlines()
    assert lines[0] == "server.p12  yes"
    for line, check in zip(lines[1:], FILE_CHECKS, strict=False):
        assert f"  {check.value.replace('-', ' ')}: " in line
    assert "NO" not in outcome.text
    assert f"ok    server name: it is for {replica.server_name}" in outcome.text
    assert any(line.endswith("trust anchor") for line in lines)


def test_what_build_writes(call, build, files, password_file, replica):
    """A file of ``build`` is a yes; and so is one of certificates alone, where that is what is expected."""
    assert build().status == 0
    common = ("--anchor", files.trust_anchor, "--password-file", password_file)
    assert call("verify", "server.p12", "--server-name", replica.server_name, *common).status == 0
    assert build("--certs-only", key=None, cert=files.issuing_ca, out="ca.p12").status == 0
    assert call("verify", "ca.p12", "--certs-only", *common).status == 0
    refused = call("verify", "ca.p12", *common)
    assert refused.status == 1
    assert "hint: --certs-only checks a file that holds only certificates" in refused.errors


def test_json(verify, chain, replica):
    """One object, with each check by name and certificates as everywhere."""
    outcome = verify(chain, "--json", server_name=replica.server_name)
    assert (outcome.status, outcome.errors) == (0, "")
    answer = outcome.json
    assert (answer["file"], answer["ok"], answer["private_key"]) == ("server.p12", True, True)
    assert [finding["check"] for finding in answer["findings"]] == [check.value for check in FILE_CHECKS]
    assert {finding["outcome"] for finding in answer["findings"]} <= {"ok", "note", "not-checked"}
    assert [one["sha256"] for one in answer["path"]] == [one.sha256 for one in chain[:-1]]
    assert answer["second_opinion"]["opinion"] == "valid"


@pytest.mark.parametrize(
    ("arrange", "options", "checks", "told"),
    [
        pytest.param(lambda c: [c[0], *c[2:]], {}, "chain", ": pkcs12kit build --pkcs12 ", id="missing intermediate"),
        pytest.param(
            lambda c: [c[0], c[2], c[1], *c[3:]], {}, "order", ": pkcs12kit build --pkcs12 ", id="wrong order"
        ),
        pytest.param(lambda c: c, {"server_name": "else.example"}, "server-name", "hint: give a name", id="wrong name"),
        pytest.param(
            lambda c: c,
            {"expires_within": "9999w"},
            "expiry",
            "hint: renew the certificate that expires",
            id="expires soon",
        ),
        pytest.param(lambda c: c, {"for": "java-8"}, "readers", ": pkcs12kit convert ", id="reader"),
        pytest.param(lambda c: c, {"at": "2001-01-01"}, "path", "hint: is the time of --at right?", id="time"),
        pytest.param(lambda c: c, {"policy": "1.2.3"}, "path", ": pkcs12kit build --pkcs12 ", id="policy"),
        pytest.param(
            lambda c: c,
            {"revocation": "require"},
            "revocation",
            "hint: give the missing CRLs or OCSP responses with --crl",
            id="revocation unknown",
        ),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_no(verify, chain, arrange, options, checks, told, as_json):
    """Exit status 1: the answer on standard output, which checks say no on standard error, and what helps."""
    outcome = verify(arrange(chain), *(["--json"] if as_json else []), **options)
    assert outcome.status == 1
    assert outcome.errors.startswith(f"{ERROR}{checks}\n")
    assert told in outcome.errors
    if as_json:
        assert outcome.json["ok"] is False
        assert [one["check"] for one in outcome.json["findings"] if one["outcome"] == "not-ok"] == [checks]
    else:
        assert outcome.text.startswith("server.p12  no\n")
        assert outcome.text.count("── NO  ") == 1


def test_expired(verify, chain):
    """Where only a CA's certificate has expired, and where the server's has: what to renew, and how to ask of then."""
    first = min(one.not_after for one in chain[1:-1])
    asked = f"{AT_TIME}\n"
    outcome = verify(chain, at=(first + timedelta(days=1)).isoformat())
    assert f"hint: build the file again with renewed certificates in --certs; {asked}" in outcome.errors
    outcome = verify(chain, at=(chain[0].not_after + timedelta(days=1)).isoformat())
    assert f"hint: renew the certificate: ask its CA for a new one; {asked}" in outcome.errors


def test_revoked(verify, chain, files):
    """CRLs of the issuers are taken from files and folders; with all of them nothing is unknown."""
    assert verify(chain, crl=files.crls, revocation="require").status == 0


def test_wrong_password(verify, chain, tmp_path):
    """It is a no, as for ``inspect``; nothing is told from inside. None at all is bad usage."""
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("not it")
    for as_json in (False, True):
        outcome = verify(chain, *(["--json"] if as_json else []), password_file=wrong)
        assert outcome.status == 1
        assert outcome.errors.startswith("error: server.p12: the MAC of the PKCS#12 file does not verify")
        assert outcome.json["ok"] is False if as_json else outcome.text == ""
    missing = verify(chain, password_file=None)
    assert (missing.status, missing.output) == (2, b"")
    assert "give it with --password-file, --password-env or --password-stdin" in missing.errors


def test_password_at_the_terminal(verify, chain, terminal, files):
    """It is asked for once; a wrong one is a no after three attempts."""
    assert verify(chain).status == 0
    for typed, attempts, status in ((PASSWORD, 1, 0), ("not it", 3, 1)):
        screen = terminal("verify", "server.p12", "--anchor", files.trust_anchor)
        for _ in range(attempts):
            screen.expect("Password of server.p12:")
            screen.type(f"{typed}\n")
        assert screen.finish() == status


def test_from_standard_input(verify, call, chain, folder, files, password_file):
    """``-`` reads the file there."""
    assert verify(chain).status == 0
    data = (folder / "server.p12").read_bytes()
    outcome = call("verify", "-", "--anchor", files.trust_anchor, "--password-file", password_file, stdin=data)
    assert outcome.status == 0
    assert outcome.text.startswith("standard input  yes\n")


def test_unreadable(verify, call, chain, files, folder, password_file):
    """Damaged, cut, empty, nonsense, a folder, missing: exit status 2 and one sentence with the name."""
    data = encode_pfx(Bundle(certificates=chain), password=PASSWORD, profile=QUICK)
    for broken, said in (
        (data[: len(data) // 2], "ASN.1 data that is cut short"),
        (b"", "nothing: it is empty"),
        (b"hello, world\n", "text without a PEM block"),
        (files.key.read_bytes(), "PEM text (a private key)"),
    ):
        outcome = verify((), data=broken)
        assert (outcome.status, outcome.output) == (2, b"")
        assert outcome.errors.startswith("error: server.p12: expected a PKCS#12 file, found ")
        assert said in outcome.errors
        assert [line.split()[0] for line in outcome.errors.splitlines()] in (["error:"], ["error:", "hint:"])
    (folder / "folder.p12").mkdir()
    for name in ("folder.p12", "missing.p12"):
        outcome = call("verify", name, "--anchor", files.trust_anchor, "--password-file", password_file)
        assert (outcome.status, outcome.output) == (2, b"")
        assert outcome.errors.startswith(f"error: {name}: ")
    outcome = verify(chain, anchor="nowhere.pem")
    assert outcome.errors.startswith("error: --anchor nowhere.pem: ")


@pytest.mark.parametrize("given", ["30", "-1d", "1.5d", "30 d", "d", "1000000d", "1000y", "2Y"])
def test_no_duration(verify, chain, given):
    """An example says how to write it."""
    outcome = verify(chain, f"--expires-within={given}")
    assert outcome.status == 2
    assert "write it like 30d, 12h, 6w or 2y" in outcome.errors


def test_years(verify, chain):
    """Two years are 730 days; what lasts for less is a no."""
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    left = [verify(chain, "--json", "--expires-within", within, at=day).json for within in ("2y", "730d")]
    assert left[0]["findings"] == left[1]["findings"]
    outcome = verify(chain, "--expires-within", "100y")
    assert outcome.status == 1
    assert "sooner than asked for" in outcome.text


def test_key_options(verify, chain):
    """A key by name or ID; what contradicts is bad usage, and so is what is no ID."""
    assert verify(chain, key_name="nobody").status == 2
    outcome = verify(chain, key_id="zz")
    assert outcome.status == 2
    assert "in hexadecimal, as inspect shows it" in outcome.errors
    assert verify(chain, "--certs-only", key_id="00").status == 2


def test_hostile_names(verify, folder):
    """Names in certificates are shown as text: no escape sequence, no markup."""
    authority = lab.Authority.create("[red]\x1b]0;owned\x07\u202eevil")
    server = authority.issue_server("s.example")
    (folder / "anchor.pem").write_text(authority.certificate.to_pem())
    outcome = verify([server.certificate], key=server.private_key, anchor="anchor.pem")
    assert outcome.status == 0
    assert r"[red]\x1b]0;owned\x07\u202eevil" in outcome.text
    assert "\x1b" not in outcome.text


def test_chain_and_key_in_pem(call, files, folder, replica, password_file):
    """HAProxy's one file, nginx's two, and an encrypted key: yes; a wrong password of the key is a no."""
    path = replica.valid_paths[0]
    chain = "".join(one.to_pem() for one in path.certificates)
    (folder / "chain.pem").write_text(chain, "ascii")
    (folder / "both.pem").write_bytes(files.key.read_bytes() + chain.encode())
    encrypted = BestAvailableEncryption(PASSWORD.encode())
    (folder / "encrypted.key").write_bytes(
        replica.server.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encrypted)
    )
    (folder / "wrong.txt").write_text("wrong\n", "ascii")
    anchor = ("--anchor", files.trust_anchor)
    of_key = ("--key", "encrypted.key", "--key-password-file")
    for arguments, status in (
        (("both.pem",), 0),
        (("chain.pem", "--key", files.key), 0),
        (("chain.pem", *of_key, password_file), 0),
        (("chain.pem", *of_key, "wrong.txt"), 1),
        (("chain.pem",), 1),
        (("chain.pem", "--certs-only"), 0),
        (("chain.pem", "--key", "encrypted.key"), 2),
        (("chain.pem", "--key", "nowhere.key"), 2),
    ):
        outcome = call("verify", *arguments, *anchor, "--json")
        assert outcome.status == status, arguments
        if status != 2:
            assert outcome.json["ok"] is (status == 0)
