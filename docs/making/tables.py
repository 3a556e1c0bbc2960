"""Parts of pages that are generated from the code: tables of limits, profiles, readers and devices, and a search."""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pkcs12kit import TrustAnchor, ValidationParameters, find_paths, lab, pictures, to_html
from pkcs12kit.certificates.lint.rules import RULES
from pkcs12kit.certificates.successors import CAS
from pkcs12kit.devices.model import KNOWN_CHAIN_LIMITS
from pkcs12kit.devices.stig import DISALLOWED
from pkcs12kit.devices.table import DEVICES
from pkcs12kit.devices.versions import VERSIONS
from pkcs12kit.limits import describe_limits
from pkcs12kit.pkcs12.profiles import PROFILES, readers_of
from pkcs12kit.pkcs12.reader_table import ENTRIES
from pkcs12kit.pkcs12.readers import READERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pkcs12kit import PathReport
    from pkcs12kit.pkcs12.protection import Scheme


def limits() -> Iterator[str]:
    """Yield the table of limits."""
    yield "| limit | default | unit | origin of the figure |"
    yield "| --- | ---: | --- | --- |"
    for limit in describe_limits():
        yield f"| `{limit.name}` | {limit.default:,} | {limit.unit} | {limit.origin} |"


def _scheme(scheme: Scheme | None) -> str:
    if scheme is None:
        return "unencrypted"
    return " ".join(filter(None, (scheme.algorithm, scheme.cipher, scheme.digest)))


def profiles() -> Iterator[str]:
    """Yield a table of the profiles, and one of the readers that are known to open each."""
    yield "| profile | certificates | key | MAC | iterations: encryption, MAC | salts, bytes |"
    yield "| --- | --- | --- | --- | ---: | ---: |"
    for profile in PROFILES:
        mac = " ".join(filter(None, (profile.mac_algorithm, profile.mac_digest))) or "none"
        yield (
            f"| `{profile.name}` | {_scheme(profile.certificate_encryption)} | {_scheme(profile.key_encryption)} |"
            f" {mac} | {profile.encryption_iterations:,}, {profile.mac_iterations:,} |"
            f" {profile.encryption_salt_length}, {profile.mac_salt_length} |"
        )
    yield ""
    yield "| profile | can be imported by |"
    yield "| --- | --- |"
    for profile in PROFILES:
        verdicts = readers_of(profile)
        opened_by = ", ".join(name for name in ENTRIES if verdicts[name].answer.value == "yes")
        yield f"| `{profile.name}` | {opened_by or 'no known reader'} |"


def _linked(source: str) -> str:
    """Return the text with each URL shown as its host, for GitHub also the repository: whole URLs are too wide."""
    return re.sub(r"https://(github\.com/[^/\s]+/[^/\s]+|[^/\s]+)\S*", r"[\1](<\g<0>>)", source)


def readers() -> Iterator[str]:
    """Yield a table of the names for several versions, and a section for each entry, with every statement."""
    yield "| name | stands for |"
    yield "| --- | --- |"
    for name, reader in READERS.items():
        if name not in ENTRIES:
            yield f"| `{name}` | {', '.join(f'`{entry}`' for entry in reader.entries)} |"
    yield ""
    for reader in ENTRIES.values():
        yield f"## {reader.name}\n\n{reader.title}.\n"
        yield "| feature | opens it | evidence | source | remark |"
        yield "| --- | --- | --- | --- | --- |"
        for it in reader.statements:
            answer = "yes" if it.opens else "no"
            yield f"| {it.feature.value} | {answer} | {it.evidence.value} | {_linked(it.source)} | {_linked(it.note)} |"
        bounds = reader.bounds
        figures = [
            f"at most {figure:,} iterations {what}"
            for figure, what in (
                (bounds.encryption, "for one encryption"),
                (bounds.mac, "for the MAC"),
                (bounds.total, "in all"),
            )
            if figure is not None
        ]
        if bounds.minimum > 1:
            figures.append(f"at least {bounds.minimum:,} iterations and salts of {bounds.salt_length} bytes")
        yield f"\nLimits: {'; '.join(figures)} ({_linked(bounds.source)}).\n" if figures else "\nLimits: none known.\n"


