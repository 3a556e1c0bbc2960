"""Programs of another release of Debian, run in the root folder that ``.ci/other-debian`` makes.

``chroot`` runs them, for which one has to be root. Files that they read or write lie inside the root folder; paths in
arguments, on standard input and in the working directory are those of this system, and the wrappers turn them round.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE: Final = "PKCS12KIT_OTHER_DEBIAN"
PROGRAMS: Final = ("openssl", "certtool", "pk12util", "certutil", "dpkg-query")
_WRAPPER: Final = """#!/bin/bash
root={root}
case $PWD in "$root"/*) folder=${{PWD#"$root"}} ;; *) folder=/ ;; esac
exec chroot "$root" /bin/sh -c 'cd "$0" && exec "$@"' "$folder" {program} "${{@//"$root"/}}"
"""
_JAVA: Final = """#!/bin/bash
# Without /proc the launcher does not find its libraries by itself.
set -o pipefail
root={root} home={program}
export LD_LIBRARY_PATH=${{home%/bin/java}}/lib
sed "s|$root||g" | chroot "$root" {program} "${{@//"$root"/}}"
"""


class OtherRelease:
    """The programs in a root folder, each as a wrapper that is called as the program itself would be."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = root
        self.folder = folder
        self.wrappers = folder / "wrappers"
        self.wrappers.mkdir(parents=True)
        for program in PROGRAMS:
            self._write(program, _WRAPPER, f"/usr/bin/{program}")
        java = sorted((root / "usr/lib/jvm").glob("java-*/bin/java"))
        if java:
            self._write("java", _JAVA, f"/{java[-1].relative_to(root)}")

    def program(self, name: str) -> str:
        """Return the path of a wrapper."""
        return str(self.wrappers / name)

    def _write(self, name: str, wrapper: str, program: str) -> None:
        path = self.wrappers / name
        path.write_text(wrapper.format(root=self.root, program=program))
        path.chmod(0o755)


def why_not(root: str) -> str | None:
    """Return the reason why no other release can be tried; None if it can."""
    if not root:
        return f"needs the root folder of another release of Debian in {VARIABLE} (.ci/other-debian makes one)"
    if os.geteuid() != 0:
        return "needs to be root, for chroot"
    return None
