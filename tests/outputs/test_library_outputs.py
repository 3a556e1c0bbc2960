"""``overwrite=``: from Python also, an output never replaces an input, and nothing of another kind unasked."""

from __future__ import annotations

import os

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import pkcs12kit as pk
from pkcs12kit.pkcs12 import encoder
from pkcs12kit.pkcs12.bags import certificate_bag, other_bag

PASSWORD = "correct horse 42 battery"
QUICK = pk.profiles.MODERN.with_iterations(encryption=3, mac=5)
PFX = bytes.fromhex("30050201033000")  # by its beginning, a PKCS#12 file


@pytest.fixture
def own(files, tmp_path):
    """The lab's files, copied: a test may damage them."""
    copies = {}
    for name in ("key", "certificate", "trust_anchor", "bundle"):
        path = getattr(files, name)
        copies[name] = tmp_path / path.name
        copies[name].write_bytes(path.read_bytes())
    return copies


@pytest.fixture
def build(own):
    """Call ``build`` on the copies."""

    def call(**changed):
        given = {
            "key": own["key"],
            "certificate": own["certificate"],
            "certificates": [own["bundle"]],
            "trust_anchors": [own["trust_anchor"]],
            "password": PASSWORD,
            "profile": QUICK,
            "second_opinion": False,
        }
        return pk.build(**(given | changed))

    return call


@pytest.mark.parametrize("ending", ["/", "/.", "//"])
def test_a_missing_folder_is_no_name_for_a_file(build, tmp_path, ending):
    """``certs/`` means a folder: a file ``certs`` would be in the way of the folder, and no server would read it."""
    output = f"{tmp_path}/certs{ending}"
    for given in (
        {"output": output},
        *(
            {"to": "pem", "password": None, "profile": None} | it
            for it in ({"output": output}, {"output": tmp_path / "x", "key_output": output})
        ),
    ):
        with pytest.raises(pk.OutputError, match="names a folder"):
            build(**given)
    with pytest.raises(pk.OutputError, match="names a folder"):
        pk.write_pfx(output, PFX, overwrite=True)
    assert not (tmp_path / "certs").exists()


@pytest.mark.parametrize("name", ["key", "certificate", "trust_anchor", "bundle"])
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("form", ["list", "generator", "text"])
def test_no_source_of_build_is_replaced(build, own, name, overwrite, form):
    """Each path-like source, in each form of argument; ``overwrite`` does not help."""
    old = own[name].read_bytes()
    link = own[name].with_name("other.p12")
    os.link(own[name], link)
    for output in (own[name], link):
        changed = {
            "list": {},
            "generator": {"certificates": iter([own["bundle"]]), "trust_anchors": iter([own["trust_anchor"]])},
            "text": {each: str(own[each]) for each in ("key", "certificate")}
            | {"certificates": str(own["bundle"]), "trust_anchors": str(own["trust_anchor"])},
        }[form]
        with pytest.raises(pk.OutputError, match="never replaces an input"):
            build(output=output, overwrite=overwrite, **changed)
    assert own[name].read_bytes() == link.read_bytes() == old


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (b"secret phrase\n", "text without a PEM block"),
        (b"\x00\x01\x02", "binary data"),
        (PFX + b"\n-----BEGIN X-----", "a PKCS#12 file with other data after it"),
    ],
)
def test_another_kind_needs_overwrite(build, tmp_path, there, words):
    """The message says what is there, never its content."""
    output = tmp_path / "out.p12"
    output.write_bytes(there)
    for write in (
        lambda **more: pk.write_pfx(output, PFX, **more),
        lambda **more: build(output=output, **more),
    ):
        with pytest.raises(pk.OutputError, match=words) as raised:
            write()
        assert "overwrite=True" in str(raised.value)
        assert "secret phrase" not in str(raised.value)
        assert output.read_bytes() == there
        write(overwrite=True)
        assert output.read_bytes() != there
        output.write_bytes(there)


