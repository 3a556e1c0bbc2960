"""A Dask cluster as an executor: the connection to its scheduler, and checks of its workers."""

from __future__ import annotations

import string
import time
import warnings
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from pkcs12kit.errors import InputError
from pkcs12kit.fleet.jobs import installed_version
from pkcs12kit.hints import Hint
from pkcs12kit.shell_words import quote_word
from pkcs12kit.text import harmless, quoted, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from distributed import Client

_PATIENCE: Final = 10
"""Seconds in which the scheduler has to answer."""
_PATIENCE_FOR_WORKERS: Final = 30
"""Seconds in which a scheduler has to have its first worker, which may be starting."""
_MOST_WITHOUT_WORKERS: Final = 60
"""Seconds that a run waits for a new worker after the last one has gone."""
_BETWEEN_LOOKS: Final = 5
"""Seconds between two questions to the scheduler for its workers, while no job ends."""
_SCHEMES: Final = frozenset({"tcp", "tls", "ws", "wss"})
_PROTECTED: Final = frozenset({"tls", "wss"})
_LONGEST_REASON: Final = 300
_MOST_WORKERS: Final = 3


class ClusterExecutor(Executor):
    """The executor of a client of Dask, which knows when no worker is left for its jobs."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._executor = client.get_executor(pure=False)
        self._looked = self._had_workers = time.monotonic()

    def submit(
        self,
        function: Callable[..., Any],
        /,
        *arguments: Any,  # noqa: ANN401  # whatever the function takes
        **named: Any,  # noqa: ANN401  # as above
    ) -> Future[Any]:
        """Schedule a call on a worker, and return its future; see :meth:`concurrent.futures.Executor.submit`."""
        future: Future[Any] = self._executor.submit(function, *arguments, **named)
        return future

    def stranded(self) -> str | None:
        """Return why no job will ever be done; None as long as the cluster has workers, or may have some soon."""
        if self._client.status in {"closing", "closed"}:
            return "the connection to Dask's scheduler was lost"
        now = time.monotonic()
        if now - self._looked < _BETWEEN_LOOKS:
            return None
        self._looked = now
        with suppress(Exception):  # the client is connecting again; it gives up by itself, see above
            if self._client.nthreads():
                self._had_workers = now
        if now - self._had_workers < _MOST_WITHOUT_WORKERS:
            return None
        return f"the Dask cluster has had no worker for {_MOST_WITHOUT_WORKERS} seconds"


@contextmanager
def connected(address: str, *, on_warning: Callable[[str], object] | None = None) -> Iterator[ClusterExecutor]:
    """Return the executor of the Dask cluster whose scheduler has an address, for a block.

    TLS is set up in Dask's own configuration. ``on_warning`` is called if the connection is open to anyone on the
    network. Raises :class:`~pkcs12kit.InputError` if Dask is not installed, the scheduler does not answer in ten
    seconds, it has no worker in thirty, or its workers lack this version of pkcs12kit.
    """
    if on_warning is not None and _is_open_to_others(address):
        on_warning(
            f"the connection to {_named(address)} is not protected: anyone on the network who reaches the scheduler can"
            " run programs on its workers, as their user; use tls:// and Dask's settings for TLS"
        )
    client = _connect(address, on_warning)
    try:
        _require_workers(client, address)
        yield ClusterExecutor(client)
    finally:
        client.close()


def _connect(address: str, on_warning: Callable[[str], object] | None) -> Client:
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError(f"Dask is not installed here ({error})").hinting(
            Hint(text="install it with pkcs12kit", command=f"pip install {quote_word('pkcs12kit[dask]')}")
        ) from error
    _require_address(address)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            client = Client(address, timeout=_PATIENCE, set_as_default=False, name="pkcs12kit")
        except Exception as error:
            reason = harmless(str(error), longest=_LONGEST_REASON)
            raise InputError(f"Dask's scheduler {_named(address)} cannot be used: {reason}").hinting(
                Hint(text="give the address that the scheduler prints when it starts, such as tcp://192.0.2.1:8786")
            ) from error
    if on_warning is not None:
        for one in caught:
            on_warning(harmless(one.message, longest=_LONGEST_REASON))
    return client


def _require_address(address: str) -> None:
    """Raise InputError for an address that cannot be one: a client of Dask would print tracebacks at the exit."""
    parts = urlsplit("")
    with suppress(ValueError):
        parts = urlsplit(address if "://" in address else f"tcp://{address}")
        if parts.scheme in _SCHEMES and parts.hostname and parts.port and not set(address) & set(string.whitespace):
            if parts.scheme not in _PROTECTED or _has_tls(address):
                return
            raise InputError(
                f"Dask's scheduler {_named(address)} cannot be used: Dask has no settings for TLS"
            ).hinting(
                Hint(text="set distributed.comm.tls.ca-file and distributed.comm.tls.client in Dask's configuration")
            )
    raise InputError(f"Dask's scheduler {_named(address)} cannot be used: expected an address with a port").hinting(
        Hint(text="give the address that the scheduler prints when it starts, such as tcp://192.0.2.1:8786")
    )


def _has_tls(address: str) -> bool:
    """Return True if Dask has settings for TLS. Raises InputError for files of theirs that cannot be used."""
    from distributed import Security

    try:
        return bool(Security().get_connection_args("client").get("ssl_context"))
    except (OSError, ValueError, TypeError) as error:  # those of ssl are among them
        reason = harmless(str(error), longest=_LONGEST_REASON)
        raise InputError(
            f"Dask's scheduler {_named(address)} cannot be used: the files of Dask's settings for TLS: {reason}"
        ).hinting(
            Hint(text="check distributed.comm.tls.ca-file, and cert and key of distributed.comm.tls.client")
        ) from None


def _require_workers(client: Client, address: str) -> None:
    """Raise InputError unless the cluster has workers, and all of them this version of pkcs12kit."""
    from distributed import TimeoutError as DaskTimeoutError

    try:
        client.wait_for_workers(1, timeout=_PATIENCE_FOR_WORKERS)
        workers = client.get_versions(packages=["pkcs12kit"])["workers"]
    except (DaskTimeoutError, TimeoutError) as error:
        raise InputError(f"Dask's scheduler {_named(address)} has no workers").hinting(
            Hint(text="start a worker on each machine", command=f"dask worker {_named(address)}")
        ) from error
    except Exception as error:
        reason = harmless(str(error), longest=_LONGEST_REASON)
        raise InputError(f"Dask's scheduler {_named(address)} cannot be used: {reason}") from error
    found = {worker: _version(said) for worker, said in workers.items()}
    wrong = [worker for worker, version in sorted(found.items()) if version != installed_version()]
    if wrong:
        listed = ", ".join(
            shortened(wrong, _MOST_WORKERS, lambda worker: f"{harmless(worker)} has {found[worker] or 'none'}")
        )
        raise InputError(
            f"the workers of {_named(address)} need pkcs12kit {installed_version()}, as it is here: {listed}"
        ).hinting(Hint(text="install the same version for the scheduler and on every worker"))


def _version(said: object) -> str | None:
    """Return the version of pkcs12kit in what a worker says of itself; None if it has none, or did not answer."""
    packages = said.get("packages") if isinstance(said, dict) else None
    version = packages.get("pkcs12kit") if isinstance(packages, dict) else None
    return version if isinstance(version, str) else None


def _is_open_to_others(address: str) -> bool:
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    host = parts.hostname or ""
    if parts.scheme in _PROTECTED:
        return False
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


def _named(address: str) -> str:
    shown = harmless(address, longest=_LONGEST_REASON)
    return shown if shown and " " not in shown else quoted(address)
