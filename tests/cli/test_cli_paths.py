"""``pkcs12kit paths``: the paths that exist on the real data, in order, and why there are none."""

from __future__ import annotations

import io
import random
import zipfile
from itertools import pairwise
from types import SimpleNamespace

import pytest

from pkcs12kit import FailureReason, lab
from pkcs12kit.cli.output.no_path import hints_for_no_path
from pkcs12kit.paths.failure import Failure
from pkcs12kit.paths.report import RejectedPath

from .conftest import AT_TIME

CERTIFICATE_FIELDS = {"subject", "issuer", "serial", "sha256", "not_before", "not_after"}
REJECTED_FIELDS = {"certificates", "certificate", "reason", "section", "detail"} | {
    "failures",
    "walks",
    "would_be_valid",
    "clock_looks_wrong",
    "trust_anchor",
    "lists_all_failures",
}

# The table of ../shared/data/fpki/README.md: serial numbers' last five digits, from the target up; earliest expiry.
PATHS_OF_2018 = [
    (["18", "748", "47633", "16194"], "304", "2019-02-17"),
    (["18", "655", "47633", "16194"], "304", "2018-09-23"),
    (["18", "748", "9644", "11424"], "304", "2018-06-24"),
    (["18", "655", "9644", "11424"], "304", "2018-06-24"),
]
AT_2018 = ("--at", "2018-06-01T00:00:00Z")
AT_2024 = ("--at", "2024-10-15T00:00:00Z")


def short(certificate):
    """Name a certificate as the table does."""
    return certificate["serial"] if len(certificate["serial"]) < 6 else certificate["serial"][-5:]


@pytest.fixture
def paths_of_2018(call, fpki):
    """Call ``paths`` on the reference job of 2018, with these sources."""

    def call_paths(*more, sources=("fpki-historic.pem", "dod-2019.pem"), stdin=b""):
        options = [part for source in sources for part in ("--certs", fpki / source)]
        target, anchor = fpki / "dod-id-sw-ca-37.pem", fpki / "fcpca.pem"
        return call("paths", target, *options, "--anchor", anchor, *more, stdin=stdin)

    return call_paths


