package duban.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.InvalidProtocolBufferException;
import duban.v1.Cause;
import duban.v1.CausedBy;
import duban.v1.HistoryRecord.Verdict;
import duban.v1.InputEvent;
import duban.v1.Instance;
import duban.v1.NamedValue;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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
 * One event: its id is looked up and its content checked; its case is read; the case, its timer and the event's id are put, the timer
 * before is deleted; one notification goes out, of every other event two; a history record says all that. A timer that falls due issues
 * one. Messages, headers and records are those of proto/duban/v1. The bare variant looks up no id, checks nothing, keeps no history.
 */
final class Turn implements Processor<byte[], byte[], byte[], byte[]> {
    static final String INSTANCES = "instances"; // subject → Instance
    static final String TIMERS = "timers";       // due (8 bytes), subject → nothing
    static final String SEEN = "seen";           // source, 0, id → digest of the content, history's sequence

    private static final Duration LOOK_EVERY = Duration.ofMillis(50);
    private static final byte[] NOTHING = {};
    private static final byte[] WORKFLOW = Notice.WORKFLOW.getBytes(UTF_8);
    private static final String RULE_TWICE = "rounds/workflow.yaml:30";
    private static final String RULE_ONCE = "rounds/workflow.yaml:37";
    private static final String RULE_TIMER = "rounds/workflow.yaml:42";

    private final boolean bare;
    private final Hash hash = new Hash();
    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<byte[], byte[]> instances;
    private KeyValueStore<byte[], byte[]> timers;
    private KeyValueStore<byte[], byte[]> seen;
    private History history; // null: bare
    private Moment now = Moment.of(0);

    Turn(boolean bare) {
        this.bare = bare;
    }

