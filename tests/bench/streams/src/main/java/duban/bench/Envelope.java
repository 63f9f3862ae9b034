package duban.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

/** CloudEvents' attributes of a record, empty where it has none. */
record Envelope(String source, String id, String version, String type, String time, String contentType) {
    private static final int KEY_BYTES = 300;
    private static final byte HASHED = 1; // no source begins with a control character

    static Envelope of(Headers headers) {
        String source = "";
        String id = "";
        String version = "";
        String type = "";
        String time = "";
        String contentType = "";
        for (Header header : headers) {
            switch (header.key()) {
                case "ce_source" -> source = text(header);
                case "ce_id" -> id = text(header);
                case "ce_specversion" -> version = text(header);
                case "ce_type" -> type = text(header);
                case "ce_time" -> time = text(header);
                case "content-type" -> contentType = text(header);
                default -> { }
            }
        }
        return new Envelope(source, id, version, type, time, contentType);
    }

    private static String text(Header header) {
        return new String(header.value(), UTF_8);
    }

    void check(List<String> why) {
        required("ce_source", source, why);
        required("ce_id", id, why);
        if (!version.equals("1.0")) {
            why.add("ce_specversion: \"" + version + "\"; expected 1.0");
        }
        if (!type.equals("duban.v1.Fact")) {
            why.add("ce_type: \"" + type + "\"; expected duban.v1.Fact");
        }
        if (!contentType.equals("application/protobuf")) {
            why.add("content-type: \"" + contentType + "\"; expected application/protobuf");
        }
    }

    private static void required(String name, String value, List<String> why) {
        if (value.isEmpty()) {
            why.add(name + ": missing");
        }
        for (int i = 0; i < value.length(); i++) {
            if (value.charAt(i) < ' ') {
                why.add(name + ": has control characters in it");
                return;
            }
        }
    }

    /** As they are, so that what a portal counts lies side by side in the store; hashed only when long. */
    byte[] key(Hash hash) {
        byte[] from = source.getBytes(UTF_8);
        byte[] name = id.getBytes(UTF_8);
        if (from.length + 1 + name.length > KEY_BYTES) {
            byte[] hashed = hash.id(source, id);
            return ByteBuffer.allocate(1 + hashed.length).put(HASHED).put(hashed).array();
        }
        return ByteBuffer.allocate(from.length + 1 + name.length).put(from).put((byte) 0).put(name).array();
    }
}
