"""One pool of 5,000 certificates, 200 targets, 8 threads: the same answers as one by one."""

from __future__ import annotations

import dataclasses
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from cryptography import x509

from pkcs12kit import (
    DEFAULT_LIMITS,
    Certificate,
    CertificatePool,
    NoValidPathError,
    TrustAnchor,
    ValidationParameters,
    find_path,
    find_paths,
    lab,
)
from pkcs12kit.paths.signatures import REMEMBERED

AT = datetime(2026, 3, 1, tzinfo=UTC)
CA = lab.critical(x509.BasicConstraints(ca=True, path_length=None))
PARAMETERS = ValidationParameters(time=AT)
LIMITS = dataclasses.replace(DEFAULT_LIMITS, valid_paths=2)
ISLANDS, LAYERS, WIDTH, TARGETS, THREADS = 25, 4, 5, 200, 8
OF_AN_ISLAND = 200  # certificates
KEYS = 12


def island(number, keys):
    """Make the CAs of one PKI, layer by layer. A dozen keys serve all: a name and a key are one CA."""
    return [
        [
            lab.Authority.create(
                f"CA {number}.{depth}.{place}",
                private_key=keys[(number + depth * WIDTH + place) % KEYS],
                validity=lab.Validity.around(AT),
            )
            for place in range(WIDTH)
        ]
        for depth in range(LAYERS)
    ]


NARROW = x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=[x509.DNSName("odd.example.com")])
EXPIRED = {"validity": lab.Validity.around(AT, days_after=-1)}
KINDS = [
    *({"validity": lab.Validity.around(AT, days_after=days)} for days in range(20, 320, 10)),
    EXPIRED,
    {"extensions": [lab.critical(NARROW)]},
    {"path_length": 5},
]


def forged(chaos, issuer, subject, keys):
    """Certify a CA in the name of another by a key that is not its own; it would last longer than any."""
    wrong = chaos.choice([key for key in keys if key is not issuer.private_key])
    return dataclasses.replace(issuer, private_key=wrong).issue(
        subject.name,
        subject.private_key.public_key(),
        extensions=[CA],
        validity=lab.Validity.around(AT, days_after=364),
    )


def certified(chaos, anchors, above, layers, keys, *, lost):
    """Certify each CA by CAs of the layer above, the first by anchors and a neighbour; then loops back up.

    Where ``lost``, the first CA of the last layer has certificates only that have expired.
    """
    certificates = []
    for depth, layer in enumerate(layers):
        issuers = layers[depth - 1] if depth else [*anchors, *above]
        for place, subject in enumerate(layer):
            over = lost and depth == LAYERS - 1 and place == 0
            certificates += [
                chaos.choice(issuers).issue_ca(subject, **(EXPIRED if over else chaos.choice(KINDS))) for _ in range(7)
            ]
            if depth == LAYERS - 1:
                certificates += [forged(chaos, chaos.choice(issuers), subject, keys) for _ in range(3)]
    while len(certificates) < OF_AN_ISLAND:
        depth = chaos.randrange(1, LAYERS)
        subject, issuer = chaos.choice(layers[depth - 1]), chaos.choice(layers[depth])
        certificates.append(issuer.issue_ca(subject, **chaos.choice(KINDS)))
    return certificates


@pytest.fixture(scope="module")
def soak():
    """Two anchors, 25 PKIs of 20 CAs and 200 certificates each, some from a neighbour, some forged; 200 servers.

    5,000 certificates take about a second to make.
    """
    chaos = random.Random(4)  # noqa: S311  # a topology, not a secret
    keys = [lab.KeyType.EC_P256.generate() for _ in range(KEYS)]
    anchors = [lab.Authority.create(f"Anchor {number}", validity=lab.Validity.around(AT)) for number in range(2)]
    islands = [island(number, keys) for number in range(ISLANDS)]
    certificates = []
    for number, layers in enumerate(islands):
        neighbours = islands[number - 1][-1][1:3] if number % 5 == 1 else []
        certificates += certified(chaos, anchors, neighbours, layers, keys, lost=number % 3 == 0)
    targets = [
        chaos.choice(chaos.choice(islands)[-1])
        .issue_server(
            f"n{number}.{chaos.choice(['odd', 'even'])}.example.com", private_key=keys[0], serial_number=number + 1
        )
        .certificate
        for number in range(TARGETS)
    ]
    return [TrustAnchor.from_certificate(anchor.certificate) for anchor in anchors], certificates, targets


def answer(target, pool, anchors):
    """Ask for every path, or, of half of the targets, for the best; write down what the search says."""
    where = {"pool": pool, "trust_anchors": anchors, "parameters": PARAMETERS, "limits": LIMITS}
    if target.serial_number % 2:
        try:
            return [find_path(target, **where).certificates], None, ()
        except NoValidPathError as refused:
            return [], refused.report.incomplete, tuple(map(str, refused.attempts))
    report = find_paths(target, **where)
    rejected = tuple((attempt.certificate, attempt.reason, attempt.detail) for attempt in report.rejected)
    return [path.certificates for path in report.valid], report.incomplete, rejected


@pytest.mark.slow
def test_two_hundred_targets_from_eight_threads_as_one_by_one(soak):
    """Issue: 'a pool is reusable and thread-safe: built once, used for thousands of targets'; so are the verdicts.

    The threads get certificates that nothing has decoded and a pool that nothing has indexed, all at the same moment.
    """
    anchors, certificates, targets = soak
    assert len(certificates) == ISLANDS * OF_AN_ISLAND == 5000
    REMEMBERED.forget()
    pool = CertificatePool(certificates)
    one_by_one = [answer(target, pool, anchors) for target in targets]

    REMEMBERED.forget()
    fresh = CertificatePool(Certificate.from_der(certificate.der) for certificate in reversed(certificates))
    start = Barrier(THREADS)

    def work(number):
        mine = range(number, TARGETS, THREADS)
        start.wait()
        return {index: answer(targets[index], fresh, anchors) for index in mine}

    switching = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)  # fifty times as often as usual, so that what is shared is met half-done
    try:
        with ThreadPoolExecutor(THREADS) as executor:
            together = {index: found for part in executor.map(work, range(THREADS)) for index, found in part.items()}
    finally:
        sys.setswitchinterval(switching)
    assert [together[index] for index in range(TARGETS)] == one_by_one

    found = [bool(paths) for paths, _, _ in one_by_one]
    assert found.count(True) > TARGETS // 2
    assert found.count(False) > TARGETS // 50