class TestReferencePaths:
    """The real Federal PKI."""

    @pytest.mark.parametrize("sources", [("fpki-historic.pem", "dod-2019.pem"), ("dod-2019.pem", "fpki-historic.pem")])
    def test_four_of_2018_in_the_tables_order(self, paths_of_2018, sources):
        """Whatever the order of ``--certs``: the four, the one that lasts longest first."""
        outcome = paths_of_2018("--all", "--json", *AT_2018, sources=sources)
        assert outcome.status == 0
        found = outcome.json["paths"]
        assert [
            ([short(entry) for entry in path["certificates"]], short(path["trust_anchor"]), path["expires"][:10])
            for path in found
        ] == PATHS_OF_2018

    def test_shuffled_certificate_by_certificate(self, call, fpki, folder):
        """The same from one heap in five random orders."""
        blocks = (fpki / "fpki-historic.pem").read_text().split("-----END CERTIFICATE-----\n")
        blocks += (fpki / "dod-2019.pem").read_text().split("-----END CERTIFICATE-----\n")
        blocks = [block for block in blocks if "-----BEGIN" in block]
        answers = []
        for seed in range(5):
            random.Random(seed).shuffle(blocks)  # noqa: S311 - the same orders in every run
            (folder / "heap.pem").write_text("-----END CERTIFICATE-----\n".join([*blocks, ""]))
            target, anchor = fpki / "dod-id-sw-ca-37.pem", fpki / "fcpca.pem"
            given = ("--certs", "heap.pem", "--anchor", anchor)
            answers.append(call("paths", target, *given, *AT_2018, "--all", "--json").json)
        assert all(answer["paths"] == answers[0]["paths"] for answer in answers)
        assert [path["expires"][:10] for path in answers[0]["paths"]] == [expires for *_, expires in PATHS_OF_2018]

    def test_json_has_the_contracts_shape(self, paths_of_2018):
        """Target, paths, rejected, and in each exactly the fields of the contract, certificates target first."""
        answer = paths_of_2018("--all", "--json", *AT_2018).json
        assert set(answer) >= {"target", "paths", "rejected"}
        assert set(answer["target"]) == CERTIFICATE_FIELDS
        for path in answer["paths"]:
            assert set(path) == {
                "certificates",
                "trust_anchor",
                "expires",
                "policies",
                "policy_names",
                "revocation",
                "before_next",
            }
            assert path["certificates"][0] == answer["target"]
            assert "2.16.840.1.101.3.2.1.3.8" in path["policies"]
            for certificate in (*path["certificates"], path["trust_anchor"]):
                assert set(certificate) == CERTIFICATE_FIELDS
                assert certificate["serial"].isdecimal()
                assert len(bytes.fromhex(certificate["sha256"])) == 32
        for rejected in answer["rejected"]:
            assert set(rejected) == REJECTED_FIELDS
            assert set(rejected["certificate"]) == CERTIFICATE_FIELDS
            assert all(set(certificate) == CERTIFICATE_FIELDS for certificate in rejected["certificates"])
            assert rejected["section"].startswith("RFC ")
        assert "expired" in {rejected["reason"] for rejected in answer["rejected"]}

    def test_without_all_the_best_alone(self, paths_of_2018):
        """One path, the first of the table; nothing of what was rejected."""
        answer = paths_of_2018("--json", *AT_2018).json
        assert [path["expires"][:10] for path in answer["paths"]] == ["2019-02-17"]
        outcome = paths_of_2018(*AT_2018)
        assert outcome.text.startswith("Path, valid until 2019-02-17T14:32:11Z\n")
        assert "not followed" not in outcome.text

    def test_certificates_on_standard_input(self, paths_of_2018, fpki):
        """``--certs -`` reads them from a pipe."""
        heap = (fpki / "fpki-historic.pem").read_bytes()
        outcome = paths_of_2018("--certs", "-", "--json", "--all", *AT_2018, sources=["dod-2019.pem"], stdin=heap)
        assert len(outcome.json["paths"]) == 4

    def test_certificates_in_a_zip_and_a_folder(self, call, fpki, folder):
        """DISA publishes zips; users have folders."""
        with zipfile.ZipFile(folder / "dod.zip", "w") as archive:
            archive.write(fpki / "dod-2019.pem", "Certificates/dod.p7b")
        (folder / "cas" / "bridge").mkdir(parents=True)
        (folder / "cas" / "bridge" / "x.txt").write_bytes((fpki / "fpki-historic.pem").read_bytes())
        target, anchor = fpki / "dod-id-sw-ca-37.pem", fpki / "fcpca.pem"
        given = ("--certs", "dod.zip", "--certs", "cas", "--anchor", anchor)
        assert len(call("paths", target, *given, *AT_2018, "--all", "--json").json["paths"]) == 4

    @pytest.mark.parametrize("number", [60, 66, 67, 74, 75])
    def test_exactly_one_of_2024(self, call, fpki, folder, number):
        """From each of the five issuing CAs, through DoD Root CA 3 or 6."""
        from pkcs12kit import load_certificates

        bundle = load_certificates(fpki / "fpki-2024-10.p7b")
        (target,) = (found for found in bundle if found.subject.common_name == f"DOD SW CA-{number}")
        (folder / "ca.cer").write_bytes(target.der)
        given = ("--certs", fpki / "fpki-2024-10.p7b", "--anchor", fpki / "fcpcag2.pem")
        answer = call("paths", "ca.cer", *given, *AT_2024, "--all", "--json").json
        (path,) = answer["paths"]
        names = [certificate["subject"].split(",")[0] for certificate in path["certificates"]]
        root = "CN=DoD Root CA 6" if number == 74 else "CN=DoD Root CA 3"
        expected = [f"CN=DOD SW CA-{number}", root, "CN=DoD Interoperability Root CA 2", "CN=Federal Bridge CA G4"]
        assert names == expected
        assert path["trust_anchor"]["subject"].startswith("CN=Federal Common Policy CA G2")


