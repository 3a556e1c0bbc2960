"""Settings of Sphinx. Build with ``sphinx-build -n -W docs docs/_build``, with pkcs12kit installed.

``making/`` generates the help of each command and the tables from the code, and writes them to ``docs/_generated``
before the pages are read. The build does not use the network.
"""

from __future__ import annotations

import sys
from enum import Enum
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent))

from making import elsewhere, names, tables
from making.help import help_texts
from sphinx.util.logging import getLogger

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

project = "pkcs12kit"
author = "The pkcs12kit maintainers"
copyright = author
version = release = installed_version(project)

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.intersphinx"]
exclude_patterns = ["_build", "_generated", "making"]
html_theme = "furo"
html_title = f"{project} {release}"

html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_domain_indices = False  # five modules, which the pages of the API list

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True  # DEFAULT_LIMITS, not all its figures
autodoc_default_options = {"members": True}
toc_object_entries_show_parents = "hide"
python_maximum_signature_line_length = 88  # one parameter a line where all do not fit in one
python_use_unqualified_type_names = True

# sphinx-build -b linkcheck docs docs/_build/links: for whoever has a network. What moved is told, what is gone fails.
linkcheck_anchors_ignore_for_url = [r"https://github\.com/.*"]  # made by a script there, after the page is loaded
linkcheck_ignore = [r"https?://(localhost|127\.0\.0\.1|[^/]*\bexample\b)"]
linkcheck_rate_limit_timeout = 60.0  # seconds
linkcheck_retries = 3
linkcheck_timeout = 20  # seconds

_GENERATED = Path(__file__).parent / "_generated"
intersphinx_mapping = {
    name: (address, str(_GENERATED / f"{name}.inv")) for name, (address, _) in elsewhere.PROJECTS.items()
}


def _generate(*_: object) -> None:
    (_GENERATED / "help").mkdir(parents=True, exist_ok=True)
    for name in elsewhere.PROJECTS:
        elsewhere.write_inventory(name, _GENERATED / f"{name}.inv")
    for name, text in help_texts():
        (_GENERATED / "help" / f"{name or project}.txt").write_text(text, encoding="utf-8")
    for name, lines in tables.PARTS.items():
        (_GENERATED / name).write_text("\n".join(lines()) + "\n", encoding="utf-8")
    names.import_for_annotations()  # afterwards: it replaces aliases that the code uses


def _check_names(_: Sphinx, env: BuildEnvironment) -> None:
    for name in names.without_a_place(env.domains.python_domain.objects):
        getLogger(__name__).warning("no page of the API describes pkcs12kit.%s", name)


def _keep_members(*given: object) -> bool | None:
    _app, _kind, _name, member, *_ = given
    return False if isinstance(member, Enum) else None  # its value says what another member's docstring says


def setup(app: Sphinx) -> None:
    """Connect the functions above to the steps of the build."""
    app.connect("config-inited", _generate)
    app.connect("autodoc-skip-member", _keep_members)
    app.connect("env-check-consistency", _check_names)
