"""An independent reading of RFC 5280 section 4.2.1.10: does a name lie in a subtree? And pairs to ask it about.

It shares no code with the package and works another way: on whole strings and by trying names, not on positions in a
hierarchy. None stands for what the section does not define: such a subtree or name must never be allowed.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", re.IGNORECASE)
LOCAL_PART = re.compile(r"[A-Za-z0-9%+*]+|\"(?:[a-z ]|\\.)+\"")
DNS, MAIL, URI, IP = 0x82, 0x81, 0x86, 0x87


def is_host(text):
    """Preferred name syntax, with underscores, which hosts have."""
    return HOST.fullmatch(text) is not None


def hosts_of(name, subtree):
    """'*.example.com' is one label in place of the asterisk: any, and the one that the subtree begins with."""
    if not name.startswith("*."):
        return [name]
    return [f"{label}{name[1:]}" for label in ("zz", "yy", subtree.lstrip("*.").partition(".")[0] or "xx")]


def dns_inside(subtree, name, *, excluded):
    """'constructed by simply adding zero or more labels to the left-hand side of the name'."""
    host = name.removeprefix("*.")
    if not is_host(host):
        return None
    dotted, starred = subtree.startswith("."), subtree.startswith("*.")
    base = subtree.removeprefix("*.") if starred else subtree.removeprefix(".")
    if (subtree and not is_host(base)) or (starred and not excluded):
        return None
    base, name = base.lower(), name.lower()

    def inside(host):
        return not subtree or host.endswith(f".{base}") or (host == base and (excluded or not dotted))

    found = [inside(host) for host in hosts_of(name, base)]
    return any(found) if excluded else all(found)


def host_inside(subtree, host):
    """'a specified host' or, with a leading dot, each host below: for mailboxes and URIs."""
    if subtree.startswith("."):
        return host.lower().endswith(subtree.lower()) if is_host(subtree[1:]) else None
    return host.lower() == subtree.lower() if is_host(subtree) else None


def split_mailbox(text):
    """The local part, without quotation marks, and the host; None for what is not a mailbox."""
    local_part, at, host = text.rpartition("@")
    if not at or not is_host(host) or not LOCAL_PART.fullmatch(local_part):
        return None
    if local_part.startswith('"'):
        local_part = re.sub(r"\\(.)", r"\1", local_part[1:-1])
    return local_part, host


def mail_inside(subtree, name, *, excluded):  # noqa: ARG001 - the same for both kinds of subtrees
    """'a particular mailbox, all addresses at a particular host, or all mailboxes in a domain'."""
    mailbox = split_mailbox(name)
    if mailbox is None:
        return None
    if "@" in subtree:
        wanted = split_mailbox(subtree)
        return wanted and (wanted[0] == mailbox[0] and wanted[1].lower() == mailbox[1].lower())
    return True if subtree == "" else host_inside(subtree, mailbox[1])


def uri_inside(subtree, name, *, excluded):  # noqa: ARG001 - the same for both, as for mailboxes
    """'The constraint MUST be specified as a fully qualified domain name and MAY specify a host or a domain'."""
    try:
        host = urlsplit(name).hostname or ""
    except ValueError:
        return None
    host = host.removesuffix(".")
    if "://" not in name or name.startswith("/") or not is_host(host) or "." not in host or host[-1].isdigit():
        return None
    if "\\" in name or not name.isascii():
        return None
    return True if subtree == "" else host_inside(subtree, host)


def bits(octets):
    """Each bit as a character."""
    return "".join(f"{octet:08b}" for octet in octets)


def ip_inside(subtree, name, *, excluded):
    """An address and a mask: bits count where the mask has a one; IPv4 in IPv6 is excluded with IPv4."""
    half = len(subtree) // 2
    if len(subtree) not in {8, 32} or len(name) not in {4, 16}:
        return None
    names = [name]
    if excluded and name[:12] == bytes(10) + b"\xff\xff":
        names.append(name[12:])
    base, mask = bits(subtree[:half]), bits(subtree[half:])
    return any(
        all(have == want or counts == "0" for want, counts, have in zip(base, mask, bits(one), strict=True))
        for one in names
        if len(one) == half
    )


INSIDE = {DNS: dns_inside, MAIL: mail_inside, URI: uri_inside, IP: ip_inside}


def octets(address, mask=None):
    """The octets of an address, or of one with a mask."""
    packed = ipaddress.ip_address(address).packed
    return packed + ipaddress.ip_address(mask).packed if mask else packed


_HOSTS = ("com", "b.com", "a.b.com", "x.a.b.com", "B.COM", "ab.com", "org", "a_b.com", "1.2.3.4")
_A_LABELS = ("xn--bcher-kva.com", "XN--BCHER-KVA.com", "xn--BCHER-KVA.com")
_ODD_HOSTS = ("b.com.", "a..com", "b\xfc.com", "a\0b.com", " ", f"{'a' * 64}.com", "*", "b.*.com", "w*.com")
_DOTTED = ("", ".", ".b.com", ".com", ".B.com", "..com", ".xn--bcher-kva.com", "*.b.com", "*.B.com", "*.com")
_MAPPED = ("::ffff:10.0.0.0", "ffff:ffff:ffff:ffff:ffff:ffff:ff00:0")
SUBTREES = {
    DNS: (*_HOSTS, *_A_LABELS, *_ODD_HOSTS, *_DOTTED),
    MAIL: (
        *(*_HOSTS, *_A_LABELS, *_ODD_HOSTS, *_DOTTED),
        *("a@b.com", "A@b.com", "a@B.com", '"a"@b.com', '"a\\a"@b.com', "a@xn--bcher-kva.com"),
        *("@b.com", "a@.b.com", "a@b.com.", "*@b.com"),
    ),
    URI: (*_HOSTS, *_A_LABELS, *_ODD_HOSTS, *_DOTTED, "http://b.com", "b.com:80"),
    IP: (
        *(octets("10.1.2.3", "255.0.0.0"), octets("10.0.0.0", "255.0.0.0"), octets("10.0.5.0", "255.0.255.0")),
        *(octets("0.0.0.9", "0.0.0.255"), octets("10.9.9.9", "255.255.255.255"), bytes(8)),
        *(octets("::1", "::1"), octets("2001:db8::1", "ffff:ffff::"), octets(*_MAPPED), bytes(32)),
        *(b"", bytes(4), bytes(7), bytes(16), bytes(31), bytes(33)),
    ),
}
NAMES = {
    DNS: (*_HOSTS, *_A_LABELS, *_ODD_HOSTS, "*.b.com", "*.a.b.com", "*.com", "*.org", "*.xn--bcher-kva.com", "*.*.com"),
    MAIL: (
        *("a@b.com", "A@b.com", "a@B.com", "a@a.b.com", "a@x.a.b.com", "a@ab.com", "a@com", "a%b@b.com", "a@a_b.com"),
        *('"a"@b.com', '"a\\a"@b.com', '"x y"@b.com'),
        *("a@xn--bcher-kva.com", "a@XN--BCHER-KVA.com", "a@x.xn--bcher-kva.com"),
        *("b.com", "@b.com", "a@b@b.com", "a@b.com.", "a@.b.com", "a@[1.2.3.4]", "a@b.com\0", "\xfc@b.com", ""),
    ),
    URI: (
        *("http://b.com", "http://B.com/x", "http://a.b.com", "http://x.a.b.com/", "http://ab.com", "http://b.com."),
        *("ldap://b.com/a?b", "http://b.com:8/", "http://u@b.com", "http://u:p@b.com:1/", "http://b.com@d.org/"),
        *("http://a_b.com/", "HTTP://b.com#x", "http://b.com:/"),
        *("http://xn--bcher-kva.com/", "http://XN--bcher-kva.com/", "http://a.xn--bcher-kva.com/"),
        *("http://com", "http://1.2.3.4/", "http://[::1]/", "http://0x7f.1/", "http://b\xfc.com"),
        *("urn:x", "//b.com", "http:b.com", "http:///b.com"),
        *("http://a%2eb.com", "http://b.com%00.org", "http://b.com\\@d.org"),
    ),
    IP: (
        *map(octets, ("10.9.9.9", "10.1.2.3", "11.9.9.9", "10.7.5.7", "0.0.0.9")),
        *map(octets, ("::ffff:10.9.9.9", "::ffff:11.9.9.9", "::10.9.9.9", "::1", "::3", "2001:db8:5::", "2001:db9::")),
        *(b"", bytes(4), bytes(5), bytes(8), bytes(32)),
    ),
}


def pairs(form):
    """Yield each subtree with each name of a form, as given and as octets."""
    for subtree in SUBTREES[form]:
        for name in NAMES[form]:
            encoded = tuple(one if isinstance(one, bytes) else one.encode("utf-8") for one in (subtree, name))
            yield (subtree, name), encoded