class TestRefusal:
    """No path is exit status 1, and the reason."""

    def test_today_names_the_expired_links(self, call, fpki):
        """Of the path that comes closest: which links expired and when, on standard output, then what to do next."""
        given = ("--certs", fpki / "fpki-2024-10.p7b", "--anchor", fpki / "fcpcag2.pem")
        at = ("--at", "2026-11-22")
        outcome = call("paths", fpki / "dod-sw-ca-67.pem", *given, *at)
        assert outcome.status == 1
        lines = outcome.text.splitlines()
        assert lines[0] == "No valid path from DOD SW CA-67 to a trust anchor."
        assert lines[2].endswith(
            "DOD SW CA-67 <- DoD Root CA 3 <- DoD Interoperability Root CA 2 <- Federal Bridge CA G4"
        )
        assert "DoD Root CA 3  #2171: expired on 2024-11-16T14:57:16Z" in lines[3]
        assert "DoD Interoperability Root CA 2  #13489...13579: expired on 2026-02-07T18:00:00Z" in lines[4]
        assert outcome.errors.startswith(f"hint: give renewed certificates with --certs; {AT_TIME}\nhint: fetch ")
        first = call("paths", fpki / "dod-sw-ca-67.pem", *given, *at, "--json").json["rejected"][0]
        assert first["reason"] == "expired"
        assert first["certificate"]["serial"] == "2171"
        assert "2024-11-16T14:57:16Z" in first["detail"]
        assert "2026-02-07T18:00:00Z" in first["detail"]

    def test_a_target_that_has_expired_itself(self, call, fpki):
        """No certificate of a CA mends that: it is to be renewed first."""
        given = ("--certs", fpki / "fpki-historic.pem", "--anchor", fpki / "fcpca.pem", "--at", "2026-11-22")
        outcome = call("paths", fpki / "dod-id-sw-ca-37.pem", *given)
        assert outcome.errors.startswith(
            f"hint: renew the certificate: ask its CA for a new one; {AT_TIME}\nhint: with the renewed certificate, "
        )

    def test_the_time_is_now_by_default(self, call, fpki):
        """What expired in 2024 and 2026 is no path now, and will be none."""
        given = ("--certs", fpki / "fpki-2024-10.p7b", "--anchor", fpki / "fcpcag2.pem")
        outcome = call("paths", fpki / "dod-sw-ca-67.pem", *given)
        assert outcome.status == 1
        assert "expired on 2024-11-16T14:57:16Z" in outcome.text

    def test_each_finding_is_told_once(self, paths_of_2018):
        """Five near misses over the same expired certificates do not repeat them."""
        outcome = paths_of_2018("--at", "2021-06-01")
        assert outcome.status == 1
        lines = [line.strip("│├└─ ") for line in outcome.text.splitlines()]
        findings = [line for line in lines if "expired on" in line]
        assert len(findings) > 4
        assert len(findings) == len(set(findings))
        after_attempts = [after for line, after in pairwise(lines) if " <- " in line]
        assert not any(line.startswith("and what is said above") for line in after_attempts)
        assert "more; --json has them all" in outcome.text

    def test_a_target_at_fault_is_told_alone(self, paths_of_2018):
        """Where the target itself has expired no other path would help: the closest says it, the others are counted."""
        outcome = paths_of_2018("--at", "2026-11-22")
        assert outcome.status == 1
        assert sum(" <- " in line for line in outcome.text.splitlines()) == 1
        assert "DOD ID SW CA-37  #18: expired on 2021-09-23T15:23:05Z" in outcome.text
        assert "not followed" not in outcome.text
        assert "more; --json has them all" in outcome.text

    def test_without_sources_says_what_to_give(self, call, files):
        """No ``--certs``: the missing issuer, its key identifier and URL, and that ``--certs`` takes what one has."""
        outcome = call("paths", files.certificate, "--anchor", files.trust_anchor)
        assert outcome.status == 1
        assert "mdm.example.mil  #1001: its issuer CN=DOD ID SW CA-37" in outcome.text
        assert "(key identifier " in outcome.text
        assert "it can be fetched from http://" in outcome.text
        assert outcome.errors == (
            "hint: no --certs given: give the CA certificates that you have, as files, folders or zips\n"
            f"hint: or fetch what is missing: pkcs12kit gather {files.certificate} --anchor {files.trust_anchor}"
            " --into gathered\n"
        )

    def test_json_and_exit_status_agree(self, call, files):
        """The object is the same as for a yes, without paths, and with the error and the hints."""
        outcome = call("paths", files.certificate, "--anchor", files.trust_anchor, "--json")
        assert (outcome.status, outcome.json["paths"]) == (1, [])
        error, *hints = outcome.errors.splitlines()
        assert error == f"error: {outcome.json['error']}"
        assert [line.removeprefix("hint: ").partition(": ")[0] for line in hints] == [
            hint["text"].partition(": ")[0] for hint in outcome.json["hints"]
        ]
        assert outcome.json["rejected"][0]["reason"] == "issuer-not-found"


