"""What the outputs must be, told by `dubanctl simulate` from the inputs as they stand on the topics; and how outputs are read and compared.

An input's place is known only once the log has it: its offset and its receipt time. So a test reads both input topics back, puts the records in
the one order (receipt, submissions first, offset), writes them as a file of CloudEvents whose `time` is the receipt time, and simulates that."""
import base64
import collections
import dataclasses
import hashlib
import json
import os
import pathlib
import random
import re
import subprocess
import tempfile
import time

import contracts

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / os.environ.get("B", "build")
DUBANCTL = BUILD / "dubanctl"
SUIFENHE = ROOT / "workflows" / "suifenhe-2024"
YEAR = SUIFENHE / "example" / "2024.jsonl"
YEAR_UNTIL = "2025-03-31T00:00:00Z"  # after the last event
ALARM = ROOT / "tests" / "alarm"
INPUTS = ["duban.submissions", "duban.deadlines"]
REPORTED = {  # facts of the two workflows that the tests use whose `voice` is submissions, as it is where nothing is said
    "dispatch", "rectified", "reviewed", "project", "project-done", "survey", "talked", "innovation", "commended", "material", "briefing",
    "item-status", "duty-list", "trained", "answers", "staff-changed", "answered"}
OUTPUTS = ["duban.warnings", "duban.supervision", "duban.notifications"]
TYPES = {"duban.warnings": "Warning", "duban.supervision": "Supervision", "duban.notifications": "Notification"}


@dataclasses.dataclass
class Record:
    """As it stands on a topic of Kafka."""
    topic: str
    partition: int
    offset: int
    appended: int  # ms
    key: bytes | None
    headers: list  # of (name, text)
    value: bytes | None  # None: deleted

    def header(self, name):
        return next((v for n, v in self.headers if n == name), "")


# ---- Kafka, by kcat: none of our code

