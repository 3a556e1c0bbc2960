"""The page about revocation evidence has each fault, each reason and each key, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cryptography.x509 import ReasonFlags

from pkcs12kit.paths.revocation.advice import _BY_FAULT
from pkcs12kit.paths.revocation.attempts import EvidenceAttempt, EvidenceKind
from pkcs12kit.paths.revocation.explanation import REASONS
from pkcs12kit.revocation import EvidenceFault

TEXT = (Path(__file__).parents[2] / "docs/reference/revocation-evidence.md").read_text("utf-8")
WITHOUT_ADVICE = {EvidenceFault.OTHER_ISSUER, EvidenceFault.RESPONDER_ERROR}


def rows(title):
    """The first column of the table of a section."""
    return re.findall(r"^\| `([^`]+)` \|", TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0], re.MULTILINE)


@pytest.mark.parametrize(
    ("title", "listed"),
    [
        ("Why it does not count", ["fault", *(fault.value for fault in EvidenceFault)]),
        ("What a reason means", ["reason", *REASONS]),
    ],
)
def test_lists(title, listed):
    """The closed lists, in their order."""
    assert rows(title) == listed


def test_keys():
    """What an attempt has in JSON."""
    keys = EvidenceAttempt(kind=EvidenceKind.CRL, label="", detail="").to_json()
    assert sorted(rows("The same in JSON")) == sorted(keys)


def test_every_fault_has_advice():
    """The general hint is left for what is about another issuer; an error of a responder has advice by its name."""
    assert _BY_FAULT.keys() == set(EvidenceFault) - WITHOUT_ADVICE


def test_meanings_of_reasons():
    """Each CRLReason that a CRL can have is explained."""
    assert {flag.value for flag in ReasonFlags} == REASONS.keys()
