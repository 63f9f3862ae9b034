package duban.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/** SHA-256: of what the JDK brings, the fastest that is safe. For one thread. */
final class Hash {
    static final int BYTES = 32;
    private static final int ID_BYTES = 16;

    private final MessageDigest digest;

    Hash() {
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Of each part with its length before it, so that no two lists of parts are the same bytes. */
    byte[] id(String... parts) {
        for (String part : parts) {
            part(part.getBytes(UTF_8));
        }
        return Arrays.copyOf(digest.digest(), ID_BYTES);
    }

    byte[] content(Envelope envelope, byte[] value) {
        part(envelope.type().getBytes(UTF_8));
        part(envelope.contentType().getBytes(UTF_8));
        part(value);
        return Arrays.copyOf(digest.digest(), ID_BYTES);
    }

    byte[] link(byte[] before, byte[] bytes, int length) {
        digest.update(before);
        digest.update(bytes, 0, length);
        return digest.digest();
    }

    private void part(byte[] bytes) {
        digest.update((byte) (bytes.length >> 8));
        digest.update((byte) bytes.length);
        digest.update(bytes);
    }
}
