package duban.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Timestamp;
import com.google.protobuf.Value;
import duban.v1.Cause;
import duban.v1.CausedBy;
import duban.v1.InputEvent;
import duban.v1.Instance;
import duban.v1.Level;
import duban.v1.NamedValue;
import duban.v1.Notification;
import duban.v1.Rational;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * One event: its case is read; the case, its timer and the event's id are put, the timer before is deleted; one notification goes out, of
 * every other event two. A timer that falls due issues one. Messages, headers and records are those of proto/duban/v1.
 */
final class Turn implements Processor<byte[], byte[], byte[], byte[]> {
    static final String INSTANCES = "instances"; // subject → Instance
    static final String TIMERS = "timers";       // due (8 bytes), subject → nothing
    static final String SEEN = "seen";           // hash of (source, id) → digest of the content, offset

    private static final Duration LOOK_EVERY = Duration.ofMillis(50);
    private static final ZoneId ZONE = ZoneId.of("Asia/Shanghai");
    private static final byte[] NOTHING = {};
    private static final String UNIT = "desk";
    private static final String UNIT_TITLE = "办公室";

    private enum Measure {
        NOTE("note", "请按时办理并及时反馈", "一", "rounds/workflow.yaml:30"),
        SECOND("second", "请再次核对并及时反馈", "二", "rounds/workflow.yaml:30"),
        LAPSED("lapsed", "请就逾期事项即时报告", "三", "rounds/workflow.yaml:42");

        final String name;
        final String title;
        final String basis;
        final String rule;

        Measure(String name, String title, String basis, String rule) {
            this.name = name;
            this.title = title;
            this.basis = basis;
            this.rule = rule;
        }
    }

    private final MessageDigest digest;
    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<byte[], byte[]> instances;
    private KeyValueStore<byte[], byte[]> timers;
    private KeyValueStore<byte[], byte[]> seen;
    private String workflow = "";

    Turn() {
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
        this.context = context;
        instances = context.getStateStore(INSTANCES);
        timers = context.getStateStore(TIMERS);
        seen = context.getStateStore(SEEN);
        context.schedule(LOOK_EVERY, PunctuationType.WALL_CLOCK_TIME, this::fire);
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        InputEvent event = parse(InputEvent.parser(), record.value());
        if (!event.hasFact() || !event.getFact().getKind().equals("touch") || !event.getFact().getReporter().equals(UNIT)) {
            return;
        }
        Map<String, Value> fields = event.getFact().getFields().getFieldsMap();
        String subject = fields.get("subject").getStringValue();
        long due = Instant.parse(fields.get("due").getStringValue()).toEpochMilli();
        CausedBy cause = CausedBy.newBuilder().setSource(header(record, "ce_source")).setId(header(record, "ce_id")).build();
        workflow = event.getWorkflow();

        byte[] key = subject.getBytes(UTF_8);
        Instance.Builder instance = instance(subject, cause, key, record.timestamp());
        instance.setVars(0, NamedValue.newBuilder().setName("last").setValue(
                duban.v1.Value.newBuilder().setNumber(Rational.newBuilder().setNum((long) fields.get("amount").getNumberValue()))));
        instance.setTimers(0, Instance.Timer.newBuilder().setName("limit").setDueMs(due).setNominalMs(due)
                .setArmed(instance.getTimers(0).getArmed() + 1));
        instances.put(key, instance.build().toByteArray());
        timers.put(timerKey(due, key), NOTHING);
        seen.put(hash(cause.getSource(), cause.getId()), content(record));
        issue(Measure.NOTE, subject, cause, record.timestamp());
        if (fields.get("twice").getBoolValue()) {
            issue(Measure.SECOND, subject, cause, record.timestamp());
        }
    }

    /** The case as it stands, or a new one; with one more event counted, and its timer disarmed. */
    private Instance.Builder instance(String subject, CausedBy cause, byte[] key, long at) {
        byte[] before = instances.get(key);
        Cause what = Cause.newBuilder().setSource(cause.getSource()).setId(cause.getId()).setReceivedMs(at).build();
        if (before == null) {
            return Instance.newBuilder().setMachine("item").addKey(UNIT).addKey(subject).setState("open").setSinceMs(at)
                    .addVars(NamedValue.getDefaultInstance()).addCounts(Instance.Count.newBuilder().setName("seen").setN(1))
                    .addTimers(Instance.Timer.getDefaultInstance()).setBorn(what).setTurns(1);
        }
        Instance.Builder instance = parse(Instance.parser(), before).toBuilder();
        long due = instance.getTimers(0).getDueMs();
        if (due != 0) {
            timers.delete(timerKey(due, key));
        }
        instance.setCounts(0, instance.getCounts(0).toBuilder().setN(instance.getCounts(0).getN() + 1));
        return instance.setLast(what).setTurns(instance.getTurns() + 1);
    }

