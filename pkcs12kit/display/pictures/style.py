"""The style sheet of SVG pictures: a light and a dark palette, and line styles that do not depend on colour.

CSS custom properties would be shorter, but Inkscape and librsvg do not support them.
"""

from __future__ import annotations

from typing import Final

from pkcs12kit.display.pictures.picture import EdgeState

ROOT: Final = "p12k-picture"
CLASSES: Final = {
    EdgeState.CHOSEN: "p12k-best",
    EdgeState.VALID: "p12k-valid",
    EdgeState.EXPIRED: "p12k-expired",
    EdgeState.NOT_YET_VALID: "p12k-later",
    EdgeState.REJECTED: "p12k-refused",
    EdgeState.OTHER: "p12k-other",
}
CAUSES: Final = tuple(f"cause{number}" for number in range(1, 9))
"""The colours of causes; there is none for more of them."""
_FONT: Final = 'font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif'
_SHAPES: Final = """
.R text{stroke:none}
.R .p12k-heading{font-size:16px;font-weight:bold}
.R .p12k-line{fill:none;stroke-width:1.3}
.R .p12k-hit{fill:none;stroke:#000;stroke-opacity:0;stroke-width:9;pointer-events:stroke}
.R .p12k-box{stroke-width:1.2}
.R .p12k-name{font-size:12px;font-weight:bold}
.R .p12k-row{font-size:12px}
.R .p12k-note,.R .p12k-pill text{font-size:10.5px}
.R .p12k-anchor .p12k-box{stroke-width:2.4}
.R .p12k-target .p12k-box{stroke-width:2.4}
.R .p12k-missing .p12k-box{stroke-dasharray:2 3}
.R .p12k-best .p12k-line{stroke-width:3.6}
.R .p12k-best .p12k-pill rect{stroke-width:2.4}
.R .p12k-best text{font-weight:bold}
.R .p12k-valid .p12k-line{stroke-width:1.7}
.R .p12k-expired .p12k-line{stroke-dasharray:9 3 2 3}
.R .p12k-later .p12k-line{stroke-dasharray:2 4}
.R .p12k-refused .p12k-line{stroke-dasharray:6 4}
"""
_LIGHT: Final = {
    "paper": "#ffffff",
    "ink": "#1b1f24",
    "dim": "#545d68",
    "line": "#7a848f",
    "box": "#f3f5f7",
    "anchor": "#fff1b8",
    "target": "#d8ecff",
    "best": "#0a50b4",
    "expired": "#bd1f2a",
    "later": "#6a3db8",
    "refused": "#9a4a00",
    **dict(
        zip(
            CAUSES,
            ("#0a50b4", "#b45f06", "#1e7a3c", "#7b3fb5", "#00727a", "#b0236f", "#6b4f2a", "#6b6b00"),
            strict=True,
        )
    ),
}
_DARK: Final = {
    "paper": "#15191e",
    "ink": "#e9edf1",
    "dim": "#a9b2bc",
    "line": "#7d8791",
    "box": "#232a31",
    "anchor": "#4b3f0c",
    "target": "#123a5e",
    "best": "#84b8ff",
    "expired": "#ff8f8a",
    "later": "#c9a8ff",
    "refused": "#ffb163",
    **dict(
        zip(
            CAUSES,
            ("#84b8ff", "#ffb163", "#7fd69a", "#c9a8ff", "#5fd3dc", "#ff9ccf", "#d8b98a", "#d6d36a"),
            strict=True,
        )
    ),
}
_COLOURED: Final = """
.R .p12k-paper{fill:paper}
.R text{fill:ink}
.R .p12k-note{fill:dim}
.R .p12k-line{stroke:line}
.R .p12k-arrow{fill:line}
.R .p12k-box,.R .p12k-pill rect{fill:box;stroke:line}
.R .p12k-pill rect{fill:paper}
.R .p12k-anchor .p12k-box{fill:anchor;stroke:ink}
.R .p12k-target .p12k-box{fill:target;stroke:ink}
.R .p12k-best .p12k-line,.R .p12k-valid .p12k-line,.R .p12k-best rect,.R .p12k-valid rect{stroke:best}
.R .p12k-best .p12k-arrow,.R .p12k-valid .p12k-arrow{fill:best}
.R .p12k-expired .p12k-line,.R .p12k-expired rect{stroke:expired}
.R .p12k-expired text,.R .p12k-expired .p12k-arrow{fill:expired}
.R .p12k-later .p12k-line,.R .p12k-later rect{stroke:later}
.R .p12k-later text,.R .p12k-later .p12k-arrow{fill:later}
.R .p12k-refused .p12k-line,.R .p12k-refused rect{stroke:refused}
.R .p12k-refused text,.R .p12k-refused .p12k-arrow{fill:refused}
"""
# The theme of the page (JupyterLab, Sphinx with furo, VS Code) takes precedence over that of the system.
_PAGE_IS_LIGHT: Final = ('[data-jp-theme-light="true"]', '[data-theme="light"]', ".vscode-light")
_PAGE_IS_DARK: Final = ('[data-jp-theme-light="false"]', '[data-theme="dark"]', ".vscode-dark")


