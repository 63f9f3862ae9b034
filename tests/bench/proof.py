"""That a side does the work it is measured at, seen before anything is measured: an event that is sent again, with a kill -9 between, has no
effect; one that the definition does not allow is refused with reasons; history is one chain of all turns, from the first record on."""
import contracts
import oracle

EVENTS = 500
DUE_MS = 4_000_000_000_000  # of all of them: the same events again, then
SEQUENCE, VERDICT, APPLIED, REJECTED = 2, 7, 1, 3  # of a HistoryRecord
REFUSED = b"\x0a\x06rounds\x62\x0d\x0a\x05touch\x12\x04desk"  # an InputEvent of a touch without its fields


def chain(side, records):
    """The verdicts, oldest first."""
    before, verdicts = bytes(32), []
    for n, record in enumerate(records, 1):
        fields = dict(contracts.fields(record.value))
        linked = side.link(before + record.value[:-34]).digest()
        if fields[SEQUENCE] != n or record.value[-34:] != b"\x7a\x20" + linked:
            raise RuntimeError(f"{side.name}: record {n} of its history does not follow from the one before it")
        before = linked
        verdicts.append(fields[VERDICT])
    return verdicts


def prove(bench, side):
    cluster = oracle.Cluster(bench.broker.bootstrap, side.prefix)
    first = bench.drain(side, EVENTS + EVENTS // 2)
    bench.produce(side, EVENTS, EVENTS, DUE_MS, run="once")
    first.result()
    one_more = bench.drain(side, 1)  # and nothing else
    bench.produce(side, EVENTS, EVENTS, DUE_MS, run="once")
    side.kill()
    side.launch()
    cluster.produce("duban.submissions", "rounds", REFUSED, {"ce_id": "refused", "ce_source": "portal-0", "ce_specversion": "1.0",
                                                             "ce_type": "duban.v1.Fact", "content-type": "application/protobuf"})
    bench.produce(side, 1, 1, DUE_MS, run="more")
    one_more.result()
    side.ready()
    verdicts = chain(side, cluster.history())
    letters = [[text for name, text in letter.headers if name == "duban_reason"] for letter in cluster.read("duban.rejected")]
    if verdicts.count(APPLIED) != EVENTS + 1 or verdicts.count(REJECTED) != 1 or len(letters) != 1 or not letters[0]:
        raise RuntimeError(f"{side.name}: {verdicts.count(APPLIED)} turns and {verdicts.count(REJECTED)} refusals in its history, dead letters {letters}")
