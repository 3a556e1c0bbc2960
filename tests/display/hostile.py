"""Texts from outside that mean harm, and what must be left of them wherever they are shown."""

from __future__ import annotations

import unicodedata

from hypothesis import strategies as st

HOSTILE = (
    "</title><script>alert(1)</script>",
    '"><image href="http://evil.example/x.svg"/>',
    "]]>--><!-- &lt; &#x202e; &amp;",
    "a\u202eb\u2066c\u200fd\u061c",  # marks that turn the direction of writing
    "z\u200bero\u200d\u2060wi\ufeffdth\u00ad\u034f\u3164\ufe0f",
    "\x00\x01\x1b[2J\x7f\x85\x9b31m\n\r\t",
    "\ud800\ufffe\uffff",
    'x" onload="alert(1)',
    '\\"]; evil -> n1; //\\N\\G',
    "a|b; click n0 href 'javascript:alert(1)' %%{init: {}}%% `code` #quot; <br/>",
    "Z\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308\u0309",
    r"$x^2$ $$y$$ \(z\) \[w\] \begin{align}q\end{align} \ref{a} \$1$ `a/b`",  # formulas, to typesetters of pages
    "",
    " " * 300,
    "W" * 5_000,
    "שלום العالم 中文字 \ufdfd",
)
NAMES = st.one_of(
    st.sampled_from(HOSTILE), st.text(max_size=40), st.text(st.characters(categories=["Cc", "Cf", "Mn", "Lo"]))
)


def assert_harmless(text):
    """Nothing steers: no control but line feeds, no format character, nothing that Unicode calls ignorable."""
    ignorable = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0"
    for char in text:
        assert char == "\n" or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}, ascii(char)
        assert char not in ignorable
        assert not 0xFE00 <= ord(char) <= 0xFE0F
        assert not 0xE0100 <= ord(char) <= 0xE01EF
