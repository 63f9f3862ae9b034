package duban.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import duban.v1.CausedBy;
import duban.v1.Level;
import duban.v1.Notification;
import java.util.HexFormat;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.Record;

/** The measures of ../rounds/workflow.yaml, as records. */
enum Notice {
    NOTE("note", "请按时办理并及时反馈", "一"),
    SECOND("second", "请再次核对并及时反馈", "二"),
    LAPSED("lapsed", "请就逾期事项即时报告", "三");

    static final String WORKFLOW = "rounds";
    static final String UNIT = "desk";
    private static final String UNIT_TITLE = "办公室";
    private static final byte[] KEY = WORKFLOW.getBytes(UTF_8);
    static final Header SOURCE = header("ce_source", "duband/" + WORKFLOW);
    static final Header VERSION = header("ce_specversion", "1.0");
    private static final Header TYPE = header("ce_type", "duban.v1.Notification");
    private static final Header CONTENT_TYPE = header("content-type", "application/protobuf");

    private final String measure;
    private final String title;
    private final String basis;

    Notice(String measure, String title, String basis) {
        this.measure = measure;
        this.title = title;
        this.basis = basis;
    }

    Record<byte[], byte[]> about(String subject, CausedBy cause, String rule, Moment at, Hash hash) {
        String task = task(subject);
        String id = HexFormat.of().formatHex(hash.id(WORKFLOW, cause.getSource(), cause.getId(), cause.getTask(), cause.getTimer(),
                Integer.toString(cause.getArmed()), task, measure, UNIT));
        Notification notification = Notification.newBuilder()
                .setId(id).setWorkflow(WORKFLOW).setMeasure(measure).setTitle(title).setLevel(Level.NOTICE)
                .setBasis(basis).setUnit(UNIT).setSubject(subject).setTask(task).setTime(at.timestamp())
                .addRecipients(UNIT).setCausedBy(cause).setRule(rule)
                .setBody(title + "：" + UNIT_TITLE + "，" + subject).setRecipient(UNIT).setDeliverAfter(at.timestamp())
                .setDigestKey(UNIT + "/" + WORKFLOW + "/" + at.day())
                .build();
        Headers headers = new RecordHeaders();
        headers.add(header("ce_id", id)).add(SOURCE).add(VERSION).add(TYPE).add("ce_time", at.text()).add(CONTENT_TYPE);
        return new Record<>(KEY, notification.toByteArray(), at.ms(), headers);
    }

    static Header header(String name, String value) {
        return new RecordHeader(name, value.getBytes(UTF_8));
    }

    static String task(String subject) {
        return "item/" + UNIT + "/" + subject;
    }
}
