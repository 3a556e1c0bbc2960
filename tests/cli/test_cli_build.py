"""``pkcs12kit build``: what it writes, what it says, and that it writes nothing but after a yes."""

from __future__ import annotations

import stat
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from pkcs12kit import decode_pfx, inspect_pfx, lab
from pkcs12kit.builder import build as builder
from pkcs12kit.paths.confirmation import Confirmation, Opinion

from .conftest import OLD, PASSWORD

CERTIFICATE_FIELDS = {"subject", "issuer", "serial", "sha256", "not_before", "not_after"}

# Sources, target, anchor, time; the names of ../shared/data/fpki/README.md from the target up.
REFERENCE = {
    "2018": (
        ["fpki-historic.pem", "dod-2019.pem"],
        "dod-id-sw-ca-37.pem",
        "fcpca.pem",
        "2018-06-01T00:00:00Z",
        [
            "DOD ID SW CA-37",
            "DoD Root CA 3",
            "DoD Interoperability Root CA 2",
            "Federal Bridge CA 2016",
            "Federal Common Policy CA",
        ],
    ),
    "2024": (
        ["fpki-2024-10.p7b"],
        "dod-sw-ca-67.pem",
        "fcpcag2.pem",
        "2024-10-15T00:00:00Z",
        [
            "DOD SW CA-67",
            "DoD Root CA 3",
            "DoD Interoperability Root CA 2",
            "Federal Bridge CA G4",
            "Federal Common Policy CA G2",
        ],
    ),
}


def decoded(path, password=PASSWORD):
    """Open a file that was written."""
    return decode_pfx(path.read_bytes(), password=password)


class TestMainJob:
    """Key, certificate, heap and anchor give one file."""

    def test_file_holds_key_and_path_in_order(self, build, folder, replica):
        """End-entity, issuers, anchor last; the best of the four paths; only its owner may read it."""
        outcome = build()
        assert outcome.status == 0
        file = decoded(folder / "server.p12")
        best = replica.valid_paths[0]
        assert file.certificates == (*best.certificates, replica.trust_anchor)
        assert file.private_key.public_key() == replica.server.certificate.public_key
        assert stat.S_IMODE((folder / "server.p12").stat().st_mode) == 0o600
        assert [path.name for path in folder.iterdir()] == ["server.p12"]

    def test_report_is_for_people(self, build, replica):
        """The path from the server up, which link expires first, the second opinion, and what was written."""
        outcome = build()
        assert outcome.errors == ""
        lines = outcome.text.splitlines()
        names = [certificate.subject.common_name for certificate in replica.valid_paths[0].with_anchor]
        drawn = lines[1 : 1 + len(names)]
        assert all(name in line for name, line in zip(names, drawn, strict=True))
        assert drawn[-1].endswith("trust anchor")
        assert [line for line in drawn if line.endswith("expires first")] == [drawn[2]]
        assert "Second opinion, by pyhanko-certvalidator: valid" in lines
        assert "Wrote server.p12: the private key and 6 certificates, profile modern-2023," in lines[-1]

    def test_json(self, build, replica):
        """One object: what was written, each certificate with its six fields, expiry, policies, second opinion."""
        report = build("--json").json
        best = replica.valid_paths[0]
        assert [entry["sha256"] for entry in report["certificates"]] == [
            certificate.sha256 for certificate in best.with_anchor
        ]
        assert all(set(entry) == CERTIFICATE_FIELDS for entry in report["certificates"])
        assert report["certificates"][0]["serial"] == str(replica.server.certificate.serial_number)
        assert report["output"] == "server.p12"
        assert report["private_key"] is True
        assert report["profile"] == "modern-2023"
        assert report["expires"] == f"{best.expires:%Y-%m-%dT%H:%M:%SZ}"
        assert report["policies"] == [lab.COMMON_DEVICES]
        assert report["second_opinion"] == {"opinion": "valid", "by": "pyhanko-certvalidator", "detail": None}
        assert report["rejects"] == report["warnings"] == []

    def test_to_standard_output(self, build, folder, replica):
        """``--out -``: standard output has the file and nothing else, the report is on standard error."""
        outcome = build(out="-")
        assert outcome.status == 0
        assert decode_pfx(outcome.output, password=PASSWORD).certificates[0] == replica.server.certificate
        assert "Wrote to standard output: the private key and 6 certificates" in outcome.errors
        assert list(folder.iterdir()) == []

    def test_replaces_an_existing_file_when_complete(self, build, folder):
        """The old file is gone only when the new one is whole; no other file is left."""
        (folder / "server.p12").write_bytes(OLD)
        assert build(cert="nowhere.pem").status == 2
        assert (folder / "server.p12").read_bytes() == OLD
        assert build().status == 0
        assert decoded(folder / "server.p12").private_key is not None
        assert [path.name for path in folder.iterdir()] == ["server.p12"]

    def test_from_an_existing_pkcs12(self, build, folder, files, password_file, replica):
        """``--pkcs12``: identity, and what stands beside it, out of an older file; the anchor may be left out of it."""
        assert build("--no-anchor").status == 0
        (folder / "server.p12").rename(folder / "old.p12")
        outcome = build(
            key=None, cert=None, certs=None, pkcs12="old.p12", pkcs12_password_file=password_file, out="new.p12"
        )
        assert outcome.status == 0, outcome.errors
        assert decoded(folder / "new.p12").certificates == replica.valid_paths[0].with_anchor
        without = build(key=None, cert=None, certs=files.certificates, pkcs12="old.p12", out="new2.p12")
        assert without.status == 2
        assert "--pkcs12 old.p12: " in without.errors

    def test_chain_in_the_certificates_own_file(self, build, folder, replica):
        """What stands beside the server's certificate is a candidate too, and ``--certs`` may be left out."""
        chain = "".join(certificate.to_pem() for certificate in replica.valid_paths[2].certificates)
        (folder / "chain.pem").write_text(chain)
        assert build("--json", cert="chain.pem", certs=None).status == 0
        assert decoded(folder / "server.p12").certificates == replica.valid_paths[2].with_anchor

    def test_key_and_certificate_on_standard_input(self, build, files, folder):
        """One PEM text with both, piped in: ``--key - --cert -``."""
        both = files.key.read_bytes() + files.certificate.read_bytes()
        assert build(key="-", cert="-", stdin=both).status == 0
        assert decoded(folder / "server.p12").private_key is not None


