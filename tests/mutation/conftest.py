"""What the mutation tests share: a small PKI, and where its files are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from ..calling import write
from .materials import PASSWORD, Materials

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Files:
    """Sound files of each kind, and the options that all calls have."""

    folder: Path
    materials: Materials

    def __post_init__(self) -> None:
        made = self.materials
        for name, content in {
            "server.der": made.server.certificate.der,
            "ca.der": made.ca.der,
            "root.der": made.root.certificate.der,
            "server.key": made.key,
            "ca.crl": made.crls[0],
            "root.crl": made.crls[1],
            "password.txt": PASSWORD.encode(),
        }.items():
            write(self.folder, name, content)

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    def search(self, **changed: Path) -> tuple[object, ...]:
        """List the options that name a path's files and time, some of them changed: ``ca=``, ``root=``."""
        return (
            *("--certs", changed.get("ca", self / "ca.der"), "--anchor", changed.get("root", self / "root.der")),
            *("--at", "2026-06-01T12:00:00Z"),
        )

    def paths(self, *more: object, server: Path | None = None, **changed: Path) -> tuple[object, ...]:
        """Call ``paths``."""
        return ("paths", server or self / "server.der", *self.search(**changed), "--json", *more)

    def build(self, *source: object) -> tuple[object, ...]:
        """Call ``build`` for what there is to build from, without writing."""
        out = (
            "--password-file",
            self / "password.txt",
            "--out",
            self / "out.p12",
            "--profile",
            "legacy",
            "--dry-run",
            "--json",
        )
        return ("build", *source, *self.search(), *out)


@pytest.fixture(scope="session")
def files(tmp_path_factory) -> Files:
    """Make the PKI and its files once."""
    return Files(folder=tmp_path_factory.mktemp("mutation"), materials=Materials.create())
