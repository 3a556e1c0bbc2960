"""The table of readers says of every profile, kind of key and password what the programs do, or nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pkcs12kit.findings import Answer, Evidence
from pkcs12kit.pkcs12.reader_table import ENTRIES

from .diagonal import KINDS, READER_OF, facts_of, pairs
from .expected import EXPECTED
from .matrix import KEYS, READINGS

# What the matrix has no cell of: tried by hand, with the same programs.
WITHOUT_CELL = {
    *("RSA_1024", "RSA_8192", "DSA_2048", "EC_P224", "EC_BRAINPOOL", "ML_DSA_44", "ML_DSA_87", "SLH_DSA"),
    *("SLH_DSA_CERTIFICATE", "VERSION_2_KEY"),
}
# What no cell tells apart from another reason. A certificate of a kind comes with its key, which may be refused.
_OF_KEY = frozenset(f"{one}_CERTIFICATE" for one in ("CURVE", "EDDSA", "PSS", "ML_DSA"))
TOGETHER = {
    **dict.fromkeys(READER_OF.values(), _OF_KEY),
    "openssl-3.5": frozenset(),
    **dict.fromkeys(("bouncycastle-1.72", "bouncycastle-1.80"), _OF_KEY | {"ML_DSA_65"}),  # the key's form
    **dict.fromkeys(("go-sslmate-0.0", "go-sslmate-0.5"), _OF_KEY | {"EC_SECP256K1"}),
    "java-17": _OF_KEY | {"NO_MAC", "EC_SECP256K1"},  # without a MAC only a truststore opens
    **dict.fromkeys(("java-21.0.13", "java-25.0.5"), _OF_KEY | {"EC_SECP256K1"}),  # the key is read
}


def test_every_program_and_every_key_is_on_the_diagonal():
    """No program of the matrix, and no kind of its keys, is left out."""
    assert set(READER_OF) == set(EXPECTED.programs)
    assert set(KINDS) == set(KEYS)


def test_the_table_agrees_with_the_programs():
    """No yes of the table is a no of the program, and no no a yes; a key that cannot sign is a no on purpose."""
    found = [*pairs()]
    assert len(found) == len(READER_OF) * len(READINGS)
    assert not [(pair.program, str(pair.cell), pair.verdict.why) for pair in found if not pair.agrees]
    assert {pair.cell.key for pair in found if pair.cannot_sign} == {"ec-secp256k1"}
    assert {READER_OF[pair.program].split("-")[0] for pair in found if pair.cannot_sign} == {"java"}


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
    assert not_held <= WITHOUT_CELL | TOGETHER[name], not_held
