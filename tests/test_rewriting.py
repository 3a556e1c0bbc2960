"""``build(if_changed=True)``: a file is written only when it would hold something else, and the report says why."""

from __future__ import annotations

import os
import stat
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.outputs import output as place
from pkcs12kit.pkcs12 import encoder
from pkcs12kit.pkcs12.bags import certificate_bag, other_bag
from pkcs12kit.pkcs12.passwords import Password

PASSWORD = "correct horse 42 battery"
QUICK = pk.profiles.MODERN.with_iterations(encryption=3, mac=5)


@pytest.fixture
def output(tmp_path):
    """Where the file goes."""
    return tmp_path / "server.p12"


@pytest.fixture
def build(files, output):
    """Call ``build`` on the lab, if changed; a keyword given replaces its own."""

    def call(**changed):
        given = {
            "key": files.key,
            "certificate": files.certificate,
            "certificates": [files.certificates],
            "trust_anchors": [files.trust_anchor],
            "output": output,
            "password": PASSWORD,
            "profile": QUICK,
            "friendly_name": "mdm.example.mil",
            "if_changed": True,
            "second_opinion": False,
        }
        return pk.build(**(given | changed))

    return call


def identity_of(path):
    """What tells a file that was left alone from one that was written again with the same bytes."""
    status = path.stat()
    return status.st_ino, status.st_mtime_ns


def test_a_second_build_leaves_the_file_alone(build, output):
    """Same key, certificates, order, names, profile, iterations, password: not one system call of writing."""
    first = build()
    assert (first.changed, first.change) == (True, "there was no file")
    before = identity_of(output)
    second = build()
    assert (second.changed, second.change) == (False, None)
    assert second.data == output.read_bytes() == first.data
    assert identity_of(output) == before
    assert second.to_json()["changed"] is False
    assert second.output == output


def test_not_asked_for_it_is_always_written(build, output):
    """Without ``if_changed`` a file is replaced, with new salts, and the report says that it changed."""
    first = build()
    second = build(if_changed=False)
    assert (second.changed, second.change) == (True, None)
    assert first.data != second.data == output.read_bytes()


@pytest.mark.parametrize("profile", pk.profiles.PROFILES, ids=lambda profile: profile.name)
def test_each_profile(build, profile):
    """What each profile writes is known again; another profile of the same contents is not."""
    few = profile
    if profile.takes_password:
        few = profile.with_iterations(encryption=profile.minimum_iterations, mac=profile.minimum_iterations)
    password = PASSWORD if profile.takes_password else None
    assert build(profile=few, password=password).changed
    assert not build(profile=few, password=password).changed
    other = build(profile=QUICK)
    assert (other.changed, other.change) == (True, "it was protected in another way")


@pytest.mark.parametrize(
    ("changes", "change"),
    [
        ({"password": "another"}, "does not open with this password"),
        ({"friendly_name": "another"}, "other names"),
        ({"friendly_name": None}, "other names"),
        ({"certificate_name": "another"}, "other names"),
        ({"ca_names": ["another"]}, "other names"),
        ({"include_anchor": False}, "other certificates"),
        ({"profile": pk.profiles.LEGACY}, "another way"),
        ({"profile": QUICK.with_iterations(mac=6)}, "another way"),
        ({"profile": QUICK.with_iterations(encryption=6)}, "another way"),
        ({"profile": replace(QUICK, mac_salt_length=9)}, "another way"),
    ],
)
def test_each_difference(build, output, changes, change):
    """One thing that is asked for differently is enough; it is named, and the file is replaced."""
    build()
    before = identity_of(output)
    report = build(**changes)
    assert report.changed
    assert change in report.change
    assert identity_of(output) != before
    assert output.read_bytes() == report.data
    assert not build(**changes).changed


def test_another_key_and_certificate(build, replica):
    """A renewed identity is another file."""
    other = lab.Authority.create("Other CA")
    server = other.issue_server("mdm.example.mil")
    build()
    bundle = pk.Bundle(private_key=server.private_key, certificates=(server.certificate, other.certificate))
    report = build(
        key=None,
        certificate=None,
        pkcs12=pk.encode_pfx(bundle, password="", profile=QUICK),
        pkcs12_password="",
        trust_anchors=[other.certificate.to_pem().encode()],
    )
    assert "another private key" in report.change
    assert report.certificates != replica.valid_paths[0].with_anchor


