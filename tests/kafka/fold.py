"""A stopped node's stores against the topics, by LMDB's own mdb_dump and a fold of the changelog outside: no code of duband's.

A store stands at a batch. It has to hold exactly what the changelog says up to the marker of that batch, the timers that the instances of that state
call for, and the history as it stands on its topic."""
import base64
import struct
import subprocess

import contracts

STATE = ["definition", "instance", "number", "seen_chunk", "proposal"]  # the first byte of a changelog key counts them
MARKER = b"\xff"


def dump(folder, table):
    """{key: value} of one table."""
    run = subprocess.run(["mdb_dump", "-s", table, str(folder)], capture_output=True, stdin=subprocess.DEVNULL, timeout=120, check=False)
    if run.returncode != 0:
        raise RuntimeError(f"mdb_dump -s {table} {folder}: {run.stderr.decode(errors='replace').strip()}")
    lines = [bytes.fromhex(line.strip().decode()) for line in run.stdout.split(b"HEADER=END\n", 1)[1].splitlines() if line.startswith(b" ")]
    return dict(zip(lines[::2], lines[1::2]))


def stored(folder, table):
    """The same, as the store reads it: an instance has the value of the newest run that holds one (daemon/store/front.h)."""
    entries = dump(folder, table)
    if table == "instance":
        for key, value in sorted((dump(folder, "front_0") | dump(folder, "front_1")).items()):
            if key[4:] in entries:
                entries[key[4:]] = value
    return entries


def _unpacked(data, size):
    """LZ4's block format: literals, then a copy of what came `back` bytes before, again and again."""
    out, at = bytearray(), 0

    def length(n):
        nonlocal at
        more = 255 if n == 15 else 0
        while more == 255:
            more, at = data[at], at + 1
            n += more
        return n
    while at < len(data):
        token, at = data[at], at + 1
        n = length(token >> 4)
        out += data[at:at + n]
        at += n
        if at < len(data):
            back, at = int.from_bytes(data[at:at + 2], "little"), at + 2
            for _ in range(length(token & 15) + 4):
                out.append(out[-back])
    if len(out) != size:
        raise ValueError(f"{len(out)} bytes unpacked, {size} were expected")
    return bytes(out)


def entries(key, value):
    """[(key, value)] of one record of a table in blocks (daemon/store/block.h)."""
    if not value.startswith(b"\0"):
        return [(key, value)]
    n, size, tail = struct.unpack(">IIB", value[1:10])
    packed, at, out = value[10 + tail:], 0, []
    raw = packed if len(packed) == size else _unpacked(packed, size)
    while at < size:
        end = at + 1 + raw[at]
        start, length = end + 4, struct.unpack(">I", raw[end:end + 4])[0]
        out.append((key[:max(0, len(key) - 8)] + raw[at + 1:end], raw[start:start + length]))
        at = start + length
    if len(out) != n or out[-1][0] != key or not out[0][0].endswith(value[10:10 + tail]):
        raise ValueError(f"a block of {n} entries up to {key!r} that holds {len(out)}, from {out[0][0]!r} to {out[-1][0]!r}")
    return out


def stored_history(folder):
    """{key: record}"""
    return dict(entry for block in dump(folder, "history").items() for entry in entries(*block))


def partition_of(folder):
    """The partition whose state a store holds, as it says itself."""
    return int(dump(folder, "meta")[b"bus.origin"].split(b"\0")[2])


def batches(records):
    """(number, [((table, key), value or None)], history's end) of each batch of one partition's changelog, in order."""
    out, going = [], []
    for r in records:
        if r.key == MARKER:
            marker = contracts.decode("Marker", r.value)
            out.append((int(marker["batch"]), going, int(marker["history_next"])))
            going = []
        else:
            if r.value == b"":
                raise AssertionError(f"an entry of {STATE[r.key[0]]} at {r.offset} that is neither a value nor a deletion")
            going.append(((STATE[r.key[0]], r.key[1:]), r.value))
    if going:
        raise AssertionError(f"{len(going)} entries behind the last marker: a batch that ends nowhere")
    return out


def _signed(data):
    """A big-endian integer whose sign bit is flipped."""
    return struct.unpack(">Q", data)[0] - (1 << 63)


