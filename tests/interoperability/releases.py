"""Programs of two releases of Debian: this system's, and those in the root folder that ``.ci/other-debian`` makes.

``chroot`` runs the latter, for which one has to be root. Files that they read or write lie inside the root folder;
paths in arguments, on standard input and in the working directory are those of this system, and the wrappers turn them
round.
Nothing is mounted there: a program that needs ``/proc`` is told what it would find in it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cached_property
from pathlib import Path
from typing import Final

VARIABLE: Final = "PKCS12KIT_OTHER_DEBIAN"
PROGRAMS: Final = ("openssl", "certtool", "pk12util", "certutil", "curl", "dpkg-query")
SERVERS: Final = ("apache2", "nginx")
BOUNCY_CASTLE: Final = "usr/share/java/bcprov.jar"
GO_SOURCES: Final = "usr/share/gocode"
_WRAPPER: Final = """#!/bin/bash
root={root}
case $PWD in "$root"/*) folder=${{PWD#"$root"}} ;; *) folder=/ ;; esac
exec chroot "$root" /bin/sh -c 'cd "$0" && exec "$@"' "$folder" {program} "${{@//"$root"/}}"
"""
_JAVA: Final = """#!/bin/bash
# Without /proc the launcher does not find its libraries by itself.
set -o pipefail
root={root} home={home}
export LD_LIBRARY_PATH=$home/lib
sed "s|$root||g" | chroot "$root" "$home/bin/java" "${{@//"$root"/}}"
"""
_SERVER: Final = """#!/bin/bash
# The last argument is a file with paths.
root={root}
sed --in-place "s|$root||g" "${{@: -1}}"
{environment}
exec chroot "$root" {program} "${{@//"$root"/}}"
"""
_GO: Final = """#!/bin/bash
# Without /proc it does not find its own folder.
root={root}
for name in GOCACHE GOPATH; do export "$name=${{!name#"$root"}}"; done
export GOROOT=/usr/lib/go HOME=/tmp
exec chroot "$root" /usr/lib/go/bin/go "${{@//"$root"/}}"
"""


class Release:
    """The programs below a root folder, by their paths or by those of wrappers."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = root
        self.folder = folder
        """Where they find files, and write them."""

    def program(self, name: str) -> str | None:
        """Return what runs a program; None where it is not there."""
        raise NotImplementedError

    def java(self, home: Path) -> str:
        """Return what runs the Java of a folder."""
        raise NotImplementedError

    @cached_property
    def javas(self) -> dict[str, Path]:
        """The folders of Debian's own Java by version; a Java of another maker can be of a version that differs."""
        found: dict[str, Path] = {}
        for release in sorted(self.root.glob("usr/lib/jvm/java-*-openjdk-*/release")):
            version = re.search('^JAVA_VERSION="([^"]+)"$', release.read_text("utf-8"), re.MULTILINE)
            if version is not None and not release.parent.is_symlink():
                found[version[1]] = release.parent
        return found

    def version(self, program: str, package: str = "") -> str:
        """Return the version that a program says, or that of its package; nothing where it is not there."""
        found = self.program("dpkg-query" if package else program)
        if found is None:
            return ""
        words = ("-W", "-f", "${Version}", package) if package else ({"openssl": "version"}.get(program, "--version"),)
        said = subprocess.run([found, *words], capture_output=True, encoding="utf-8", check=False).stdout
        version = re.search(r"(?:^|[: ])(\d+\.\d[^-+\s]*)", said)
        return version[1] if version else ""


class ThisRelease(Release):
    """This system's."""

    def __init__(self, folder: Path) -> None:
        super().__init__(Path("/"), folder)

    def program(self, name: str) -> str | None:
        """Return the path of a program."""
        return shutil.which(name)

    def java(self, home: Path) -> str:
        """Return the path of the Java of a folder."""
        return str(home / "bin/java")


class OtherRelease(Release):
    """The programs in a root folder, each as a wrapper that is called as the program itself would be."""

    def __init__(self, root: Path, folder: Path) -> None:
        super().__init__(root, folder)
        self.wrappers = folder / "wrappers"
        self.wrappers.mkdir(parents=True)
        for name in PROGRAMS:
            if (root / "usr/bin" / name).exists():
                self._write(name, _WRAPPER, program=f"/usr/bin/{name}")
        if (root / "usr/lib/go/bin/go").exists():
            self._write("go", _GO)
        for name in SERVERS:
            if (root / "usr/sbin" / name).exists():
                self._write(name, _SERVER, program=f"/usr/sbin/{name}", environment="")
        for catalina in root.glob("usr/share/tomcat*/bin/catalina.sh"):
            home = self.javas[max(self.javas)].relative_to(root)
            environment = (
                f'export CATALINA_BASE=${{CATALINA_BASE#"$root"}} JAVA_HOME=/{home} LD_LIBRARY_PATH=/{home}/lib'
            )
            self._write("tomcat", _SERVER, program=f"/{catalina.relative_to(root)}", environment=environment)
        for version, home in self.javas.items():
            self._write(f"java-{version}", _JAVA, home=f"/{home.relative_to(root)}")
        if self.javas:
            shutil.copy(self.java(self.javas[max(self.javas)]), self.wrappers / "java")

    def program(self, name: str) -> str | None:
        """Return the path of a wrapper."""
        path = self.wrappers / name
        return str(path) if path.exists() else None

    def java(self, home: Path) -> str:
        """Return the path of the wrapper for the Java of a folder."""
        (version,) = (version for version, it in self.javas.items() if it == home)
        return str(self.wrappers / f"java-{version}")

    def _write(self, name: str, wrapper: str, **facts: str) -> None:
        path = self.wrappers / name
        path.write_text(wrapper.format(root=self.root, **facts))
        path.chmod(0o755)


def why_not(root: str) -> str | None:
    """Return the reason why no other release can be tried; None if it can."""
    if not root:
        return f"needs the root folder of another release of Debian in {VARIABLE} (.ci/other-debian makes one)"
    if os.geteuid() != 0:
        return "needs to be root, for chroot"
    return None
