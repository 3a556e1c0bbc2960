import com.sun.net.httpserver.HttpsConfigurator;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/**
 * Serves HTTPS on loopback from PKCS#12 files, each as it is and on a port of its own, until standard input ends.
 * Arguments: a file with the password of all, the files. Prints the ports, a line each.
 */
public final class HttpsServer {
    public static void main(String[] arguments) throws Exception {
        char[] password = Files.readString(Path.of(arguments[0])).strip().toCharArray();
        for (int number = 1; number < arguments.length; number++) {
            System.out.println(serve(Path.of(arguments[number]), password));
        }
        System.in.readAllBytes();
        System.exit(0);
    }

    private static int serve(Path path, char[] password) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream file = Files.newInputStream(path)) {
            store.load(file, password);
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(store, password);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);

        InetSocketAddress anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        var server = com.sun.net.httpserver.HttpsServer.create(anyPort, 0);
        server.setHttpsConfigurator(new HttpsConfigurator(context));
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        server.start();
        return server.getAddress().getPort();
    }
}
