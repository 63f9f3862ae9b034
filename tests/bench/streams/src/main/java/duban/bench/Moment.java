package duban.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.Timestamp;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;

/** A time as the messages write it. Records that the broker took at once share theirs, so the last one is worth keeping. */
record Moment(long ms, Timestamp timestamp, byte[] text, String day) {
    private static final ZoneId ZONE = ZoneId.of("Asia/Shanghai");

    static Moment of(long ms) {
        Instant instant = Instant.ofEpochMilli(ms);
        Timestamp timestamp = Timestamp.newBuilder().setSeconds(instant.getEpochSecond()).setNanos(instant.getNano()).build();
        return new Moment(ms, timestamp, instant.toString().getBytes(UTF_8), LocalDate.ofInstant(instant, ZONE).toString());
    }

    /** This one, if it is that. */
    Moment or(long other) {
        return ms == other ? this : of(other);
    }
}
