"""The TLS server of a rehearsal: it serves a key and its certificates on loopback."""

from __future__ import annotations

import selectors
import socket
import threading
import warnings
from contextlib import ExitStack, suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.dsa import DSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from pkcs12kit.errors import InputError
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.pkcs12.ml_dsa_keys import ml_dsa_name
from pkcs12kit.pkcs12.private_keys import encode_private_key
from pkcs12kit.tls.channel import Channel, ChannelError, Deadline, openssl_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from OpenSSL import SSL

    from pkcs12kit.certificates.certificate import Certificate

_NO_AUTO_CHAIN: Final = 0x8  # SSL_MODE_NO_AUTO_CHAIN, which pyOpenSSL does not name
# Weak keys and digests are served, because the clients judge them. But the key only signs and never decrypts: other
# users of this computer can connect, and RSA key transport would answer questions about ciphertexts (RFC 9325
# section 4.1).
_CIPHERS: Final = b"DEFAULT:!kRSA:@SECLEVEL=0"
_OTHER_ALGORITHM: Final = "no certificate assigned"
_REQUEST: Final = 4096  # bytes read at once
_END_OF_REQUEST: Final = b"\r\n\r\n"
_RESPONSE: Final = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


class LoopbackServer:
    """A server of exactly these certificates in this order, in TLS 1.2 and TLS 1.3, while the ``with`` block lasts.

    It listens at 127.0.0.1, at a port that the system chooses, and answers every HTTP request with 204. No certificate
    is added to those given, the first of which must be for ``private_key``. No session is resumed. The key stays in
    memory. Each connection ends after ``limits.client_seconds``. There are at most ``limits.tls_connections``; further
    ones wait, or take the place of the oldest that has not sent a ClientHello, since other users of this computer can
    connect and send nothing. All connections and threads end with the block, however it ends.

    ``private_key_info`` is the same key as a PrivateKeyInfo in DER (RFC 5958). It says that an RSA key is only for
    RSASSA-PSS, which ``private_key`` does not, and which OpenSSL requires if the certificate says so.

    Raises :class:`~pkcs12kit.errors.InputError` where OpenSSL cannot serve the key or load a certificate.
    """

    host: Final = "127.0.0.1"

    def __init__(
        self,
        private_key: PrivateKeyTypes,
        certificates: Sequence[Certificate],
        *,
        private_key_info: bytes | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._context = _context(private_key, private_key_info, tuple(certificates))
        self._context.set_tlsext_servername_callback(self._heard)  # with a ClientHello, whether a name is in it or not
        self._limits = limits
        self._stack = ExitStack()
        self._connections: dict[threading.Thread, socket.socket] = {}
        self._silent: dict[threading.Thread, None] = {}
        self._leaving: threading.Thread | None = None
        self._done: SimpleQueue[threading.Thread] = SimpleQueue()
        self._lock = threading.Lock()
        self._ending = False

    @property
    def port(self) -> int:
        """The port, inside the block."""
        number: int = self._listener.getsockname()[1]
        return number

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._listener = stack.enter_context(socket.create_server((self.host, 0)))
            self._listener.setblocking(False)  # noqa: FBT003 - socket's own signature
            self._woken, self._waker = map(stack.enter_context, socket.socketpair())
            self._waker.setblocking(False)  # noqa: FBT003 - as above
            acceptor = threading.Thread(target=self._accept, name="pkcs12kit-loopback", daemon=True)
            acceptor.start()
            stack.callback(acceptor.join)
            stack.callback(self._end)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    def _end(self) -> None:
        """End all threads; the acceptor waits for the others."""
        with self._lock:
            self._ending = True
            for connection in self._connections.values():
                _hang_up(connection)
        self._wake()

    def _wake(self) -> None:
        with suppress(OSError):  # the pipe is full, so the acceptor wakes anyway
            self._waker.send(b"\0")

    def _accept(self) -> None:
        """Start a thread for each connection, and wait for all of them at the end."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._woken, selectors.EVENT_READ)
            listening = False
            while not self._ending:
                has_place = len(self._connections) < self._limits.tls_connections
                wanted = has_place or (self._leaving is None and bool(self._silent))
                if wanted and not listening:
                    selector.register(self._listener, selectors.EVENT_READ)
                elif listening and not wanted:
                    selector.unregister(self._listener)
                listening = wanted
                for key, _ in selector.select():
                    if key.fileobj is self._woken:
                        self._woken.recv(_REQUEST)
                    elif has_place:
                        self._begin()
                    else:
                        self._free_place()
                while not self._done.empty():
                    self._forget(self._done.get())
        while self._connections:
            self._forget(self._done.get())

    def _forget(self, thread: threading.Thread) -> None:
        """Wait for the last steps of a thread that is done, and forget its connection."""
        thread.join()
        with self._lock:
            del self._connections[thread]
            self._silent.pop(thread, None)
        if thread is self._leaving:
            self._leaving = None

    def _heard(self, _: SSL.Connection) -> None:
        """Record that a ClientHello has come; called in the thread of the connection."""
        with self._lock:
            self._silent.pop(threading.current_thread(), None)

    def _free_place(self) -> None:
        """End the oldest connection that has sent nothing, for the one that waits; one at a time."""
        with self._lock:
            self._leaving = next(iter(self._silent), None)
            if self._leaving is not None:
                del self._silent[self._leaving]
                _hang_up(self._connections[self._leaving])

    def _begin(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:  # it left again
            return
        thread = threading.Thread(target=self._serve, args=[connection], name="pkcs12kit-connection", daemon=True)
        with self._lock:
            self._connections[thread] = connection
            self._silent[thread] = None
            if self._ending:
                _hang_up(connection)
        thread.start()

    def _serve(self, over: socket.socket) -> None:
        """Make a handshake, read one request and answer it. The client reports any failure."""
        from OpenSSL import SSL

        try:
            tls = SSL.Connection(self._context)
            tls.set_accept_state()
            channel = Channel(tls, over, deadline=Deadline.after(self._limits.client_seconds), limits=self._limits)
            with suppress(ChannelError):
                channel.handshake()
                request = b""
                while _END_OF_REQUEST not in request and (more := channel.read(_REQUEST)):
                    request = request[-len(_END_OF_REQUEST) :] + more
                channel.write(_RESPONSE)
            channel.close(wait=True)
        finally:
            over.close()
            self._done.put(threading.current_thread())
            self._wake()


def _hang_up(connection: socket.socket) -> None:
    """Wake the thread that waits for the peer, as if the peer had closed."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _context(
    private_key: PrivateKeyTypes, private_key_info: bytes | None, certificates: tuple[Certificate, ...]
) -> SSL.Context:
    from OpenSSL import SSL, crypto

    if not certificates:
        raise InputError("there is no certificate to serve")
    if isinstance(private_key, DSAPrivateKey):  # OpenSSL loads it, and then shares no cipher suite with any client
        raise InputError("a DSA key cannot serve TLS: no cipher suite that clients still offer uses one")
    is_ml_dsa = ml_dsa_name(private_key) is not None
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_mode(_NO_AUTO_CHAIN)
    context.set_options(SSL.OP_NO_TICKET)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_cipher_list(_CIPHERS)
    for position, certificate in enumerate(certificates):
        _add(context, certificate, first=position == 0)
    try:
        with warnings.catch_warnings():
            # pyOpenSSL prefers pyca's keys, which lose RSASSA-PSS, and of which it does not take those for ML-DSA.
            warnings.simplefilter("ignore", DeprecationWarning)
            if is_ml_dsa:
                private_key_info = encode_private_key(private_key, None)
            if private_key_info is not None and (is_ml_dsa or isinstance(private_key, RSAPrivateKey)):
                context.use_privatekey(crypto.load_privatekey(crypto.FILETYPE_ASN1, private_key_info))
            else:
                context.use_privatekey(private_key)  # type: ignore[arg-type]  # it raises for those that it does not take
        context.check_privatekey()
    except (SSL.Error, crypto.Error, TypeError, ValueError) as error:
        words = openssl_words(error) if isinstance(error, SSL.Error | crypto.Error) else str(error)
        if words == _OTHER_ALGORITHM:  # OpenSSL keeps keys by algorithm, and finds no certificate beside this one
            words = "its algorithm is not that of the certificate's key, as with RSA and RSASSA-PSS"
        raise InputError(f"OpenSSL cannot serve TLS with this private key: {words}") from None
    return context


def _add(context: SSL.Context, certificate: Certificate, *, first: bool) -> None:
    """Load a certificate from its own DER, so that an encoding error stays as it is."""
    from OpenSSL import SSL, crypto

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # pyOpenSSL prefers pyca's certificates
            loaded = crypto.load_certificate(crypto.FILETYPE_ASN1, certificate.der)
            (context.use_certificate if first else context.add_extra_chain_cert)(loaded)
    except (SSL.Error, crypto.Error) as error:
        raise InputError(
            f"OpenSSL cannot serve the certificate of {certificate.subject}: {openssl_words(error)}"
        ) from None
