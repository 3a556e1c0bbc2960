"""Each client of another maker that is installed here, and certificates for it to judge."""

from __future__ import annotations

import tempfile

import pytest

from pkcs12kit import lab
from pkcs12kit.tls.rehearsal.clients.registry import make_client

from .asking import NAME, PROGRAMS, World


@pytest.fixture(params=PROGRAMS)
def client(request, require_tool, tmp_path, monkeypatch):
    """Each client that is installed here; its folders are made in ``tmp_path / "folders"``."""
    for program in PROGRAMS[request.param]:
        require_tool(program)
    folders = tmp_path / "folders"
    folders.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folders))
    made = make_client(request.param)
    assert made.missing() is None
    return made


@pytest.fixture(scope="module")
def world():
    """All of it valid a year around now."""
    root, issuing = lab.Authority.create("Root CA"), lab.Authority.create("Issuing CA")
    return World(root, root.issue_ca(issuing), issuing, issuing.issue_server(NAME), lab.Authority.create("Other Root"))
