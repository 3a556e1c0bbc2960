"""``pkcs12kit paths --without`` and ``--with``: the best path as it is, the answer after the change, the difference."""

from __future__ import annotations

import pytest

from pkcs12kit.certificates.lookup import LEAST_DIGITS

HISTORIC = "42e59ccbf68c413a10dd1bb6bc41a930bf1228e16905d9301559cfc4083d589b"  # DoD Root CA 3 #748
TWIN = "fc326b6b92fd2a3dd0c2961428672bf10f974552319f6930c62c6c791d18e84a"  # and #655


@pytest.fixture
def paths_of_2018(call, fpki):
    """Call ``paths`` on the reference job of 2018."""

    def run(*more, certs=("fpki-historic.pem", "dod-2019.pem")):
        given = [part for one in certs for part in ("--certs", fpki / one)]
        anchor = ("--anchor", fpki / "fcpca.pem", "--at", "2018-06-01")
        return call("paths", fpki / "dod-id-sw-ca-37.pem", *given, *anchor, *more)

    return run


def test_without_a_certificate_of_the_real_path(paths_of_2018):
    """The exit status and the ordinary keys are of the answer after the change; ``what_if`` has both."""
    done = paths_of_2018("--without", HISTORIC[:8].upper(), "--json")
    assert done.status == 0
    answer = done.json
    assert [one["serial"] for one in answer["paths"][0]["certificates"]][1] == "655"
    asked = answer["what_if"]
    assert [one["sha256"] for one in asked["without"]] == [HISTORIC]
    assert (asked["before"]["expires"], asked["after"]["expires"]) == ("2019-02-17T14:32:11Z", "2018-09-23T16:37:25Z")
    assert asked["changed"] is True
    assert "takes the place of" in asked["changes"][1]


def test_without_both_there_is_none(paths_of_2018):
    """Both cross-certificates gone: no path, exit status 1, and the terminal says both."""
    done = paths_of_2018("--without", HISTORIC, "--without", TWIN)
    assert done.status == 1
    assert done.text.startswith("As it is:\nPath, valid until 2019-02-17T14:32:11Z")
    assert "What changes" in done.text
    assert "there is no valid path" in done.text


def test_with_the_missing_ones(paths_of_2018, fpki):
    """What is added makes the path; ``before`` is null."""
    done = paths_of_2018("--with", fpki / "fpki-historic.pem", "--json", certs=("dod-2019.pem",))
    assert done.status == 0
    assert done.json["what_if"]["before"] is None
    assert len(done.json["what_if"]["with"]) == 22  # one is in dod-2019.pem
    assert paths_of_2018("--json").json["what_if"] is None


def test_a_file_to_remove(call, files):
    """A file names its certificate; the picture is of the answer after the change."""
    given = ("paths", files.certificate, "--certs", files.certificates, "--anchor", files.trust_anchor)
    done = call(*given, "--without", files.issuing_ca, "--dot", "-")
    assert done.status == 1
    assert done.text.startswith("digraph")


@pytest.mark.parametrize(
    ("without", "said"),
    [
        ("fcpca.pem", "is a trust anchor, and trusted whether or not"),
        ("dod-id-sw-ca-37.pem", "is the certificate whose paths are asked for"),
        ("fcpcag2.pem", "is not among the 64 certificates given; nor is any other of its name"),
        ("dod-2019.pem", "expected one certificate, found 42"),
        ("no-such-file.pem", "no such file"),
    ],
)
def test_what_cannot_be_removed(paths_of_2018, fpki, without, said):
    """Exit status 2, and the message begins with the option."""
    done = paths_of_2018("--without", fpki / without)
    assert done.status == 2
    assert done.errors.startswith("error: --without ")
    assert said in done.errors


def test_a_wrong_digit(paths_of_2018):
    """The nearest fingerprint is named."""
    done = paths_of_2018("--without", HISTORIC.replace("42e59", "42e58", 1))
    assert done.status == 2
    assert f"the nearest is DoD Root CA 3 #748 (issued by DoD Interoperability Root CA 2), SHA-256 {HISTORIC}" in (
        done.errors
    )


def test_the_help_has_the_number_of_digits(call):
    """The help of ``paths`` says it of CERT and of ``--without``, without importing what reads fingerprints."""
    shown = " ".join(call("paths", "--help").text.split())
    assert shown.count(f"at least its first {LEAST_DIGITS} digits") == 2