    /** Also after an aborted transaction: what is kept in memory is read from the stores again. */
    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
        this.context = context;
        instances = context.getStateStore(INSTANCES);
        timers = context.getStateStore(TIMERS);
        seen = context.getStateStore(SEEN);
        history = bare ? null : new History(context, hash);
        context.schedule(LOOK_EVERY, PunctuationType.WALL_CLOCK_TIME, this::fire);
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        now = now.or(record.timestamp());
        Envelope envelope = Envelope.of(record.headers());
        byte[] name = envelope.key(hash);
        byte[] content = hash.content(envelope, record.value());
        if (bare) {
            remember(name, content, context.recordMetadata().map(m -> m.offset()).orElse(0L));
            apply(record, envelope, Touch.trusted(parse(InputEvent.parser(), record.value())));
            return;
        }
        List<String> why = new ArrayList<>(0);
        byte[] before = seen.get(name);
        if (before != null) {
            if (Arrays.equals(before, 0, content.length, content, 0, content.length)) {
                return;
            }
            why.add("source " + envelope.source() + " has sent another event under the id " + envelope.id() + " before");
        }
        envelope.check(why);
        Touch touch = read(record, why);
        if (!why.isEmpty()) {
            reject(record, envelope, why);
            return;
        }
        remember(name, content, history.next());
        CausedBy cause = apply(record, envelope, touch);
        history.write(record, envelope, cause, Verdict.APPLIED, why, now);
    }

    private static Touch read(Record<byte[], byte[]> record, List<String> why) {
        if (!Arrays.equals(record.key(), WORKFLOW)) {
            why.add("no workflow " + (record.key() == null ? "" : new String(record.key(), UTF_8)) + " is in force here");
        }
        try {
            return Touch.checked(InputEvent.parseFrom(record.value()), Notice.WORKFLOW, why);
        } catch (InvalidProtocolBufferException e) {
            why.add("data: " + e.getMessage());
            return null;
        }
    }

    private void remember(byte[] name, byte[] content, long sequence) {
        seen.put(name, ByteBuffer.allocate(content.length + Long.BYTES).put(content).putLong(sequence).array());
    }

    private CausedBy apply(Record<byte[], byte[]> record, Envelope envelope, Touch touch) {
        String subject = touch.subject();
        String rule = touch.twice() ? RULE_TWICE : RULE_ONCE;
        CausedBy cause = CausedBy.newBuilder().setSource(envelope.source()).setId(envelope.id()).build();
        byte[] key = subject.getBytes(UTF_8);
        Instance.Builder instance = instance(subject, cause, key, record.timestamp());
        instance.setVars(0, NamedValue.newBuilder().setName("last").setValue(duban.v1.Value.newBuilder().setNumber(touch.amount())));
        instance.setTimers(0, Instance.Timer.newBuilder().setName("limit").setDueMs(touch.due()).setNominalMs(touch.due())
                .setArmed(instance.getTimers(0).getArmed() + 1));
        instances.put(key, instance.build().toByteArray());
        timers.put(timerKey(touch.due(), key), NOTHING);
        if (!bare) {
            history.transition(subject, "open", "touch", "", rule);
        }
        issue(Notice.NOTE, subject, cause, rule, now);
        if (touch.twice()) {
            issue(Notice.SECOND, subject, cause, rule, now);
        }
        return cause;
    }

    /** The case as it stands, or a new one; with one more event counted, and its timer disarmed. */
    private Instance.Builder instance(String subject, CausedBy cause, byte[] key, long at) {
        byte[] before = instances.get(key);
        Cause what = Cause.newBuilder().setSource(cause.getSource()).setId(cause.getId()).setReceivedMs(at).build();
        if (before == null) {
            if (!bare) {
                history.transition(subject, "", "touch", "", "");
            }
            return Instance.newBuilder().setMachine("item").addKey(Notice.UNIT).addKey(subject).setState("open").setSinceMs(at)
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
                fire(due.next());
                any = true;
            }
        }
        if (any) {
            context.commit(); // as soon as may be, not at the next interval
        }
    }

    private void fire(KeyValue<byte[], byte[]> timer) {
        byte[] key = Arrays.copyOfRange(timer.key, Long.BYTES, timer.key.length);
        Instance.Builder instance = parse(Instance.parser(), instances.get(key)).toBuilder();
        long due = ByteBuffer.wrap(timer.key).getLong();
        String subject = instance.getKey(1);
        now = now.or(due);
        instance.setTimers(0, instance.getTimers(0).toBuilder().setDueMs(0)).setTurns(instance.getTurns() + 1);
        instances.put(key, instance.build().toByteArray());
        timers.delete(timer.key);
        CausedBy cause = CausedBy.newBuilder().setTask(Notice.task(subject)).setTimer("limit").setDue(now.timestamp())
                .setArmed((int) instance.getTimers(0).getArmed()).build();
        issue(Notice.LAPSED, subject, cause, RULE_TIMER, now);
        if (!bare) {
            history.transition(subject, "open", "timer", "limit", RULE_TIMER);
            history.write(cause, now);
        }
    }

    private void issue(Notice notice, String subject, CausedBy cause, String rule, Moment at) {
        Record<byte[], byte[]> record = notice.about(subject, cause, rule, at, hash);
        if (!bare) {
            history.output("duban.notifications", record.value());
        }
        context.forward(record, "notifications");
    }

    /** To the dead letters as it came, with all reasons; its id stays free for the repaired event. */
    private void reject(Record<byte[], byte[]> record, Envelope envelope, List<String> why) {
        Headers headers = new RecordHeaders();
        long offset = context.recordMetadata().map(m -> m.offset()).orElse(0L);
        headers.add(Notice.header("ce_id", "duban.submissions/0/" + offset)).add(Notice.SOURCE).add(Notice.VERSION)
                .add(Notice.header("ce_type", "duban.v1.Rejected")).add(Notice.header("duban_offset", Long.toString(offset)))
                .add(Notice.header("duban_ce_source", envelope.source())).add(Notice.header("duban_ce_id", envelope.id()));
        why.forEach(reason -> headers.add(Notice.header("duban_reason", reason)));
        history.repeated("duban.rejected", headers);
        CausedBy cause = CausedBy.newBuilder().setSource(envelope.source()).setId(envelope.id()).build();
        history.write(record, envelope, cause, Verdict.REJECTED, why, now);
        context.forward(record.withHeaders(headers), "rejected");
    }

    private static <T> T parse(com.google.protobuf.Parser<T> parser, byte[] bytes) {
        try {
            return parser.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static byte[] timerKey(long due, byte[] subject) {
        return ByteBuffer.allocate(Long.BYTES + subject.length).putLong(due).put(subject).array();
    }
}