def _timers(instances):
    """What is armed, and when it is due."""
    out = {}
    for key, value in instances.items():
        workflow, rest = key.split(b"\0", 1)
        for timer in contracts.decode("Instance", value).get("timers", []):
            if not timer.get("held"):
                due = struct.pack(">Q", int(timer["due_ms"]) + (1 << 63))
                out[workflow + b"\0" + rest + timer["name"].encode() + b"\0" + struct.pack(">I", timer.get("n", 0))] = due
    return out


def _unserved(index, timers):
    """The timers that have no entry at their due instant or before it. (An entry that is not its timer's any more means nothing.)"""
    first = {}
    for key in sorted(index, reverse=True):
        workflow, rest = key.split(b"\0", 1)
        first[workflow + b"\0" + rest[8:]] = rest[:8]
    return [key for key, due in timers.items() if key not in first or first[key] > due]


def _fold(changes, state):
    """One batch onto {table: {key: value}}. A chunk's ids are entries of `seen`, its key alone is one of `seen_chunk`."""
    for (table, key), value in changes:
        if table == "seen_chunk" and value:
            for entry in contracts.decode("SeenChunk", value).get("entries", []):
                state["seen"][key[:4] + base64.b64decode(entry["key"])] = base64.b64decode(entry["value"])
            state[table][key] = b""
        elif value:
            state[table][key] = value
        else:
            state[table].pop(key, None)
            if table == "seen_chunk":
                state["expired"].add(key[:4])


def _counting(seen, expired):
    """Those of the months that have expired are dropped bit by bit, and which is nobody's concern."""
    return {key: value for key, value in seen.items() if key[:4] not in expired}


def _history(records):
    """{key in the store: (value, offset)}"""
    out, last = {}, {}
    for r in records:
        last[r.key] = last.get(r.key, 0) + 1
        out[r.key + b"\0" + struct.pack(">Q", last[r.key])] = r.value, r.offset
    return out


def _unlike(what, have, want):
    if have == want:
        return []
    differs = sorted(k for k in have.keys() | want.keys() if have.get(k) != want.get(k))
    return [f"{what}: {len(have)} entries, {len(want)} called for; {len(differs)} differ, the first is {differs[0]!r}: "
            f"have {have.get(differs[0])!r:.300}, want {want.get(differs[0])!r:.300}"]


def compare(folder, changelog, history, last=True):
    """What is wrong with one partition's store, given that partition's changelog and its history (Cluster.history); `last`: it must stand at the last batch
    and hold all of history."""
    meta = dump(folder, "meta")
    batch = struct.unpack(">Q", meta[b"batch"])[0] if b"batch" in meta else 0
    known, state, end = batches(changelog), {"seen": {}, "expired": set(), **{table: {} for table in STATE}}, 0
    if batch and batch not in [number for number, _, _ in known]:
        return [f"{folder}: the store is at batch {batch}, of which the changelog knows nothing"]
    if last and known and batch != known[-1][0]:
        return [f"{folder}: the store is at batch {batch}, batch {known[-1][0]} was committed last"]
    for number, changes, end_then in known:
        if number > batch:
            break
        end = end_then
        _fold(changes, state)
    wrong = []
    for table in STATE:
        wrong += _unlike(f"{folder}, {table}", stored(folder, table), state[table])
    wrong += _unlike(f"{folder}, seen", _counting(dump(folder, "seen"), state["expired"]), _counting(state["seen"], state["expired"]))
    wrong += [f"{folder}, timer: no entry for {key!r}" for key in _unserved(dump(folder, "timer"), _timers(state["instance"]))[:3]]
    next_history = _signed(meta[b"bus.history_next"]) if b"bus.history_next" in meta else 0
    if last and next_history < end:
        wrong.append(f"{folder}: history goes up to offset {next_history}, the last marker says {end}")
    have = stored_history(folder)  # behind its position stands what its own batches put there while a gap before them was still being filled
    wanted = {key: value for key, (value, offset) in _history(history).items() if offset < next_history or key in have}
    return wrong + _unlike(f"{folder}, history", have, wanted)