class TestOptions:
    """Each option does what its help says."""

    def test_no_anchor(self, build, folder, replica):
        """The file ends with the certificate that the anchor issued."""
        assert build("--no-anchor").status == 0
        assert decoded(folder / "server.p12").certificates == replica.valid_paths[0].certificates

    def test_friendly_name(self, build, folder):
        """It is the name of the key and its certificate; the CAs keep their common names."""
        assert build(friendly_name="MDM, productive").status == 0
        report = inspect_pfx(folder / "server.p12", password=PASSWORD)
        names = {bag.friendly_name for safe in report.safe_contents for bag in safe.bags if bag.local_key_id}
        assert names == {"MDM, productive"}
        assert decoded(folder / "server.p12").friendly_name == "MDM, productive"

    def test_friendly_name_that_the_file_cannot_hold(self, build):
        """A BMPString has no emoji (RFC 2985 section 5.5.1): said, and nothing written."""
        outcome = build(friendly_name="\N{GRINNING FACE}")
        assert outcome.status == 2
        assert "friendly name" in outcome.errors

    def test_legacy_profile(self, build, folder):
        """Triple DES, SHA-1 and 2,048 iterations, and the report says so."""
        outcome = build("--json", profile="legacy")
        assert outcome.json["profile"] == "legacy-3des"
        report = inspect_pfx(folder / "server.p12")
        assert (report.mac.digest, report.mac.iterations) == ("SHA-1", 2048)
        assert report.safe_contents[0].encryption.algorithm == "pbeWithSHAAnd3-KeyTripleDES-CBC"

    def test_server_name(self, build):
        """Another name than the certificate's is a no (RFC 9525), naming both."""
        assert build(server_name="mdm.example.mil").status == 0
        outcome = build(server_name="www.example.mil", out="other.p12")
        assert outcome.status == 1
        assert "it is for mdm.example.mil, not for www.example.mil" in outcome.errors
        assert "hint: give a name that the certificate is for with --server-name" in outcome.errors

    def test_policy(self, build):
        """A policy in the anchor's domain is accepted; one of another domain is a no, and the hint says which."""
        assert build(policy=lab.COMMON_DEVICES).status == 0
        outcome = build(policy=lab.DOD_MEDIUM_NPE, out="other.p12")
        assert outcome.status == 1
        assert "hint: ask for a policy that the path has: id-fpki-common-devices" in outcome.errors

    def test_crls(self, build, files):
        """With CRLs for the whole path ``--revocation require`` is fulfilled; with those of one CA it is not."""
        assert build(crl=files.crls, revocation="require").status == 0
        one = next(path for path in sorted(files.crls.iterdir()) if "37" in path.name)
        outcome = build(crl=one, revocation="require", out="other.p12")
        assert outcome.status == 1
        assert "hint: or add --fetch" in outcome.errors.partition("with --crl or --ocsp")[2]
        assert outcome.errors.splitlines()[-1].startswith("hint: or accept the unknown status with --revocation soft")
        soft = build("--json", crl=one)
        assert soft.status == 0
        assert len(soft.json["warnings"]) == soft.errors.count("warning: ") == 4

    def test_revoked(self, build, replica, folder):
        """A certificate on a CRL is a no that names the certificate and the date."""
        issuer = replica.authorities["issuing-37"]
        entry = lab.CrlEntry(
            serial_number=replica.server.certificate.serial_number, date=replica.at - timedelta(hours=1)
        )
        (folder / "revoked.crl").write_bytes(issuer.make_crl(revoked=[entry]))
        outcome = build(crl="revoked.crl", at=f"{replica.at:%Y-%m-%dT%H:%M:%SZ}")
        assert outcome.status == 1
        assert "mdm.example.mil" in outcome.errors
        assert f"{replica.at - timedelta(hours=1):%Y-%m-%dT%H}" in outcome.errors

    @pytest.mark.parametrize("status", ["GOOD", "REVOKED"])
    def test_ocsp_responses(self, build, replica, files, folder, status):
        """``--ocsp`` takes a file or a folder; what a response says of the server counts."""
        issuer, revoked = replica.authorities["issuing-37"], status == "REVOKED"
        times = (replica.at, replica.at + timedelta(days=1), replica.at if revoked else None, None)
        certificates = (replica.server.certificate.as_cryptography, replica.issuing_ca.as_cryptography)
        response = (
            ocsp.OCSPResponseBuilder()
            .add_response(*certificates, hashes.SHA256(), ocsp.OCSPCertStatus[status], *times)
            .responder_id(ocsp.OCSPResponderEncoding.HASH, replica.issuing_ca.as_cryptography)
            .sign(issuer.private_key, hashes.SHA256())
        )
        (folder / "ocsp").mkdir()
        (folder / "ocsp" / "server.ors").write_bytes(response.public_bytes(Encoding.DER))
        (folder / "crls").mkdir()
        for path in files.crls.iterdir():
            if "37" not in path.name:
                (folder / "crls" / path.name).write_bytes(path.read_bytes())
        at = f"{replica.at + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
        for given in ("ocsp", "ocsp/server.ors"):
            outcome = build(ocsp=given, crl="crls", revocation="require", at=at)
            assert outcome.status == (1 if revoked else 0), outcome.errors
        assert ("(by OCSP)" in outcome.errors) == revoked


