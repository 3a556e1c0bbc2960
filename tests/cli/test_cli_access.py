"""``--owner``, ``--group`` and ``--mode`` of the commands that write a private file."""

from __future__ import annotations

import os
import stat

import pytest

import pkcs12kit as pk

from .conftest import PASSWORD

QUICK = ("--iterations", "3", "--no-second-opinion")
as_root = pytest.mark.usefixtures("as_root")


@pytest.fixture
def convert(call, replica, folder, password_file):
    """Call ``pkcs12kit convert in.p12 OUT``."""
    bundle = pk.Bundle.from_path(replica.server, replica.valid_paths[0])
    profile = pk.profiles.MODERN.with_iterations(encryption=3, mac=3)
    pk.write_pfx(folder / "in.p12", pk.encode_pfx(bundle, password=PASSWORD, profile=profile))
    return lambda output, *more: call("convert", "in.p12", output, "--password-file", password_file, *more)


def access_of(path):
    """Owner, group and mode."""
    status = path.stat()
    return status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)


@as_root
def test_owner_is_kept_and_set(build, folder):
    """What a service owns stays its own; the options set it, and what they change is a reason to write."""
    output = folder / "server.p12"
    assert build(*QUICK, "--owner", "nobody", "--group", "65533", "--mode", "640").status == 0
    assert access_of(output) == (65534, 65533, 0o640)
    report = build(*QUICK, "--friendly-name", "other", "--json").json
    assert (report["warnings"], access_of(output)) == ([], (65534, 65533, 0o640))
    same = (*QUICK, "--friendly-name", "other", "--if-changed", "--json")
    assert build(*same).json["changed"] is False
    assert build(*same, "--owner", "nobody", "--mode", "0o640").json["changed"] is False
    for option, value, change in (
        ("--owner", "0", "its owner was nobody, not root"),
        ("--group", "0", "its group was 65533, not root"),
        ("--mode", "0600", "its mode was 0640, not 0600"),
    ):
        assert build(*same, "--dry-run", option, value).json["change"] == change
        assert access_of(output) != (0, 0, 0o600)
        assert build(*same, option, value).json["change"] == change
    assert access_of(output) == (0, 0, 0o600)


@as_root
def test_rights_that_are_taken_away_are_named(build, convert, folder):
    """On standard error and in JSON; in a dry run as well."""
    build(*QUICK)
    output = folder / "server.p12"
    os.chown(output, 65534, 65533)
    output.chmod(0o664)
    sentence = (
        "server.p12 gets mode 0640 instead of 0664: its group can no longer change it and others can no longer read"
    )
    for more in ((), ("--dry-run",)):
        outcome = build(*QUICK, "--json", *more) if more else build(*QUICK, "--json", "--dry-run")
        assert sentence in outcome.errors
        assert any(sentence in warning for warning in outcome.json["warnings"])
    outcome = convert("server.p12", "--json")
    assert sentence in outcome.errors
    assert any(sentence in warning for warning in outcome.json["warnings"])
    assert access_of(output) == (65534, 65533, 0o640)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--owner", "no-such-user"), "unknown user 'no-such-user'"),
        (("--owner", "root:root"), "give the group by --group"),
        (("--owner", "4294967295"), "no user can have the number"),
        (("--owner", ""), "unknown user"),
        (("--group", "no-such-group"), "unknown group"),
        (("--mode", "0644"), "--mode 0644 is not possible"),
        (("--mode", "660"), "--mode 0660 is not possible"),
        (("--mode", "4600"), "--mode 4600 is not possible"),
        (("--mode", "rw"), "write it in octal digits"),
        (("--mode", "0680"), "write it in octal digits"),
        (("--mode", "-1"), "write it in octal digits"),
    ],
)
def test_wrong_requests(build, convert, folder, options, message):
    """Exit status 2 before anything is read or written."""
    for outcome in (
        build(*QUICK, *options, key="no-such-file"),
        convert("out.p12", *options),
        convert("out.pem", "--to", "pem", *options),
    ):
        assert outcome.status == 2
        assert message in outcome.errors
    assert [path.name for path in folder.iterdir()] == ["in.p12"]


def test_standard_output_has_no_owner(build, convert):
    """It is not a file of ours."""
    for outcome in (build(*QUICK, "--mode", "0600", out="-"), convert("-", "--group", "0")):
        assert outcome.status == 2
        assert "are for a file" in outcome.errors


@as_root
def test_files_without_a_key(convert, folder):
    """Certificates are no secret: everybody may read them where that was asked for, and go on doing so."""
    chain = ("--to", "pem", "--certs-only")
    assert convert("chain.pem", *chain).status == 0
    assert access_of(folder / "chain.pem") == (0, 0, 0o600)
    assert convert("chain.pem", *chain, "--mode", "0644").status == 0
    assert convert("chain.pem", *chain).errors == ""
    assert access_of(folder / "chain.pem") == (0, 0, 0o644)
    assert convert("chain.pem", *chain, "--mode", "0664").status == 2
    outcome = convert("chain.pem", "--to", "pem")
    assert "gets mode 0600 instead of 0644" in outcome.errors
    assert access_of(folder / "chain.pem") == (0, 0, 0o600)
