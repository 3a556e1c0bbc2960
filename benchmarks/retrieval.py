"""How long a gathering takes beside its slowest chain of requests that each need the answer to the one before.

A server in a process of its own, on loopback, answers each request after a while. Behind its URLs is a pool: a spine of
CAs, each named by the repository of the one above, and beside each of them as many CAs as there are URLs for. The last
CA of the spine issued the target, so that a path is there only once the whole spine was read. The slowest chain is the
spine's repositories, fetched one after the other by the same fetcher and not read.

Wanted: a gathering takes at most 1.5 times the slowest chain, with everything and without. Each row is the fastest of
some rounds: what it costs when nothing else disturbs it. All keys are one, and signatures are real.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.event_loop import run
from pkcs12kit.lab.extensions import subject_information_access
from pkcs12kit.retrieval.http.client import Fetcher
from pkcs12kit.retrieval.retrieved import Purpose

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = """example:
  python benchmarks/retrieval.py --check
  python benchmarks/retrieval.py --certificates 2000 --urls 100 --spine 10"""
WANTED = 1.5
LIMITS = replace(pk.DEFAULT_LIMITS, retrieval_certificates=1_000_000, retrieval_urls=100_000)


class Pool(NamedTuple):
    """What is gathered: the files by path, the spine's paths in order, and where it begins and ends."""

    files: dict[str, bytes]
    spine: list[str]
    target: pk.Certificate
    anchor: pk.TrustAnchor


def main() -> int:
    """Measure and print one line for each way to gather."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--certificates", type=int, default=10_000, help="in the pool (default: 10000)")
    parser.add_argument("--urls", type=int, default=500, help="that they are behind (default: 500)")
    parser.add_argument("--spine", type=int, default=25, help="requests that need one another (default: 25)")
    parser.add_argument("--latency", type=float, default=0.1, help="seconds of each answer (default: 0.1)")
    parser.add_argument("--rounds", type=int, default=3, help="of each row (default: 3)")
    parser.add_argument("--check", action="store_true", help="exit 1 where something that has to hold does not")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.serve, options.latency))
        return 0
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), options.latency) as base:
        print("making the pool ...", file=sys.stderr, flush=True)
        pool = make_pool(base, options.certificates, options.urls, options.spine)
        for path, content in pool.files.items():
            (Path(folder) / path).write_bytes(content)
        chain = min(fetch_one_by_one(base, pool.spine) for _ in range(options.rounds))
        print(f"{'':24}{'certificates':>13}{'URLs':>7}{'seconds':>9}{'processor':>11}{'ratio':>7}")
        print(f"{'the slowest chain':24}{'':13}{len(pool.spine):7}{chain:9.2f}")
        ratios = [measure(pool, options.rounds, chain, everything=everything) for everything in (False, True)]
    holds = max(ratios) <= WANTED
    print(f"at most {WANTED} times the slowest chain: {'yes' if holds else 'NO'}")
    return 1 if options.check and not holds else 0


def make_pool(base: str, certificates: int, urls: int, spine: int) -> Pool:
    """Make a spine of CAs with a repository each, and CAs beside them that fill the rest."""
    key = lab.KeyType.EC_P256.generate()

    def authority(name: str, repository: str | None) -> lab.Authority:
        where = [lab.non_critical(subject_information_access(f"{base}/{repository}"))] if repository else []
        return lab.Authority.create(name, private_key=key, extensions=where)

    def issue(issuer: lab.Authority, name: str, repository: str | None) -> pk.Certificate:
        where = [lab.non_critical(subject_information_access(f"{base}/{repository}"))] if repository else []
        subject = lab.Authority(name=lab.authority.as_name(name), private_key=key, certificate=issuer.certificate)
        return issuer.issue_ca(subject, extensions=where)

    each = certificates // urls
    beside = [f"beside-{number}" for number in range(urls - spine)]
    upper = authority("spine-0", "spine-0")
    anchor, issued = upper.certificate, {}
    for number in range(spine):
        here = beside[number::spine]
        issued[f"spine-{number}"] = [
            issue(upper, f"spine-{number + 1}", f"spine-{number + 1}" if number + 1 < spine else None),
            *(issue(upper, name, name) for name in here),
            *(issue(upper, f"leaf {number}.{leaf}", None) for leaf in range(each - 1 - len(here))),
        ]
        for name in here:
            owner = authority(name, None)
            issued[name] = [issue(owner, f"leaf {name}.{leaf}", None) for leaf in range(each)]
        upper = authority(f"spine-{number + 1}", None)
    return Pool(
        files={
            path: pkcs7.serialize_certificates([one.as_cryptography for one in found], Encoding.DER)
            for path, found in issued.items()
        },
        spine=[f"spine-{number}" for number in range(spine)],
        target=upper.issue_server("www.example.com", private_key=key).certificate,
        anchor=pk.TrustAnchor.from_certificate(anchor),
    )


def fetch_one_by_one(base: str, paths: list[str]) -> float:
    """Give the seconds that the chain takes."""

    async def fetch() -> float:
        async with Fetcher(allow_private=True, limits=LIMITS) as fetcher:
            began = time.perf_counter()
            for path in paths:
                retrieval = await fetcher.fetch(f"{base}/{path}", Purpose.CA_REPOSITORY)
                assert retrieval.content, retrieval.why  # noqa: S101 - or the figure means nothing
            return time.perf_counter() - began

    return run(fetch())


def measure(pool: Pool, rounds: int, chain: float, *, everything: bool) -> float:
    """Print a row, and give the ratio to the slowest chain."""
    best, used = float("inf"), 0.0
    for _ in range(rounds):
        began, processor = time.perf_counter(), time.process_time()
        report = pk.gather(
            pool.target,
            trust_anchors=[pool.anchor],
            everything=everything,
            options=pk.FetchOptions(cache=False, allow_private=True),
            limits=LIMITS,
        )
        seconds, processor = time.perf_counter() - began, time.process_time() - processor
        assert report.path is not None, report.incomplete  # noqa: S101 - as above
        best, used = min((best, used), (seconds, processor))
    answered = sum(url.answered for url in report.urls)
    name = "everything" if everything else "until there is a path"
    print(f"{name:24}{len(report.certificates):13}{answered:7}{best:9.2f}{used:11.2f}{best / chain:7.2f}")
    return best / chain


@contextmanager
def serving(folder: Path, latency: float) -> Iterator[str]:
    """Serve a folder from a process of its own; gives the beginning of its URLs."""
    command = [sys.executable, __file__, "--serve", str(folder), "--latency", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            yield f"http://127.0.0.1:{json.loads(process.stdout.readline())}"
        finally:
            process.terminate()


async def serve(folder: Path, latency: float) -> None:
    """Answer GET after a while with the file of that name."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                name = Path(request.split(b" ", 2)[1].decode()).name
                await asyncio.sleep(latency)
                content = (folder / name).read_bytes()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content) + content)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