    /** Every timer that is due by now, in order. */
    private void fire(long now) {
        boolean any = false;
        try (KeyValueIterator<byte[], byte[]> due = timers.range(timerKey(0, NOTHING), timerKey(now + 1, NOTHING))) {
            while (due.hasNext()) {
                KeyValue<byte[], byte[]> timer = due.next();
                byte[] key = Arrays.copyOfRange(timer.key, 8, timer.key.length);
                Instance.Builder instance = parse(Instance.parser(), instances.get(key)).toBuilder();
                long dueMs = ByteBuffer.wrap(timer.key).getLong();
                String subject = instance.getKey(1);
                instance.setTimers(0, instance.getTimers(0).toBuilder().setDueMs(0)).setTurns(instance.getTurns() + 1);
                instances.put(key, instance.build().toByteArray());
                timers.delete(timer.key);
                issue(Measure.LAPSED, subject, CausedBy.newBuilder().setTask(task(subject)).setTimer("limit").setDue(timestamp(dueMs))
                        .setArmed((int) instance.getTimers(0).getArmed()).build(), dueMs);
                any = true;
            }
        }
        if (any) {
            context.commit(); // as soon as may be, not at the next interval
        }
    }

    private void issue(Measure measure, String subject, CausedBy cause, long at) {
        String id = HexFormat.of().formatHex(hash(workflow, cause.getSource(), cause.getId(), cause.getTask(), cause.getTimer(),
                Integer.toString(cause.getArmed()), task(subject), measure.name, UNIT));
        Notification notification = Notification.newBuilder()
                .setId(id).setWorkflow(workflow).setMeasure(measure.name).setTitle(measure.title).setLevel(Level.NOTICE)
                .setBasis(measure.basis).setUnit(UNIT).setSubject(subject).setTask(task(subject)).setTime(timestamp(at))
                .addRecipients(UNIT).setCausedBy(cause).setRule(measure.rule)
                .setBody(measure.title + "：" + UNIT_TITLE + "，" + subject).setRecipient(UNIT).setDeliverAfter(timestamp(at))
                .setDigestKey(UNIT + "/" + workflow + "/" + LocalDate.ofInstant(Instant.ofEpochMilli(at), ZONE))
                .build();
        Headers headers = new RecordHeaders();
        add(headers, "ce_id", id);
        add(headers, "ce_source", "duband/" + workflow);
        add(headers, "ce_specversion", "1.0");
        add(headers, "ce_type", "duban.v1.Notification");
        add(headers, "ce_time", Instant.ofEpochMilli(at).toString());
        add(headers, "content-type", "application/protobuf");
        context.forward(new Record<>(workflow.getBytes(UTF_8), notification.toByteArray(), at, headers));
    }

    // ---- small change

    private static <T> T parse(com.google.protobuf.Parser<T> parser, byte[] bytes) {
        try {
            return parser.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static String header(Record<byte[], byte[]> record, String name) {
        Header header = record.headers().lastHeader(name);
        return header == null ? "" : new String(header.value(), UTF_8);
    }

    private static void add(Headers headers, String name, String value) {
        headers.add(name, value.getBytes(UTF_8));
    }

    private byte[] hash(String... parts) {
        for (String part : parts) {
            byte[] bytes = part.getBytes(UTF_8);
            digest.update((byte) bytes.length);
            digest.update(bytes);
        }
        return Arrays.copyOf(digest.digest(), 16);
    }

    private byte[] content(Record<byte[], byte[]> record) {
        digest.update(record.value());
        long offset = context.recordMetadata().map(m -> m.offset()).orElse(0L);
        return ByteBuffer.allocate(40).put(digest.digest()).putLong(offset).array();
    }

    private static String task(String subject) {
        return "item/" + UNIT + "/" + subject;
    }

    private static Timestamp timestamp(long ms) {
        return Timestamp.newBuilder().setSeconds(ms / 1000).setNanos((int) (ms % 1000) * 1_000_000).build();
    }

    private static byte[] timerKey(long due, byte[] subject) {
        return ByteBuffer.allocate(8 + subject.length).putLong(due).put(subject).array();
    }
}