class TestRejects:
    """What cannot be read in a source is one line of warning, and never loses the rest."""

    def test_one_line_each(self, call, files, replica, folder):
        """Source, position and reason; the other certificates make the path."""
        blocks = [certificate.to_pem() for certificate in replica.valid_paths[0].certificates]
        broken = "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n"
        (folder / "heap.pem").write_text(broken.join([*blocks, ""]))
        outcome = call("paths", files.certificate, "--certs", "heap.pem", "--anchor", files.trust_anchor)
        assert outcome.status == 0
        lines = outcome.errors.splitlines()
        assert len(lines) == len(blocks)
        assert lines[0].startswith("warning: heap.pem: certificate 2: ")
        assert outcome.text.startswith("Path, valid until")

    def test_disas_bundle_loads_whole(self, call, fpki):
        """pyca/cryptography refuses it for a NULL parameter; here not one of its 49 certificates is rejected."""
        bundle = fpki / "Certificates_PKCS7_v5_14_DoD.pem.p7b"
        outcome = call("paths", fpki / "dod-sw-ca-67.pem", "--certs", bundle, "--anchor", fpki / "fcpca.pem")
        assert outcome.status == 1
        assert "warning" not in outcome.errors

    def test_in_a_zip(self, call, files, folder):
        """The member is named after the archive."""
        with zipfile.ZipFile(folder / "cas.zip", "w") as archive:
            archive.writestr("good/bundle.pem", files.bundle.read_bytes())
            archive.writestr("bad/noise.cer", bytes(range(256)))
        outcome = call("paths", files.certificate, "--certs", "cas.zip", "--anchor", files.trust_anchor)
        assert outcome.status == 0
        assert outcome.errors.startswith("warning: cas.zip!bad/noise.cer: certificate 1: ")
        assert outcome.errors.count("\n") == 1


