"""Recognises a fault of the broker itself: a transaction that is decided, but whose marker is missing in a partition. Its coordinator says
complete (or knows nothing of it), the partition says that it is still open: what comes behind it is held back from every read_committed reader for
good, and so are the group's offsets when the partition is one of __consumer_offsets. Apache Kafka 4.3.1 can do this when it is killed.

    markers.py HOST:PORT[,…]     prints each such partition, and exits with 1 if there is any

Speaks Kafka's protocol itself (ListTransactions, DescribeTransactions, DescribeProducers): librdkafka 2.0.2 does not offer them."""
import dataclasses
import json
import socket
import struct
import subprocess
import sys
import time

DESCRIBE_PRODUCERS, DESCRIBE_TRANSACTIONS, LIST_TRANSACTIONS = 61, 65, 66  # each in version 0
ID_NOT_FOUND = 105
TRANSACTION_LOG = "__transaction_state"
LOADING_SECONDS = 60
DECIDED_NOT = ("Ongoing", "PrepareCommit", "PrepareAbort", "PrepareEpochFence")  # markers may still be on their way


@dataclasses.dataclass(frozen=True)
class Lost:
    topic: str
    partition: int
    transactional_id: str  # empty: no coordinator knows it any more
    state: str
    producer: int
    start: int  # offset of its first record in the partition

    def __str__(self):
        return (f"{self.topic}-{self.partition}: the transaction of {self.transactional_id or '?'} (producer {self.producer}) from offset "
                f"{self.start} on is still open there, but its coordinator says {self.state or 'nothing of it'}: its marker was lost")


# ---- the protocol's encodings

def _varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def _text(s):
    return _varint(len(s.encode()) + 1) + s.encode()


def _array(items):
    return _varint(len(items) + 1) + b"".join(items)


class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self, form):
        value, = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return value

    def varint(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    def text(self):
        n = self.varint() - 1
        self.at += max(n, 0)
        return self.data[self.at - n:self.at].decode() if n > 0 else ""

    def tags(self):
        for _ in range(self.varint()):
            self.varint()
            self.at += self.varint()

    def array(self, item):
        out = []
        for _ in range(self.varint() - 1):
            out.append(item(self))
        return out


def _ask(address, key, body):
    """One question to one broker; a reader at the start of the answer's body."""
    host, port = address.rsplit(":", 1)
    client = b"markers.py"
    request = struct.pack(">hhih", key, 0, 1, len(client)) + client + b"\0" + body + b"\0"
    with socket.create_connection((host, int(port)), 10) as s:
        s.settimeout(30)
        s.sendall(struct.pack(">i", len(request)) + request)
        reply = b""
        while len(reply) < 4 or len(reply) < 4 + struct.unpack(">i", reply[:4])[0]:
            more = s.recv(65536)
            if not more:
                raise OSError(f"{address} closed the connection")
            reply += more
    r = _Reader(reply[8:])  # size, correlation
    r.tags()
    return r


# ---- what is asked

def _partitions(bootstrap):
    """{broker's address: {topic: [the partitions that it leads]}}"""
    run = subprocess.run(["kcat", "-b", bootstrap, "-L", "-J"], capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=True)
    about = json.loads(run.stdout)
    address, led = {b["id"]: b["name"] for b in about["brokers"]}, {}
    for topic in about["topics"]:
        for p in topic["partitions"]:
            if p["leader"] in address:
                led.setdefault(address[p["leader"]], {}).setdefault(topic["topic"], []).append(p["partition"])
    return led


def _open_producers(led):
    """{(topic, partition, producer, offset of the first record)}"""
    out = set()
    for address, topics in led.items():
        body = _array([_text(t) + _array([struct.pack(">i", p) for p in ps]) + b"\0" for t, ps in topics.items()])
        r = _ask(address, DESCRIBE_PRODUCERS, body)
        r.number("i")

        def producer(r):
            ident, *_, start = r.number("q"), r.number("i"), r.number("i"), r.number("q"), r.number("i"), r.number("q")
            r.tags()
            return ident, start

        def partition(r):
            index, _, _ = r.number("i"), r.number("h"), r.text()
            producers = r.array(producer)
            r.tags()
            return index, producers

        def topic(r):
            name, partitions = r.text(), r.array(partition)
            r.tags()
            return name, partitions

        for name, partitions in r.array(topic):
            out |= {(name, index, ident, start) for index, producers in partitions for ident, start in producers if start >= 0}
    return out


def _described(r):
    def topic(r):
        name, partitions = r.text(), r.array(lambda r: r.number("i"))
        r.tags()
        return [(name, p) for p in partitions]

    error, ident, state = r.number("h"), r.text(), r.text()
    r.number("i"), r.number("q")
    producer, _ = r.number("q"), r.number("h")
    topics = {p for ps in r.array(topic) for p in ps}
    r.tags()
    return error, ident, state, producer, topics


def _place(ident, n):
    """The partition of a transactional id: Java's hash of it."""
    h = 0
    for c in ident:
        h = (h * 31 + ord(c)) & 0xffffffff
    return (h & 0x7fffffff) % n


def _await_coordinators(led):
    """A broker that has just become a coordinator reads its log first, and knows of nothing before it begins to: ids that nobody has, one for each
    part of that log, are asked for until the answer is that there is no such id."""
    n = sum(len(topics.get(TRANSACTION_LOG, ())) for topics in led.values())
    wanted = {_place(ident, n): ident for ident in (f"probe-{i}" for i in range(100 * n))} if n else {}
    until = time.monotonic() + LOADING_SECONDS
    while wanted:
        for address in led:
            r = _ask(address, DESCRIBE_TRANSACTIONS, _array([_text(i) for i in wanted.values()]))
            r.number("i")
            found = {ident for error, ident, *_ in r.array(_described) if error == ID_NOT_FOUND}
            wanted = {place: ident for place, ident in wanted.items() if ident not in found}
        if time.monotonic() > until:
            raise RuntimeError(f"no coordinator for {len(wanted)} partitions of {TRANSACTION_LOG}")
        time.sleep(0.05 if wanted else 0)


def _transactions(addresses):
    """{producer: (transactional id, state, partitions that its marker may not have reached yet)}"""
    out = {}
    for address in addresses:
        r = _ask(address, LIST_TRANSACTIONS, _array([]) + _array([]))
        r.number("i"), r.number("h"), r.array(_Reader.text)

        def listed(r):
            ident, _, _ = r.text(), r.number("q"), r.text()
            r.tags()
            return ident

        idents = r.array(listed)
        r = _ask(address, DESCRIBE_TRANSACTIONS, _array([_text(i) for i in idents]))
        r.number("i")
        for error, ident, state, producer, topics in r.array(_described):
            if error == 0:
                out[producer] = ident, state, topics if state in DECIDED_NOT else set()
    return out


def lost(bootstrap):
    """Nothing that is only on its way is named: what is open before the coordinator is asked and still open, from the same record on, afterwards,
    while the coordinator does not count it among what it has to end, will never be ended."""
    led = _partitions(bootstrap)
    _await_coordinators(led)
    before, known, after = _open_producers(led), _transactions(led), _open_producers(led)
    out = []
    for topic, partition, producer, start in sorted(before & after):
        ident, state, pending = known.get(producer, ("", "", set()))
        if (topic, partition) not in pending:
            out.append(Lost(topic, partition, ident, state, producer, start))
    return out


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    found = lost(sys.argv[1])
    for one in found:
        print(one)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
