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
 * Serves HTTPS on loopback from a PKCS#12 file, as it is, until standard input ends. Arguments: the file, a file with
 * its password. Prints the port.
 */
public final class HttpsServer {
    public static void main(String[] arguments) throws Exception {
        char[] password = Files.readString(Path.of(arguments[1])).strip().toCharArray();
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream file = Files.newInputStream(Path.of(arguments[0]))) {
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
        System.out.println(server.getAddress().getPort());
        System.in.readAllBytes();
        server.stop(0);
    }
}
