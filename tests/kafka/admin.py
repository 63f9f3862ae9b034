"""What an administrator does to a broker, in its own protocol: none of our code, and no JVM."""
import socket
import struct

CLIENT = b"admin.py"
DELETE_RECORDS, CREATE_PARTITIONS, OFFSET_DELETE = 21, 37, 47


def _text(s):
    return struct.pack(">h", len(s)) + s.encode()


def _array(items):
    return struct.pack(">i", len(items)) + b"".join(items)


def _request(bootstrap, api, body):
    host, port = bootstrap.rsplit(":", 1)
    with socket.create_connection((host, int(port)), 20) as s:
        message = struct.pack(">hhih", api, 0, 1, len(CLIENT)) + CLIENT + body
        s.sendall(struct.pack(">i", len(message)) + message)
        reply = b""
        while len(reply) < 4 or len(reply) < 4 + struct.unpack(">i", reply[:4])[0]:
            more = s.recv(65536)
            if not more:
                raise ConnectionError("the broker hung up: it does not know this request")
            reply += more
        return reply[8:]


def delete_offsets(bootstrap, group, topics, partitions):
    """Error codes: of the request, and of its partitions. 69: no such group; 86: it has members."""
    body = _text(group) + _array([_text(t) + _array([struct.pack(">i", p) for p in range(partitions)]) for t in topics])
    reply = _request(bootstrap, OFFSET_DELETE, body)
    error, at, codes = struct.unpack(">h", reply[:2])[0], 6, []
    if error:
        return error, codes
    ntopics, = struct.unpack(">i", reply[at:at + 4])
    at += 4
    for _ in range(ntopics):
        length, = struct.unpack(">h", reply[at:at + 2])
        at += 2 + length
        n, = struct.unpack(">i", reply[at:at + 4])
        at += 4
        for _ in range(n):
            codes.append(struct.unpack(">ih", reply[at:at + 6])[1])
            at += 6
    return 0, codes


def delete_records(bootstrap, topic, partition, before):
    """As retention does: what lies before the offset is gone. -1: all. The log's new start."""
    body = _array([_text(topic) + _array([struct.pack(">iq", partition, before)])]) + struct.pack(">i", 20000)
    reply = _request(bootstrap, DELETE_RECORDS, body)
    low, error = struct.unpack(">qh", reply[-10:])
    if error:
        raise RuntimeError(f"DeleteRecords: error {error}")
    return low


def create_partitions(bootstrap, topics, count):
    """Each topic has so many from now on."""
    body = _array([_text(t) + struct.pack(">ii", count, -1) for t in topics]) + struct.pack(">i?", 20000, False)
    reply, at = _request(bootstrap, CREATE_PARTITIONS, body), 8
    for topic in topics:
        length, = struct.unpack(">h", reply[at:at + 2])
        error, said = struct.unpack(">hh", reply[at + 2 + length:at + 6 + length])
        at += 6 + length + max(said, 0)
        if error:
            raise RuntimeError(f"CreatePartitions, {topic}: error {error}")
