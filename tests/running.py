"""Programs of other makers, run as an administrator's script would run them."""

from __future__ import annotations

import subprocess


def run_program(program: str, *arguments: object, seconds: int = 120) -> subprocess.CompletedProcess[str]:
    """Run a program without standard input; ``seconds`` end only one that hangs."""
    return subprocess.run(
        [program, *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        timeout=seconds,
        stdin=subprocess.DEVNULL,
    )


def openssl_version(program: str) -> str:
    """Return the version of OpenSSL's command."""
    return run_program(program, "version").stdout.split()[1]
