"""Manifests for tests: a good one, and what is read from its text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkcs12kit.fleet.manifest import load_manifest
from pkcs12kit.fleet.problems import ManifestError

if TYPE_CHECKING:
    from pathlib import Path

    from pkcs12kit.fleet.bundles import Manifest

DEFAULTS = """\
version = 1
[defaults]
trust_anchors = "root.pem"
certificates = ["ca/"]
password = { env = "PW" }
output = "out/{name}.p12"
"""
BUNDLE = """\
[[bundle]]
name = "mdm"
key = "mdm.key"
certificate = "mdm.pem"
"""
GOOD = DEFAULTS + BUNDLE


def read(folder: Path, text: str | bytes) -> Manifest:
    """Return the manifest of a text, in a folder."""
    path = folder / "fleet.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape"))
    return load_manifest(path)


def problems(folder: Path, text: str | bytes) -> tuple[str, ...]:
    """Return the mistakes in a text, () for none."""
    try:
        read(folder, text)
    except ManifestError as error:
        return error.problems
    return ()