_TIMELINE_SHAPES: Final = """
.R .p12k-heading{font-size:16px;font-weight:bold}
.R .p12k-row{font-size:12px}
.R .p12k-name{font-size:12px;font-weight:bold}
.R .p12k-note{font-size:10.5px}
.R .p12k-gap{fill:none;stroke-width:1.6;stroke-dasharray:2 4}
.R .p12k-unknown{fill:none;stroke-width:1.6;stroke-dasharray:9 3 2 3}
.R .p12k-tick{fill:none;stroke-width:.6}
.R .p12k-now{fill:none;stroke-width:2}
"""
_TIMELINE_COLOURED: Final = """
.R .p12k-paper{fill:paper}
.R text{fill:ink}
.R .p12k-note{fill:dim}
.R .p12k-span{fill:best}
.R .p12k-gap{stroke:expired}
.R .p12k-unknown{stroke:refused}
.R .p12k-tick{stroke:line}
.R .p12k-now{stroke:ink}
"""
_CAUSES_SHAPES: Final = ".R .p12k-halo{paint-order:stroke;stroke-width:3px;stroke-linejoin:round}\n"
_CAUSES_COLOURED: Final = (
    ".R .p12k-halo{stroke:paper}\n.R .p12k-wrong{fill:expired}\n.R .p12k-other{fill:line}\n"
    + "\n".join(f".R .p12k-{cause}{{fill:{cause}}}" for cause in CAUSES)
)


def stylesheet(*, timeline: bool = False, causes: bool = False) -> str:
    """Return the style sheet, that of timelines if set, with ``causes`` with bars in the colours of causes as well.

    Its rules apply only to pictures of this library.
    """
    shapes = _TIMELINE_SHAPES if timeline else _SHAPES
    rules = _TIMELINE_COLOURED if timeline else _COLOURED
    if causes:
        shapes, rules = shapes + _CAUSES_SHAPES, rules + _CAUSES_COLOURED
    root = f".{ROOT}-timeline" if timeline else f".{ROOT}"
    dark = _coloured(rules, _DARK, root)
    return "".join(
        (
            f"{root}{{{_FONT}}}",
            shapes.replace(".R", root),
            _coloured(rules, _LIGHT, root),
            f"@media (prefers-color-scheme:dark){{{dark}}}",
            _coloured(rules, _LIGHT, *(f"{page} {root}" for page in _PAGE_IS_LIGHT)),
            _coloured(rules, _DARK, *(f"{page} {root}" for page in _PAGE_IS_DARK)),
        )
    )


def _coloured(given: str, palette: dict[str, str], *roots: str) -> str:
    rules = []
    for rule in given.strip().splitlines():
        selectors, _, declarations = rule.partition("{")
        chosen = ",".join(one.replace(".R", root) for root in roots for one in selectors.split(","))
        pairs = (pair.split(":") for pair in declarations.rstrip("}").split(";"))
        rules.append(f"{chosen}{{{';'.join(f'{name}:{palette[colour]}' for name, colour in pairs)}}}")
    return "\n".join(rules)
