"""Reads records as a consumer in another language would: from proto/duban/v1/*.proto and the wire format alone, sharing nothing with duband.
Python's standard library only."""
import base64
import datetime
import pathlib
import re
import struct

PROTO = pathlib.Path(__file__).resolve().parent.parent / "proto" / "duban" / "v1"
SCALARS = {"string", "bytes", "bool", "int32", "int64", "uint32", "uint64", "sint32", "sint64"}


def _read():
    messages, enums = {"google.protobuf.Timestamp": {1: ("seconds", "int64", False), 2: ("nanos", "int32", False)}}, {}
    for path in sorted(PROTO.glob("*.proto")):
        stack = []
        for line in re.sub(r"//.*", "", path.read_text()).splitlines():
            line = line.strip()
            if m := re.match(r"(message|enum|oneof)\s+(\w+)\s*\{", line):
                kind, name = m.groups()
                stack.append((kind, name))
                full = ".".join(n for k, n in stack if k != "oneof")
                if kind != "oneof":
                    (messages if kind == "message" else enums)[full] = {}
            elif line == "}":
                stack.pop()
            elif stack and (m := re.match(r"(repeated\s+)?([\w.]+)\s+(\w+)\s*=\s*(\d+)\s*;", line)):
                full = ".".join(n for k, n in stack if k != "oneof")
                messages[full][int(m[4])] = (m[3], m[2], bool(m[1]))
            elif stack and stack[-1][0] == "enum" and (m := re.match(r"(\w+)\s*=\s*(\d+)\s*;", line)):
                enums[".".join(n for _, n in stack)][int(m[2])] = m[1]
    return messages, enums


MESSAGES, ENUMS = _read()


def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def fields(data):
    """(number, value) of each field; value is an int or bytes."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        if tag & 7 == 0:
            value, at = _varint(data, at)
        elif tag & 7 == 2:
            n, at = _varint(data, at)
            value, at = data[at:at + n], at + n
            if len(value) != n:
                raise ValueError("cut short")
        elif tag & 7 == 1:
            value, at = struct.unpack_from("<Q", data, at)[0], at + 8
        else:
            raise ValueError(f"wire type {tag & 7}")
        yield tag >> 3, value


CHUNK = b"\x82\x01"  # a HistoryChunk begins so, and each record in it: the tag of field 16, bytes


def history_records(value):
    """The HistoryRecords, as bytes, of one value of duban.history on Kafka: those of a chunk; what does not begin as one is a record by itself."""
    if not value.startswith(CHUNK):
        return [value]
    out, at = [], 0
    while at < len(value):
        if not value.startswith(CHUNK, at):
            raise ValueError(f"byte {at} of a chunk of {len(value)} begins no record")
        n, begin = _varint(value, at + len(CHUNK))
        at = begin + n
        if n == 0 or at > len(value):
            raise ValueError(f"a record of {n} bytes at byte {begin} of a chunk of {len(value)}")
        out.append(value[begin:at])
    return out


def history_chunk(records):
    """The value that holds them."""
    out = bytearray()
    for record in records:
        out, n = out + CHUNK, len(record)
        while n > 127:
            out.append(n & 127 | 128)
            n >>= 7
        out += bytes([n]) + record
    return bytes(out)


def _resolve(kind, inside):
    for known in (MESSAGES, ENUMS):
        for name in (f"{inside}.{kind}", kind):
            if name in known:
                return name
    return kind


def rfc3339(ms):
    at = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{at}.{ms % 1000:03d}Z" if ms % 1000 else at + "Z"


def milliseconds(text):
    """Of an instant as duband prints it."""
    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def _value(kind, raw):
    if kind == "google.protobuf.Timestamp":
        t = dict(fields(raw))
        return rfc3339(t.get(1, 0) * 1000 + t.get(2, 0) // 1000000)
    if kind in MESSAGES:
        return decode(kind, raw, full=False)
    if kind in ENUMS:
        return ENUMS[kind][raw]
    if kind == "string":
        return raw.decode()
    if kind == "bytes":
        return base64.b64encode(raw).decode()
    if kind == "bool":
        return raw != 0
    return str(raw) if kind.endswith("64") else raw


def _empty(kind, repeated):
    if repeated:
        return []
    if kind in MESSAGES:
        return None
    if kind in ENUMS:
        return ENUMS[kind][0]
    return {"string": "", "bytes": "", "bool": False}.get(kind, "0" if kind.endswith("64") else 0)


def decode(name, data, full=True):
    """The message as duband's JSON shows it: `full` with its empty fields, too."""
    known = {n: (field, _resolve(kind, name), repeated) for n, (field, kind, repeated) in MESSAGES[name].items()}
    out = {field: _empty(kind, repeated) for field, kind, repeated in known.values()} if full else {}
    for number, raw in fields(data):
        if number in known:
            field, kind, repeated = known[number]
            if repeated:
                out.setdefault(field, []).append(_value(kind, raw))
            else:
                out[field] = _value(kind, raw)
    return out
