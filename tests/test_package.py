"""The package as it is installed: its public names, what loads when, and that the tests run against the wheel."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import pkcs12kit

SOURCE_TREE = Path(__file__).parents[1]
# What none of the quick ways in may cost; pyhanko_certvalidator alone takes longer to load than a path to find.
HEAVY = {"asn1crypto", "cryptography", "pyhanko_certvalidator", "rich", "service_identity"}


def modules_after(statements: str) -> set[str]:
    """Run statements in a Python of their own and list the modules that are loaded then."""
    script = f"import sys\n{statements}\nprint('\\n', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def loaded_after(statements: str) -> set[str]:
    """Run statements in a Python of their own and list the top-level packages that are loaded then."""
    return {name.partition(".")[0] for name in modules_after(statements)}


def called(*arguments: str) -> str:
    """Python statements that call the command and come back."""
    return (
        f"sys.argv = ['pkcs12kit', *{list(arguments)!r}]\n"
        "from pkcs12kit.cli import main\n"
        "try: main()\nexcept SystemExit as end: assert end.code == 0, end.code"
    )


@pytest.fixture
def installed(cannot_run):
    """What pip installed, where that is what is being tested."""
    if Path(pkcs12kit.__file__).is_relative_to(SOURCE_TREE / "pkcs12kit"):
        cannot_run("pkcs12kit was imported from the source tree: pip install . and call pytest without PYTHONPATH")
    return distribution("pkcs12kit")


def test_runs_against_the_installed_wheel(installed):
    """What is tested is what users get: the wheel's files, each with the content of the source tree of this run."""
    assert Path(pkcs12kit.__file__) == Path(installed.locate_file("pkcs12kit/__init__.py"))
    for file in sorted((SOURCE_TREE / "pkcs12kit").rglob("*")):
        if file.suffix in {".py", ".pyi", ".typed"}:
            place = Path(installed.locate_file(file.relative_to(SOURCE_TREE)))
            assert place.read_bytes() == file.read_bytes(), f"{place} is not what stands in the source tree"