def test_another_order(build, output, replica):
    """The same certificates in another order make Java serve another chain."""
    path = replica.valid_paths[0].with_anchor
    bundle = pk.Bundle(
        private_key=replica.server.private_key,
        certificates=(path[0], *reversed(path[1:])),
        friendly_name="mdm.example.mil",
    )
    pk.write_pfx(output, pk.encode_pfx(bundle, password=PASSWORD, profile=QUICK))
    assert build().change == "its certificates were in another order"


def test_truststore_mark(build, files):
    """What Java reads off an attribute is part of what the file holds."""
    alone = {"key": None, "certificate": files.issuing_ca, "certs_only": True}
    assert build(**alone, truststore=True).changed
    assert not build(**alone, truststore=True).changed
    assert "attributes" in build(**alone).change
    with pytest.raises(pk.InputError, match="no key"):
        build(truststore=True)


def test_more_than_was_asked_for(build, output, replica):
    """A CRL or a certificate that is none beside it, bytes behind it: what is there is not what would be written."""
    first = build().data
    output.write_bytes(first + b"\0")
    assert build().change == "it also held other contents"
    bundle = pk.Bundle.from_path(replica.server, replica.valid_paths[0], friendly_name="mdm.example.mil")
    crl = other_bag("crlBag", bytes.fromhex("3014060a2a864886f70d01091701a006040463726c21"))
    own_id = encoder.local_key_id(bundle)
    ids = [own_id, *[None] * 5]
    bags = [
        certificate_bag(it.der, friendly_name=alias, local_key_id=its_id)
        for it, alias, its_id in zip(bundle.certificates, bundle.aliases, ids, strict=True)
    ]
    info = bundle.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    key = encoder.PlainKey(private_key_info=info, friendly_name="mdm.example.mil", local_key_id=own_id)
    no_certificate = certificate_bag(b"\x30\x00")
    others = "it also held other contents"
    for extra, change in (([], None), ([crl], others), ([no_certificate], others)):
        data = encoder.encode_contents([*bags, *extra], [key], password=PASSWORD, profile=QUICK)
        output.write_bytes(data)
        assert build().change == change
    # a GOST key, and a friendlyName that is a UTF8String
    unread = replace(key, private_key_info=bytes.fromhex("3013020100300a06082a85030701010101040201ff"))
    output.write_bytes(encoder.encode_contents(bags, [key, unread], password=PASSWORD, profile=QUICK))
    assert build().change == "it was protected in another way"
    name = bytes.fromhex("06092a864886f70d010914 3111 0c0f") + b"mdm.example.mil"
    its_id = bytes.fromhex("06092a864886f70d010915 3116 0414") + own_id
    odd = b"\x31\x42" + b"\x30\x1e" + name + b"\x30\x23" + its_id
    named = replace(key, attribute_field=odd[:1] + bytes([len(odd) - 2]) + odd[2:])
    output.write_bytes(encoder.encode_contents(bags, [named], password=PASSWORD, profile=QUICK))
    assert build().change == "it had other attributes"


def test_password_in_a_rare_encoding(build, monkeypatch):
    """A file that opens only because readers are lenient is written again, as the standard has it."""
    rare = Password(bmp=PASSWORD.encode("utf-16-be"), utf8=PASSWORD.encode())
    with monkeypatch.context() as patched:
        patched.setattr(encoder, "encode_password", lambda _: rare)
        build()
    assert build().change == "its password was encoded in another way"
    assert not build().changed


