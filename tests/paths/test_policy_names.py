"""Names of certificate policies: the table, names that a caller adds, and files with such names."""

from __future__ import annotations

import threading

import pytest

from pkcs12kit import ArgumentError, InputError, load_policy_names
from pkcs12kit.certificates.policy_names import (
    POLICY_NAMES,
    by_arcs,
    policy_label,
    policy_list,
    policy_name,
    policy_names,
)


@pytest.mark.parametrize(
    ("oid", "name"),
    [
        ("2.5.29.32.0", "anyPolicy"),
        ("2.16.840.1.101.3.2.1.3.8", "id-fpki-common-devices"),
        ("2.16.840.1.101.3.2.1.3.12", "id-fpki-certpcy-mediumHardware"),
        ("2.16.840.1.101.2.1.11.36", "id-US-dod-mediumNPE-112"),
        ("2.16.840.1.101.3.2.1.12.9", "id-eca-medium-device-sha256"),
        ("2.23.140.1.1", "extended-validation (EV)"),
        ("2.23.140.1.2.1", "domain-validated (DV)"),
        ("2.23.140.1.5.3.2", "smime-sponsor-validated-multipurpose"),
        ("2.999.1", None),
    ],
)
def test_known_names(oid, name):
    """The names of RFC 5280, the Federal PKI, the DoD, the ECAs and the CA/Browser Forum."""
    assert policy_name(oid) == name
    assert policy_label(oid) == (oid if name is None else f"{name} ({oid})")


def test_each_name_has_a_source_with_a_section_and_stands_once():
    """No two policies share a name, and each source can be looked up."""
    names = [one.name for one in POLICY_NAMES.values()]
    assert len(set(names)) == len(names)
    assert all("section" in one.source or "Register" in one.source for one in POLICY_NAMES.values())
    assert all(key == one.oid for key, one in POLICY_NAMES.items())


def test_added_names_hold_within_the_block_and_this_thread_only():
    """A caller's names do not surprise another caller."""
    seen = []
    with policy_names({"2.999.1": "Red", "2.5.29.32.0": "every"}), policy_names({"2.999.2": "Blue\x1b[31m"}):
        assert policy_label("2.999.1") == "Red (2.999.1)"
        assert policy_name("2.5.29.32.0") == "every"
        assert "\x1b" not in policy_label("2.999.2")
        other = threading.Thread(target=lambda: seen.append(policy_name("2.999.1")))
        other.start()
        other.join()
    assert seen == [None]
    assert policy_name("2.999.1") is None
    assert policy_name("2.5.29.32.0") == "anyPolicy"


@pytest.mark.parametrize("names", [{"2.999": ""}, {"a": "b"}, {"1": "x"}, {1: "x"}, {"2.999": 1}, None, ["2.999"], "x"])
def test_wrong_names_are_refused(names):
    """Kinds and spellings that are no names of policies."""
    with pytest.raises(ArgumentError), policy_names(names):
        pass


def test_a_file_of_names():
    """Lines of identifier and name, comments, and blank lines."""
    text = "# ours\n\n2.999.1 Red policy\n2.999.2 = Blue\n  2.999.3:\tGreen  \n2.999.3 Green"
    assert load_policy_names(text.encode()) == {"2.999.1": "Red policy", "2.999.2": "Blue", "2.999.3": "Green"}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\nRed 2.999.1", r"line 2: 'Red 2\.999\.1' is not an object identifier"),
        (b"2.999.1", "line 1"),
        (b"9.1 Red", "line 1"),
        (b"2.999.1 Red\n2.999.1 Blue", "line 2: 2.999.1 has another name above"),
        (b"2.999.1 \xff", "UTF-8"),
        (b"#" * (1024 * 1024 + 1), "input_bytes"),
    ],
)
def test_other_files_are_refused(data, why):
    """The message says the line, and what is expected."""
    with pytest.raises(InputError, match=why):
        load_policy_names(data)


def test_lists_are_in_the_order_of_arcs_and_cut():
    """AnyPolicy comes last, and a long list says how many more there are."""
    assert by_arcs(["2.5.29.32.0", "2.999.10", "2.999.9"]) == ["2.999.9", "2.999.10", "2.5.29.32.0"]
    assert policy_list([f"2.999.{n}" for n in range(9)], at_most=2) == "2.999.0, 2.999.1, and 7 more"
