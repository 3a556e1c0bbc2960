"""The JSON Schema of a manifest, and the table of its keys on the page about it: ``python docs/making/manifest.py``.

Both come from the model in ``pkcs12kit/fleet/schema.py``; a test holds them to it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from pkcs12kit.fleet.schema import manifest_schema

_DOCS: Final = Path(__file__).parents[1]
SCHEMA: Final = _DOCS / "_static" / "pkcs12kit-manifest.schema.json"
PAGE: Final = _DOCS / "reference" / "manifest.md"
_BEGIN: Final = "<!-- The table is written by docs/making/manifest.py. -->\n"


def schema_text() -> str:
    """Return the JSON Schema as it is published."""
    return json.dumps(manifest_schema(), indent=2, ensure_ascii=False) + "\n"


def table() -> str:
    """Return the table of the keys of a bundle."""
    properties = manifest_schema()["$defs"]["Bundle"]["properties"]
    rows = [f"| `{key}` | {said['description']} |" for key, said in properties.items()]
    return "\n".join(["| key | meaning |", "| --- | --- |", *rows]) + "\n"


def page_text(page: str) -> str:
    """Return the page with the table at its end."""
    return page.partition(_BEGIN)[0] + _BEGIN + "\n" + table()


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(), "utf-8")
    PAGE.write_text(page_text(PAGE.read_text("utf-8")), "utf-8")
