"""Errors and reports of the library have the hints that a terminal shows, and keep them in another process."""

from __future__ import annotations

import copy
import pickle
import traceback

import pytest

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.errors import KeyChoiceError, KeyMismatchError


@pytest.fixture(scope="module")
def made():
    """A server under a CA whose certificate is missing, and the root."""
    root, ca = lab.Authority.create("Root"), lab.Authority.create("CA")
    return ca.issue_server("s.example").certificate, pk.TrustAnchor.from_certificate(root.certificate)


@pytest.fixture(scope="module")
def no_path(made):
    """The error of a search without the CA."""
    target, anchor = made
    with pytest.raises(pk.NoValidPathError) as no:
        pk.find_path(target, certificates=pk.CertificatePool(), trust_anchors=[anchor])
    return no.value


def test_a_search(no_path):
    """The error has the hints of the report, once each, as notes too."""
    assert no_path.hints == no_path.report.hints
    assert "give the missing certificate" in no_path.hints[0].text
    assert no_path.__notes__ == [str(hint) for hint in no_path.hints]
    shown = "".join(traceback.format_exception(no_path))
    assert all(shown.count(str(hint)) == 1 for hint in no_path.hints)


def test_another_process(no_path, tmp_path):
    """Pickling and copying keep text, hints and notes; so does a place that is put before the text."""
    (tmp_path / "server.pem").touch()
    with pytest.raises(pk.InputError) as missing:
        pk.load_certificate(tmp_path / "sever.pem")
    assert missing.value.hints[0].text == f"did you mean {tmp_path / 'server.pem'}?"
    with pytest.raises(pk.InputError) as unknown:
        pk.profiles.find("modrn")
    for error in (no_path, missing.value, unknown.value.hinting(*no_path.hints)):
        for same in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301  # our own
            assert (type(same), str(same), same.hints) == (type(error), str(error), error.hints)
            assert getattr(same, "__notes__", None) == getattr(error, "__notes__", None)
    placed = missing.value.placed("here:")
    assert (str(placed), placed.hints) == (f"here: {missing.value}", missing.value.hints)


def test_a_valid_path_has_none(made):
    """A report that says yes has nothing to do."""
    target, _ = made
    anchor = pk.TrustAnchor.from_certificate(target)
    report = pk.find_paths(target, certificates=pk.CertificatePool(), trust_anchors=[anchor])
    assert bool(report.hints) != bool(report.valid)


@pytest.mark.parametrize("kind", [KeyMismatchError, KeyChoiceError])
def test_errors_with_one_cure(kind):
    """Each such error says what to give."""
    assert kind("x").hints[0].text.startswith(("give", "choose"))


def test_a_notebook_shows_them(no_path):
    """The display of the report and of the error has a part with the hints."""
    for shown in (no_path, no_path.report):
        assert "What to do" in shown._repr_mimebundle_()["text/html"]
