"""The text of notes on certificates: by certificate, three of each at most, the weightiest first."""

import io

import pytest
from rich.console import Console

import pkcs12kit as pk
from pkcs12kit.display.notes import notes_tree, refusals

from ..certificates.chains import DEFECTS, ISSUING, SERVER, SOUND, chain_with, dns
from ..x509_values import AUTHORITY_KEY, PURPOSES


def shown(notes, *, width=1_000):
    """Return the lines that a pipe or a terminal gets."""
    output = io.StringIO()
    console = Console(file=output, width=width, color_system=None, highlight=False, markup=False)
    for tree in notes_tree(notes):
        console.print(tree)
    return [line.rstrip() for line in output.getvalue().splitlines()]


def noted(*parts):
    """Return the notes on certificates."""
    return pk.lint_certificates(pk.Certificate.from_der(part.der) for part in parts)


def test_nothing_is_shown_without_notes():
    """A sound chain has no title of an empty list."""
    assert shown(noted(*SOUND)) == []


def test_notes_are_by_certificate_with_the_clients_that_refuse():
    """One line for each note: the sentence, the clause, and the clients."""
    server, issuing = SERVER.without(AUTHORITY_KEY), ISSUING.without(AUTHORITY_KEY)
    assert shown(noted(server, issuing)) == [
        "Notes on certificates; the answer does not depend on them:",
        *(
            line
            for branch, name, number, end in (("├", "mdm.example.mil", 77, "│"), ("└", "Issuing", 2, " "))
            for line in (
                f"{branch}── {name}  #{number}",
                (
                    f"{end}   └── it has no authorityKeyIdentifier  [RFC 5280 section 4.2.1.1]"
                    "  refused by Python since 3.13 (below the trust anchor)"
                ),
            )
        ),
    ]


def test_the_weightiest_three_are_shown():
    """Notes without a client that refuses come last; the others are counted."""
    server = SERVER.without(AUTHORITY_KEY).without(PURPOSES).having("2.5.29.17", dns("a_b.example", "c.example."))
    notes = noted(server)
    assert len(notes) == 5
    lines = shown(notes)
    assert len(lines) == 6
    assert all("refused by" in line for line in lines[2:5])
    assert lines[-1] == "    └── and 2 more; --json has them all"


@pytest.mark.parametrize(("rule", "part"), DEFECTS, ids=[f"{rule}-{at}" for at, (rule, _) in enumerate(DEFECTS)])
def test_lines_are_within_the_width(rule, part):
    """Each note of each rule wraps at a terminal of 80 columns."""
    lines = shown(noted(*chain_with(part)), width=80)
    assert lines or rule in {"version-1", "basic-constraints-missing"}
    assert all(len(line) <= 80 for line in lines)


def test_effects_are_told_apart():
    """Clients that refuse only below roots that they ship are named after the others."""
    (note,) = (one for rule, part in DEFECTS if rule == "sha1-signature" for one in noted(*chain_with(part)))
    refused, below = refusals(note).split("; ")
    assert refused.startswith("refused by Apple's systems since iOS 13 and macOS 10.15, Android since 9, Go, ")
    assert refusals(note, at_most=2).startswith(f"{','.join(refused.split(',')[:2])} and 3 more; refused, below")
    assert below == "refused, below roots that come with the client, by Windows, Java"
