"""The picture in the README is one that pkcs12kit draws, of real certificates."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pkcs12kit as pk

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "path.svg"


def test_the_picture_in_the_readme_is_what_is_drawn_today(fpki):
    """The four valid paths of 2018 and the expired certificate beside them. ``PKCS12KIT_WRITE_PAGE=1`` writes it.

    The others that are expired are left out: the picture is to be readable in the width of a page.
    """
    report = pk.find_paths(
        pk.load_certificate(fpki / "dod-id-sw-ca-37.pem"),
        pool=pk.load_certificates(fpki / "fpki-historic.pem", fpki / "dod-2019.pem"),
        trust_anchors=pk.load_trust_anchors(fpki / "fcpca.pem"),
        parameters=pk.ValidationParameters(time=datetime(2018, 6, 1, tzinfo=UTC)),
    )
    assert len(report.valid) == 4
    anchor = report.best.trust_anchor.name
    below_the_anchor = tuple(it for it in report.rejected if it.certificate.issuer == anchor)
    drawn = pk.pictures.to_svg(pk.pictures.picture_of_report(replace(report, rejected=below_the_anchor)))
    if os.environ.get("PKCS12KIT_WRITE_PAGE"):
        PICTURE.write_text(drawn, "utf-8")
    assert PICTURE.read_text("utf-8") == drawn