class TestLab:
    """The replica has the same paths as the real thing."""

    def test_paths_in_rank(self, call, files, replica):
        """Four of them, the one that lasts longest first, each drawn with its number; the last two expire together."""
        given = ("--certs", files.certificates, "--anchor", files.trust_anchor)
        answer = call("paths", files.certificate, *given, "--all", "--json").json
        found = [[entry["sha256"] for entry in path["certificates"]] for path in answer["paths"]]
        expected = [[certificate.sha256 for certificate in path.certificates] for path in replica.valid_paths]
        assert found[:2] == expected[:2]
        assert sorted(found[2:]) == sorted(expected[2:])
        text = call("paths", files.certificate, *given, "--all").text
        assert [f"Path {number}, valid until" in text for number in range(1, 6)] == [True] * 4 + [False]
        assert "What was refused:" in text

    def test_anchor_as_target(self, call, files):
        """A path of the anchor alone is a path."""
        assert call("paths", files.trust_anchor, "--anchor", files.trust_anchor).status == 0

    def test_target_on_standard_input(self, call, files):
        """``-`` stands for it there too."""
        given = ("--certs", files.certificates, "--anchor", files.trust_anchor)
        assert call("paths", "-", *given, stdin=files.certificate.read_bytes()).status == 0
        assert call("paths", "-", *given[2:], "--certs", "-").status == 2

    def test_a_policy_that_is_asked_for_is_required(self, call, folder):
        """EE<A<TA, with no policy anywhere: --policy is not met by silence (RFC 5280 section 6.1.1 (f))."""
        topology = lab.Topology.from_edges("EE<A<TA<TA")
        for name, certificate in (("ee", topology.servers["EE"].certificate), ("ta", topology.certificate("TA", "TA"))):
            (folder / f"{name}.pem").write_text(certificate.to_pem())
        (folder / "a.pem").write_text(topology.certificate("A", "TA").to_pem())
        search = ("paths", "ee.pem", "--certs", "a.pem", "--anchor", "ta.pem")
        assert call(*search).status == 0
        refused = call(*search, "--policy", "2.16.840.1.101.3.2.1.3.8", "--json")
        assert refused.status == 1
        assert refused.json["rejected"][0]["reason"] == "explicit-policy"

    def test_an_unknown_revocation_status_is_a_warning(self, call, files):
        """``--crl`` checks; what the CRLs given say nothing of is not passed over in silence, with JSON neither."""
        one = next(path for path in sorted(files.crls.iterdir()) if "37" in path.name)
        given = ("--certs", files.certificates, "--anchor", files.trust_anchor)
        for more in ((), ("--all",), ("--json",)):
            outcome = call("paths", files.certificate, *given, "--crl", one, *more)
            assert outcome.status == 0
            assert "CN=DOD ID SW CA-37,OU=PKI,OU=DoD,O=Replica,C=US (#18): revocation status unknown" in outcome.errors
            lines = outcome.errors.splitlines()
            assert len(lines) == len(set(lines)) == (7 if "--all" in more else 4)
            assert all(line.startswith("warning: ") for line in lines)
        assert call("paths", files.certificate, *given, "--crl", files.crls, "--all").errors == ""

    def test_not_yet_valid_and_untrusted_root(self, call, folder):
        """Hints for a certificate of tomorrow, and for a root that nobody trusts."""
        root = lab.Authority.create("Root", validity=lab.Validity.around(days_before=-1))
        (folder / "root.pem").write_text(root.certificate.to_pem())
        (folder / "server.pem").write_text(root.issue_server("s.example").certificate.to_pem())
        early = call("paths", "server.pem", "--certs", "root.pem", "--anchor", "root.pem")
        assert early.status == 1
        assert early.errors.startswith(
            f"hint: is this time right? It comes from this computer's clock; {AT_TIME}: pkcs"
        )
        (folder / "other.pem").write_text(lab.Authority.create("Other").certificate.to_pem())
        other = call("paths", "server.pem", "--certs", "root.pem", "--anchor", "other.pem")
        assert other.status == 1
        assert "is self-signed and not a trust anchor" in other.text
        assert "or give another --anchor if the clients trust that one" in other.errors


class TestRanking:
    """Which of several paths comes first, and why."""

    def test_each_path_says_what_put_it_before_the_next(self, paths_of_2018):
        """On the reference job: expiry three times, the last of them of two paths that end together."""
        answer = paths_of_2018("--all", "--json", *AT_2018).json
        assert [path["before_next"] for path in answer["paths"]] == [
            "lasts until 2019-02-17, the next until 2018-09-23",
            "lasts until 2018-09-23, the next until 2018-06-24",
            "has the newer certificate for DoD Root CA 3: from 2016-02-17, the next from 2015-09-23",
            None,
        ]
        text = paths_of_2018("--all", *AT_2018).text
        assert text.count("before the next: ") == 3
        assert "before the next" not in paths_of_2018(*AT_2018).text

    def test_the_shortest_first(self, call, folder):
        """EE<B<TA ends before EE<B<A<TA does: --ranking shortest prefers it, in paths and in build."""
        soon = lab.Validity.around(days_after=9)
        topology = lab.Topology.from_edges("EE<B<A<TA", lab.Edge(subject="B", issuer="TA", validity=soon))
        (folder / "ee.pem").write_text(topology.servers["EE"].certificate.to_pem())
        (folder / "pool.pem").write_text("".join(certificate.to_pem() for certificate in topology.pool))
        (folder / "ta.pem").write_text(topology.trust_anchor("TA").certificate.to_pem())
        given = ("--certs", "pool.pem", "--anchor", "ta.pem")
        lengths = {
            ranking: [
                len(path["certificates"])
                for path in call("paths", "ee.pem", *given, "--all", "--json", "--ranking", ranking).json["paths"]
            ]
            for ranking in ("longest-lasting", "shortest")
        }
        assert lengths == {"longest-lasting": [3, 2], "shortest": [2, 3]}
        (folder / "password").write_text("secret\n")
        built = ("build", "--certs-only", "--cert", "ee.pem", *given, "--password-file", "password", "--json")
        for ranking, length in (("longest-lasting", 4), ("shortest", 3)):
            outcome = call(*built, "--out", f"{ranking}.p12", "--ranking", ranking)
            assert len(outcome.json["certificates"]) == length


