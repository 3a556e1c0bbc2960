// One TLS handshake by Java's own verification (PKIX), which trusts the given certificates alone.
//
//   java RehearsalClient.java HOST PORT PROTOCOL ANCHORS [name=SERVER_NAME] [time=SECONDS_SINCE_1970]
//
// Says on standard output, a line each: received (base64 DER, one certificate a line, judged or not), and one of
// accepted, refused (the certificates) or failed (anything else), with Java's words.

import java.io.FileInputStream;
import java.io.InputStream;
import java.net.Socket;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

public final class RehearsalClient {
    public static void main(String[] arguments) {
        String name = option(arguments, "name=");
        String time = option(arguments, "time=");
        SSLContext context;
        try {
            TrustManager manager = new Telling(trust(arguments[3], time));
            context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {manager}, null);
        } catch (Exception problem) { // a trust anchor that Java cannot read
            say("failed", words(problem));
            return;
        }
        try {
            shakeHands(context, arguments[0], Integer.parseInt(arguments[1]), arguments[2], name);
            say("accepted", "");
        } catch (Exception problem) {
            say(isAboutCertificates(problem) ? "refused" : "failed", words(problem));
        }
    }

    /** Java's own trust manager, revocation left out; time null is now. */
    private static X509ExtendedTrustManager trust(String file, String time) throws Exception {
        Set<TrustAnchor> anchors = new HashSet<>();
        try (InputStream input = new FileInputStream(file)) {
            for (var certificate : CertificateFactory.getInstance("X.509").generateCertificates(input)) {
                anchors.add(new TrustAnchor((X509Certificate) certificate, null));
            }
        }
        PKIXBuilderParameters parameters = new PKIXBuilderParameters(anchors, new X509CertSelector());
        parameters.setRevocationEnabled(false);
        if (time != null) {
            parameters.setDate(new Date(Long.parseLong(time) * 1000));
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(new CertPathTrustManagerParameters(parameters));
        return (X509ExtendedTrustManager) factory.getTrustManagers()[0];
    }

    private static void shakeHands(SSLContext context, String host, int port, String protocol, String name)
            throws Exception {
        try (Socket connection = new Socket(host, port);
                SSLSocket socket = (SSLSocket) context.getSocketFactory()
                        .createSocket(connection, name == null ? host : name, port, true)) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setProtocols(new String[] {protocol});
            parameters.setServerNames(List.of());
            if (name != null) {
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
                if (name.matches(".*[^0-9.].*") && name.indexOf(':') < 0) { // RFC 6066 section 3: no addresses
                    parameters.setServerNames(List.of(new SNIHostName(name)));
                }
            }
            socket.setSSLParameters(parameters);
            socket.startHandshake();
        }
    }

    /** A reason that a trust manager gave, or a limit on what the server may send (jdk.tls.max...). */
    private static boolean isAboutCertificates(Throwable problem) {
        for (Throwable cause = problem; cause != null; cause = cause.getCause()) {
            if (cause instanceof CertificateException) {
                return true;
            }
        }
        String said = String.valueOf(problem.getMessage());
        return said.contains("exceeds the maximum allowed");
    }

    /** What the outermost exception says, without the names of classes, and what the innermost adds to it. */
    private static String words(Throwable problem) {
        String words = String.valueOf(problem.getMessage() == null ? problem : problem.getMessage());
        Throwable innermost = problem;
        while (innermost.getCause() != null) {
            innermost = innermost.getCause();
        }
        if (innermost.getMessage() != null && !words.contains(innermost.getMessage())) {
            words += ": " + innermost.getMessage();
        }
        return words.replaceAll("\\b(?:[a-z0-9]+\\.)+[A-Z]\\w*Exception: ", "");
    }

    private static String option(String[] arguments, String key) {
        for (String argument : arguments) {
            if (argument.startsWith(key)) {
                return argument.substring(key.length());
            }
        }
        return null;
    }

    private static void say(String what, String text) {
        System.out.println((what + " " + text.replaceAll("\\s+", " ")).strip());
    }

    /** Leaves every decision to Java's own trust manager, and says first what came. */
    private static final class Telling extends X509ExtendedTrustManager {
        private final X509ExtendedTrustManager own;

        Telling(X509ExtendedTrustManager own) {
            this.own = own;
        }

        private void tell(X509Certificate[] chain) throws CertificateEncodingException {
            for (X509Certificate certificate : chain) {
                say("received", Base64.getEncoder().encodeToString(certificate.getEncoded()));
            }
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
                throws CertificateException {
            tell(chain);
            own.checkServerTrusted(chain, type, socket);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            tell(chain);
            own.checkServerTrusted(chain, type, engine);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
            tell(chain);
            own.checkServerTrusted(chain, type);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
                throws CertificateException {
            own.checkClientTrusted(chain, type, socket);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            own.checkClientTrusted(chain, type, engine);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
            own.checkClientTrusted(chain, type);
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return own.getAcceptedIssuers();
        }
    }
}
