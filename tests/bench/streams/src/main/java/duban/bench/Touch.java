package duban.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.Value;
import com.google.protobuf.Value.KindCase;
import duban.v1.Fact;
import duban.v1.InputEvent;
import duban.v1.Rational;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Map;

/** What `touch` says, as ../rounds/workflow.yaml declares it. */
record Touch(String subject, Rational amount, long due, boolean twice) {
    private static final Map<String, KindCase> FIELDS = Map.of("subject", KindCase.STRING_VALUE, "amount", KindCase.NUMBER_VALUE,
            "due", KindCase.STRING_VALUE, "twice", KindCase.BOOL_VALUE, "text", KindCase.STRING_VALUE);
    private static final Map<String, String> ROLES = Map.of("desk", "desk"); // ../rounds/units.csv
    private static final int KEY_BYTES = 200;

    /** For the bare variant: taken as it stands. */
    static Touch trusted(InputEvent event) {
        return read(event.getFact().getFields().getFieldsMap());
    }

    /** Null, and why, when the definition does not allow it. */
    static Touch checked(InputEvent event, String workflow, List<String> why) {
        Fact fact = event.getFact();
        if (!event.getWorkflow().equals(workflow)) {
            why.add("workflow: \"" + event.getWorkflow() + "\"; the record's key is " + workflow);
        }
        if (!event.hasFact() || !fact.getKind().equals("touch")) {
            why.add("fact.kind: expected touch");
            return null;
        }
        String role = ROLES.get(fact.getReporter());
        if (role == null) {
            why.add("fact.reporter: no unit " + fact.getReporter());
        } else if (!role.equals("desk")) {
            why.add("fact.reporter: " + fact.getReporter() + " is no desk");
        }
        Map<String, Value> fields = fact.getFields().getFieldsMap();
        for (Map.Entry<String, Value> field : fields.entrySet()) {
            KindCase wanted = FIELDS.get(field.getKey());
            if (wanted == null) {
                why.add("fact.fields." + field.getKey() + ": not declared");
            } else if (field.getValue().getKindCase() != wanted) {
                why.add("fact.fields." + field.getKey() + ": expected " + wanted);
            }
        }
        if (fields.size() < FIELDS.size()) {
            FIELDS.keySet().stream().filter(name -> !fields.containsKey(name)).sorted()
                    .forEach(name -> why.add("fact.fields." + name + ": missing"));
        }
        if (!why.isEmpty()) {
            return null;
        }
        checkSubject(fields.get("subject").getStringValue(), why);
        if (!Double.isFinite(fields.get("amount").getNumberValue())) {
            why.add("fact.fields.amount: not finite");
        }
        try {
            return why.isEmpty() ? read(fields) : null;
        } catch (DateTimeParseException e) {
            why.add("fact.fields.due: expected an instant such as 2024-03-29T09:00:00+08:00");
            return null;
        } catch (ArithmeticException e) {
            why.add("fact.fields.amount: more digits than can be kept");
            return null;
        }
    }

    /** It becomes part of a key. */
    private static void checkSubject(String subject, List<String> why) {
        if (subject.isEmpty() || subject.length() > KEY_BYTES || subject.getBytes(UTF_8).length > KEY_BYTES) {
            why.add("fact.fields.subject: expected 1 to " + KEY_BYTES + " bytes");
        }
        for (int i = 0; i < subject.length(); i++) {
            if (subject.charAt(i) < ' ') {
                why.add("fact.fields.subject: has control characters in it");
                return;
            }
        }
    }

    private static Touch read(Map<String, Value> fields) {
        return new Touch(fields.get("subject").getStringValue(), exact(fields.get("amount").getNumberValue()),
                Instant.parse(fields.get("due").getStringValue()).toEpochMilli(), fields.get("twice").getBoolValue());
    }

    private static Rational exact(double number) {
        if (number == (long) number) {
            return Rational.newBuilder().setNum((long) number).build();
        }
        BigDecimal decimal = BigDecimal.valueOf(number).stripTrailingZeros();
        return Rational.newBuilder().setNum(decimal.unscaledValue().longValueExact())
                .setDen(BigDecimal.TEN.pow(decimal.scale()).longValueExact()).build();
    }
}
