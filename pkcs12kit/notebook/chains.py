"""Certification paths as chains of cards over one time axis, which shows the certificate that expires first."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from pkcs12kit.display.explanations import policies_of
from pkcs12kit.display.labels import day
from pkcs12kit.notebook.certificates import card, certificate_facts, heading, kinds
from pkcs12kit.notebook.html import Element, Node, badge, element, facts, folded, joined, name, said, title
from pkcs12kit.notebook.validity import Axis, bar, dates, is_valid, state_badge
from pkcs12kit.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.path import CertificationPath
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.notebook.html import View
    from pkcs12kit.paths.validation.verdict import ValidatedPath


def draw_path(path: CertificationPath, view: View) -> Element:
    """Return a path that has not been validated."""
    head = title(f"Certification path of {counted(len(path.certificates), 'certificate')}, not validated")
    return element("div", head, _time_line(path, view), path_chain(path, view))


def draw_validated_path(path: ValidatedPath, view: View) -> Element:
    """Return a valid path, as of the time that it was validated for."""
    view = view.at(path.parameters.time)
    return element("div", title(said("✓ Valid path", "good")), *path_body(path, view))


def path_body(path: ValidatedPath, view: View) -> tuple[Node, ...]:
    """Return the contents of a valid path without a title."""
    view = view.at(path.parameters.time)
    revocation = path.revocation
    rows = [
        ("asked for", path.parameters.server_name),
        ("policies", joined(policies_of(path), view)),
        ("revocation", joined([str(status) for status in revocation.statuses], view) if revocation else None),
    ]
    return (_time_line(path, view), path_chain(path, view), facts(rows))


def path_chain(path: CertificationPath, view: View) -> Element:
    """Return the cards of a path from the target up, the trust anchor last."""
    return chain(path.certificates, view, time=view.time_or_now, anchor=path.trust_anchor, expires=path.expires)


def chain(
    certificates: Sequence[Certificate],
    view: View,
    *,
    time: datetime | None,
    anchor: TrustAnchor | None = None,
    notes: Sequence[Node] = (),
    problems: Sequence[Node] = (),
    linked: bool = True,
    expires: datetime | None = None,
) -> Element:
    """Return certificates as cards over one time axis.

    - ``time``: marked on the axis, if known.
    - ``anchor``: the trust anchor that ends the chain.
    - ``notes``, ``problems``: a remark below the name of each certificate, None for no remark.
    - ``linked``: True if each certificate is issued by the next.
    - ``expires``: the first expiry that counts; None for that of all certificates.
    """
    top = anchor.certificate if anchor is not None else None
    shown = list(certificates[: view.limits.notebook_items])
    every = [*shown, *([top] if top is not None and top not in shown else [])]
    if not every:
        return said("none", "muted")
    axis, first = Axis.over(every), expires or min(certificate.not_after for certificate in every)
    cards = [
        _card(
            certificate,
            view,
            axis,
            time=time,
            more=(_expiry(first, time) if certificate.not_after == first else None, _trust(certificate, top)),
            remarks=(note, problem),
        )
        for certificate, note, problem in zip_longest(every, notes[: len(shown)], problems[: len(shown)])
    ]
    left = len(certificates) - len(shown)
    if left > 0:
        cards.insert(len(shown), element("div", f"and {counted(left, 'more certificate')}", class_="card muted"))
    if anchor is not None and top is None:
        cards.append(card(element("div", name(anchor.label), " ", badge("✓ trust anchor", "good"), class_="head")))
    items = (element("li", one) for one in cards)
    scale = element("div", element("span", day(axis.begin)), element("span", day(axis.end)), class_="axis")
    return element("div", element("ol", *items, class_="chain" if linked else "chain loose"), scale)


def _expiry(first: datetime, time: datetime | None) -> Element:
    return badge("! expired first" if time is not None and time > first else "! expires first", "warn")


def _trust(certificate: Certificate, anchor: Certificate | None) -> Element | None:
    return badge("✓ trust anchor", "good") if certificate == anchor else None


def _card(
    certificate: Certificate,
    view: View,
    axis: Axis,
    *,
    time: datetime | None,
    more: tuple[Node, Node],
    remarks: tuple[Node, Node],
) -> Element:
    expires_first, (note, problem) = more[0], remarks
    lapsed = time is not None and not is_valid(certificate, time)
    kind = "bad" if lapsed or problem is not None else "warn" if expires_first is not None else "good"
    badges = (*kinds(certificate), state_badge(certificate, time) if time is not None and lapsed else None, *more)
    return card(
        element("div", *heading(certificate), " ", *badges, class_="head"),
        note,
        problem,
        bar(certificate, axis, time),
        dates(certificate, time),
        folded("fields", certificate_facts(certificate, view)),
        kind=kind,
    )


def _time_line(path: CertificationPath, view: View) -> Element:
    text = f"Expires on {day(path.expires)}. Shown as of {view.time_in_words()}, the vertical line in each bar."
    return element("p", text, class_="muted")
