import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Date;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The PKIX validator's answers about scenarios. Arguments: the time in seconds since 1970, and a folder; its file
 * "names" lists the subfolders, each a scenario. Prints a line for each: its name, good, revoked or unknown, the reason.
 */
public final class Revocation {
    private static final CertificateFactory FACTORY = factory();

    private Revocation() {}

    private static CertificateFactory factory() {
        try {
            return CertificateFactory.getInstance("X.509");
        } catch (java.security.cert.CertificateException error) {
            throw new IllegalStateException(error);
        }
    }

    public static void main(String[] arguments) throws Exception {
        Date time = new Date(Long.parseLong(arguments[0]) * 1000);
        Path folder = Path.of(arguments[1]);
        List<String> names = Files.readAllLines(folder.resolve("names"));
        for (String name : names) {
            System.out.println(name + "\t" + answer(folder.resolve(name), time).replace('\n', ' '));
        }
    }

    private static String answer(Path scenario, Date time) {
        try {
            validate(scenario, time);
            return "good\t";
        } catch (CertPathValidatorException error) {
            boolean revoked = error.getReason() == CertPathValidatorException.BasicReason.REVOKED;
            return (revoked ? "revoked" : "unknown") + "\t" + error.getReason() + ": " + error;
        } catch (Exception error) {
            return "unknown\t" + error;
        }
    }

    private static void validate(Path scenario, Date time) throws Exception {
        List<X509Certificate> chain = certificates(scenario.resolve("path.pem"));
        List<X509Certificate> anchors = certificates(scenario.resolve("anchor.pem"));
        CertPath path = FACTORY.generateCertPath(chain);

        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(anchors.get(0), null)));
        parameters.setDate(time);
        List<Object> known = new ArrayList<>(certificates(scenario.resolve("pool.pem")));
        known.addAll(chain);
        known.addAll(crls(scenario.resolve("crls.pem")));
        CertPathValidator validator = CertPathValidator.getInstance("PKIX");
        PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
        Path response = scenario.resolve("response.der");
        if (Files.exists(response)) {
            checker.setOptions(EnumSet.of(
                    PKIXRevocationChecker.Option.NO_FALLBACK, PKIXRevocationChecker.Option.ONLY_END_ENTITY));
            checker.setOcspResponses(Map.of(chain.get(0), Files.readAllBytes(response)));
        } else {
            checker.setOptions(EnumSet.of(
                    PKIXRevocationChecker.Option.NO_FALLBACK, PKIXRevocationChecker.Option.PREFER_CRLS));
        }
        parameters.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(known)));
        parameters.addCertPathChecker(checker);
        validator.validate(path, parameters);
    }

    private static List<X509Certificate> certificates(Path file) throws Exception {
        List<X509Certificate> found = new ArrayList<>();
        if (Files.exists(file)) {
            try (InputStream stream = Files.newInputStream(file)) {
                for (Object certificate : FACTORY.generateCertificates(stream)) {
                    found.add((X509Certificate) certificate);
                }
            }
        }
        return found;
    }

    private static Collection<?> crls(Path file) throws Exception {
        if (!Files.exists(file)) {
            return List.of();
        }
        try (InputStream stream = Files.newInputStream(file)) {
            return FACTORY.generateCRLs(stream);
        }
    }
}
