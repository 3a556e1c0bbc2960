"""The style sheet of all HTML, for light and dark pages, and a script that sorts tables.

The theme is that of the page (JupyterLab and nbconvert, VS Code, Colab, Sphinx), or else the reader's preference.
Colours only repeat words and signs. No other resources are loaded.
"""

from __future__ import annotations

from typing import Final

ROOT: Final = "pkcs12kit"
"""The class of the outermost element."""

_LIGHT: Final = (
    "color-scheme:light;--ink:#1f2328;--muted:#59636e;--ground:#fff;--panel:#f6f8fa;--line:#d1d9e0;"
    "--good:#1a7f37;--bad:#cf222e;--warn:#8a5a00;--mark:#0969da;--band:#8fbcef"
)
_DARK: Final = (
    "color-scheme:dark;--ink:#e6edf3;--muted:#9da7b1;--ground:#14181e;--panel:#1e242c;--line:#3d444d;"
    "--good:#4cc264;--bad:#ff7b72;--warn:#e0a93b;--mark:#79b8ff;--band:#2f5f9e"
)
_DARK_PAGES: Final = ('[data-jp-theme-light="false"]', ".vscode-dark", '[theme="dark"]', '[data-theme="dark"]')
_LIGHT_PAGES: Final = ('[data-jp-theme-light="true"]', ".vscode-light", '[theme="light"]', '[data-theme="light"]')


def _within(pages: tuple[str, ...]) -> str:
    return ",".join(f"{page} .{ROOT}" for page in pages)


_RULES: Final = """
& { background:var(--ground); color:var(--ink); border:1px solid var(--line); border-radius:6px; padding:.75em 1em;
  font:14px/1.45 system-ui,-apple-system,"Segoe UI",sans-serif; max-width:72rem; box-sizing:border-box;
  overflow-wrap:anywhere; text-align:left }
& * { box-sizing:border-box }
&:has(> .whole) { max-width:none }
& p, & ol, & ul, & dl, & dd, & dt, & table { margin:0; padding:0; font-size:inherit; background:none }
& .title { font-size:1.1em; font-weight:600; margin:0 0 .4em }
& .part { font-weight:600; margin:1em 0 .3em }
& .muted, & .dates, & .axis { color:var(--muted) }
& .good { color:var(--good) } & .bad { color:var(--bad) } & .warn { color:var(--warn) }
& .good, & .bad, & .warn { font-weight:600 }
& .badge { display:inline-block; border:1px solid currentColor; border-radius:1em; padding:0 .6em; margin:0 .15em;
  font-size:.85em; font-weight:600; color:var(--muted) }
& .badge.good { color:var(--good) } & .badge.bad { color:var(--bad) } & .badge.warn { color:var(--warn) }
& .tight { white-space:nowrap }
& .code { font-family:ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace; font-size:.9em }
& ol.chain, & ul.tree, & ul.lines, & ol.lines { list-style:none; margin:0; padding:0 }
& ol.chain { margin-top:.4em } & ol.chain > li { list-style:none; margin:0 }
& ol.chain > li + li::before { content:"\\2193\\00a0 issued by"; display:block; color:var(--muted); font-size:.85em;
  padding:.15em 0 .15em 1.2em; border-left:2px solid var(--line); margin-left:1em }
& ol.loose > li + li::before { content:""; padding:0; height:.4em; border:0 }
& .card { border:1px solid var(--line); border-left:4px solid var(--line); border-radius:6px; background:var(--panel);
  padding:.5em .75em }
& .card.is-good { border-left-color:var(--good) } & .card.is-bad { border-left:4px double var(--bad) }
& .card.is-warn { border-left:4px dashed var(--warn) }
& .head { font-weight:600 } & .head .muted { font-weight:400 }
& .bar { position:relative; height:.7em; margin:.4em 0 .2em; background:var(--ground); border:1px solid var(--line);
  border-radius:3px }
& .bar .span { position:absolute; top:0; bottom:0; background:var(--band); border-radius:2px; min-width:2px }
& .bar .now { position:absolute; top:-.25em; bottom:-.25em; width:0; border-left:2px solid var(--ink) }
& .dates, & .axis { font-size:.9em }
& .axis { display:flex; justify-content:space-between; margin-top:.4em }
& details { margin-top:.3em } & summary { cursor:pointer; color:var(--mark); display:list-item }
& dl.facts { display:grid; grid-template-columns:max-content minmax(0,1fr); gap:.1em .9em; margin:.3em 0 }
& dl.facts > dt { color:var(--muted); font-weight:400; float:none; width:auto }
& dl.facts > dd { margin:0; float:none; width:auto }
& ul.tree { margin-left:.4em } & ul.tree > li { list-style:none; margin:.25em 0; padding-left:.9em;
  border-left:2px solid var(--line) }
& ul.lines > li, & ol.lines > li { margin:.15em 0 } & ol.lines { list-style:decimal; padding-left:1.6em }
& .wide { overflow:auto; max-height:32rem; margin-top:.4em }
& table.list { border-collapse:collapse; width:100%; border:0; table-layout:auto }
& table.list th, & table.list td { text-align:left; vertical-align:top; padding:.25em .7em .25em 0; border:0;
  border-bottom:1px solid var(--line); background:none; white-space:normal; max-width:none; min-width:0 }
& table.list th { font-weight:600; color:var(--muted); position:sticky; top:0; background:var(--ground);
  white-space:nowrap }
& table.list td.tight { white-space:nowrap }
& table.list td.roomy { min-width:10em }
& table.list tbody tr { background:none }
& table.list button { all:unset; cursor:pointer; color:inherit; font:inherit; text-decoration:underline dotted }
& table.list button:focus-visible { outline:2px solid var(--mark) }
& .picture { overflow:auto; margin:.5em 0 } & .picture svg { max-width:100%; height:auto; display:block }
@media (max-width:36rem) { & dl.facts { grid-template-columns:minmax(0,1fr) } }
@media print { & .wide { max-height:none } }
"""

STYLE: Final = "".join(
    (
        f".{ROOT}{{{_LIGHT}}}@media (prefers-color-scheme:dark){{.{ROOT}{{{_DARK}}}}}",
        f"{_within(_LIGHT_PAGES)}{{{_LIGHT}}}{_within(_DARK_PAGES)}{{{_DARK}}}",
        " ".join(_RULES.split()).replace("&", f".{ROOT}"),
    )
)
"""The style sheet, which is part of every value shown: it may be the only one on a page."""

SORTING: Final = """
(() => {
  for (const table of document.querySelectorAll(".pkcs12kit table.sortable:not([data-ready])")) {
    table.dataset.ready = "";
    table.querySelectorAll("thead th").forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.title = "Sort by this column";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const key = (row) => row.children[column].dataset.key ?? row.children[column].textContent.toLowerCase();
        const rows = [...table.tBodies[0].rows].map((row) => [key(row), row]);
        rows.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0) * (down ? -1 : 1));
        table.tBodies[0].append(...rows.map(([, row]) => row));
      });
    });
  }
})();
"""
"""A script that puts a button into each heading of a sortable table. Without it tables cannot be sorted again."""