class TestSecondOpinion:
    """Both validators say yes before a key is written; 'cannot judge' is neither yes nor no."""

    @pytest.fixture
    def opinion(self, monkeypatch):
        """Let the second implementation say something else than it does."""

        def say(opinion, detail):
            monkeypatch.setattr(builder, "confirm", lambda *_: Confirmation(opinion=opinion, detail=detail))

        return say

    def test_no_stops_the_build_with_both_reasons(self, build, opinion):
        """Nothing is written, exit status 1, and the sentence has what each of the two said."""
        opinion(Opinion.INVALID, "the \x1b[31mpath\x1b[0m\nis bad")
        outcome = build()
        assert outcome.status == 1
        assert "pkcs12kit says valid, pyhanko-certvalidator says: the" in outcome.errors
        assert "nothing was written" in outcome.errors
        assert "\x1b" not in outcome.errors
        assert outcome.errors.count("\n") == 1
        assert outcome.output == b""

    def test_no_as_json(self, build, opinion):
        """One object with the sentence and the opinion."""
        opinion(Opinion.INVALID, "it is bad")
        outcome = build("--json")
        assert outcome.status == 1
        assert outcome.json["rejected"] == []
        assert outcome.json["second_opinion"]["opinion"] == "invalid"
        assert "it is bad" in outcome.json["error"]

    def test_cannot_judge_goes_on_with_a_warning(self, build, opinion, folder):
        """The file is written; standard error and the JSON say that nobody confirmed it."""
        opinion(Opinion.CANNOT_JUDGE, "iPAddress name constraints")
        outcome = build("--json")
        assert outcome.status == 0
        assert "warning: no second opinion: " in outcome.errors
        assert "iPAddress name constraints" in outcome.errors
        assert outcome.json["second_opinion"]["opinion"] == "cannot-judge"
        assert len(outcome.json["warnings"]) == 1
        assert (folder / "server.p12").exists()
        assert "Second opinion: pyhanko-certvalidator cannot judge this path" in build().text

    def test_not_asked_is_recorded(self, build, monkeypatch):
        """``--no-second-opinion``: nobody is asked, and the report says so, in text and in JSON."""
        monkeypatch.setattr(builder, "confirm", lambda *_: pytest.fail("it was asked"))
        outcome = build("--no-second-opinion")
        assert outcome.status == 0
        assert "Second opinion: pyhanko-certvalidator was not asked" in outcome.text
        assert build("--no-second-opinion", "--json").json["second_opinion"]["opinion"] == "not-asked"


