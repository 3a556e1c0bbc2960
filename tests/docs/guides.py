"""The configurations on the pages of guides, as templates for servers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

GUIDES: Final = Path(__file__).parents[2] / "docs" / "how-to"


def listing(page: str, language: str) -> str:
    """Take the only block of a language from a page."""
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", (GUIDES / page).read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return block


def filled_in(text: str, replacements: Mapping[str, str]) -> str:
    """Turn a block into a template: what is to be filled in has to be there, and braces stay what they are."""
    text = text.replace("{", "{{").replace("}", "}}")
    for old, new in replacements.items():
        assert old in text
        text = text.replace(old, new)
    return text
