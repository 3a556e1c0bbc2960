"""``pkcs12kit paths --when``: the periods of a valid path as text, JSON and picture, and what to do outside of them."""

from __future__ import annotations

import shlex

import pytest

import pkcs12kit as pk

from ..broken.catalogue import SETUPS
from ..broken.frozen import frozen_at
from ..broken.pki import AT, Folder

SOURCES = ("fpki-historic.pem", "dod-2019.pem", "fpki-2024-10.p7b", "fpki-2025-06.p7b")


@pytest.fixture
def when(call, fpki):
    """Call ``paths --when`` on a real certificate."""

    def run(target, *more):
        certs = [part for source in SOURCES for part in ("--certs", fpki / source)]
        anchors = ("--anchor", fpki / "fcpca.pem", "--anchor", fpki / "fcpcag2.pem")
        return call("paths", fpki / target, *certs, *anchors, "--when", *more)

    return run


def test_the_exit_status_is_that_of_the_time_asked_for(when):
    """Status 0 where a path is valid at --at, to the second at both ends, and 1 elsewhere; the periods are the same."""
    answers = {
        "2015-09-23T16:37:24Z": (1, "not-valid"),
        "2015-09-23T16:37:25Z": (0, "valid"),
        "2019-02-17T14:32:11Z": (0, "valid"),
        "2019-02-17T14:32:12Z": (1, "not-valid"),
        "2030-01-01T00:00:00Z": (1, "not-valid"),
    }
    periods = []
    for at, (status, state) in answers.items():
        outcome = when("dod-id-sw-ca-37.pem", "--at", at, "--json")
        assert (outcome.status, outcome.json["state"]) == (status, state), at
        assert (outcome.json.get("error") is None) is (status == 0)
        assert (not outcome.json.get("hints")) is (status == 0)
        assert (outcome.json["closest"] is None) is (status == 0)
        periods.append(outcome.json["periods"])
    assert all(one == periods[0] for one in periods)
    assert [(one["state"], one["begin"], one["end"]) for one in periods[0]] == [
        ("not-valid", "2015-09-23T15:23:05Z", "2015-09-23T16:37:24Z"),
        ("valid", "2015-09-23T16:37:25Z", "2019-02-17T14:32:11Z"),
        ("not-valid", "2019-02-17T14:32:12Z", "2021-09-23T15:23:05Z"),
    ]
    assert [one["serial"] for one in periods[0][1]["ended_by"]] == ["748"]


def test_the_hints_name_what_ended_the_last_path_and_what_begins_the_next(when):
    """From the screen alone: wait until then, or find the certificate in place of the one that expired."""
    later = when("dod-sw-ca-67.pem", "--at", "2026-03-01T00:00:00Z")
    assert later.status == 1
    assert "in place of DoD Interoperability Root CA 2 #13489...13579, whose expiry ended the last path" in later.errors
    assert "pkcs12kit gather" in later.errors
    early = when("dod-sw-ca-67.pem", "--at", "2022-03-01T00:00:00Z")
    begins = "a path is valid from 2023-06-08T13:38:01Z, when DoD Interoperability Root CA 2 #13489...13579 begins"
    assert begins in early.errors
    as_json = when("dod-sw-ca-67.pem", "--at", "2022-03-01T00:00:00Z", "--json").json
    assert begins in as_json["hints"][0]["text"]
    assert len(as_json["hints"]) == early.errors.count("hint: ")
    assert as_json["error"].startswith("No path is valid at 2022-03-01T00:00:00Z; the next one begins on 2023-06-08")


def test_options_that_would_be_ignored_are_refused(when, fpki):
    """Status 2, with the reason: --all, revocation, and pictures that are no timeline."""
    for option, reason in {
        ("--all",): "--all shows every path of one time",
        ("--crl", fpki / "fcpca.pem"): "--when does not check revocation",
        ("--revocation", "soft"): "--when does not check revocation",
        ("--revocation-max-age", "7d"): "leave out --revocation-max-age",
        ("--dot", "x.dot"): "which only --svg can write",
        ("--mermaid", "-"): "which only --svg can write",
    }.items():
        outcome = when("dod-sw-ca-67.pem", *option)
        assert outcome.status == 2
        assert reason in outcome.errors
    assert when("dod-sw-ca-67.pem", "--revocation", "off").status == 1


def test_the_timeline_is_written_as_svg(when, tmp_path):
    """To a file beside the text, and to standard output in its place; an existing file of another kind is kept."""
    picture = tmp_path / "when.svg"
    outcome = when("dod-sw-ca-67.pem", "--at", "2024-01-01T00:00:00Z", "--svg", picture)
    assert outcome.status == 0
    svg = picture.read_text("utf-8")
    assert svg.startswith("<svg")
    assert "2026-02-07T18:00:00Z" in svg
    assert "valid from 2023-06-08T13:38:01Z to 2026-02-07T18:00:00Z" in outcome.output.decode()
    assert when("dod-sw-ca-67.pem", "--at", "2024-01-01T00:00:00Z", "--svg", picture).status == 0  # its own kind
    assert when("dod-sw-ca-67.pem", "--at", "2024-01-01T00:00:00Z", "--svg", "-").output.decode() == svg
    picture.write_text("mine", "utf-8")
    assert when("dod-sw-ca-67.pem", "--svg", picture).status == 2
    assert picture.read_text("utf-8") == "mine"


def test_what_if_changes_the_periods(when, fpki):
    """``--without`` a cross-certificate: the periods are those of the certificates that are left."""
    pool = pk.load_certificates(fpki / "fpki-2024-10.p7b", fpki / "fpki-2025-06.p7b")
    (last,) = (one for one in pool if one.label == "DoD Root CA 3" and one.serial_number == 2816)
    outcome = when("dod-sw-ca-67.pem", "--at", "2024-11-01T00:00:00Z", "--without", last.sha256, "--json")
    valid = [(one["begin"], one["end"]) for one in outcome.json["periods"] if one["state"] == "valid"]
    assert valid == [("2023-06-08T13:38:01Z", "2024-11-16T14:57:16Z")]


@pytest.mark.parametrize("more", [(), ("--all",), ("--crl", "crls", "--revocation", "soft")])
def test_an_expired_path_leads_to_it(call, folder, files, more):
    """Where the closest path is expired, a hint has this call with the same files, without what it does not take."""
    (broken,) = (one for one in SETUPS if one.name == "expired-issuing")
    broken.make(Folder(folder))
    (folder / "crls").symlink_to(files.crls)
    with frozen_at(AT):
        refused = call(*shlex.split(broken.call), *more)
        assert refused.status == 1
        beginning = "hint: see when a path was valid, and what ended it: pkcs12kit "
        (hint,) = (line for line in refused.errors.splitlines() if line.startswith(beginning))
        assert (
            hint.removeprefix(beginning)
            == "paths server.pem --certs issuing.pem --certs policy.pem --anchor root.pem --when"
        )
        shown = call(*shlex.split(hint.removeprefix(beginning)))
    assert shown.status == 1
    assert "2026-02-01" in shown.text
    assert "see when a path was valid" not in shown.errors