class TestNoPath:
    """Without a valid path nothing is written, and the way to mend it is shown."""

    def test_what_was_tried_is_on_standard_error(self, build, files):
        """The same tree as ``paths`` shows, then one sentence and what to do next; nothing on standard output."""
        outcome = build(certs=files.issuing_ca)
        assert outcome.status == 1
        assert outcome.output == b""
        tree, error, *hints = outcome.errors.partition("error: ")[0], *outcome.errors.splitlines()[-3:]
        assert tree.startswith("The closest attempt:\n")
        assert "mdm.example.mil <- DOD ID SW CA-37" in tree
        assert "CN=DoD Root CA 3,OU=PKI,OU=DoD,O=Replica,C=US (key identifier " in tree
        assert "it can be fetched from http://" in tree
        assert error == "error: no valid path from mdm.example.mil to a trust anchor; nothing was written"
        assert hints == [
            "hint: give the missing certificate with --certs",
            hints[1],
        ]
        assert hints[1].startswith("hint: or add --fetch, which fetches what is missing: pkcs12kit build --key ")
        assert hints[1].endswith(" --fetch")

    def test_as_json(self, build, files):
        """One object on standard output: a sentence, and what was rejected as ``paths --json`` has it."""
        outcome = build("--json", certs=files.issuing_ca)
        assert outcome.status == 1
        assert set(outcome.json) == {"error", "rejected", "successions", "hints", "warnings"}
        first = outcome.json["rejected"][0]
        assert set(first) >= {"certificates", "certificate", "reason", "section", "detail"}
        assert (first["reason"], first["section"]) == ("issuer-not-found", "RFC 4158 section 3")
        assert outcome.errors.startswith("error: no valid path from CN=mdm.example.mil")
        assert outcome.errors.count("\n") == 1 + len(outcome.json["hints"])

    def test_rejects_are_told_even_then(self, build, files, folder):
        """What could not be read may be what is missing."""
        (folder / "cas").mkdir()
        (folder / "cas" / "issuing.pem").write_bytes(files.issuing_ca.read_bytes())
        (folder / "cas" / "root.pem").write_text("-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n")
        outcome = build(certs="cas")
        assert outcome.status == 1
        assert outcome.errors.startswith("warning: cas/root.pem: certificate 1: ")


class TestMismatch:
    """A key that does not belong to the certificate is refused before anything else happens."""

    def test_both_fingerprints_and_nothing_else_read(self, build, files, replica, folder, monkeypatch):
        """Whatever else is wrong: sources, anchor, CRLs, output, terminal. Both SPKI fingerprints are in it."""
        import hashlib

        other = lab.Authority.create("Other").issue_server("other.example")
        (folder / "other.pem").write_text(other.certificate.to_pem())
        monkeypatch.setattr(builder, "as_certificates", lambda *_, **__: pytest.fail("sources were read"))
        monkeypatch.setattr(builder, "as_trust_anchors", lambda *_, **__: pytest.fail("anchors were read"))
        outcome = build(cert="other.pem", crl="missing.crl", password_file="missing.txt", out="missing/server.p12")
        assert outcome.status == 2
        for certificate in (other.certificate, replica.server.certificate):
            assert hashlib.sha256(certificate.subject_public_key_info).hexdigest() in outcome.errors
        assert outcome.errors.startswith(f"error: {files.key} and other.pem: ")
        assert outcome.errors.count("\n") == 2  # with a hint