def test_has_one_version(installed):
    """pyproject.toml states the version; the wheel and the newest heading of the changelog have the same."""
    version = tomllib.loads((SOURCE_TREE / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    changelog = (SOURCE_TREE / "CHANGELOG.md").read_text("utf-8")
    assert installed.version == pkcs12kit.__version__ == version
    assert re.search(r"^## \[(.*?)\]", changelog, re.MULTILINE)[1] == version


def test_readme_of_the_wheel(installed):
    """An index shows the README of the wheel: without a relative link, which would lead nowhere there."""
    text = installed.metadata.get_payload() or installed.metadata["Description"]
    assert text.startswith("# pkcs12kit")
    assert re.findall(r'(?:\]\(|src=")(?!https://).{0,40}', text) == []


def test_is_typed_for_its_users(installed):
    """PEP 561: the wheel lists py.typed, and the stub that has the public names."""
    files = {str(file) for file in installed.files}
    assert files >= {"pkcs12kit/py.typed", "pkcs12kit/__init__.pyi"}


def imported():
    """Return the top-level modules of other distributions that the package imports, anywhere in a module."""
    names = set()
    for path in (SOURCE_TREE / "pkcs12kit").rglob("*.py*"):
        if path.suffix in {".py", ".pyi"}:
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    names |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"pkcs12kit"}


def test_the_page_of_dependencies_has_a_row_for_each():
    """docs/contributing/dependencies.md gives the costs of each dependency of the base, and of no other."""
    page = (SOURCE_TREE / "docs/contributing/dependencies.md").read_text("utf-8")
    rows = re.findall(r"^\| ([\w-]+) \| [\d.]+ MB \|", page, re.MULTILINE)
    lines = tomllib.loads((SOURCE_TREE / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    assert [canonicalize_name(row) for row in rows] == sorted(canonicalize_name(Requirement(it).name) for it in lines)


def test_declares_what_it_imports_and_nothing_else():
    """Each distribution that the package imports from is among its dependencies, or those of an extra for users."""
    project = tomllib.loads((SOURCE_TREE / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["dask"]]
    declared = {canonicalize_name(Requirement(line).name) for line in lines}
    provided_by = packages_distributions()
    assert declared == {canonicalize_name(provided_by[name][0]) for name in imported()}


def test_every_public_name_is_there():
    """Each name in ``__all__`` can be imported, once, in order; ``dir()`` offers the same."""
    assert pkcs12kit.__all__ == sorted(set(pkcs12kit.__all__))
    assert set(dir(pkcs12kit)) >= set(pkcs12kit.__all__)
    missing = [name for name in pkcs12kit.__all__ if getattr(pkcs12kit, name, None) is None]
    assert missing == []


def test_stub_names_what_is_public():
    """The stub's own ``__all__``, which type checkers read, is the one that Python sees."""
    stub = (Path(pkcs12kit.__file__).parent / "__init__.pyi").read_text("utf-8")
    names = stub.partition("__all__ = [")[2].partition("]")[0].split()
    assert sorted(name.strip('",') for name in names) == pkcs12kit.__all__


def test_import_loads_next_to_nothing():
    """``import pkcs12kit`` is for free: public names load when first used."""
    assert loaded_after("import pkcs12kit").isdisjoint({*HEAVY, "click"})


def test_a_public_name_loads_its_own_room_alone():
    """A script that only reads certificates pays for neither certvalidator nor rich."""
    loaded = loaded_after("import pkcs12kit; pkcs12kit.load_certificates; pkcs12kit.CertificatePool()")
    assert "cryptography" in loaded
    assert loaded.isdisjoint({"pyhanko_certvalidator", "rich", "click"})


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        *(
            [name, "--help"]
            for name in (
                "batch",
                "build",
                "completion",
                "convert",
                "demo",
                "diff",
                "gather",
                "graph",
                "inspect",
                "lab",
                "paths",
                "probe",
                "rehearse",
                "show",
                "verify",
            )
        ),
    ],
)
def test_help_loads_click_alone(arguments):
    """Asking what there is costs little more than click: neither cryptography nor anything else heavy loads."""
    loaded = loaded_after(called(*arguments))
    assert "click" in loaded
    assert loaded.isdisjoint(HEAVY)


@pytest.mark.parametrize(
    ("command", "unneeded"),
    [
        *((name, "pkcs12kit.devices") for name in ("build", "convert", "verify")),
        *((name, "pkcs12kit.pkcs12.reader_table") for name in ("probe", "rehearse")),
    ],
)
def test_help_loads_only_the_tables_it_lists(command, unneeded):
    """The names of devices and of readers come from large tables: no command loads one whose names it does not list."""
    assert unneeded not in modules_after(called(command, "--help"))


@pytest.mark.parametrize(
    "line", ["pkcs12kit ", "pkcs12kit build --for ", "pkcs12kit gather --bundle ", "pkcs12kit inspect "]
)
def test_completion_loads_click_alone(monkeypatch, line):
    """A shell asks at each tabulator key, and somebody waits: nothing heavy loads."""
    monkeypatch.setenv("_PKCS12KIT_COMPLETE", "zsh_complete")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split())))
    loaded = loaded_after(called())
    assert "click" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_paths_as_json_loads_no_rich(fpki):
    """Rich is for what people read at a terminal; --json goes without. certvalidator judges in build alone."""
    arguments = ["paths", fpki / "dod-sw-ca-67.pem", "--certs", fpki / "fpki-2024-10.p7b"]
    arguments += ["--anchor", fpki / "fcpcag2.pem", "--at", "2024-10-15", "--json"]
    loaded = loaded_after(called(*map(str, arguments)))
    assert "cryptography" in loaded
    assert loaded.isdisjoint({"rich", "pyhanko_certvalidator"})


@pytest.mark.slow  # the whole demonstration
def test_the_second_opinion_loads_no_oscrypto():
    """What certvalidator requires oscrypto for, the trust store of the system, is never asked for."""
    loaded = loaded_after(called("demo"))
    assert "pyhanko_certvalidator" in loaded
    assert "oscrypto" not in loaded


@pytest.mark.parametrize("command", [["-m", "pkcs12kit"], [Path(sys.executable).with_name("pkcs12kit")]])
def test_tells_its_version(installed, command):
    """``pkcs12kit`` and ``python -m pkcs12kit`` are the same command, in the version that is installed."""
    command = [sys.executable, *command] if command[0] == "-m" else command
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == installed.version
