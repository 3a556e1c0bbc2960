"""Revocation judged beside OpenSSL and Java: each difference is written down, with the clause that decides it."""

from __future__ import annotations

import os
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from . import crl_arrangements, crl_scenarios, crl_scopes, ocsp_scenarios
from .divergences import DIVERGENCES, divergence_of, explain
from .page import BEGIN, render
from .programs import UNREADABLE, OpenSSL, ask_java, ask_pkcs12kit, file_name, write_scenario
from .worlds import Verdict

pytestmark = pytest.mark.slow

SEED = 14
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "revocation-comparison.md"
RANDOM_PATHS = 100
RANDOM_RESPONSES = 60
PROGRAMS = ("pkcs12kit", "openssl", "openssl-extended", "openssl-ocsp", "java")


@pytest.fixture(scope="module")
def now():
    """The time of every scenario: ``openssl ocsp`` knows only the clock's."""
    return datetime.now(UTC).replace(microsecond=0)


def make_scenarios(now):
    """Return all scenarios: those with one peculiarity, and random ones with several."""
    source = random.Random(SEED)  # noqa: S311  # it draws test cases
    return [
        *crl_scenarios.single_scenarios(now),
        *crl_scopes.scope_scenarios(now),
        *crl_arrangements.arrangement_scenarios(now),
        *ocsp_scenarios.single_scenarios(now),
        *crl_scenarios.random_scenarios(now, source, RANDOM_PATHS),
        *ocsp_scenarios.random_scenarios(now, source, RANDOM_RESPONSES),
    ]


@pytest.fixture(scope="module")
def scenarios(now):
    """All scenarios by name."""
    made = make_scenarios(now)
    by_name = {scenario.name: scenario for scenario in made}
    assert len(by_name) == len(made)
    return by_name


@pytest.fixture(scope="module")
def answers(require_tool, scenarios, now, tmp_path_factory):
    """Every program's answer: ``answers[scenario][program]``."""
    openssl, java = require_tool("openssl"), require_tool("java")
    require_tool("javac")  # java runs a source file by it
    folder = tmp_path_factory.mktemp("scenarios")
    for scenario in scenarios.values():
        write_scenario(scenario, folder / file_name(scenario))
    every = list(scenarios.values())
    with ThreadPoolExecutor(1) as beside:
        by_java = beside.submit(ask_java, java, every, folder, now)
        found = OpenSSL(openssl).ask_all(every, folder, now)
    for scenario in every:
        found[scenario.name]["java"] = by_java.result()[scenario.name]
        found[scenario.name]["pkcs12kit"] = ask_pkcs12kit(scenario, now)
    return found


def test_every_divergence_is_about_a_scenario(scenarios):
    """No entry is left over, none is about nothing, and no pattern either; each has its clause and its reason."""
    single = [scenario for scenario in scenarios.values() if len(scenario.kinds) == 1 and scenario.exact]
    for entry in DIVERGENCES:
        for pattern in (*entry.kinds, *entry.exceptions):
            assert any(fnmatchcase(it.kinds[0], pattern) for it in single), (entry.title, pattern)
        assert set(entry.programs) <= set(PROGRAMS)
        assert entry.right in {"text", "open"}
        assert ("pkcs12kit" in entry.programs) == (entry.about == "stricter")
        assert entry.clause.startswith("RFC ")
        assert entry.reason.strip()
    for entry in DIVERGENCES:
        for program in entry.programs:
            assert any(divergence_of(scenario, program) is entry for scenario in single), (entry.title, program)


def test_scenarios_of_one_kind(scenarios, answers):
    """Each program answers as the RFC has it, or as written down: neither more differences nor fewer."""
    wrong = []
    for scenario in scenarios.values():
        if not scenario.exact:
            continue
        for program, answer in answers[scenario.name].items():
            entry = divergence_of(scenario, program)
            if entry is None:
                allowed = {scenario.expected}
            else:
                allowed = {entry.verdict(scenario)} | ({scenario.expected} if entry.varies else set())
            if answer.verdict not in allowed:
                wrong.append(f"{scenario.name}: {program} says {answer.verdict}, not {sorted(allowed)}: {answer.said}")
    assert not wrong, "\n".join(wrong)


def test_random_scenarios(scenarios, answers):
    """pkcs12kit's verdict is the expected one; others accept and refuse the same, except for what is written down.

    Where one of the files is not a CRL to pkcs12kit, it refuses without a verdict.
    """
    wrong = []
    for scenario in scenarios.values():
        if scenario.exact:
            continue
        for program, answer in answers[scenario.name].items():
            if program == "pkcs12kit" and not answer.said.startswith(UNREADABLE):
                agrees = answer.verdict is scenario.expected
            else:
                agrees = (answer.verdict is Verdict.GOOD) == (scenario.expected is Verdict.GOOD)
            if not agrees and explain(scenario, program) is None:
                wrong.append(
                    f"{scenario.name} ({', '.join(scenario.kinds)}): {program} says {answer.verdict}, "
                    f"not {scenario.expected}: {answer.said}"
                )
    assert not wrong, "\n".join(wrong)


def test_scenarios_say_something(scenarios, answers):
    """Every verdict is common, every program was asked hundreds of times, and accepts what is sound."""
    assert len(scenarios) > 600
    expected = Counter(scenario.expected for scenario in scenarios.values())
    assert min(expected[verdict] for verdict in Verdict) > 100
    asked = Counter(program for by_program in answers.values() for program in by_program)
    assert set(asked) == set(PROGRAMS)
    assert min(asked.values()) > 150
    for sound in ("crl-not-listed/server", "crl-not-listed/ca", "ocsp-good", "ocsp-delegate/not-listed"):
        assert {answer.verdict for answer in answers[sound].values()} == {Verdict.GOOD}
    for revoked in ("crl-listed/server", "crl-listed/ca", "ocsp-revoked", "ocsp-delegate/listed"):
        assert {answer.verdict for answer in answers[revoked].values()} == {Verdict.REVOKED}


def test_the_page_is_up_to_date(scenarios):
    """The page has each divergence and the figures. ``PKCS12KIT_WRITE_PAGE=1`` writes it."""
    head, begin, _ = PAGE.read_text("utf-8").partition(BEGIN)
    assert begin
    expected = head + render(list(scenarios.values()))
    if os.environ.get("PKCS12KIT_WRITE_PAGE"):
        PAGE.write_text(expected, "utf-8")
    assert PAGE.read_text("utf-8") == expected