class TestCertificatesOnly:
    """``--certs-only``: the CA path without a key."""

    @pytest.mark.parametrize("year", REFERENCE)
    def test_reference_paths_read_back_by_openssl(self, call, fpki, year, folder, password_file, list_certificates):
        """Both real paths are built, in order, and OpenSSL opens the file with the password and finds no key."""
        pools, target, anchor, at, names = REFERENCE[year]
        sources = [part for pool in pools for part in ("--certs", fpki / pool)]
        outcome = call(
            *("build", "--certs-only", "--cert", fpki / target, *sources, "--anchor", fpki / anchor, "--at", at),
            *("--out", "ca.p12", "--password-file", password_file),
        )
        assert outcome.status == 0, outcome.errors
        assert "Wrote ca.p12: 5 certificates" in outcome.text
        assert "key" not in outcome.text.splitlines()[-1]
        assert list_certificates("openssl", folder / "ca.p12", password_file) == names
        assert decoded(folder / "ca.p12").private_key is None

    def test_of_the_lab(self, build, files, replica, folder):
        """The issuing CA's path, as JSON: no private key in the file."""
        outcome = build("--certs-only", "--json", key=None, cert=files.issuing_ca)
        assert outcome.json["private_key"] is False
        assert decoded(folder / "server.p12").certificates == replica.valid_paths[0].with_anchor[1:]

    def test_of_the_anchor_itself(self, build, files, folder):
        """An anchor's own certificate, for a truststore: told once, as what it is, and once in the file."""
        outcome = build("--certs-only", "--truststore", key=None, cert=files.trust_anchor, certs=None)
        assert outcome.status == 0, outcome.errors
        _, line, _, wrote = outcome.text.splitlines()
        assert line.endswith("  expires first  trust anchor")
        assert wrote.startswith("Wrote server.p12: 1 certificate, ")
        assert len(decoded(folder / "server.p12").certificates) == 1

    def test_of_an_anchor_that_expired(self, build, files):
        """No CA certificates are missing, so none are asked for."""
        outcome = build("--certs-only", "--at", "2060-01-01", key=None, cert=files.trust_anchor, certs=None)
        assert outcome.status == 1
        assert ": expired on " in outcome.errors
        renew, *_, shown = (line for line in outcome.errors.splitlines() if line.startswith("hint: "))
        assert "--certs" not in renew
        assert renew.startswith("hint: renew the certificate")
        assert shown.endswith(f": pkcs12kit show {files.trust_anchor} --sort expires")


class TestUsage:
    """What cannot be meant is refused before anything is read: exit status 2."""

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"key": None}, "--key is missing: give --key and --cert, or only --pkcs12, or --certs-only and --cert"),
            ({"cert": None}, "--cert is missing: give --key and --cert"),
            ({"pkcs12": "old.p12"}, "or only --pkcs12"),
            ({"anchor": None}, "missing option '--anchor'"),
            ({"out": None}, "missing option '--out'"),
            ({"at": "yesterday"}, "'yesterday' is not a time; write it like 2018-06-01T00:00:00Z"),
            ({"at": "0001-01-01T00:00:00+23:00"}, "before the year 1"),
            ({"policy": "federal"}, "'federal' is not an object identifier"),
            ({"profile": "newest"}, "'newest' is not one of"),
            ({"revocation": "maybe"}, "'maybe' is not one of"),
            ({"password_env": "P12"}, "give only one of --password-file, --password-env and --password-stdin"),
            ({"certs": "-", "anchor": "-"}, "standard input can be read only once, not for --certs and --anchor"),
        ],
    )
    def test_refused(self, build, changes, sentence):
        """The sentence says what to give instead."""
        outcome = build(**changes)
        assert outcome.status == 2
        assert sentence in " ".join(outcome.errors.split())
        assert outcome.output == b""

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            (["--json", "--out", "-"], "--json and --out - both write to standard output"),
            (["--certs-only"], "--certs-only needs --cert, and allows neither --key nor --pkcs12"),
            (["--password", "secret"], "no such option"),
            (["unexpected"], "unexpected extra argument"),
        ],
    )
    def test_refused_flags(self, build, options, sentence):
        """A password is never an argument, there is no such option."""
        outcome = build(*options)
        assert outcome.status == 2
        assert sentence in outcome.errors

    def test_output_that_cannot_be_written(self, build, folder):
        """No folder, a folder, a symbolic link: one sentence, exit status 2."""
        (folder / "link").symlink_to("elsewhere")
        for output in ("missing/server.p12", str(folder), "link", "a/../.."):
            outcome = build(out=output)
            assert outcome.status == 2
            error, *hints = outcome.errors.splitlines()
            assert error.startswith(f"error: cannot write {output}: ")
            assert all(line.startswith("hint: ") for line in hints)
