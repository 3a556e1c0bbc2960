"""The example notebooks: committed without outputs, executed as a user would, exported, and opened in a browser."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from .browser import POLICY, assert_sound, is_dark
from .execute import find_leaks

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
EXECUTE = Path(__file__).parent / "execute.py"
# What the anatomy of a file must never show, as expressions within that notebook.
SECRETS = (
    "password",
    "new_password",
    "str(bundle.private_key.private_numbers().d)",
    "format(bundle.private_key.private_numbers().d, 'x')",
    "'PRIVATE KEY'",
)
# A notebook, which certificates it is given, and how many values of ours it shows.
CASES = [
    pytest.param(("explore_federal_pki", "lab", 10), id="explore-lab"),
    pytest.param(("explore_federal_pki", "real", 10), id="explore-real", marks=pytest.mark.slow),
    pytest.param(("anatomy_of_a_p12", "lab", 7), id="anatomy", marks=pytest.mark.slow),
]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def committed(request):
    """A notebook as it is in the repository: its text, and what that says."""
    text = request.param.read_text("utf-8")
    return text, json.loads(text)


def test_both_notebooks_are_there():
    """The tests below look at something."""
    assert [path.stem for path in NOTEBOOKS] == ["anatomy_of_a_p12", "explore_federal_pki"]


def test_no_outputs_are_committed(committed):
    """No output, no count and no trace of who executed it: a change of a notebook is a change of its cells."""
    _, notebook = committed
    assert notebook["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook["cells"]:
        assert cell["metadata"] == {}
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


def test_notebooks_are_written_as_nbformat_writes(committed):
    """Keys sorted, one space of indent, a line of source a line, ids that are words: a diff shows what was changed."""
    text, notebook = committed
    assert text == json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in notebook["cells"]:
        assert re.fullmatch(r"[a-z-]+", cell["id"])
        assert all(line.endswith("\n") for line in cell["source"][:-1])
        assert not any("\n" in line.removesuffix("\n") for line in cell["source"])


def test_no_path_of_a_machine_is_in_a_notebook(committed):
    """The files that a notebook reads are beside the project, or in a folder given by a variable."""
    text, _ = committed
    assert re.findall(r"(?<![\w.])/(?:home|root|tmp|usr|work|Users|mnt)\b|\b[A-Z]:\\\\", text) == []


def test_each_cell_is_explained(committed):
    """Text comes first, and no more than two cells of code follow one another."""
    _, notebook = committed
    kinds = "".join(cell["cell_type"][0] for cell in notebook["cells"])
    assert kinds.startswith("m")
    assert "ccc" not in kinds


def test_notebooks_use_public_names_alone(committed):
    """Notebooks use the package only as ``pk.`` and a public name, so that a user can copy any cell."""
    import pkcs12kit as pk

    _, notebook = committed
    code = "\n".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code")
    imported = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom)]
    assert not any((node.module or "").startswith("pkcs12kit") for node in imported)
    used = {
        node.attr
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "pk"
    }
    assert len(used) > 5
    assert used <= set(pk.__all__)


@pytest.fixture(scope="module", params=CASES)
def executed(request, tmp_path_factory, cannot_run):
    """A notebook that was executed: which, what it printed and showed, and its pages by theme."""
    name, given, shown = request.param
    for needed in ("nbclient", "nbconvert", "ipykernel"):
        if find_spec(needed) is None:
            cannot_run(f"needs the package {needed}")
    folder = tmp_path_factory.mktemp("executed")
    fpki = str(request.getfixturevalue("fpki")) if given == "real" else ""
    secrets = SECRETS if name == "anatomy_of_a_p12" else ()
    done = subprocess.run(
        [sys.executable, EXECUTE, EXAMPLES / f"{name}.ipynb", folder, ";".join(secrets)],
        env=os.environ | {"PKCS12KIT_FPKI": fpki},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    pages = {theme: _without_cdn((folder / f"{theme}.html").read_text("utf-8")) for theme in ("light", "dark")}
    return name, given, shown, json.loads((folder / "found.json").read_text("utf-8")), pages


def _without_cdn(page):
    """Leave out what nbconvert itself loads from elsewhere, MathJax and RequireJS, and let nothing else be loaded."""
    page, left_out = re.subn(r'<script src="https://cdnjs[^"]*">\s*</script>', "", page)
    assert left_out == 2
    return page.replace("<head>", f"<head>{POLICY}", 1)


def test_a_notebook_runs(executed):
    """Every cell runs, with the real certificates and with the lab, and the notebook says which it has."""
    name, given, _, found, _ = executed
    printed = found["printed"]
    if name == "explore_federal_pki":
        assert printed.startswith("The real Federal PKI.\n" if given == "real" else "The lab's replica:")
        assert "path 4: " in printed
        assert "2.16.840.1.101.3.2.1.3.8: 4 valid paths\n2.16.840.1.101.2.1.11.36: 0 valid paths" in printed
        assert "2 keys: " in printed
        assert "Federal Bridge CA 2016 <-> Federal Common Policy CA" in printed
        assert "✗ No valid path" in found["shown"]
        assert ("146 certificates, seen from Federal Common Policy CA G2" in found["shown"]) is (given == "real")
    else:
        assert "the password is wrong or the file is damaged" in printed
        assert "mdm.example.mil has become ldm.example.mil" in printed
        assert "certificates the same: True\nkey the same: True\n" in printed


def test_no_secret_is_shown(executed):
    """Neither a password nor a number of the key, nor anything that calls itself a private key in PEM."""
    name, _, _, found, _ = executed
    assert found["outputs"] > 10
    assert found["leaked"] == []
    assert "BEGIN" not in found["printed"] or name != "anatomy_of_a_p12"


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_an_exported_notebook_is_rendered(render, executed, theme):
    """Exported to HTML and opened: each value is there beside JupyterLab's own styles, in the page's theme."""
    name, _, shown, _, pages = executed
    rendered = render(pages[theme], prefers="light" if theme == "dark" else "dark")
    assert_sound(rendered, shown=shown)
    assert is_dark(*rendered.measured["grounds"], *rendered.measured["papers"]) is (theme == "dark")
    if name == "explore_federal_pki":
        assert rendered.measured["svg"] == 6
        assert len(rendered.measured["orders"]) == 3


@pytest.mark.slow
def test_an_exported_notebook_fits_a_telephone(render, executed):
    """In a window of 390 pixels, wide content scrolls sideways in its own frame."""
    _, _, shown, _, pages = executed
    rendered = render(pages["light"], width=390)
    assert rendered.measured["width"] == 390
    assert_sound(rendered, shown=shown)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("look", "theme", "width"), [("light", "light", 1_100), ("dark", "dark", 1_100), ("narrow", "light", 390)]
)
def test_notebooks_are_there_to_look_at(render, screenshot, executed, look, theme, width):
    """A screenshot of each page from top to bottom, with its folds closed."""
    name, given, _, _, pages = executed
    height = render(pages[theme], width=width).measured["height"]
    picture = screenshot(pages[theme], f"{name}-{given}-{look}", width=width, height=height)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_secret_in_any_output_is_found():
    """The check for secrets can fail: it finds one that is printed, one in HTML and one in an error, and no other."""
    outputs = [
        {"output_type": "stream", "text": "I tell it\n"},
        {"output_type": "execute_result", "data": {"text/html": "<td>1234567</td>", "text/plain": "a value"}},
        {"output_type": "error", "ename": "ValueError", "traceback": ["at 'PRIVATE KEY'"]},
    ]
    secrets = {"password": "tell it", "number": "1234567", "pem": "PRIVATE KEY", "absent": "told it"}
    assert find_leaks(secrets, outputs) == ["password", "number", "pem"]
    assert find_leaks(secrets, [{"output_type": "stream", "text": "no secret"}]) == []


@pytest.mark.slow
def test_a_secret_that_is_shown_is_noticed(tmp_path, cannot_run):
    """The test above can fail: it finds a notebook that prints its password."""
    if find_spec("nbclient") is None:
        cannot_run("needs the package nbclient")
    cells = [{"cell_type": "code", "execution_count": None, "id": "a", "metadata": {}, "outputs": []}]
    cells[0]["source"] = ["password = 'tell' + ' it'\n", "print('I', password)"]
    metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    notebook = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    file = tmp_path / "bad.ipynb"
    file.write_text(json.dumps(notebook), "utf-8")
    subprocess.run([sys.executable, EXECUTE, file, tmp_path, "password;'absent'"], check=True, capture_output=True)
    assert json.loads((tmp_path / "found.json").read_text("utf-8"))["leaked"] == ["password"]
