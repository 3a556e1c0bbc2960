"""How long a chain known clients take: what bounds the Certificate message of a server.

The figures are the clients' defaults; most of them can be told otherwise. They bound what is sent, whether or not the
path needs it, and what is over them fails whatever the certificates say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from pkcs12kit.tls.certificate_message import CertificateMessage


class ChainLimit(NamedTuple):
    """What one client takes by default. None is no limit that is known of.

    ``most_bytes`` are those of the Certificate message without its handshake header, as
    :attr:`CertificateMessage.size <pkcs12kit.tls.certificate_message.CertificateMessage.size>` counts them.
    ``source`` is an address, by the client's maker.
    """

    client: str
    most_certificates: int | None
    most_bytes: int | None
    source: str

    def exceeded(self, message: CertificateMessage) -> tuple[str, ...]:
        """Say by what the message is over the limit, one sentence each; empty where it is not."""
        return tuple(
            f"{figure:,} {unit} are sent, and {self.client} takes {most:,}"
            for figure, most, unit in (
                (len(message.certificates), self.most_certificates, "certificates"),
                (message.size, self.most_bytes, "bytes"),
            )
            if most is not None and figure > most
        )


JAVA: Final = ChainLimit(
    "Java", 10, 32_768, "https://ops.java/security/articles/how-to-configure-new-properties"
)  # jdk.tls.maxCertificateChainLength, jdk.tls.client.maxInboundCertificateChainLength, jdk.tls.maxHandshakeMessageSize
GNUTLS: Final = ChainLimit(
    "GnuTLS", 16, 131_072, "https://gitlab.com/gnutls/gnutls/-/blob/master/lib/gnutls_int.h"
)  # DEFAULT_MAX_VERIFY_DEPTH, MAX_HANDSHAKE_PACKET_SIZE; 48 kB before 3.5.5
OPENSSL: Final = ChainLimit("OpenSSL", None, 102_400, "https://docs.openssl.org/master/man3/SSL_CTX_set_max_cert_list/")
BORINGSSL: Final = ChainLimit(
    "BoringSSL (Chrome, Android)",
    None,
    102_400,
    "https://github.com/google/boringssl/blob/main/include/openssl/ssl.h",
)  # SSL_MAX_CERT_LIST_DEFAULT
NSS: Final = ChainLimit(
    "NSS (Firefox)", None, 131_071, "https://github.com/nss-dev/nss/blob/master/lib/ssl/ssl3con.c"
)  # MAX_HANDSHAKE_MSG_LEN
GO: Final = ChainLimit(
    "Go", None, 65_536, "https://github.com/golang/go/issues/35153"
)  # maxHandshake; newer versions take 262,144 for this message: https://github.com/golang/go/issues/50773

KNOWN_CHAIN_LIMITS: Final = (JAVA, GNUTLS, OPENSSL, BORINGSSL, NSS, GO)
"""Every client whose limits are known."""
