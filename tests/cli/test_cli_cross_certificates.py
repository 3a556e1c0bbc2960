"""``pkcs12kit paths`` of a self-signed CA: its cross-certificates, where they lead, and the call for the best."""

from __future__ import annotations

import re
import shlex

import pytest

import pkcs12kit as pk


@pytest.fixture
def root_3(fpki, tmp_path):
    """The self-signed DoD Root CA 3."""
    found = [one for one in pk.load_certificates(fpki / "dod-roots-2026-07.pem") if one.label == "DoD Root CA 3"]
    path = tmp_path / "root3.pem"
    path.write_text(found[0].to_pem(), "utf-8")
    return path


@pytest.mark.parametrize(
    ("given", "leading", "others"),
    [
        (
            ("fpki-historic.pem", "fcpca.pem", "2018-06-01T00:00:00Z"),
            [("748", "DoD Interoperability Root CA 2"), ("655", "DoD Interoperability Root CA 2")],
            [("28", "US DoD CCEB Interoperability Root CA 2")],
        ),
        (
            ("fpki-2025-06.p7b", "fcpcag2.pem", "2026-01-01T00:00:00Z"),
            [("2816", "DoD Interoperability Root CA 2")],
            [],
        ),
        (
            ("fpki-2025-06.p7b", "fcpcag2.pem", "2026-12-01T00:00:00Z"),
            [],
            [("2816", "DoD Interoperability Root CA 2")],
        ),
    ],
)
def test_the_root_of_the_dod(call, fpki, root_3, given, leading, others):
    """By DoD Interoperability Root CA 2 and US DoD CCEB: each is named, with its answer; the hint's call works."""
    certs, anchor, time = given
    options = ("--certs", fpki / certs, "--anchor", fpki / anchor, "--at", time)
    done = call("paths", root_3, *options)
    assert done.status == 1
    assert "Cross-certificates of DoD Root CA 3 (same name and key) among the certificates given:" in done.text
    answer = call("paths", root_3, *options, "--json").json
    found = [
        (one["certificate"]["serial"], re.search("CN=([^,]*)", one["certificate"]["issuer"])[1], one["leads_to_anchor"])
        for one in answer["cross_certificates"]
    ]
    assert found == [(*one, True) for one in leading] + [(*one, False) for one in others]
    hint = next(line for line in done.errors.splitlines() if line.startswith("hint: its cross-certificate"))
    again = call(*shlex.split(hint[hint.index("pkcs12kit paths") :])[1:])
    assert again.status == (0 if leading else 1)
    assert ("leads to Federal Common Policy CA" in hint) == bool(leading)


def test_none_is_said_to_be_none(call, fpki, root_3):
    """Without any in the pool the output says so, and names those with another key."""
    done = call("paths", root_3, "--certs", fpki / "dod-2019.pem", "--anchor", fpki / "fcpca.pem")
    assert done.status == 1
    assert "No cross-certificate of DoD Root CA 3 (same name and key) is among the certificates given." in done.text
    other = pk.lab.Authority.create("DoD Root CA 3")
    named = other.certificate.subject
    assert named.label == "DoD Root CA 3"


def test_a_look_alike(call, files, replica):
    """A certificate with its name and another key is named as such."""
    target = pk.lab.Authority.create("X")
    alike = pk.lab.Authority.create("X")
    folder = files.certificate.parent
    paths = {name: folder.parent / f"{name}.pem" for name in ("target", "alike")}
    paths["target"].write_text(target.certificate.to_pem(), "utf-8")
    paths["alike"].write_text(alike.certificate.to_pem(), "utf-8")
    done = call("paths", paths["target"], "--certs", paths["alike"], "--anchor", files.trust_anchor)
    assert done.status == 1
    assert "Not cross-certificates of it: the same name, but another key than X:" in done.text
    assert replica.trust_anchor.label not in done.text.partition("Not cross-certificates")[2]