def devices() -> Iterator[str]:
    """Yield a section for each TLS client, with every rule and its source."""
    for device in (*DEVICES.values(), *VERSIONS.values()):
        yield f"## {device.name}\n\n{device.title}.\n"
        yield "| subject | behaviour | evidence | source | remark |"
        yield "| --- | --- | --- | --- | --- |"
        for it in device.rules:
            since = f" if issued since {it.since}" if it.since else ""
            what = f"{it.effect.value}{since}"
            yield f"| {it.property.value} | {what} | {it.evidence.value} | {_linked(it.source)} | {_linked(it.note)} |"
        for limit in device.limits:
            yield (
                f"| {limit.quantity.value} | {limit.figures} | {limit.evidence.value} | {_linked(limit.source)} |"
                f" {_linked(limit.note)} |"
            )
        for lifetime in device.lifetimes:
            which = ", below roots that come with the client" if lifetime.below_shipped_roots else ""
            what = f"at most {lifetime.days:,} days if issued since {lifetime.since}{which}"
            yield (
                f"| validity period of the server's certificate | {what} | {lifetime.evidence.value} |"
                f" {_linked(lifetime.source)} | {_linked(lifetime.note)} |"
            )
        for root in device.roots:
            what = "comes with the client" if root.ships else "does not come with the client"
            yield (
                f"| {root.root.name} | {what} | {root.evidence.value} | {_linked(root.source)} | {_linked(root.note)} |"
            )
        for note in device.notes:
            yield f"\n{note.text[:1].upper()}{note.text[1:]} ({note.evidence.value}: {_linked(note.source)})."
        yield ""


def notes() -> Iterator[str]:
    """Yield the table of the rules for notes on certificates, with the clients that are known to care."""
    yield "| rule | applies where | standard | known to refuse |"
    yield "| --- | --- | --- | --- |"
    for rule in RULES.values():
        clients = "<br>".join(
            f"• {client}: {client.effect.value}, {client.evidence.value} ({_linked(client.source)})"
            for client in rule.clients
        )
        yield f"| `{rule.name}` | {rule.meaning} | {rule.source} | {clients} |"


def chain_limits() -> Iterator[str]:
    """Yield the table of the largest Certificate messages that clients accept."""
    yield "| client | certificates | bytes | source |"
    yield "| --- | ---: | ---: | --- |"
    for client, *figures, source in KNOWN_CHAIN_LIMITS:
        certificates, size = ("" if figure is None else f"{figure:,}" for figure in figures)
        yield f"| {client} | {certificates} | {size} | {_linked(source)} |"


def disallowed() -> Iterator[str]:
    """Yield the table of certificates that STIGs distrust."""
    yield "| SHA-1 thumbprint | subject | issuer | valid until | rules |"
    yield "| --- | --- | --- | --- | --- |"
    for it in DISALLOWED:
        rules = ", ".join(f"[{rule}]({rule.source})" for rule in it.rules)
        names = (name.partition(",")[0].removeprefix("CN=") for name in (it.subject, it.issuer))
        yield f"| `{it.sha1}` | {' | '.join(names)} | {it.not_after} | {rules} |"


@functools.cache
def _search() -> PathReport:
    """Return the report of a search in a new replica."""
    replica = lab.make_replica(datetime(2026, 3, 1, tzinfo=UTC), key_type=lab.KeyType.EC_P256)
    return find_paths(
        replica.server.certificate,
        pool=replica.pool,
        trust_anchors=[TrustAnchor.from_certificate(replica.trust_anchor)],
        parameters=ValidationParameters(time=replica.at),
    )


def report() -> Iterator[str]:
    """Yield the HTML that a notebook shows for a search."""
    yield to_html(_search())


def picture() -> Iterator[str]:
    """Yield the picture of a search, in a box that scrolls if the page is narrow."""
    yield f'<div class="paths-of-the-replica">{pictures.to_svg(pictures.picture_of_report(_search()))}</div>'


def successors() -> Iterator[str]:
    """Yield the table of CAs and their successors, with sources, and the list that has the certificates of today."""
    yield "| CA | is followed by | since | source | note | list |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for ca in CAS:
        after = ca.successor
        if after is None:
            yield f"| {ca.name} | no successor is known | | | | `{ca.bundle}` |"
            continue
        name = after.name if after.replaces else f"{after.name}, which stands beside it"
        yield (
            f"| {ca.name} | {name} | {after.since.isoformat()} | {_linked(after.source)} | {_linked(after.note)} |"
            f" `{ca.bundle}` |"
        )


PARTS: Final[Mapping[str, Callable[[], Iterator[str]]]] = {
    # file in _generated: what gives its lines
    "limits.md": limits,
    "profiles.md": profiles,
    "readers.md": readers,
    "devices.md": devices,
    "notes.md": notes,
    "chain-limits.md": chain_limits,
    "disallowed.md": disallowed,
    "successors.md": successors,
    "report.html": report,
    "paths.html": picture,
}
