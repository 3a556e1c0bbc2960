"""pydantic takes a third of a second to import: only the reading of a manifest pays for it."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "code",
    [
        "import pkcs12kit, pkcs12kit.cli; pkcs12kit.build",
        "import pkcs12kit.cli; pkcs12kit.cli.cli(['--help'], standalone_mode=False)",
        "import pkcs12kit.fleet.arguments, pkcs12kit.fleet.manifest",
    ],
)
def test_pydantic_is_loaded_only_to_read_a_manifest(code):
    """Neither other commands nor the workers load it."""
    check = "import sys; assert not any(name.partition('.')[0] == 'pydantic' for name in sys.modules)"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{check}"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
