package duban.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.UnsafeByteOperations;
import duban.v1.CausedBy;
import duban.v1.Header;
import duban.v1.HistoryRecord;
import duban.v1.HistoryRecord.Input;
import duban.v1.HistoryRecord.Output;
import duban.v1.HistoryRecord.Transition;
import duban.v1.HistoryRecord.Verdict;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * One record a turn, chained by hash. What the next one follows from is put into a store with every record; the store's cache lets only
 * the last of a commit through, in the same transaction as the records.
 */
final class History {
    static final String STORE = "chain"; // workflow → sequence, hash
    private static final byte[] SEAL = {0x7a, Hash.BYTES}; // field 15, written last, by hand

    private final ProcessorContext<byte[], byte[]> context;
    private final KeyValueStore<byte[], byte[]> store;
    private final Hash hash;
    private final byte[] workflow = Notice.WORKFLOW.getBytes(UTF_8);
    private final List<Output> outputs = new ArrayList<>();
    private final List<Transition> transitions = new ArrayList<>();
    private long sequence;
    private byte[] last = new byte[Hash.BYTES];

    History(ProcessorContext<byte[], byte[]> context, Hash hash) {
        this.context = context;
        this.hash = hash;
        store = context.getStateStore(STORE);
        byte[] stands = store.get(workflow);
        if (stands != null) {
            ByteBuffer bytes = ByteBuffer.wrap(stands);
            sequence = bytes.getLong();
            bytes.get(last);
        }
    }

    /** The sequence of the record that the turn under way will have. */
    long next() {
        return sequence + 1;
    }

    void output(String topic, byte[] value) {
        outputs.add(Output.newBuilder().setTopic(topic).setValue(UnsafeByteOperations.unsafeWrap(value)).build());
    }

    /** The input's own bytes went out, with these headers. */
    void repeated(String topic, Iterable<org.apache.kafka.common.header.Header> headers) {
        Output.Builder output = Output.newBuilder().setTopic(topic).setInputValue(true);
        headers.forEach(h -> output.addHeaders(Header.newBuilder().setName(h.key()).setValue(ByteString.copyFrom(h.value()))));
        outputs.add(output.build());
    }

    void transition(String subject, String from, String event, String timer, String rule) {
        transitions.add(Transition.newBuilder().setMachine("item").addKey(Notice.UNIT).addKey(subject).setFrom(from).setTo("open")
                .setEvent(event).setTimer(timer).setRule(rule).build());
    }

    /** An event's turn. */
    void write(Record<byte[], byte[]> record, Envelope e, CausedBy cause, Verdict verdict, List<String> why, Moment at) {
        Input.Builder input = Input.newBuilder().setTopic("duban.submissions").setSource(e.source()).setId(e.id()).setType(e.type())
                .setTime(e.time()).setContentType(e.contentType()).setReceived(at.timestamp())
                .setValue(UnsafeByteOperations.unsafeWrap(record.value()));
        context.recordMetadata().ifPresent(place -> input.setPartition(place.partition()).setOffset(place.offset()));
        write(HistoryRecord.newBuilder().setInput(input).setVerdict(verdict).addAllReasons(why), cause, at);
    }

    /** A timer's. */
    void write(CausedBy cause, Moment at) {
        write(HistoryRecord.newBuilder().setVerdict(Verdict.APPLIED), cause, at);
    }

    private void write(HistoryRecord.Builder turn, CausedBy cause, Moment at) {
        HistoryRecord record = turn.setWorkflow(Notice.WORKFLOW).setSequence(++sequence).setPrevHash(UnsafeByteOperations.unsafeWrap(last))
                .setCause(cause).setNow(at.timestamp()).addAllTransitions(transitions).addAllOutputs(outputs).build();
        outputs.clear();
        transitions.clear();
        int length = record.getSerializedSize();
        byte[] bytes = new byte[length + SEAL.length + Hash.BYTES];
        try {
            record.writeTo(CodedOutputStream.newInstance(bytes, 0, length));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        last = hash.link(last, bytes, length);
        ByteBuffer.wrap(bytes, length, SEAL.length + Hash.BYTES).put(SEAL).put(last);
        store.put(workflow, ByteBuffer.allocate(Long.BYTES + Hash.BYTES).putLong(sequence).put(last).array());
        context.forward(new Record<>(workflow, bytes, at.ms()), "history");
    }
}
