import java.util.Arrays;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

/**
 * Shakes hands with servers on loopback as a program that is told no more than -Djavax.net.ssl.trustStore.
 * Arguments: the ports. Prints a line each: accepted, or the reason why not.
 */
public final class TrustStoreClient {
    public static void main(String[] ports) throws Exception {
        for (String port : ports) {
            try (var socket = (SSLSocket) SSLSocketFactory.getDefault().createSocket("127.0.0.1", Integer.parseInt(port))) {
                socket.startHandshake();
                System.out.println("accepted");
            } catch (SSLException refused) {
                System.out.println(refused.getMessage());
            }
        }
    }
}
