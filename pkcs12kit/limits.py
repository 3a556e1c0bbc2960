"""Every budget on the work that outside data can demand: its name, unit, default and the origin of the figure.

Each function that reads outside data takes ``limits=``; :data:`DEFAULT_LIMITS` is what it uses otherwise. To raise one:
``dataclasses.replace(DEFAULT_LIMITS, certificates=200_000)``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Final, NamedTuple, cast

from pkcs12kit.errors import ArgumentError

KIB = 1024
MIB = 1024 * KIB


class LimitDescription(NamedTuple):
    """The row of one limit in the documentation."""

    name: str
    unit: str
    default: int
    origin: str


def _limit(default: int, unit: str, origin: str) -> int:
    return field(default=default, metadata={"unit": unit, "origin": origin})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Limits:
    """The budgets in force for one call. All are inclusive: a value equal to the limit is still accepted.

    Raises :class:`~pkcs12kit.ArgumentError` for a limit that is not an integer, or for seconds a number, of at least 0.
    """

    # Reading
    input_bytes: int = _limit(64 * MIB, "bytes", "DISA's bundle of 49 certificates takes 85 KiB; 770 times that")
    archive_bytes: int = _limit(
        128 * MIB, "bytes, unpacked, of one archive", "twice input_bytes: certificates are incompressible DER or base64"
    )
    archive_members: int = _limit(
        10_000, "files in one archive or folder", "a tenth of the certificates of one pool, each in a file of its own"
    )
    nesting: int = _limit(4, "levels of nested containers", "a PKCS#7 in a zip in a zip in a folder")
    text_forms: int = _limit(
        4,
        "text encodings around each other, such as base64 and JSON strings, around one file",
        "base64 of base64 of UTF-16, in a JSON string",
    )
    pem_blocks: int = _limit(
        10_000,
        "blocks of one PEM text, each with two lines, BEGIN and END; among certificates as many more as certificates",
        "ten times revocation_objects; a block that is damaged takes about 0.13 milliseconds on one core",
    )
    certificates: int = _limit(
        100_000, "certificates in one pool", "the public web PKI has about 10,000 CA certificates"
    )
    certificate_bytes: int = _limit(
        100 * KIB, "bytes of one certificate", "what OpenSSL's clients accept for a whole chain (max_cert_list)"
    )
    delivered_keys: int = _limit(
        100,
        "private keys and PKCS#12 files in one delivered folder or zip",
        "each may take as long as the other limits allow; a delivery has one or two",
    )
    private_key_bytes: int = _limit(
        16 * KIB, "bytes of one private key", "RSA of 16,384 bits, the most that OpenSSL uses, takes 9.3 KiB"
    )
    private_key_work: int = _limit(
        256,
        "Kibit³, the sum of the cubes of the lengths of an RSA key's primes; a prime above 2,048 bits counts twice",
        "one RSA key of 8,192 bits; OpenSSL tests both primes: 0.02 to 0.04 seconds a Kibit³ on one core",
    )
    scrypt_bytes: int = _limit(
        128 * MIB,
        "bytes, 128 N r p of RFC 7914, to open one private key",
        "eight times what 'openssl pkcs8 -scrypt' asks for",
    )
    kdf_salt_bytes: int = _limit(
        KIB,
        "bytes of the salt of one key derivation, of a PKCS#12 file or a private key",
        "programs write 8 to 64; sixteen times the longest",
    )

    expiry_bundles: int = _limit(
        20_000,
        "servers' certificates in one expiry report",
        "a fleet of twenty thousand servers; about a minute where they share their chains",
    )

    # Manifests
    manifest_bytes: int = _limit(
        8 * MIB,
        "bytes of one manifest",
        "twenty thousand bundles of 400 bytes; with each = GLOB a few lines are enough",
    )
    manifest_bundles: int = _limit(
        100_000, "bundles of one manifest", "five times expiry_bundles; about ten seconds on one core"
    )
    manifest_errors: int = _limit(
        100, "mistakes in a manifest that are reported", "more than a person corrects at once"
    )
    manifest_entries: int = _limit(
        1_000_000,
        "files and folders that are looked at for all each = GLOB of one manifest",
        "ten for each of manifest_bundles; about two seconds",
    )

    # Certification paths
    path_length: int = _limit(
        120,
        "certificates in one path",
        "twenty times the Federal PKI's reference paths; chains of 100 still fit",
    )
    path_bytes: int = _limit(
        512 * KIB,
        "bytes of all certificates in one path",
        "five times what OpenSSL's clients accept for a whole chain (max_cert_list); about 0.5 seconds to decode",
    )
    candidate_paths: int = _limit(
        5_000,
        "candidate paths validated in one search",
        "pyhanko-certvalidator makes 1,540 on the 2018 reference job; three times that",
    )
    valid_paths: int = _limit(
        100, "valid paths reported by one search", "more than a person compares; find_path needs one"
    )
    exhausted_validations: int = _limit(
        16, "validations in one search that exhaust their own budget", "sixteen times at most a second each"
    )
    discovery_steps: int = _limit(
        250_000, "certificates tried as the next link in one search", "about two seconds of search on one core"
    )
    judged_certificates: int = _limit(
        50_000,
        "certificates validated in one search; a certificate counts once for each validation state",
        "a full mesh of 64 authorities, each certificate in twelve states; about two seconds on one core",
    )
    signature_checks: int = _limit(
        20_000,
        "signature checks in one search; an expensive one counts as several, measured in ECDSA checks on P-256",
        "a full mesh of 64 authorities has 4,032 certificates; one check on P-256 takes about 0.13 ms: three seconds",
    )
    explanation_signature_checks: int = _limit(
        1_000,
        "signature checks to explain why no path was found, counted as in signature_checks",
        "0.15 seconds, the time of a search in a pool without faults; certificates with key identifiers need few",
    )
    explained_failures: int = _limit(
        100,
        "failures of one search that are explained with their causes",
        "more than a person reads; under a millisecond each",
    )
    cross_certificates: int = _limit(
        8,
        "cross-certificates of one target whose own paths are searched, each within the limits of one search",
        "DoD Root CA 3 has three in the real data of 2018; twice that, rounded up to a power of two",
    )
    explained_certificates: int = _limit(
        400,
        "certificates of failed attempts that are checked again to find all their faults, in one search",
        "twenty attempts of twenty certificates; about 0.2 seconds on one core",
    )
    name_constraint_comparisons: int = _limit(
        250_000,
        "comparisons of a name with a subtree in one validation; the reading of names and subtrees is counted as well",
        "the figure of Go's crypto/x509 and of rustls/webpki",
    )
    policy_nodes: int = _limit(
        10_000,
        "nodes of one policy graph",
        "the Federal PKI's reference paths need under 50; 200 times that",
    )
    policy_edges: int = _limit(
        100_000,
        "links from a node of one policy graph to its parents",
        "ten a node, where the Federal PKI's mappings need at most two; about 0.05 seconds on one core",
    )
    validity_searches: int = _limit(
        2_000,
        "searches for the best path to find the periods in which a target has a valid path",
        "the 235 real certificates of the Federal and DoD PKIs, of 2011 to 2026, need under 100; twenty times that",
    )
    validity_work: int = _limit(
        10,
        "times the discovery_steps, judged_certificates, signature_checks and candidate_paths of one search, for all"
        " searches for such periods together",
        "ten searches that go to their limits, about a minute on one core",
    )
    validity_explanations: int = _limit(
        25,
        "periods without a valid path whose closest attempt is looked for",
        "five times what the real certificates of the Federal PKI need; each at most about three seconds on one core",
    )

    # Revocation
    revocation_paths: int = _limit(
        200,
        "paths whose revocation is checked in one search",
        "twice valid_paths; with a thousand CRLs that do not count a path takes 0.023 seconds on one core",
    )
    revocation_objects: int = _limit(
        1_000, "CRLs and OCSP responses for one path", "PKITS has 172 CRLs for its 400 certificates"
    )
    revocation_bytes: int = _limit(
        256 * MIB,
        "bytes, of all CRLs and OCSP responses for one path",
        "DoD's CRLs are tens of MiB each; a path has few",
    )
    revocation_header_bytes: int = _limit(
        2 * MIB,
        "bytes of all OCSP responses, and of all CRLs without their entries, for one path",
        "2 KiB for each of revocation_objects; at most about three seconds a MiB to read on one core",
    )
    crl_header_bytes: int = _limit(
        100 * KIB,
        "bytes of one CRL without its entries",
        "as many as certificate_bytes; a signature, names and a few URLs take under 4 KiB",
    )
    crl_rewritten_bytes: int = _limit(
        512 * KIB,
        "bytes of all CRLs with encoding errors for one path, which are decoded whole and encoded again",
        "12,000 entries; about two seconds on one core",
    )
    revocation_entry_bytes: int = _limit(
        16 * MIB,
        "bytes of CRL entries read one by one, for one path",
        "entries are read one by one only if some are critical or name other issuers; 450,000 entries of 37 bytes,"
        " about four seconds on one core",
    )
    ocsp_response_bytes: int = _limit(
        1 * MIB, "bytes of one OCSP response", "ten times what OpenSSL accepts (OCSP_MAX_RESP_LENGTH, 100 KiB)"
    )
    ocsp_answers: int = _limit(
        50,
        "answers about single certificates in one OCSP response",
        "a response has one as a rule; at 50 in each of revocation_objects about three seconds on one core",
    )
    ocsp_elements: int = _limit(
        250,
        "answers, extensions and certificates in one OCSP response",
        "five for each of ocsp_answers; a response has one answer and under ten of the others as a rule",
    )
    revocation_comparisons: int = _limit(
        500_000,
        "comparisons of a CRL's scope with a distribution point, for one path",
        "all of revocation_objects with five points of 100 certificates; about a second on one core",
    )
    revocation_issuers: int = _limit(
        1_000,
        "certificates of CRL issuers and OCSP responders, for one path",
        "as many as CRLs and OCSP responses",
    )
    revocation_lookups: int = _limit(
        200,
        "certificates whose status is looked up, for one path",
        "ten a certificate on a path of twenty; PKITS needs three",
    )

    # PKCS#12 files
    pfx_bytes: int = _limit(
        16 * MIB, "bytes of one PKCS#12 file", "a key and 200 certificates take under 0.5 MiB; 32 times that"
    )
    pfx_iterations: int = _limit(
        2_000_000,
        "iterations of one key derivation",
        "above 1,400,000, the largest count that OWASP's Password Storage Cheat Sheet gives (PBKDF2-HMAC-SHA1)",
    )
    pfx_total_iterations: int = _limit(
        10_000_000,
        "iterations of all key derivations for one file, and for all PKCS#12 files among certificates that are loaded"
        " together; other work is counted as the iterations that take as long",
        "sixteen of the 600,000 that pk12util and certtool of Debian 12 write: MAC, certificates, fourteen keys; about"
        " ten seconds on one core",
    )
    pfx_retry_iterations: int = _limit(
        500_000,
        "iterations for trying rare encodings of the password, for one file",
        "under a second; 240 tries at the 2,048 iterations of the programs that are known for such encodings",
    )
    pfx_key_bytes: int = _limit(
        256, "bytes of one derived key", "twice the longest useful key: 128 bytes, for RC2 or an HMAC-SHA512"
    )
    pfx_scrypt_bytes: int = _limit(
        64 * MIB,
        "bytes, 128 N r p of RFC 7914, of one scrypt",
        "four times what 'openssl pkcs8 -scrypt' asks for; scrypt also needs this much memory",
    )
    pfx_total_scrypt_bytes: int = _limit(
        256 * MIB, "bytes, 128 N r p of RFC 7914, of all scrypts for one file", "four at the limit of one"
    )
    pfx_private_key_work: int = _limit(
        256,
        "Kibit³, counted as in private_key_work, of all private keys of one PKCS#12 file",
        "128 RSA keys of 2,048 bits, 16 of 4,096, or one of 8,192; a key that is not RSA takes 0.1, or the cube of its"
        " length in KiB if that is more",
    )
    pfx_bags: int = _limit(
        2_000, "bags in one PKCS#12 file", "ten times the certificates that .NET's Pkcs12LoaderLimits allow (200)"
    )
    pfx_elements: int = _limit(
        100_000,
        "elements of BER in one PKCS#12 file; the elements inside certificates are not counted",
        "fifty for each of pfx_bags; a shrouded key with its attributes takes 27; about 0.2 seconds on one core",
    )
    pfx_all_elements: int = _limit(
        1_000_000,
        "elements of BER in all PKCS#12 files among certificates that are loaded together",
        "ten files at the limit of pfx_elements; about two seconds on one core",
    )
    pfx_depth: int = _limit(
        64,
        "levels of nested elements of BER",
        "three times 22, the levels that nested SafeContents need at the limit of pfx_nesting",
    )
    pfx_nesting: int = _limit(
        4, "levels of nested SafeContents", "RFC 7292 section 4.2.6 allows any depth; common writers use none"
    )
    pfx_notes: int = _limit(
        100, "notes on one PKCS#12 file", "more than a person reads; files of common programs have none"
    )

    # TLS
    client_seconds: float = _limit(
        60,
        "seconds of one client's handshake, including the start of its program",
        "a JVM that compiles its client takes 3 on an idle core; twenty times that",
    )
    tls_bytes: int = _limit(
        256 * KIB,
        "bytes from the peer of one TLS connection",
        "two and a half times what OpenSSL's clients accept for a whole chain (max_cert_list)",
    )
    tls_clients: int = _limit(3, "clients that try one server at a time", "each is a program of its own, Java's a JVM")
    tls_connections: int = _limit(
        16, "connections to the server of a rehearsal at a time", "five for each of tls_clients; a client needs one"
    )
    tls_client_bytes: int = _limit(
        4 * MIB,
        "bytes that one client may print",
        "a chain of path_bytes, printed in PEM and as text, takes under 2 MiB",
    )
    probe_seconds: float = _limit(
        20,
        "seconds for one server that is probed, all its connections",
        "five to seven connections, each far under a second as a rule; three times that",
    )
    probe_connections: int = _limit(
        20,
        "connections to one server that is probed; those that ask for each version of TLS are always made",
        "five to a server with one certificate, seven with an RSA and an ECDSA one, 18 with a key of every type",
    )
    probe_servers: int = _limit(16, "servers probed at a time", "five MobileIron Cores with three ports each")
    probe_addresses: int = _limit(
        16, "addresses of one name that are tried", "big services have eight of each family; four seconds to begin all"
    )
    starttls_bytes: int = _limit(
        64 * KIB, "bytes that a server may say before TLS", "an EHLO reply takes under 1 KiB, long banners of FTP a few"
    )
    starttls_lines: int = _limit(
        500, "lines that a server may say before TLS", "an EHLO reply has under 20, long banners of FTP under 100"
    )

    # Retrieval
    retrieval_certificates: int = _limit(
        2_000,
        "certificates that one gathering collects",
        "fourteen times the 146 CA certificates that reached Federal Common Policy CA G2 in October 2024",
    )
    retrieval_urls: int = _limit(
        5_000,
        "URLs asked for in one gathering",
        "two and a half for each of retrieval_certificates; 234 real CA certificates name 151",
    )
    retrieval_certificate_urls: int = _limit(
        16,
        "URLs followed from one certificate",
        "eight times the two, up and down, of 234 real CA certificates",
    )
    retrieval_paths: int = _limit(
        16,
        "paths whose CRLs and OCSP responses are fetched, in one search",
        "four times the valid paths of the DoD server that the replica is made after",
    )
    retrieval_response_bytes: int = _limit(
        4 * MIB, "bytes of one response, compressed and unpacked", "1,000 CA certificates of 2 KiB, twice over"
    )
    retrieval_crl_bytes: int = _limit(
        100 * MIB, "bytes of one CRL, compressed and unpacked", "DoD's CRLs are tens of MiB each"
    )
    retrieval_bundle_bytes: int = _limit(
        32 * MIB,
        "bytes of one published bundle, compressed and unpacked",
        "a hundred times the 321 KB of the 146 certificates that GSA published in October 2024",
    )
    retrieval_checksum_bytes: int = _limit(
        256 * KIB,
        "bytes of the signed checksum file in a bundle",
        "18 times two certificates of 2 KiB and a hundred lines of 100 bytes",
    )
    retrieval_total_bytes: int = _limit(
        512 * MIB,
        "bytes of all responses of one gathering, those from the cache included: they are kept in memory",
        "twice revocation_bytes",
    )
    retrieval_redirects: int = _limit(
        3, "redirects in a row", "to another host, to its new address, to the file; browsers follow 20"
    )
    retrieval_idle_seconds: float = _limit(
        10,
        "seconds to connect, and seconds between two reads",
        "TCP sends a lost SYN again after 1, 3 and 7 seconds (RFC 6298)",
    )
    retrieval_request_seconds: float = _limit(
        60, "seconds of one request, from connecting to the last byte", "100 MiB by 14 Mbit/s"
    )
    retrieval_seconds: float = _limit(300, "seconds of one gathering", "five requests that take all of their time")
    retrieval_settle_seconds: float = _limit(
        5,
        "seconds to wait after a valid path was found, for answers that may make a better path at the same distance",
        "a second try after retrieval_backoff_seconds, and four for the answer",
    )
    retrieval_connections: int = _limit(
        128, "requests at a time", "half of the 256 files that macOS lets a process open; four hosts at their limit"
    )
    retrieval_host_connections: int = _limit(
        32,
        "requests to one host at a time",
        "an eighth of the 256 that Apache serves at once by default, at the least (MaxRequestWorkers); asks for 500"
        " URLs that take 0.2 seconds each in 3.2 seconds",
    )
    retrieval_tries: int = _limit(
        3, "times that one URL is asked", "the first, and two more where the error may pass (RFC 9110 section 15.6.4)"
    )
    retrieval_backoff_seconds: float = _limit(
        1, "seconds, at most, before the second try; twice that before each next", "what a server needs to restart"
    )
    retrieval_wait_seconds: float = _limit(
        30, "seconds that a server may ask us to wait (Retry-After)", "a tenth of retrieval_seconds"
    )
    retrieval_fresh_seconds: float = _limit(
        3_600,
        "seconds after which a cached response is asked for again",
        "an hour; CAs of the Federal PKI issue a CRL every 18 hours or oftener",
    )
    retrieval_cache_bytes: int = _limit(
        512 * MIB,
        "bytes of all files in the cache folder",
        "twice revocation_bytes; the certificates of a whole PKI take a few MiB",
    )
    retrieval_cache_entries: int = _limit(
        20_000, "URLs in the cache folder", "ten crawls of 2,000 certificates, each at a URL of its own"
    )
    retrieval_url_characters: int = _limit(
        8_000, "characters of one URL", "the length that RFC 9110 section 4.1 recommends to support at least"
    )
    retrieval_validator_characters: int = _limit(
        256,
        "characters of an ETag or a Last-Modified",
        "Apache's and nginx's ETags take under 40, a date 29 (RFC 9110 section 5.6.7)",
    )

    # Fleets
    hook_seconds: float = _limit(
        300,
        "seconds of one command after a change; after_timeout of the manifest comes before it",
        "a Java server that restarts takes up to a minute; five times that",
    )
    hook_output_bytes: int = _limit(
        64 * KIB,
        "bytes at the end of a command's output that are kept",
        "800 lines of a terminal; one message shows less",
    )
    served_seconds: float = _limit(
        60,
        "seconds until servers have to send a new certificate; serves_timeout of the manifest comes before it",
        "a Java server that restarts; one that reloads takes under a second",
    )
    served_unchanged_seconds: float = _limit(
        5,
        "seconds until servers have to send the certificate of a file that did not change",
        "no server reloads in this run; time for a lost packet to be sent again (RFC 6298)",
    )
    served_backoff_seconds: float = _limit(
        8,
        "seconds, at most, between two tries of a server; 0.5 after the first, and twice that after each next",
        "eleven tries in served_seconds",
    )
    served_servers: int = _limit(
        64,
        "servers of one manifest that are asked at a time",
        "a quarter of the 256 files that macOS lets a process open",
    )

    # Comparing
    comparison_pairs: int = _limit(
        1_000_000,
        "pairs of certificates with the same subject and issuer whose validities are compared",
        "a thousand certificates of one CA on one side and two thousand on the other; about half a second on one core",
    )
    comparison_searches: int = _limit(
        10_000,
        "searches for the paths of targets before and after, and for certificates that give a path back",
        "two for each of 5,000 targets; each search has its own limits",
    )

    # Many bundles
    password_bytes: int = _limit(
        64 * KIB,
        "bytes of a file with a password, or of the line that a command prints",
        "fifty times the longest password that people and vaults use",
    )
    password_seconds: float = _limit(
        60, "seconds for a command that prints a password", "a person who is asked to touch a security key takes 20"
    )
    output_lock_seconds: float = _limit(
        60,
        "seconds to wait for another run that writes the same file",
        "the most expensive PKCS#12 file takes about ten seconds to read",
    )
    fleet_state_bytes: int = _limit(
        512 * MIB, "bytes of the state beside a manifest", "100,000 bundles of 5 KiB; one takes about 3 KiB"
    )

    # Pictures
    picture_certificates: int = _limit(
        1_000,
        "certificates drawn in one picture",
        "seven times the 146 CA certificates that reached Federal Common Policy CA G2 in October 2024",
    )
    picture_bends: int = _limit(
        4_000,
        "layers in which the lines of one picture are drawn around other things; further lines cross what is there",
        "a hundred times what those 146 need; about two seconds on one core",
    )
    picture_bars: int = _limit(
        200,
        "bundles drawn one by one in a picture of their ends; more are drawn by what ends them",
        "200 rows are five screens; more than that, no person reads row by row",
    )

    # Notebooks
    notebook_rows: int = _limit(
        500, "rows of one table", "three times the 146 certificates of the Federal PKI in October 2024"
    )
    notebook_items: int = _limit(
        100, "cards, lines, or values in a line, of one list", "five times the certificates of a long path"
    )
    notebook_paths: int = _limit(10, "valid paths of one search", "more than a person compares")
    notebook_characters: int = _limit(
        1_000,
        "characters of one text: a name, a reason",
        "seven times the longest subject among 146 real CA certificates",
    )

    def __post_init__(self) -> None:
        for name in self.__slots__:  # copies are made in every search: this takes a few microseconds
            value = getattr(self, name)
            is_number = type(value) is int or (type(value) is float and name in _IN_FRACTIONS)
            if not is_number or not value >= 0:  # NaN is not at least 0
                kind = "a number" if name in _IN_FRACTIONS else "an integer"
                raise ArgumentError(f"limits: {name} is {kind} of at least 0, not {value!r}")

    def __repr__(self) -> str:
        """Return the call that makes equal limits: only those that differ from their defaults."""
        changed = (item.name for item in fields(self) if getattr(self, item.name) != item.default)
        return f"Limits({', '.join(f'{name}={getattr(self, name)}' for name in changed)})"


_IN_FRACTIONS: Final = frozenset(item.name for item in fields(Limits) if item.type == "float")
"""Limits in seconds, which may be fractions."""

DEFAULT_LIMITS = Limits()


def with_iterations(limits: Limits, iterations: int) -> Limits:
    """Return the limits with another number of iterations for one key, and for all of a file in proportion."""
    keys_of_a_file = DEFAULT_LIMITS.pfx_total_iterations // DEFAULT_LIMITS.pfx_iterations
    return replace(limits, pfx_iterations=iterations, pfx_total_iterations=keys_of_a_file * iterations)


def describe_limits() -> tuple[LimitDescription, ...]:
    """Return every limit with unit, default and origin, in the order of :class:`Limits`."""
    return tuple(
        LimitDescription(item.name, item.metadata["unit"], cast("int", item.default), item.metadata["origin"])
        for item in fields(Limits)
    )