def test_key_in_words(build, own, tmp_path):
    """An existing key is called by its algorithm."""
    output = tmp_path / "out.p12"
    output.write_bytes(own["key"].read_bytes())
    with pytest.raises(pk.OutputError, match="already exists and is an EC private key in PEM, which"):
        build(output=output)


def test_pkcs12_is_replaced(build, tmp_path):
    """A renewal stays easy: an empty file, an earlier PKCS#12 file, and one that was cut short."""
    output = tmp_path / "out.p12"
    for there in (b"", PFX, PFX + b"\x00\n", build(output=None).data[:500]):
        output.write_bytes(there)
        assert build(output=output).changed


class TestInPlace:
    """``pkcs12=`` and ``output=`` are one file."""

    @pytest.fixture
    def rewrite(self, own, tmp_path):
        """Write a PKCS#12 file of a bundle and rewrite it."""
        path = tmp_path / "server.p12"

        def call(data, **changed):
            if data is not None:
                path.write_bytes(data)
                path.chmod(0o600)
            return pk.build(
                **{
                    "pkcs12": path,
                    "pkcs12_password": PASSWORD,
                    "certificates": [own["bundle"]],
                    "trust_anchors": [own["trust_anchor"]],
                    "output": path,
                    "password": PASSWORD,
                    "profile": QUICK,
                    "second_opinion": False,
                }
                | changed
            )

        call.path = path
        return call

    def test_is_easy(self, rewrite, build, replica):
        """The chain is repaired; certificates that the path replaces are named in a warning."""
        alone = pk.Bundle(private_key=replica.server.private_key, certificates=(replica.server.certificate,))
        report = rewrite(pk.encode_pfx(alone, password=PASSWORD, profile=QUICK))
        assert len(report.certificates) > 1
        assert report.warnings == ()
        named = build(output=None, friendly_name="tomcat").data
        warnings = rewrite(named, include_anchor=False).warnings
        assert "does not have the certificate 'Federal Common Policy CA', the name 'tomcat' of the key" in warnings[0]

    def test_other_contents_are_not_lost(self, rewrite, replica):
        """Another key, its certificate, a CRL, a damaged certificate: named in an error; ``overwrite`` loses them."""
        server, other = replica.server, pk.lab.Authority.create("Other").issue_server("other.example")
        keys = [
            encoder.PlainKey(
                private_key_info=one.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
                friendly_name=name,
                local_key_id=name.encode(),
            )
            for one, name in ((server, "mine"), (other, "other"))
        ]
        bags = [
            certificate_bag(server.certificate.der, local_key_id=b"mine"),
            certificate_bag(other.certificate.der, local_key_id=b"other"),
            certificate_bag(b"\x30\x00"),
            other_bag("crlBag", bytes.fromhex("3014060a2a864886f70d01091701a006040463726c21")),
        ]
        data = encoder.encode_contents(bags, keys, password=PASSWORD, profile=QUICK)
        names = (
            "private key 'other'",
            "a crlBag",
            "certificate 'other.example'",
            "certificate 3, which cannot be read",
        )
        with pytest.raises(pk.OutputError, match="but lose") as raised:
            rewrite(data, key_name="mine")
        assert all(name in str(raised.value) for name in names)
        assert rewrite.path.read_bytes() == data
        warning = next(one for one in rewrite(None, key_name="mine", overwrite=True).warnings if "the old file" in one)
        assert all(name in warning for name in names)

    @pytest.mark.parametrize("overwrite", [False, True])
    def test_only_a_pkcs12_file(self, rewrite, own, overwrite):
        """A PEM file as ``pkcs12=``, or a PKCS#12 file given as something else, stays."""
        with pytest.raises(pk.OutputError, match="not a PKCS#12 file in binary form"):
            rewrite(own["key"].read_bytes(), overwrite=overwrite)
        with pytest.raises(pk.OutputError, match="the file of certificates"):
            rewrite(PFX, certificates=[rewrite.path], overwrite=overwrite)
