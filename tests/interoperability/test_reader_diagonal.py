"""The table of readers says of every profile, kind of key and password what the programs do, or nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pkcs12kit.certificates.key_kinds import KeyKind
from pkcs12kit.findings import Answer, Evidence
from pkcs12kit.pkcs12.inspection import inspect_pfx
from pkcs12kit.pkcs12.reader_statements import CURVES
from pkcs12kit.pkcs12.reader_table import ENTRIES

from .diagonal import BELOW, KINDS, READER_OF, facts_of, pairs
from .expected import EXPECTED
from .matrix import PASSWORDS, READINGS

# What no cell tells apart from another reason, which the table has as well. java-17 opens only truststores without a
# MAC, which test_pfx_readers_tried.py tries. Where a key is refused, a certificate for such a key may be as well.
TOGETHER = {
    "java-17": {"NO_MAC"},
    "bouncycastle-1.72": {"ML_DSA_44", "ML_DSA_65", "ML_DSA_87", "SLH_DSA"},
    "bouncycastle-1.80": {"SEED_ONLY_KEY"},  # no form of a key for ML-DSA that the table knows is opened
    "go-sslmate-0.0": {"EC_SECP256K1", "EC_BRAINPOOL"},
    "go-sslmate-0.5": {"EC_SECP256K1", "EC_BRAINPOOL"},
}


def test_every_program_and_every_key_is_on_the_diagonal():
    """No program of the matrix, and no kind of its keys, is left out."""
    assert set(READER_OF) == set(EXPECTED.programs)
    assert {*KINDS, *BELOW} == {cell.key for cell in READINGS}


@pytest.mark.slow
def test_the_facts_are_those_of_the_files(ours):
    """What the table is asked about each cell is what its file has; pkcs12kit does not read a key for SLH-DSA."""
    for cell, file in ((cell, file) for cell, file in ours.items() if not cell.own_count):
        facts, found = facts_of(cell), inspect_pfx(file.read_bytes(), password=PASSWORDS[cell.password]).facts
        if cell.key == "slh-dsa":
            facts = replace(facts, contents=(KeyKind.OTHER, *facts.contents[1:]))
        assert found.complete, cell
        assert set(found.features) == set(facts.features), cell


def test_the_table_agrees_with_the_programs():
    """No yes of the table is a no of the program, and no no a yes; keytool only copies a key that cannot sign."""
    found = [*pairs()]
    assert len(found) == len(READER_OF) * len(READINGS)
    assert not [(pair.program, str(pair.cell), pair.verdict.why) for pair in found if not pair.agrees]
    assert {KINDS[pair.cell.key] for pair in found if pair.cannot_sign} == {*CURVES}
    assert {pair.program for pair in found if pair.cannot_sign} == {"keytool-17", "keytool-21", "keytool-25"}


@pytest.mark.parametrize("name", sorted(set(READER_OF.values())))
def test_a_wrong_statement_is_found(name):
    """Each statement about a version that was tried is held by a cell: turned around, the table disagrees."""
    entry, (program, *_) = ENTRIES[name], [one for one, reader in READER_OF.items() if reader == name]
    cells = [(cell, facts_of(cell)) for cell in READINGS]
    not_held = set()
    for statement in entry.statements:
        if statement.evidence is not Evidence.TRIED:
            continue
        turned = replace(
            entry,
            statements=tuple(
                replace(one, opens=not one.opens) if one is statement else one for one in entry.statements
            ),
        )
        without = replace(entry, statements=tuple(one for one in entry.statements if one is not statement))
        for cell, facts in cells:
            if statement.feature not in facts.features:
                continue
            opened = not any(refusal.is_for(program, cell) for refusal in EXPECTED.read)
            answer = turned.judge(facts).answer
            if answer is not Answer.UNKNOWN and (answer is Answer.YES) != opened:
                break
            if not statement.opens and not opened and without.judge(facts).answer is not Answer.NO:
                break  # the only reason for this no
        else:
            not_held.add(statement.feature.name)
    assert not_held == TOGETHER.get(name, set())


def test_a_statement_without_a_program_is_one_that_was_tried():
    """An entry for older updates says by trial only what the program showed that stands for its entry."""
    tried = {_of(statement) for name in READER_OF.values() for statement in _tried(name)}
    others = {_of(statement) for name in ENTRIES for statement in _tried(name)}
    assert {name for name in ENTRIES if [*_tried(name)]} - set(READER_OF.values()) == {
        *("java-21", "java-25", "gnutls-3.8")
    }
    assert others == tried


def _tried(name):
    return (statement for statement in ENTRIES[name].statements if statement.evidence is Evidence.TRIED)


def _of(statement):
    return statement.feature, statement.opens, statement.source
