import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.PSSParameterSpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;

/**
 * Opens and writes PKCS#12 files with Java's own key store, Bouncy Castle's, and keytool, all in one virtual machine.
 *
 * A job is a line of standard input, fields parted by tabs: action, engine, number, file, password file ("-" for no
 * password), then for "read" the file that keytool is to write, and for "write" key file, key algorithm, chain file,
 * kind of key store, settings. Its result is a line of standard output: number, "yes" with the key and its chain in
 * Base64, or "no" with the reason.
 */
public final class Keystores {
    private static final Provider BOUNCY_CASTLE = new org.bouncycastle.jce.provider.BouncyCastleProvider();
    private static final String ALIAS = "mdm.example.mil";

    public static void main(String[] arguments) throws Exception {
        String[] jobs = new String(System.in.readAllBytes(), StandardCharsets.UTF_8).split("\n");
        PrintStream results = System.out;
        System.setOut(System.err); // Java says "extra in data" there, of keys in the clear
        for (String line : jobs) {
            String[] job = line.split("\t", -1);
            try {
                results.println(job[2] + "\tyes" + run(job));
            } catch (Exception | NoClassDefFoundError failure) {
                results.println(job[2] + "\tno\t" + failure.toString().replaceAll("\\s+", " "));
            }
        }
    }

    private static String run(String[] job) throws Exception {
        boolean reads = job[0].equals("read");
        switch (job[1]) {
            case "keytool":
                return keytool(job[3], job[4], job[5]);
            case "java":
                return reads ? read(KeyStore.getInstance("PKCS12"), job) : write(KeyStore.getInstance(job[8]), job);
            case "bouncycastle":
                return reads
                        ? read(KeyStore.getInstance("PKCS12", BOUNCY_CASTLE), job)
                        : write(KeyStore.getInstance(job[8], BOUNCY_CASTLE), job);
            default:
                throw new IllegalArgumentException(job[1]);
        }
    }

    private static char[] password(String file) throws Exception {
        return file.equals("-") ? null : Files.readString(Path.of(file)).toCharArray();
    }

    private static String read(KeyStore store, String[] job) throws Exception {
        char[] password = password(job[4]);
        try (InputStream file = Files.newInputStream(Path.of(job[3]))) {
            store.load(file, password);
        }
        StringBuilder result = new StringBuilder();
        for (String alias : Collections.list(store.aliases())) {
            if (!store.isKeyEntry(alias)) {
                continue;
            }
            Key key = store.getKey(alias, password);
            if (store.getProvider() != BOUNCY_CASTLE) { // from Java 20 on there are entries for keys it does not know
                KeyFactory.getInstance(key.getAlgorithm()).translateKey(key);
            }
            sign((PrivateKey) key, store.getCertificate(alias).getPublicKey(), store.getProvider() == BOUNCY_CASTLE);
            result.append('\t').append(Base64.getEncoder().encodeToString(key.getEncoded()));
            for (Certificate certificate : store.getCertificateChain(alias)) {
                result.append('\t').append(Base64.getEncoder().encodeToString(certificate.getEncoded()));
            }
        }
        if (result.length() == 0) {
            throw new IllegalStateException("no key entry among " + store.size());
        }
        return result.toString();
    }

    /** Signs with a key, as a server does with the key of its file, and checks that by the certificate. */
    private static void sign(PrivateKey key, PublicKey publicKey, boolean byBouncyCastle) throws Exception {
        String algorithm = switch (key.getAlgorithm()) {
            case "RSA", "DSA" -> "SHA256with" + key.getAlgorithm();
            case "EC", "ECDSA" -> "SHA256withECDSA";
            default -> key.getAlgorithm();
        };
        Signature signature = byBouncyCastle
                ? Signature.getInstance(algorithm, BOUNCY_CASTLE)
                : Signature.getInstance(algorithm);
        if (algorithm.equals("RSASSA-PSS")) {
            signature.setParameter(new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, 32, 1));
        }
        byte[] message = ALIAS.getBytes(StandardCharsets.US_ASCII);
        signature.initSign(key);
        signature.update(message);
        byte[] signed = signature.sign();
        signature.initVerify(publicKey);
        signature.update(message);
        if (!signature.verify(signed)) {
            throw new IllegalStateException("a signature by the key is not right");
        }
    }

    private static String write(KeyStore store, String[] job) throws Exception {
        byte[] encoded = Base64.getMimeDecoder().decode(
                Files.readString(Path.of(job[5])).replaceAll("-----[A-Z ]*-----", ""));
        PrivateKey key = KeyFactory.getInstance(job[6]).generatePrivate(new PKCS8EncodedKeySpec(encoded));
        Certificate[] chain;
        try (InputStream file = Files.newInputStream(Path.of(job[7]))) {
            chain = CertificateFactory.getInstance("X.509").generateCertificates(file).toArray(new Certificate[0]);
        }
        List<String> set = new ArrayList<>();
        try {
            for (String setting : job[9].split(" ")) {
                if (!setting.isEmpty()) {
                    String[] parts = setting.split("=", 2);
                    System.setProperty(parts[0], parts[1]);
                    set.add(parts[0]);
                }
            }
            char[] password = password(job[4]);
            store.load(null, null);
            store.setKeyEntry(ALIAS, key, password, chain);
            try (OutputStream file = Files.newOutputStream(Path.of(job[3]))) {
                store.store(file, password);
            }
        } finally {
            set.forEach(System::clearProperty);
        }
        return "";
    }

    /** Has keytool copy a key store, as its command would; what the copy holds is the result, read by others. */
    private static String keytool(String file, String passwordFile, String copy) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(
                "-importkeystore", "-noprompt", "-debug",
                "-srcstoretype", "PKCS12", "-srckeystore", file,
                "-deststoretype", "PKCS12", "-destkeystore", copy, "-deststorepass:file", copy + ".password"));
        if (!passwordFile.equals("-")) {
            arguments.addAll(List.of("-srcstorepass:file", passwordFile));
        }
        PrintStream output = System.out;
        PrintStream errors = System.err;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        System.setIn(new ByteArrayInputStream("\n\n\n".getBytes(StandardCharsets.US_ASCII)));
        System.setOut(new PrintStream(said));
        System.setErr(System.out);
        try {
            sun.security.tools.keytool.Main.main(arguments.toArray(new String[0]));
        } catch (Exception failure) {
            throw new IllegalStateException(failure + " " + said, failure);
        } finally {
            System.setOut(output);
            System.setErr(errors);
        }
        if (!Files.exists(Path.of(copy))) {
            throw new IllegalStateException("keytool wrote nothing: " + said);
        }
        return "";
    }
}
