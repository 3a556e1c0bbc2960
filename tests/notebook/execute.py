"""Executes a notebook in its own folder, as JupyterLab does, and exports it as HTML in a light and a dark theme.

``execute.py NOTEBOOK FOLDER NAMES``: writes ``light.html``, ``dark.html`` and ``found.json`` to FOLDER. NAMES are
expressions, divided by semicolons, for texts that no output may have in it; ``found.json`` says which of them one has.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def find_leaks(secrets: dict[str, str], outputs: list[dict[str, object]]) -> list[str]:
    """Return the names of the secrets whose text is somewhere in a notebook's outputs."""
    shown = json.dumps(outputs, ensure_ascii=False)
    return [name for name, text in secrets.items() if text in shown]


def main(path: Path, folder: Path, secret: list[str]) -> None:
    """Execute and export."""
    import nbformat
    from nbclient import NotebookClient
    from nbconvert import HTMLExporter

    notebook = nbformat.read(path, as_version=4)
    number = len(notebook.cells)
    notebook.cells.append(nbformat.v4.new_code_cell(f"import json\nprint(json.dumps([{', '.join(secret)}]))"))
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(path.parent)}}).execute()
    told = notebook.cells.pop(number).outputs[0].text
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    shown = json.dumps(outputs, ensure_ascii=False)
    printed = "".join(output.text for output in outputs if output.output_type == "stream")
    leaked = find_leaks(dict(zip(secret, json.loads(told), strict=True)), outputs)
    found = {"printed": printed, "outputs": len(outputs), "leaked": leaked, "shown": shown}
    (folder / "found.json").write_text(json.dumps(found), "utf-8")
    for theme in ("light", "dark"):
        page, _ = HTMLExporter(theme=theme, template_name="lab").from_notebook_node(notebook)
        (folder / f"{theme}.html").write_text(page, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), list(filter(None, sys.argv[3].split(";"))))
