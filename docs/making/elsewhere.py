"""Inventories of the names in the documentation of Python and of pyca/cryptography, for links.

intersphinx would fetch their inventories, and a build is not to depend on a network. Within a module, their pages and
anchors follow from the name; so inventories are made here, of the modules that are referred to. The names are those
that the installed modules have. ``sphinx-build -b linkcheck`` tries the links where there is a network, anchors too.
"""

from __future__ import annotations

import inspect
import zlib
from importlib import import_module
from typing import TYPE_CHECKING, Final, get_origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PROJECTS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    # name: (address, module: page)
    "python": (
        "https://docs.python.org/3",
        {
            name: f"library/{name}.html"
            for name in ("collections.abc", "dataclasses", "datetime", "enum", "os", "pathlib", "ssl", "warnings")
        },
    ),
    "cryptography": (
        "https://cryptography.io/en/latest",
        {
            "cryptography.x509": "x509/reference/",
            "cryptography.x509.ocsp": "x509/ocsp/",
            "cryptography.hazmat.primitives.asymmetric.types": "hazmat/primitives/asymmetric/",
            "cryptography.hazmat.primitives.hashes": "hazmat/primitives/cryptographic-hashes/",
        },
    ),
}


def _entries(module_name: str, page: str) -> Iterator[str]:
    """Yield the lines of an inventory for a module: name, role, priority, address, displayed name."""
    module = import_module(module_name)
    for name, value in vars(module).items():
        if name.startswith("_") or inspect.ismodule(value):
            continue
        # What a module only imports is not documented there. Unions of types are typing's, wherever they are made.
        if getattr(value, "__module__", module_name).partition(".")[0] not in {module_name.partition(".")[0], "typing"}:
            continue
        # An alias of types is what it is used as: annotations ask for classes.
        is_type = isinstance(value, type) or get_origin(value) is not None
        role = "class" if is_type else "function" if callable(value) else "data"
        documented = f"{module_name}.{name}"
        yield f"{documented} py:{role} 1 {page}#{documented} -"
        if isinstance(value, type) and value.__module__ != module_name:  # autodoc names where a class is defined
            yield f"{value.__module__}.{value.__qualname__} py:class 1 {page}#{documented} -"


def write_inventory(project: str, file: Path) -> None:
    """Write the inventory of one of `PROJECTS` for intersphinx (its version 2: lines, compressed)."""
    entries = sorted({line for module, page in PROJECTS[project][1].items() for line in _entries(module, page)})
    head = (
        f"# Sphinx inventory version 2\n# Project: {project}\n# Version: \n# The remainder is compressed using zlib.\n"
    )
    file.write_bytes(head.encode() + zlib.compress("".join(f"{line}\n" for line in entries).encode()))
