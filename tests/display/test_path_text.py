"""The text of ``paths``: the closest attempt in full, the others in five lines, all within the terminal's width."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from pkcs12kit import lab
from pkcs12kit.display.paths import path_report, path_tree, rejected_paths
from pkcs12kit.errors import FailureReason
from pkcs12kit.paths.failure import Failure, MissingIssuer
from pkcs12kit.paths.report import PathReport, RejectedPath
from pkcs12kit.paths.search import find_paths
from pkcs12kit.paths.validation.parameters import ValidationParameters

AT = datetime(2026, 3, 1, tzinfo=UTC)
SPAN = lab.Validity.around(AT)
EXPIRED = lab.Validity.around(AT, days_before=90, days_after=-1)


def shown(renderables, *, width=10_000):
    """Print as the command does: to a pipe, or at a terminal of so many columns."""
    output = io.StringIO()
    console = Console(file=output, width=width, color_system=None, highlight=False, markup=False)
    for renderable in renderables:
        console.print(renderable)
    return [line.rstrip() for line in output.getvalue().splitlines()]


def build(*edges):
    """Make a topology around the time of the searches."""
    return lab.Topology.from_edges(*edges, validity=SPAN)


def solve(topology, *, at=AT):
    """Search from EE to TA."""
    return find_paths(
        topology.servers["EE"].certificate,
        pool=topology.pool,
        trust_anchors=[topology.trust_anchor("TA")],
        parameters=ValidationParameters(time=at),
    )


def failure(reason, certificate, detail="is refused", **more):
    """Make a failure."""
    return Failure(reason=reason, certificate=certificate, section="RFC 5280 section 6.1", detail=detail, **more)


def rejected(*failures, walk=None, **more):
    """Return an attempt with failures; each is about a separate certificate unless a path is given."""
    walk = walk or (failures[0].certificate,)
    return RejectedPath(certificates=walk, failures=failures, lists_all_failures=True, **more)


@pytest.fixture(scope="module")
def many():
    """Twelve certificates by TA, three by B, and a server."""
    return build(*(f"X{number}<TA" for number in range(12)), *(f"Y{number}<B" for number in range(3)), "EE<B<TA")


def test_the_closest_attempt_in_whole():
    """The closest attempt shows its certificates, their failures, and the time at which it would be valid."""
    topology = build("EE<B", lab.Edge(subject="B", issuer="A", validity=EXPIRED, serial_number=7), "A<TA")
    assert shown(path_report(solve(topology), every=False)) == [
        "No valid path from EE to a trust anchor.",
        "The closest attempt:",
        "└── EE <- B <- A",
        "    ├── B  #7: expired on 2026-02-28T00:00:00Z  [RFC 5280 section 6.1.3 (a)(2)]",
        "    └── it would be valid from 2025-12-01T00:00:00Z to 2026-02-28T00:00:00Z",
    ]


def test_one_line_for_findings_of_one_kind_and_issuer(many):
    """Twelve expired certificates by TA are one line with the last date; those of B another."""
    by_label = {identity.certificate.subject.common_name: identity.certificate for identity in many.servers.values()}
    lines = [
        rejected(failure(FailureReason.EXPIRED, by_label[label], "expired on some day"))
        for label in sorted(by_label)
        if label != "EE"
    ]
    target = by_label["EE"]
    closest = rejected(failure(FailureReason.NAME_CONSTRAINTS, target, "is for another name"))
    report = PathReport(target=target, valid=(), rejected=(closest, *lines))
    until = SPAN.not_after.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert shown(rejected_paths(report))[2:] == [
        "Beside it:",
        f"├── 12 certificates issued by TA: expired, the last on {until}  [RFC 5280 section 6.1]",
        f"└── 3 certificates issued by B: expired, the last on {until}  [RFC 5280 section 6.1]",
    ]


def test_other_kinds_in_one_line(many):
    """Not yet valid with the first date; any other reason with an example; one certificate refused for two issuers."""
    servers = [identity.certificate for identity in many.servers.values()]
    of_ta = [certificate for certificate in servers if certificate.issuer.common_name == "TA"]
    of_b = [certificate for certificate in servers if certificate.issuer.common_name == "B"]
    report = PathReport(
        target=of_b[0],
        valid=(),
        rejected=(
            rejected(failure(FailureReason.SERVER_NAME, of_b[1])),
            *(rejected(failure(FailureReason.NOT_YET_VALID, certificate)) for certificate in of_ta[:2]),
            *(rejected(failure(FailureReason.NOT_A_CA, certificate, "may not")) for certificate in of_ta[2:5]),
            *(rejected(failure(FailureReason.BAD_SIGNATURE, of_b[2], f"not by key {key}")) for key in (1, 2, 3)),
        ),
    )
    since = SPAN.not_before.strftime("%Y-%m-%dT%H:%M:%SZ")
    name = of_ta[2].subject.common_name
    [*_, early, no_ca, unsigned] = shown(rejected_paths(report))
    assert early.startswith(f"├── 2 certificates issued by TA: not valid yet, the first from {since}")
    assert no_ca.startswith(f"├── 3 certificates issued by TA: not-a-ca, for example {name}  #")
    assert "may not" in no_ca
    assert "not by key 1" in unsigned
    assert unsigned.endswith("and 2 more")


def test_five_lines_and_how_many_more(many):
    """Failures beyond five lines are counted; a limit that was reached stands before the closest attempt."""
    servers = [identity.certificate for identity in many.servers.values()]
    reasons = [reason for reason in FailureReason if reason is not FailureReason.BUDGET_EXHAUSTED]
    findings = [rejected(failure(reason, servers[0])) for reason in reasons]
    spent = rejected(failure(FailureReason.BUDGET_EXHAUSTED, servers[0], "given up after 3 steps"))
    lines = shown(rejected_paths(PathReport(target=servers[1], valid=(), rejected=(spent, *findings))))
    assert lines[0] == "The closest attempt:"
    assert "given up after 3 steps" in lines[1]
    assert "is refused" in lines[2]
    assert lines[3] == "Beside it:"
    assert len(lines[4:]) == 6
    assert lines[-1] == f"└── and {len(findings) - 6} more; --json has them all"


def test_each_finding_once_in_text(many):
    """A failure of the closest attempt is not repeated below it."""
    servers = [identity.certificate for identity in many.servers.values()]
    first, second = (failure(FailureReason.EXPIRED, certificate, "expired") for certificate in servers[:2])
    report = PathReport(target=servers[2], valid=(), rejected=(rejected(first), rejected(second, first)))
    text = "\n".join(shown(rejected_paths(report)))
    assert text.count("expired") == 2


def test_a_missing_issuer_is_brief_beside_the_closest_attempt(many):
    """There its name is enough; key identifier and location are in the JSON, and in the closest attempt."""
    ee, below = many.servers["EE"].certificate, many.certificate("B", "TA")
    missing = MissingIssuer(name=below.issuer, key_identifier=b"\1", locations=("http://ca.example/",))
    lost = failure(FailureReason.ISSUER_NOT_FOUND, below, "its issuer, at length", missing_issuer=missing)
    alone = shown(rejected_paths(PathReport(target=ee, valid=(), rejected=(rejected(lost),))))
    assert "its issuer, at length" in alone[1]
    other = rejected(failure(FailureReason.NAME_CONSTRAINTS, ee))
    beside = shown(rejected_paths(PathReport(target=ee, valid=(), rejected=(other, rejected(lost)))))
    assert "B  #17: its issuer TA was not supplied  [RFC 5280 section 6.1]" in beside[-1]


def test_several_walks_through_one_link(many):
    """The closest attempt says how many candidates failed at the same link."""
    ee, below = many.servers["EE"].certificate, many.certificate("B", "TA")
    report = PathReport(
        target=ee,
        valid=(),
        rejected=(rejected(failure(FailureReason.NAME_CONSTRAINTS, ee), walk=(ee, below), walks=1540),),
    )
    assert shown(rejected_paths(report))[-1] == "    └── so for 1,540 candidate paths"


def test_a_target_at_fault_is_told_alone(many):
    """If the target itself makes every path invalid, other failures are only counted."""
    ee, below = many.servers["EE"].certificate, many.certificate("B", "TA")
    other = rejected(failure(FailureReason.EXPIRED, below))
    for reason, is_alone in ((FailureReason.SERVER_NAME, True), (FailureReason.NAME_CONSTRAINTS, False)):
        lines = shown(rejected_paths(PathReport(target=ee, valid=(), rejected=(rejected(failure(reason, ee)), other))))
        assert ("Beside it:" in lines) is not is_alone
        assert ("└── and 1 more; --json has them all" in lines) is is_alone


def test_what_was_refused_beside_valid_paths():
    """With ``--all``: the paths, what put each before the next, and in lines what was refused."""
    topology = build(
        "EE<B",
        lab.Edge(subject="B", issuer="TA", validity=lab.Validity.around(AT, days_after=9)),
        "B<A<TA",
        lab.Edge(subject="B", issuer="TA", validity=EXPIRED),
    )
    report = solve(topology)
    every = shown(path_report(report, every=True))
    assert "└── before the next: lasts until 2027-03-01, the next until 2026-03-10" in every
    assert sum("before the next" in line for line in every) == 1
    assert every[-2:] == [
        "What was refused:",
        "└── B  #5: expired on 2026-02-28T00:00:00Z  [RFC 5280 section 6.1.3 (a)(2)]",
    ]
    best = shown(path_report(report, every=False))
    assert not any("before the next" in line or "was refused" in line for line in best)


def test_a_path_alone_has_no_next():
    """As ``build`` prints it."""
    report = solve(build("EE<A<TA"))
    assert not any("before the next" in line for line in shown([path_tree(report.best)]))


@pytest.mark.parametrize("width", [80, 100])
def test_fits_the_terminal(width):
    """Long names, key identifiers and URLs wrap within the tree; lines are neither cut nor too long."""
    access = lab.non_critical(lab.extensions.authority_information_access("http://ca.example/" + "issued/" * 20))
    long = "A certification authority with a name of sixty-three octets"
    topology = build("EE<B", lab.Edge(subject="B", issuer=long, extensions=(access,)), f"{long}<TA", "B<Y<Z")
    for report in (solve(topology), solve(topology, at=AT + timedelta(days=9999))):
        lines = shown(path_report(report, every=True), width=width)
        assert max(map(len, lines)) <= width
        assert not any("…" in line for line in lines)
