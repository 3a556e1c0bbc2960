"""Contents and anatomy of PKCS#12 files. Private keys are mentioned; keys and passwords are never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkcs12kit.display.labels import day
from pkcs12kit.display.pfx import encryption_in_words, mac_in_words, unusual_passwords, why_closed
from pkcs12kit.notebook.certificates import heading
from pkcs12kit.notebook.chains import chain
from pkcs12kit.notebook.html import (
    Element,
    Node,
    answer,
    badge,
    cell,
    code,
    element,
    facts,
    folded,
    left_out,
    lines,
    name,
    part,
    said,
    table,
    title,
    yes_or_no,
)
from pkcs12kit.notebook.pools import rejects_list
from pkcs12kit.notebook.validity import state_badge
from pkcs12kit.text import counted
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.notebook.html import View
    from pkcs12kit.pkcs12.bundle import Bundle
    from pkcs12kit.pkcs12.compatibility import ReaderVerdict
    from pkcs12kit.pkcs12.decoder import DecodedPfx
    from pkcs12kit.pkcs12.inspection import BagReport, PfxReport, SafeContentsReport


def draw_bundle(bundle: Bundle, view: View) -> Element:
    """Return the contents of a bundle, in file order."""
    kind = "truststore" if bundle.truststore else "PKCS#12 file"
    return element(
        "div",
        title(f"Bundle for a {kind}: {counted(len(bundle.certificates), 'certificate')} in file order"),
        _key(bundle.friendly_name) if bundle.private_key is not None else element("p", "without a private key"),
        chain(
            bundle.certificates,
            view,
            time=view.time_or_now,
            notes=list(map(_friendly_name, bundle.aliases)),
            linked=False,
        ),
    )


def draw_decoded(decoded: DecodedPfx, view: View) -> Element:
    """Return the contents of a decoded file: the number of keys, and the certificates."""
    keys = counted(len(decoded.keys) + len(decoded.unread_keys), "private key")
    others = counted(len(decoded.other_bags), "other bag")
    return element(
        "div",
        title(f"Read from a PKCS#12 file: {keys}, {counted(len(decoded.certificates), 'certificate')}, {others}"),
        lines(decoded.keys, view, show=lambda key: _key(key.friendly_name)),
        chain(
            decoded.certificates,
            view,
            time=view.time_or_now,
            notes=list(map(_friendly_name, decoded.friendly_names)),
            linked=False,
        ),
        rejects_list(decoded.rejects, view),
        _notes(decoded.notes, view),
    )


def draw_pfx_report(report: PfxReport, view: View) -> Element:
    """Return the anatomy of a file."""
    return element("div", title("PKCS#12 file"), *pfx_body(report, view))


def pfx_body(report: PfxReport, view: View) -> tuple[Node, ...]:
    """Return the anatomy of a file without a title."""
    safes = [
        element("li", _safe_contents(safe, number, report, view))
        for number, safe in enumerate(report.safe_contents, start=1)
    ]
    return (
        _problems(report, view),
        facts(
            [
                (
                    "MAC",
                    element(
                        "span", mac_in_words(report.mac), " ", _verdict(report) if report.mac is not None else None
                    ),
                ),
                ("first expiry", day(report.expires) if report.expires is not None else None),
                ("bytes after the file", f"{report.trailing_bytes:,}" if report.trailing_bytes else None),
            ]
        ),
        element("ul", *safes[: view.limits.notebook_items], class_="tree"),
        left_out(len(safes) - view.limits.notebook_items, "SafeContents"),
        _notes((*unusual_passwords(report), *report.notes), view),
        readers(report.readers),
    )


def readers(verdicts: Mapping[str, ReaderVerdict]) -> Element:
    """Return a table of readers that can import a file, and of the reasons."""
    rows = (
        (cell(reader), cell(answer(verdict.answer), class_="tight"), cell(verdict.why))
        for reader, verdict in verdicts.items()
    )
    return folded("Programs that can import it", table(("reader", "imports it", "reason"), rows))


def _key(friendly_name: str | None) -> Element:
    return element(
        "p", badge("private key", "good"), " is present and is never shown", *_named(friendly_name), class_="key"
    )


def _named(friendly_name: str | None) -> tuple[Node, ...]:
    return (", named ", name(friendly_name)) if friendly_name is not None else ()


def _friendly_name(friendly_name: str | None) -> Element:
    if friendly_name is None:
        return element("div", "without a friendly name", class_="muted")
    return element("div", "friendly name ", name(friendly_name), class_="muted")


def _problems(report: PfxReport, view: View) -> Node:
    problems: Sequence[str] = (*(report.arrangement.problems if report.arrangement else ()), *report.unopened)
    if not problems:
        return None
    return element("div", part("Problems"), lines(problems, view, show=lambda why: said(f"✗ {why}", "bad")))


def _notes(notes: Iterable[str], view: View) -> Node:
    return lines([f"! {sentence}" for sentence in notes], view, show=lambda text: said(text, "warn"))


def _verdict(report: PfxReport) -> Element:
    if report.mac_verified is None:
        return said("○ not verified", "muted")
    return yes_or_no(report.mac_verified, "verified", "wrong password")


def _safe_contents(safe: SafeContentsReport, number: int, report: PfxReport, view: View) -> Element:
    head = element("span", f"SafeContents {number}, {encryption_in_words(safe.encryption)}")
    if safe.bags is None:
        return element("div", head, " ", badge(why_closed(safe, report)))
    bags = [element("li", _bag(bag, view)) for bag in safe.bags[: view.limits.notebook_items]]
    left = left_out(len(safe.bags) - len(bags), "bags")
    return element("div", head, element("ul", *bags, class_="tree"), left)


def _bag(bag: BagReport, view: View) -> Element:
    certificate: Certificate | None = bag.certificate
    rows: list[tuple[str, Node]] = [
        ("protection", encryption_in_words(bag.encryption) if bag.encryption is not None else None),
        ("friendly name", name(bag.friendly_name) if bag.friendly_name is not None else None),
        ("local key ID", code(bag.local_key_id.hex()) if bag.local_key_id is not None else None),
    ]
    if certificate is None:
        return element("div", element("strong", bag.type), facts(rows))
    rows.append(("valid until", format_time(certificate.not_after)))
    return element(
        "div",
        element("strong", bag.type),
        " ",
        *heading(certificate),
        " ",
        badge("end-entity", "good") if bag.end_entity else None,
        state_badge(certificate, view.time_or_now),
        facts(rows),
    )
