"""``--policy-names``: names for policies that are not in the table."""

from __future__ import annotations

import pytest

from pkcs12kit import lab


@pytest.fixture
def certificate(folder):
    """A CA with a policy of its own, and a file with its name."""
    authority = lab.Authority.create("CA", extensions=[lab.non_critical(lab.certificate_policies("2.999.1"))])
    (folder / "ca.pem").write_text(authority.certificate.to_pem())
    (folder / "names.txt").write_text("# ours\n2.999.1 id-example-medium\n")
    return "ca.pem"


@pytest.mark.parametrize("command", ["show", "paths"])
def test_names_of_a_file_are_shown(call, certificate, command):
    """With the file the policy has a name; without it only its object identifier is shown."""
    more = ("--anchor", certificate, "--policy", "2.999.7") if command == "paths" else ()
    named = call(command, certificate, *more, "--policy-names", "names.txt")
    plain = call(command, certificate, *more)
    assert "id-example-medium (2.999.1)" in named.text
    assert "2.999.1" in plain.text
    assert "id-example-medium" not in plain.text
    assert named.status == plain.status


@pytest.mark.parametrize(("text", "why"), [("medium\n", "names.txt, line 1: 'medium' is not"), (None, "no such file")])
def test_files_that_cannot_be_used(call, folder, certificate, text, why):
    """Status 2, with the file and the line."""
    if text is None:
        (folder / "names.txt").unlink()
    else:
        (folder / "names.txt").write_text(text)
    outcome = call("show", certificate, "--policy-names", "names.txt")
    assert outcome.status == 2
    assert why in outcome.errors
