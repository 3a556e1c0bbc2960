"""Explanations at a terminal and in a notebook: who imposes a rule, what would pass, and the table of policies."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.display.explanations import policy_lines
from pkcs12kit.display.paths import path_report


@pytest.fixture(scope="module")
def report():
    """The replica asked for a policy of the DoD's own domain."""
    replica = lab.make_replica(key_type=lab.KeyType.EC_P256)
    parameters = pk.ValidationParameters(
        time=replica.at, user_initial_policy_set={lab.DOD_MEDIUM_NPE}, initial_explicit_policy=True
    )
    return pk.find_paths(
        replica.server.certificate,
        pool=replica.pool,
        trust_anchors=[pk.TrustAnchor.from_certificate(replica.trust_anchor)],
        parameters=parameters,
    )


def shown(report):
    """Return the text at a terminal of 80 columns."""
    console = Console(file=io.StringIO(), width=80)
    for part in path_report(report, every=False):
        console.print(part)
    return console.file.getvalue()


def test_the_terminal_tells_the_story(report):
    """Who requires a policy, the mapping between the domains, what would pass, and a row for each certificate."""
    text = " ".join(shown(report).replace("│", " ").split())
    assert "imposed by the caller: initial-explicit-policy TRUE" in text
    assert "asked for: id-US-dod-mediumNPE-112 (2.16.840.1.101.2.1.11.36)" in text
    assert "policyMappings to id-US-dod-mediumNPE-112: in the trust anchor's domain" in text
    assert "would pass: one of the policies that the path is valid for: id-fpki-common-devices" in text
    assert len(policy_lines(report.rejected[0].failures[0])) == len(report.rejected[0].certificates)
    assert all(len(line) <= 80 for line in shown(report).splitlines())


def test_the_notebook_has_the_same(report):
    """Causes, what would pass, and the table are drawn."""
    html = pk.to_html(report)
    assert "would pass" in html
    assert "policy required" in html
    assert "imposed by the caller" in html


def test_json_has_names_and_null_for_what_was_asked(report):
    """``causes`` and ``policies`` are data: identifiers with names, certificates whole."""
    failure = report.to_json()["rejected"][0]["failures"][0]
    assert failure["causes"][0]["certificate"] is None
    assert failure["policies"][-1]["states"] == [{"oid": lab.DOD_MEDIUM_NPE, "name": "id-US-dod-mediumNPE-112"}]
    assert failure["policies"][0]["certificate"]["subject"].startswith("CN=Federal Bridge CA")


def test_hints_of_the_library_name_the_policies_of_the_path(report):
    """``report.hints``: which policy the path has, and that any is accepted without the requirement."""
    texts = [hint.text for hint in report.hints]
    assert "ask for a policy that the path has: id-fpki-common-devices (2.16.840.1.101.3.2.1.3.8)" in texts
    assert not [text for text in texts if "domain" in text]


def test_an_identifier_stands_beside_its_name_once(report):
    """The first mention of a policy in a failure has name and identifier; the explanation has the name only."""
    text = " ".join(shown(report).partition("Beside it:")[0].replace("│", " ").split())
    assert text.count("id-fpki-common-devices") > 2
    assert text.count("(2.16.840.1.101.3.2.1.3.8)") == 1


def test_several_policies_are_one_hint(fpki):
    """A real path that is valid for three policies, and asked for another: one hint names the three."""
    report = pk.find_paths(
        pk.load_certificate(fpki / "dod-sw-ca-67.pem"),
        pool=pk.load_certificates(fpki / "fpki-2024-10.p7b"),
        trust_anchors=pk.load_trust_anchors(fpki / "fcpcag2.pem"),
        parameters=pk.ValidationParameters(
            time=datetime(2024, 10, 15, tzinfo=UTC),
            user_initial_policy_set={"2.16.840.1.101.3.2.1.3.13"},
            initial_explicit_policy=True,
        ),
    )
    texts = [hint.text for hint in report.hints if hint.text.startswith("ask for a policy that the path has: ")]
    assert [text.count("id-fpki-common-") for text in texts] == [3]