class TestExplanations:
    """No path: what to read, and what to do next."""

    @pytest.fixture
    def write(self, folder):
        """Write certificates to a file of the current folder."""

        def write_pem(name, *certificates):
            (folder / name).write_text("".join(certificate.to_pem() for certificate in certificates))
            return name

        return write_pem

    def test_five_lines_of_2021(self, paths_of_2018):
        """The closest attempt of the reference job, with its window, and no more than six lines beside it."""
        lines = paths_of_2018("--at", "2021-06-01").text.splitlines()
        assert lines[1] == "The closest attempt:"
        assert lines[6] == "    └── it would be valid from 2017-05-10T15:35:12Z to 2019-02-17T14:32:11Z"
        assert lines[7] == "Beside it:"
        assert len(lines[8:]) <= 6

    def test_a_wrong_anchor(self, call, fpki):
        """The root that the paths end at, and that nothing leads to the anchor given."""
        given = ("--certs", fpki / "fpki-2024-10.p7b", "--anchor", fpki / "fcpca.pem", *AT_2024)
        lines = call("paths", fpki / "dod-sw-ca-67.pem", *given).text.splitlines()
        assert "Federal Common Policy CA G2  #19351...85898: is self-signed and not a trust anchor" in lines[3]
        assert "Federal Common Policy CA  #304: is a trust anchor that nothing leads to" in lines[5]

    def test_a_missing_cross_certificate(self, call, fpki, write):
        """Without the Bridge's: its name, key identifier and URL in the closest attempt, and in JSON as data."""
        from pkcs12kit import load_certificates

        pool = load_certificates(fpki / "fpki-2024-10.p7b")
        write("pool.pem", *(one for one in pool if one.subject.common_name != "Federal Bridge CA G4"))
        given = ("--certs", "pool.pem", "--anchor", fpki / "fcpcag2.pem", *AT_2024)
        outcome = call("paths", fpki / "dod-sw-ca-67.pem", *given)
        for text in (
            "CN=Federal Bridge CA G4",
            "79f00049eb7f77c25d410265348a90239b1e076f",
            "http://repo.fpki.gov/bridge/caCertsIssuedTofbcag4.p7c",
        ):
            assert text in outcome.text.splitlines()[3]
        assert outcome.errors == (
            "hint: give the missing certificate with --certs\n"
            "hint: or fetch what is missing, beginning with the published list fpki: pkcs12kit gather"
            f" {fpki / 'dod-sw-ca-67.pem'} --certs pool.pem --anchor {fpki / 'fcpcag2.pem'} --bundle fpki"
            " --at 2024-10-15T00:00:00Z --into gathered\n"
        )
        [finding] = call("paths", fpki / "dod-sw-ca-67.pem", *given, "--json").json["rejected"][0]["failures"]
        assert finding["missing_issuer"]["key_identifier"] == "79f00049eb7f77c25d410265348a90239b1e076f"

    def test_a_rekeyed_ca_and_a_rekeyed_anchor(self, call, write):
        """Found by name, with another key: both key identifiers, and what to give."""
        topology = lab.Topology.from_edges("EE<B<A<TA", "B'<A", "X<TA'")
        write("ee.pem", topology.servers["EE"].certificate)
        write("old.pem", topology.certificate("B'", "A"), topology.certificate("A", "TA"))
        write("whole.pem", topology.certificate("B", "A"), topology.certificate("A", "TA"))
        write("ta.pem", topology.trust_anchor("TA").certificate)
        write("new.pem", topology.trust_anchor("TA'").certificate)
        rekeyed = call("paths", "ee.pem", "--certs", "old.pem", "--anchor", "ta.pem")
        assert "the CA found by that name has another key" in rekeyed.text
        assert rekeyed.errors.startswith("hint: give the missing certificate with --certs\nhint: list the certificates")
        anchor = call("paths", "ee.pem", "--certs", "whole.pem", "--anchor", "new.pem")
        assert "the trust anchor of that name has another key" in anchor.text
        assert "or give another --anchor if the clients trust that one" in anchor.errors

    @pytest.mark.parametrize(
        ("at", "also"), [("1970-01-01", ""), ("2100-01-01", "hint: renew the certificate: ask its CA for a new one")]
    )
    def test_a_clock_that_looks_wrong(self, call, files, at, also):
        """Before or after everything: the hint asks whether that is the right time."""
        given = ("--certs", files.certificates, "--anchor", files.trust_anchor, "--at", at)
        outcome = call("paths", files.certificate, *given)
        assert outcome.errors.startswith("hint: is the time of --at right? Without --at, the answer is for now: pkcs")
        assert also in outcome.errors
        assert "it would be valid from " in outcome.text
        assert call("paths", files.certificate, *given, "--json").json["rejected"][0]["clock_looks_wrong"]

    def test_an_expired_anchor_may_be_accepted(self, call, write, folder):
        """RFC 5280 leaves an anchor's validity unchecked: refused with a hint, and accepted by an option."""
        past = lab.Validity.around(days_before=90, days_after=-1)
        anchor = lab.Authority.create("TA", validity=past)
        write("ee.pem", anchor.issue_server("s.example", validity=lab.Validity.around()).certificate)
        write("ta.pem", anchor.certificate)
        refused = call("paths", "ee.pem", "--certs", "ta.pem", "--anchor", "ta.pem")
        assert refused.status == 1
        assert "RFC 5280 section 6.1.1 (d), by choice" in refused.text
        assert refused.errors.startswith("hint: --ignore-anchor-validity accepts it")
        given = ("--certs", "ta.pem", "--anchor", "ta.pem", "--ignore-anchor-validity")
        assert call("paths", "ee.pem", *given).status == 0
        (folder / "password").write_text("secret\n")
        built = call(
            "build", "--certs-only", "--cert", "ee.pem", *given, "--password-file", "password", "--out", "ee.p12"
        )
        assert built.status == 0


def test_output_does_not_depend_on_the_terminals_encoding(call, folder, monkeypatch):
    """A stream that cannot encode a name shows it escaped rather than failing."""
    import sys

    root = lab.Authority.create("Bundesdruckerei Größe")
    (folder / "root.pem").write_text(root.certificate.to_pem(), "utf-8")
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        assert call("paths", "root.pem", "--anchor", "root.pem").status == 0
        stream.flush()
        shown = stream.buffer.getvalue().decode("ascii")
    assert r"Bundesdruckerei Gr\xf6\xdfe" in shown


@pytest.mark.parametrize("reason", FailureReason)
def test_every_reason_has_a_next_step(reason):
    """Whatever the closest attempt fails for, the hint is a sentence about what to give or to ask."""
    certificate = lab.Authority.create("CA").certificate
    failure = Failure(reason=reason, certificate=certificate, section="", detail="")
    closest = RejectedPath(certificates=(certificate,), failures=(failure,))
    hints = hints_for_no_path(SimpleNamespace(rejected=[closest], target="ee"), sources_given=True)
    assert any("--" in str(hint) for hint in hints)