@pytest.mark.parametrize("damage", ["", "x", "half", "flipped"])
def test_damaged_file_is_replaced(build, output, damage):
    """What cannot be read counts as changed, whatever is wrong with it."""
    good = build().data
    bad = {
        "": b"",
        "x": b"x",
        "half": good[: len(good) // 2],
        "flipped": good[:-30] + bytes([good[-30] ^ 1]) + good[-29:],
    }[damage]
    output.write_bytes(bad)
    if damage == "x":  # nothing shows that it was a PKCS#12 file
        with pytest.raises(pk.OutputError, match="is text without a PEM block, which a PKCS#12 file would"):
            build()
    report = build(overwrite=True)
    assert report.changed
    assert report.change
    assert not build().changed


@pytest.mark.parametrize("mode", [0o660, 0o604, 0o644, 0o700, 0o4600])
def test_wider_mode_is_written_again(build, output, mode):
    """A file that others may read is not left as it is; nor does it keep any bit beyond 0640."""
    build()
    output.chmod(mode)
    report = build()
    assert report.change == f"its mode was {mode:04o}"
    assert stat.S_IMODE(output.stat().st_mode) == (0o640 if mode == 0o660 else 0o600)


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o640])
def test_mode_that_a_key_may_have_is_left(build, output, mode):
    """At most, its owner and group read it."""
    build()
    output.chmod(mode)
    assert not build().changed
    assert stat.S_IMODE(output.stat().st_mode) == mode


def test_what_is_no_file(build, output, tmp_path):
    """A symbolic link, even to the very file, a pipe or a folder is refused as ever, and not waited for."""
    build()
    elsewhere = tmp_path / "elsewhere.p12"
    output.rename(elsewhere)
    output.symlink_to(elsewhere)
    with pytest.raises(pk.OutputError, match="symbolic link"):
        build()
    output.unlink()
    os.mkfifo(output)
    with pytest.raises(pk.OutputError, match="something other than a file"):
        build()
    output.unlink()
    output.mkdir()
    with pytest.raises(pk.OutputError, match="something other than a file"):
        build()


def test_hostile_file_costs_no_more_than_the_limits(build, output):
    """What stands there is outside data: its size and its iteration counts are checked before any work."""
    limits = replace(pk.DEFAULT_LIMITS, pfx_bytes=100, pfx_iterations=2)
    first = build()
    assert "longer than 100 bytes" in build(limits=limits).change
    output.write_bytes(first.data)
    output.chmod(0o600)
    assert build(profile=QUICK.with_iterations(encryption=7)).changed


def test_needs_an_output(build):
    """There is nothing to leave alone in a report."""
    with pytest.raises(TypeError, match="if_changed needs an output"):
        build(output=None)


def test_failure_leaves_the_old_file(build, output, monkeypatch):
    """A file that had to be replaced and could not be stands as it was."""
    build()
    old = output.read_bytes()

    def failing(*_, **__):
        raise pk.OutputError("cannot write")

    monkeypatch.setattr(place, "write_private", failing)
    with pytest.raises(pk.OutputError):
        build(friendly_name="another")
    assert output.read_bytes() == old


def test_every_difference_is_in_the_report(build, output):
    """Not only the first: protection, certificates, names and owner's rights, each with what differs."""
    build(include_anchor=False)
    output.chmod(0o666)
    report = build(friendly_name="new", profile="legacy-3des")
    aspects = [one.aspect for one in report.differences]
    assert aspects == ["mode", "protection", "certificates", "names"]
    assert report.change == report.differences[0].sentence
    assert str(report.differences[2]).startswith("certificates: + ")
    assert str(report.differences[3]).startswith("names: 'mdm.example.mil' -> 'new'")
    assert len(report.replaced) == len(report.certificates) - 1
    again = build(friendly_name="new", profile="legacy-3des")
    assert (again.differences, again.replaced) == ((), report.certificates)
    assert [one.aspect for one in build(friendly_name="new", profile="legacy-3des", password="x").differences] == [
        "password"
    ]


def test_sources_of_loaded_values_are_protected(build, output):
    """A loaded pool does not say where it came from; ``protect`` does, and names the input in the error."""
    output.write_bytes(b"")
    with pytest.raises(pk.OutputError, match="is also the file of trust_anchors"):
        build(protect={"trust_anchors": [output]})
    with pytest.raises(pk.ArgumentError, match="protect"):
        build(protect=[output])
