"""Reports as JSON, JUnit XML and metrics: a strict reader reads each form back, whatever names and messages hold."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings

import pkcs12kit as pk
from pkcs12kit.fleet.outcomes import CHANGES, Status

from ..thoroughness import examples
from .reports import NOW, outcome, report_of, reports_at_random

LINE = re.compile(r'(pkcs12kit_[a-z_]+)\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+)\} (-?\d+)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"')


def parsed(text):
    """Read the text format as its specification has it, and no more loosely: the samples by name and labels.

    Lines end in a line feed; a metric is one group with HELP and TYPE before its samples; no series is there twice.
    """
    assert text.endswith("\n")
    first, *lines = text.removesuffix("\n").split("\n")
    assert first == "# pkcs12kit batch"
    samples, current, begun = {}, None, []
    for number, line in enumerate(lines):
        if line.startswith("# HELP "):
            current = line.split(" ")[2]
            begun.append(current)
            assert re.fullmatch(r"[ -~]+", line)
            assert lines[number + 1] == f"# TYPE {current} gauge"
        elif not line.startswith("# TYPE "):
            found = LINE.fullmatch(line)
            assert found, line
            assert found[1] == current
            labels = tuple(sorted(LABEL.findall(found[2])))
            assert (current, labels) not in samples
            samples[current, labels] = int(found[3])
    assert len(begun) == len(set(begun))
    return samples


def total(samples, metric, **labels):
    """The sum of the samples of a metric that have these labels."""
    return sum(
        value
        for (name, has), value in samples.items()
        if name == f"pkcs12kit_{metric}" and labels.items() <= dict(has).items()
    )


@settings(max_examples=examples(60), deadline=None)
@given(report=reports_at_random())
def test_every_form_is_read_back(report):
    """Counts add up in each form and agree; nothing in it is a control character."""
    said = json.loads(json.dumps(report.to_json()))
    assert said["changed"] == sum(one["changed"] for one in said["bundles"]) == report.changed
    assert said["failed"] == sum(one["status"] == "failed" for one in said["bundles"])
    assert sum(said["statuses"].values()) == len(said["bundles"])
    assert report.exit_status == (not report.ok)
    root = ET.fromstring(report.to_junit())  # noqa: S314  # written here
    (suite,) = root
    cases = suite.findall("testcase")
    assert suite.get("tests") == str(len(cases)) == str(len(report.bundles) + (report.stopped is not None))
    assert suite.get("failures") == str(sum(case.find("failure") is not None for case in cases))
    assert suite.get("skipped") == str(sum(case.find("skipped") is not None for case in cases))
    assert (suite.get("failures") == "0") == report.ok
    samples = parsed(report.to_prometheus())
    assert total(samples, "batch_bundles") == len(report.bundles)
    assert total(samples, "bundle_failed") == report.failed == total(samples, "batch_bundles", status="failed")
    assert total(samples, "bundle_changed") == report.changed
    assert total(samples, "bundle_ok") == sum(one.ok for one in report.bundles)
    assert total(samples, "batch_ok") == report.ok
    for text in (report.to_junit(), report.to_prometheus(), report.to_svg()):
        assert all(char.isprintable() or char == "\n" for char in text)


@settings(max_examples=examples(60), deadline=None)
@given(report=reports_at_random())
def test_the_causes_have_each_bundle_once(report):
    """Each bundle with a path has one cause of its end, and each failure, reason and error is in one cause."""
    has = {
        "ends": [one for one in report.bundles if one.expires is not None],
        "failed": [one for one in report.bundles if one.status is Status.FAILED],
        "rewrite": [one for one in report.bundles if one.status is not Status.FAILED and "; ".join(one.why)],
        "hook-failed": [one for one in report.bundles if one.hook_error is not None],
        "not-served": [one for one in report.bundles if one.served_error is not None],
    }
    for kind, bundles in has.items():
        named = Counter(name for cause in report.causes if cause.kind.value == kind for name in cause.bundles)
        assert named == Counter(one.name for one in bundles)


def test_the_example_of_a_root_that_ends_first():
    """Six bundles whose root ends before their own certificates are one cause; own certificates are another."""
    own = [outcome(f"own{days}", days=days, label=f"own{days}", digit="e") for days in (40, 70)]
    report = report_of(*(outcome(f"web{number}") for number in range(6)), *own)
    assert list(map(str, report.causes)) == [
        "2 bundles: their own certificates end first, from 2027-01-10 to 2027-02-09",
        "6 bundles: DoD Root CA 3 is the first to end, 2027-11-26",
    ]


def test_two_certificates_of_one_name_and_day_are_told_apart():
    """By their fingerprints."""
    report = report_of(outcome("a"), outcome("b", digit="b"))
    assert sorted(map(str, report.causes)) == [
        "1 bundle: DoD Root CA 3 (SHA-256 aaaaaaaa...) is the first to end, 2027-11-26",
        "1 bundle: DoD Root CA 3 (SHA-256 bbbbbbbb...) is the first to end, 2027-11-26",
    ]


def test_the_same_failure_of_many_is_one_cause():
    """Although each message names its own bundle, file and certificate; another failure stays apart."""
    failed = [
        outcome(
            f"web{number}",
            Status.FAILED,
            error=f"/etc/web{number}.p12: no valid path from CN=www.{number}.example to a trust anchor:"
            f" CN=www.{number}.example (serial number {number}): the issuer is missing [6.1]",
        )
        for number in range(14)
    ]
    report = report_of(*failed, outcome("web1x", Status.FAILED, error="web1: web1x.key: no such file"))
    assert list(map(str, report.causes)) == [
        "14 bundles: OUTPUT: no valid path from SUBJECT to a trust anchor: SUBJECT: the issuer is missing [6.1]",
        "1 bundle: web1: web1x.key: no such file",
    ]


def test_a_junit_report_as_a_person_reads_it():
    """All that is wrong is one failure; deferred bundles are skipped; a stopped run fails although no bundle does."""
    report = report_of(
        outcome("a", Status.CREATED, hook_error="exit status 1", served_error="web:443 sends another", days=3),
        outcome("b", Status.DEFERRED, why=("certificates: + CA 2",)),
        outcome("c", Status.FAILED, error="no valid path"),
        stopped="3 of 3 bundles would change, more than 1",
    )
    suite = ET.fromstring(report.to_junit())[0]  # noqa: S314  # written here
    assert suite.get("timestamp") == "2026-12-01T12:00:00"
    failures = [case.find("failure") for case in suite.iter("testcase")]
    assert [one if one is None else (one.get("type"), one.get("message")) for one in failures] == [
        ("hook-failed", "the command after the change failed: exit status 1"),
        None,
        ("failed", "no valid path"),
        ("stopped", "3 of 3 bundles would change, more than 1"),
    ]
    assert "the new certificate is not served: web:443 sends another" in failures[0].text
    assert suite.find("testcase/skipped").get("message") == "deferred to a later run: certificates: + CA 2"


def test_the_end_in_the_metrics_is_that_of_the_file_in_place():
    """A file that could not be made again still ends when it did before, and an alert has to fire."""
    before = {"expired_before": NOW}
    report = report_of(
        outcome("written", Status.REWRITTEN, **before),
        outcome("failed", Status.FAILED, **before),
        outcome("deferred", Status.DEFERRED, **before),
        outcome("never", Status.FAILED),
    )
    samples = parsed(report.to_prometheus())
    ends = {dict(has)["bundle"]: value for (name, has), value in samples.items() if "expiry_timestamp" in name}
    now = int(NOW.timestamp())
    assert ends == {"written": now + 360 * 86_400, "failed": now, "deferred": now}


def test_the_last_success_is_kept_while_runs_fail():
    """It is that of the same manifest in the file of the last run; without one there is no sample."""
    metric = "pkcs12kit_batch_last_success_timestamp_seconds"
    good, bad = report_of(outcome("a")), report_of(outcome("a", Status.FAILED))
    other = report_of(outcome("a", Status.FAILED), manifest=Path("other.toml"))
    text = good.to_prometheus()
    assert f" {int(NOW.timestamp())}\n" in text.partition(f"# TYPE {metric}")[2]
    kept = bad.to_prometheus(before=text)
    assert kept.splitlines()[-1] == text.splitlines()[-1]
    assert bad.to_prometheus(before=kept) == kept
    assert metric not in other.to_prometheus(before=kept)
    assert metric not in bad.to_prometheus()
    with pytest.raises(pk.ArgumentError):
        bad.to_prometheus(before=3)


def test_changes_and_counts_of_the_example():
    """With a plan, what would change counts as changed."""
    assert {status for status in Status if outcome("a", status).changed} == CHANGES
    plan = report_of(outcome("a", Status.CREATE), outcome("b", Status.REWRITE), outcome("c"), mode="plan")
    assert (plan.changed, plan.failed, plan.exit_status) == (2, 0, 0)
