"""Screens of a terminal of 80 columns, in a light and a dark theme: the timeline, and refusals.

The pictures are for a person, who should be able to say from the screen what is wrong and what to do next. Headless
Chromium takes them from the HTML to which rich exports the output.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from shlex import quote
from typing import Final

import pytest
from rich.color import parse_rgb_hex
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

import pkcs12kit as pk

from ..broken.catalogue import SETUPS
from ..broken.frozen import frozen_at
from ..broken.page import on_terminal, typed
from ..broken.pki import AT, Folder

COLUMNS = 80
LINE = 19
"""Pixels of a line, with room to spare."""
NOW = datetime(2026, 12, 1, tzinfo=UTC)
SOURCES = ("fpki-historic.pem", "dod-2019.pem", "fpki-2024-10.p7b", "fpki-2025-06.p7b")
REFUSALS = ("missing-issuer-and-expired-server", "dns-name-not-permitted", "crl-too-old", "revoked-server")


def theme_of(background, foreground, colours):
    """Return a theme with these colours, as web pages write them."""
    triplets = [tuple(parse_rgb_hex(one[1:])) for one in (background, foreground, *colours)]
    return TerminalTheme(triplets[0], triplets[1], triplets[2:])


THEMES: Final = {
    "light": theme_of(
        "#ffffff",
        "#1e1e1e",
        ["#000000", "#b41e14", "#146e1e", "#7d5a00", "#143cc8", "#961e96", "#00697d", "#5a5a5a"],
    ),
    "dark": theme_of(
        "#0c0c0c",
        "#cccccc",
        ["#0c0c0c", "#f05a64", "#3cc83c", "#d2aa28", "#5a96ff", "#c86edc", "#46bedc", "#cccccc"],
    ),
}


def of_federal_pki(fpki, place, *words):
    """Return the call of ``paths`` in ``place`` for a certificate of the Federal PKI, with the files beside it."""
    for name in (*SOURCES, "fcpca.pem", "fcpcag2.pem", "dod-sw-ca-67.pem"):
        (place / name).symlink_to(fpki / name)
    roots = pk.load_certificates(fpki / "dod-roots-2026-07.pem")
    (root,) = (one for one in roots if one.label == "DoD Root CA 3")
    (place / "dod-root-ca-3.cer").write_bytes(root.der)
    return " ".join(map(quote, ("paths", *words)))


def timeline(fpki, place):
    """The story of DoD Root CA 3."""
    given = ("--certs", *SOURCES, "--anchor", "fcpca.pem", "--anchor", "fcpcag2.pem")
    return of_federal_pki(fpki, place, "dod-root-ca-3.cer", "--when", *given)


def policy(fpki, place):
    """A path is valid for three policies of the Federal PKI, and another one is asked for."""
    asked = ("--policy", "2.16.840.1.101.3.2.1.3.13", "--at", "2024-10-15")
    given = ("--certs", "fpki-2024-10.p7b", "--anchor", "fcpcag2.pem")
    return of_federal_pki(fpki, place, "dod-sw-ca-67.pem", *given, *asked)


CALLS = {"timeline": timeline, "policy": policy}


@pytest.fixture(scope="module", params=[*CALLS, *REFUSALS])
def screen(request, tmp_path_factory):
    """Return the name of a screen, and its text with the sequences for colours."""
    name, place = request.param, tmp_path_factory.mktemp("screen")
    if name in CALLS:
        call, time = CALLS[name](request.getfixturevalue("fpki"), place), NOW
    else:
        (broken,) = (one for one in SETUPS if one.name == name)
        call, time = broken.call, AT
    with frozen_at(time):
        if name not in CALLS:
            broken.make(Folder(place))
        shown = on_terminal(call, place, TERM="xterm-256color")
    return name, "\n".join((*typed(call), shown))


@pytest.mark.slow
@pytest.mark.parametrize("theme", THEMES)
def test_screens_are_there_to_look_at(screenshot, screen, theme):
    """A screenshot of each, in colours and within 80 columns."""
    name, text = screen
    assert "\x1b[" in text
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(text))
    page = console.export_html(theme=THEMES[theme], inline_styles=True)
    lines = Text.from_ansi(text).plain.splitlines()
    assert max(map(len, lines)) <= COLUMNS
    picture = screenshot(page, f"terminal-{name}-{theme}", prefers=theme, width=840, height=LINE * (len(lines) + 3))
    assert picture.read_bytes().startswith(b"\x89PNG")