@dataclasses.dataclass
class Cluster:
    bootstrap: str
    prefix: str = "duban."

    def name(self, topic):
        return topic.replace("duban.", self.prefix, 1)

    def create(self, partitions=1, replication=1):
        subprocess.run([str(DUBANCTL), "topics", "create", "--bootstrap", self.bootstrap, "--prefix", self.prefix, "--partitions",
                        str(partitions), "--replication", str(replication)], check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=60)

    def read(self, topic, committed=True):
        """Every record, by partition and offset."""
        level = "read_committed" if committed else "read_uncommitted"
        run = subprocess.run(["kcat", "-b", self.bootstrap, "-C", "-t", self.name(topic), "-o", "beginning", "-e", "-q", "-X",
                              f"isolation.level={level}", "-X", "fetch.wait.max.ms=20", "-f", r"%p %o %T %K %h\n%k%R%s"],
                             capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
        if run.returncode != 0:
            raise RuntimeError(f"kcat could not read {topic}: {run.stderr.decode(errors='replace')[-500:]}")
        data, at, out = run.stdout, 0, []
        while at < len(data):
            end = data.index(b"\n", at)
            partition, offset, appended, nkey, headers = data[at:end].split(b" ", 4)
            at, nkey = end + 1, int(nkey)
            key = None if nkey < 0 else data[at:at + nkey]
            at += max(nkey, 0)
            n = int.from_bytes(data[at:at + 4], "big", signed=True)
            pairs = re.split(r",(?=(?:ce_\w+|duban_\w+|content-type)=)", headers.decode(errors="replace")) if headers else []
            out.append(Record(topic, int(partition), int(offset), int(appended), key, [tuple(p.split("=", 1)) for p in pairs],
                              None if n < 0 else data[at + 4:at + 4 + n]))
            at += 4 + max(n, 0)
        return sorted(out, key=lambda r: (r.partition, r.offset))

    def await_record(self, topic, is_it, seconds=30):
        """The first such record. What its transaction has done may be known elsewhere a moment before it can be read."""
        end = time.monotonic() + seconds
        while not (found := [r for r in self.read(topic) if is_it(r)]):
            if time.monotonic() > end:
                raise AssertionError(f"{topic} has no such record within {seconds} s")
        return found[0]

    def history(self, committed=True):
        """duban.history, record by record: those of a chunk have its offset and its key."""
        return [dataclasses.replace(r, value=value) for r in self.read("duban.history", committed) for value in contracts.history_records(r.value)]

    def outputs(self):
        """{topic: [JSON objects]}, in the order of their offsets."""
        return {topic: [{"topic": topic, "id": r.header("ce_id"), "type": r.header("ce_type"), **contracts.decode(TYPES[topic], r.value)}
                        for r in self.read(topic)] for topic in OUTPUTS}

    def inputs(self, keep=lambda record: True):
        return [_of_kafka(r) for topic in INPUTS for r in self.read(topic) if not r.header("duban_barrier") and keep(r)]

    def produce(self, topic, key, value, headers, murmur2=True):
        """One record, by a portal of its own; it is on the topic when this returns."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(value)
            file.flush()
            subprocess.run(["kcat", "-P", "-b", self.bootstrap, "-t", self.name(topic), "-k", key, "-X", "linger.ms=0",
                            *(["-X", "partitioner=murmur2_random"] if murmur2 else []),
                            *(a for name, text in headers.items() for a in ("-H", f"{name}={text}")), file.name],
                           check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)

    def portal(self, event, topic, murmur2=True):
        """The same, of a CloudEvent."""
        self.produce(topic, event["data"]["workflow"], json.dumps(event["data"], ensure_ascii=False).encode(), headers_of(event), murmur2)


def headers_of(event):
    names = {"id": "ce_id", "source": "ce_source", "specversion": "ce_specversion", "type": "ce_type", "time": "ce_time"}
    return {**{to: event[name] for name, to in names.items() if name in event}, "content-type": "application/json"}


def lane_of(event):
    """The topic of an event of the two workflows that the tests use."""
    body = event["type"].rsplit(".", 1)[-1]
    kind = event["data"].get("fact", {}).get("kind")
    ours = body == "Submission" or (body == "Fact" and kind in REPORTED)
    return INPUTS[0] if ours else INPUTS[1]


# ---- the embedded log, by HTTP

def http_topic(daemon, topic):
    """Every record of a topic of the embedded log, as JSON objects."""
    out = []
    while lines := daemon.topic(topic, from_=len(out), limit=1000):
        out += lines
    assert [r["offset"] for r in out] == list(range(len(out))), f"{topic}: offsets have gaps"
    return out


def http_outputs(daemon):
    return {topic: [{k: v for k, v in r.items() if k not in ("offset", "appended")} for r in http_topic(daemon, topic)]
            for topic in OUTPUTS}


# ---- inputs as a file of events

ENVELOPE = ("offset", "appended", "topic", "id", "type", "source")


def _of_http(record):
    """(receipt, lane, offset, CloudEvent)"""
    event = {"specversion": "1.0", "id": record["id"], "source": record["source"], "type": record["type"],
             "data": {k: v for k, v in record.items() if k not in ENVELOPE}}
    return contracts.milliseconds(record["appended"]), INPUTS.index(record["topic"]), record["offset"], event


def _of_kafka(record):
    content_type = record.header("content-type")
    data = {"data": json.loads(record.value)} if content_type == "application/json" else {
        "datacontenttype": content_type, "data_base64": base64.b64encode(record.value).decode()}
    event = {"specversion": "1.0", "id": record.header("ce_id"), "source": record.header("ce_source"), "type": record.header("ce_type"), **data}
    return record.appended, INPUTS.index(record.topic), record.offset, event


def inputs_of_http(daemon):
    return [_of_http(r) for topic in INPUTS for r in http_topic(daemon, topic)]


def simulate(folder, inputs):
    """The outputs that these inputs call for, by topic. The first definition is what the simulation starts from."""
    inputs = sorted(inputs, key=lambda i: i[:3])
    first = next(i for i, (_, _, _, event) in enumerate(inputs) if event["type"] == "duban.v1.Definition")
    published = inputs.pop(first)[0]
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        for received, _, _, event in inputs:
            file.write(json.dumps({**event, "time": contracts.rfc3339(received)}, ensure_ascii=False) + "\n")
        file.flush()
        return simulate_file(folder, file.name, "--from", contracts.rfc3339(published))


def simulate_file(folder, path, *options):
    run = subprocess.run([str(DUBANCTL), "simulate", str(folder), "--events", str(path), "--json", *options], capture_output=True,
                         stdin=subprocess.DEVNULL, timeout=120, check=False)
    if run.returncode != 0:
        raise AssertionError(f"simulate: exit status {run.returncode}: {run.stderr.decode()[-2000:]}")
    out = {topic: [] for topic in OUTPUTS}
    for line in run.stdout.decode().splitlines():
        record = json.loads(line)
        if record["topic"] in out:
            out[record["topic"]].append(record)
    return out


def simulate_year():
    return simulate_file(SUIFENHE, YEAR, "--until", YEAR_UNTIL)


def year_events():
    return [json.loads(line) for line in YEAR.read_text().splitlines()]


def clock_record(workflow, time=None, ident="until"):
    event = {"specversion": "1.0", "id": ident, "source": "test/clock", "type": "duban.v1.DeadlineReached",
             "data": {"workflow": workflow, "deadline_reached": {}}}
    return {**event, "time": time} if time else event


# ---- comparing

def difference(have, want):
    """None, or what is wrong: lost, twice, other, in another order."""
    wrong = []
    for topic in OUTPUTS:
        a, b = have[topic], want[topic]
        if a == b:
            continue
        ids_a, ids_b = [r["id"] for r in a], [r["id"] for r in b]
        twice = sorted(i for i, n in collections.Counter(ids_a).items() if n > 1)
        set_a, set_b = set(ids_a), set(ids_b)
        lost, extra = [r for r in b if r["id"] not in set_a], [r for r in a if r["id"] not in set_b]
        at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
        wrong.append(f"{topic}: {len(a)} records, {len(b)} expected; {len(lost)} lost, {len(twice)} twice, {len(extra)} not called for; "
                     f"first difference at {at}:\n  have {_at(a, at)}\n  want {_at(b, at)}")
    return "\n".join(wrong) or None


def _at(records, at):
    return json.dumps(records[at], ensure_ascii=False)[:900] if at < len(records) else "nothing"


def check(case, have, want, least=1):
    """Equal, in order, whole; and at least so many, or the test has shown nothing."""
    wrong = difference(have, want)
    if wrong:
        case.fail(wrong)
    case.assertGreaterEqual(sum(len(v) for v in want.values()), least)


# ---- events

SENTINEL = {"specversion": "1.0", "id": "sentinel", "source": "test", "type": "duban.v1.Fact", "time": YEAR_UNTIL,
            "data": {"workflow": "suifenhe-2024", "fact": {"kind": "dispatch", "reporter": "sfh-yhb", "fields": {
                "held": "2025-03-30", "of": ["tf-01"], "kind": "优环办调度", "result": "年终"}}}}


def year_with_sentinel(times=1):
    """The year, time moved on to its end, and one event more of which it can be asked whether it has been applied. With `times`, the office's
    dispatches are reported so often, under other ids."""
    events = []
    for event in year_events():
        more = times if event["data"].get("fact", {}).get("fields", {}).get("kind") == "优环办调度" else 1
        events += [{**event, "id": f"{event['id']}-{i}" if i else event["id"]} for i in range(more)]
    events += [clock_record("suifenhe-2024", YEAR_UNTIL), SENTINEL]
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(json.dumps(e, ensure_ascii=False) + "\n" for e in events)
        file.flush()
        return events, simulate_file(SUIFENHE, file.name)


def asked(source, n, unit, subject, by):
    return {"specversion": "1.0", "id": f"asked-{n}", "source": source, "type": "duban.v1.Fact",
            "data": {"workflow": "alarm", "fact": {"kind": "asked", "reporter": "office", "fields": {
                "unit": unit, "subject": subject, "by": contracts.rfc3339(int(by * 1000))}}}}


def answered(source, n, unit, subject):
    return {"specversion": "1.0", "id": f"answered-{n}", "source": source, "type": "duban.v1.Fact",
            "data": {"workflow": "alarm", "fact": {"kind": "answered", "reporter": unit, "fields": {"subject": subject, "n": 1}}}}


# ---- and what else tests share

def rung(cluster, subject, since=0):
    """The workflows that have warned of this subject (of the alarm's regime), since so many ms.

    What falls due just as a node is stopped is said after its next start only: the clock's record is on the log by then, and simulate, which reads it
    there, says it at once. So before nodes are stopped and topics compared, each workflow is asked for something more that falls due last, and says so."""
    said = (contracts.decode("Warning", r.value) for r in cluster.read("duban.warnings") if r.appended >= since)
    return {w["workflow"] for w in said if w["subject"] == subject}


def on_time(case, inputs, outputs):
    """Who answered before the instant asked for is never called late, and the other way round: by receipt times alone."""
    wait, verdict, seen = {}, {}, set()  # until when an answer is awaited, by unit and subject; what each answer was
    for received, _, _, event in sorted(inputs, key=lambda i: i[:3]):
        fact = event.get("data", {}).get("fact")
        if (event["source"], event["id"]) in seen or not fact:
            continue
        seen.add((event["source"], event["id"]))
        unit = fact["fields"].get("unit", fact["reporter"])
        key = unit, fact["fields"]["subject"]
        if fact["kind"] == "asked":
            wait[key] = max(contracts.milliseconds(fact["fields"]["by"]), received)
        elif key in wait:
            verdict[event["source"], event["id"]] = "in-time" if received < wait.pop(key) else "late"
    have = {(r["caused_by"]["source"], r["caused_by"]["id"]): r["measure"] for r in outputs["duban.supervision"]}
    case.assertEqual(have, verdict)
    case.assertEqual(set(have.values()), {"in-time", "late"})


WORKFLOW, SEQUENCE = 1, 2  # of a HistoryRecord


def unlinked(records):
    """What is wrong with a history (Cluster.history) as an auditor checks it (proto/README.md, Audit): each record is of the workflow that is its key, numbered
    without a gap, and linked to the one before."""
    last, wrong = {}, []
    for r in records:
        n, before = last.get(r.key, (0, bytes(32)))
        last[r.key] = n + 1, r.value[-32:]
        fields, where = dict(contracts.fields(r.value)), f"history of {r.key.decode()}: record {n + 1}, at offset {r.offset} of partition {r.partition},"
        if fields[WORKFLOW] != r.key:
            wrong.append(f"{where} is of {fields[WORKFLOW].decode()}")
        elif fields[SEQUENCE] != n + 1:
            wrong.append(f"{where} says that it is record {fields[SEQUENCE]}")
        elif r.value[-34:] != b"\x7a\x20" + hashlib.blake2b(before + r.value[:-34], digest_size=32).digest():
            wrong.append(f"{where} is not linked to the one before")
    return wrong


def seeded(case):
    seed = int(os.environ.get("SEED", random.randrange(1 << 30)))
    print(f"        {case.id()}: SEED={seed}", flush=True)
    return random.Random(seed)
