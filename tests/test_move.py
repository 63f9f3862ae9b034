"""dubanctl migrate-bus from topics to larger ones: half a year on two partitions, the other half on five, and nobody can tell where the seam is; what was
left goes on no more, whatever folder a node has; and what is refused says its cure."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "kafka"))
import admin  # noqa: E402
import contracts  # noqa: E402
import fold  # noqa: E402
import oracle  # noqa: E402
import test_kafka  # noqa: E402
from node import preloaded  # noqa: E402
from portal import Portal  # noqa: E402
from test_migrate_bus import half_a_year, migrate, seen, whole  # noqa: E402
from test_nodes import murmur2  # noqa: E402

UNHELD = {"kafka.properties.session.timeout.ms": 2000, "kafka.properties.transaction.timeout.ms": 2000}  # a static member is forgotten after that
FEW, MANY = 2, 5
# Where it dies: the function, its call, and whether that was done; and what the new topics hold then: all or nothing. First comes the last batch of the old
# topics, held open; then the new ones are written and committed; then the old ones, which is all that is left to do then; last, the folder is marked.
DEATHS = [("rd_kafka_produceva", 2, True, False), ("rd_kafka_send_offsets_to_transaction", 1, True, False), ("rd_kafka_produceva", 700, True, False),
          ("rd_kafka_commit_transaction", 1, False, False), ("rd_kafka_commit_transaction", 1, True, True),
          ("rd_kafka_commit_transaction", 1, False, True), ("rd_kafka_commit_transaction", 1, True, True), ("mdb_txn_commit", 7, False, True)]


class Move(test_kafka.OnBroker):
    def setUp(self):
        super().setUp()
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="duban-move-"))
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)

    def copy_of(self, data):
        copy = pathlib.Path(tempfile.mkdtemp(prefix="copy-", dir=self.scratch)) / "data"
        shutil.copytree(data, copy)
        return copy

    def replaced(self, d, data):
        shutil.rmtree(d.data)
        if data:
            shutil.copytree(data, d.data)

    def refused(self, data, cluster, *words):
        status, out, err = migrate(data, cluster)
        self.assertEqual((status, out), (3, []), err)
        self.assertEqual(len(err.splitlines()), 1, err)
        for word in words:
            self.assertIn(word, err)

    def moved(self, data, cluster, *more):
        status, parts, err = migrate(data, cluster, *more)
        self.assertEqual(status, 0, err)
        return parts

    # ---- half a year

    def killed_and_run_again(self, data, cluster):
        library = preloaded("die", self.scratch)
        for where, call, done, moved in DEATHS:
            with self.subTest(where=where, call=call, done=done):
                env = {"LD_PRELOAD": library, "ASAN_OPTIONS": "verify_asan_link_order=0", "DIE_IN": where, "DIE_CALL": str(call),
                       **({"DIE_DONE": "1"} if done else {})}
                status, _, err = migrate(data, cluster, "--take-pending", env=env)
                self.assertEqual(status, -signal.SIGKILL, err)
                self.assertEqual([p["before"] for p in self.moved(data, cluster, "--dry-run")], [moved] * MANY)
        parts = self.moved(data, cluster)
        self.assertEqual([p["before"] for p in parts], [True] * MANY)
        self.assertEqual(parts, self.moved(data, cluster), "once more, and nothing changes")
        return parts

    def test_half_a_year_on_two_partitions_and_half_on_five(self):
        events, want = oracle.year_with_sentinel()
        old, new = self.cluster(FEW), self.cluster(MANY)
        d = self.node(old, time="events", **UNHELD)
        d.settings["workflows"] = f"{oracle.SUIFENHE},{oracle.ALARM}"
        half = half_a_year(d, events, lambda i: contracts.milliseconds("2024-11-01T00:00:00Z") / 1000 + i)
        before = seen(d)
        d.stop()
        aside = self.copy_of(d.data)
        at = half + 12
        for event in events[half:at]:
            old.portal(event, oracle.lane_of(event))
        self.refused(d.data, new, "12 accepted events were not taken", "--take-pending")
        parts = self.killed_and_run_again(d.data, new)
        self.assertEqual([sum(p[what] for p in parts) for what in ("workflows", "pending")], [2, 12])
        self.assertEqual([p["workflows"] for p in parts], [sum(murmur2(w) % MANY == p for w in (b"suifenhe-2024", b"alarm")) for p in range(MANY)])
        self.left_behind(d, old, aside)

        k = self.node(new, time="events", **UNHELD)
        k.settings["workflows"] = d.settings["workflows"]
        k.start()
        k.applied(events[at - 1]["source"], events[at - 1]["id"])
        self.goes_on(k, new, events, at, whole(before))
        k.stop()
        self.same_together(old, new, want)
        self.chains(old, new)
        for p in range(MANY):
            self.assertEqual(fold.compare(k.data / f"partition-{p}", *([r for r in records if r.partition == p]
                                                                       for records in (new.read("duban.changelog"), new.history()))), [])
        self.refused(aside, new, "not empty")
        self.refused(aside, self.cluster(1), f"moved to {new.prefix}* of {new.bootstrap} before")

    def left_behind(self, d, old, aside):
        """With the folder that was moved, with a copy of it, and without any: it halts, and says where all of it is."""
        inputs = old.inputs()
        for data in (None, aside, self.copy_of(d.data)):
            self.replaced(d, data)
            pathlib.Path(d.log_path).unlink()
            d.launch()
            d.serves()
            d.await_unready("was moved to the topics")
            for p in range(FEW):
                d.await_log(f"partition {p} is halted: it was moved to the topics")
            d.kill()
        self.assertEqual(old.inputs(), inputs)

    def goes_on(self, k, new, events, at, old):
        end = time.monotonic() + 30
        while not set(old["history"]) <= set((after := whole(seen(k)))["history"]):  # it comes behind serving; what was there goes on
            self.assertLess(time.monotonic(), end, "the history does not come back")
        self.assertEqual([r for r in old["cases"] if '"alarm"' in r], [r for r in after["cases"] if '"alarm"' in r])
        self.assertEqual(old["units"], after["units"])
        first = events[len(events) // 2 - 1]
        sequence = k.applied(first["source"], first["id"])["history"]["sequence"]
        k.accept([first])  # a portal that tries again
        for i in range(at, len(events), 50):
            k.accept(events[i:i + 50])
        k.accept([oracle.clock_record("alarm", "2024-12-01T00:00:00Z", "rings")])
        k.applied("test", "sentinel")
        self.assertEqual(k.applied(first["source"], first["id"])["history"]["sequence"], sequence)
        end = time.monotonic() + 30
        while len(rung := [w for w in new.outputs()["duban.warnings"] if w["workflow"] == "alarm"]) < 6:
            self.assertLess(time.monotonic(), end, "timers that were armed before do not fire")
        self.assertEqual(sorted(w["subject"] for w in rung), [f"s{i}" for i in range(6)])

    def same_together(self, old, new, want):
        here, there = old.outputs(), new.outputs()
        have = {t: [r for r in here[t] + there[t] if r["workflow"] == "suifenhe-2024"] for t in oracle.OUTPUTS}
        oracle.check(self, have, want, 500)
        for part in here, there:
            self.assertGreater(sum(len(part[t]) for t in oracle.OUTPUTS), 100)
        self.assertEqual([r for t in oracle.OUTPUTS for r in here[t] if r["workflow"] == "alarm"], [], "it rang before its time")

    def chains(self, old, new):
        """The new topics have all of it, the old ones the same up to the seam."""
        was, now = old.history(), new.history()
        self.assertEqual(oracle.unlinked(was)[:3] + oracle.unlinked(now)[:3], [])
        for workflow in b"suifenhe-2024", b"alarm":
            here, there = ([r.value for r in records if r.key == workflow] for records in (was, now))
            self.assertTrue(here)
            self.assertEqual(here, there[:len(here)])

    # ---- time

    def regimes(self, n):
        """Copies of the regime of nothing but time, so many in each of two partitions."""
        out = {p: [] for p in range(FEW)}
        for i in range(100):
            name = f"alarm-{i}"
            if len(out[p := murmur2(name.encode()) % FEW]) < n:
                out[p].append(name)
                shutil.copytree(oracle.ALARM, self.scratch / name)
                path = self.scratch / name / "workflow.yaml"
                path.write_text(path.read_text().replace("workflow:  alarm", f"workflow:  {name}", 1))
        return out

    @staticmethod
    def times(cluster):
        """{workflow: how far its time has come}, of the changelog alone: its own, or its partition's; and its own."""
        reached, own, target = {}, {}, {}
        for r in cluster.read("duban.changelog"):
            if r.key == fold.MARKER:
                target[r.partition] = (contracts.decode("Marker", r.value)["clock_target"] or {"ms": 0})["ms"]
            elif r.key[0] == fold.STATE.index("number") and r.key.endswith(b"\0\0"):
                own[r.key[1:-2].decode()] = struct.unpack(">Q", r.value[:8])[0] - (1 << 63), r.partition
        for workflow, (clock, partition) in own.items():
            reached[workflow] = max(clock, int(target[partition]))
        return reached, {w: c for w, (c, _) in own.items()}

    def test_time_goes_on_where_it_stood(self):
        """Two partitions whose clocks differ become one, and later three. Who was asked by then is told so once, at that instant, and not before."""
        groups = self.regimes(2)
        seconds = 10
        while not self.moved_before_it_is_due(groups, seconds):  # a slow machine
            seconds *= 2
            self.assertLess(seconds, 100, "the moves take for ever")

    def moved_before_it_is_due(self, groups, seconds):
        """False: it was not, and nothing is shown."""
        old, one, three = self.cluster(FEW), self.cluster(1), self.cluster(3)
        names = groups[0] + groups[1]
        d = self.node(old, self.scratch, **UNHELD)
        d.settings["workflows"] = ",".join(str(self.scratch / w) for w in names)
        d.start()
        due = {w: int((time.time() + seconds) * 1000) + 700 * i for i, w in enumerate(names)}
        for w in names:
            self.ask(d, w, "second", due[w] / 1000)
        first = groups[0][0], "first"
        self.ask(d, *first, time.time() + 0.2)  # its partition's clock speaks, the other's does not
        self.rung([old], {first})
        d.stop()
        if time.time() * 1000 >= min(due.values()):
            return False
        self.moved(d.data, one)
        before, own = self.times(old)
        after, raised = self.times(one)
        self.assertEqual(before, after)
        self.assertIn(groups[0][1], [w for w in names if raised[w] > own[w]], "the clocks were the same: this has shown nothing")
        d = self.carried_on(one)
        d.stop()
        if time.time() * 1000 >= min(due.values()):
            return False
        self.moved(d.data, three)
        self.assertEqual(self.times(three)[0], self.times(one)[0])
        d = self.carried_on(three)
        have = self.rung([one, three], {(w, "second") for w in names})
        self.assertEqual(have, {(w, "second"): due[w] for w in names})
        d.stop()
        return True

    def ask(self, d, workflow, subject, by):
        event = oracle.asked("office", f"{workflow}-{subject}", "o-1", subject, by)
        event["data"]["workflow"] = workflow
        d.accept([event])
        d.applied("office", event["id"])

    def rung(self, clusters, want):
        """{(workflow, subject): the instant it is about}, when those are there; nothing twice."""
        end = time.monotonic() + 40
        while True:
            out = [w for c in clusters for w in c.outputs()["duban.warnings"]]
            have = {(w["workflow"], w["subject"]): contracts.milliseconds(w["time"]) for w in out}
            self.assertEqual(len(have), len(out), out)
            if set(have) >= want:
                return have
            self.assertLess(time.monotonic(), end, f"{have}, {want} expected")
            time.sleep(0.05)

    def carried_on(self, cluster):
        k = self.node(cluster, self.scratch, **UNHELD)
        k.settings["workflows"] = ""
        k.start().await_history()
        return k

    # ---- what is refused

    def test_refused_with_the_cure(self):
        old, new = self.cluster(FEW), self.cluster(3)
        d = self.node(old, oracle.ALARM, **UNHELD).start()
        d.accept([oracle.asked("office", 1, "o-1", "x", time.time() + 3600)])
        d.applied("office", "asked-1")
        self.refused(d.data, new, "in use")
        d.stop()
        early = self.copy_of(d.data)
        d.start()
        d.accept([oracle.asked("office", 2, "o-1", "y", time.time() + 3600)])
        d.applied("office", "asked-2")
        d.stop()
        home = murmur2(b"alarm") % FEW
        self.refused(early, new, f"partition {home}", "was committed last", "lag 0")
        self.refused(d.data, old, "these very topics", "--prefix")
        self.open_refused(d, old, new, home)
        self.folders_refused(d, new, home)
        self.group_refused(d, old, new)
        with tempfile.TemporaryDirectory() as empty:
            self.refused(empty, new, "no such folder")
        self.moved(self.copy_of(d.data), new, "--dry-run")
        d.start()
        self.assertEqual(sorted(c["subject"] for c in d.get("/v1/cases").rows), ["x", "y"], "nothing has happened to it")
        d.stop()

    def open_refused(self, d, old, new, home):
        """A portal's transaction that is not over."""
        event = oracle.asked("portal", 1, "o-1", "z", time.time() + 3600)
        with Portal(old.bootstrap, "portal-1", transaction_ms=60000) as portal:
            portal.begin()
            portal.send(old.name(oracle.lane_of(event)), b"alarm", json.dumps(event["data"]).encode(), oracle.headers_of(event))
            portal.flush()
            self.refused(d.data, new, old.name(oracle.lane_of(event)), f"partition {home}", "transaction is open", "transaction.timeout.ms")
            portal.abort()
        with self.subTest("it is over"):
            end = time.monotonic() + 20  # its markers may follow its end by a moment
            while migrate(d.data, new, "--dry-run")[0] != 0 and time.monotonic() < end:
                pass
            self.moved(d.data, new, "--dry-run")

    def folders_refused(self, d, new, home):
        @contextlib.contextmanager
        def changed():
            data = self.copy_of(d.data)
            yield data, data / f"partition-{home}", data / f"partition-{1 - home}"

        with changed() as (data, mine, _):
            shutil.rmtree(mine)
            self.refused(data, new, "no such folder", "all 2 partitions", "alone in the group")
        with changed() as (data, mine, other):
            shutil.rmtree(other)
            shutil.copytree(mine, other)
            self.refused(data, new, f"holds partition {home} of 2", f"but partition {1 - home} of 2", "was expected")
        for mark in "", "0" * 36 + "\n":  # not restored to its end; of another start of the machine
            with changed() as (data, mine, _):
                (mine / "unsettled").write_text(mark)
                size = (mine / "data.mdb").stat().st_size
                self.refused(data, new, str(mine), "alone in the group")
                self.assertEqual(((mine / "unsettled").read_text(), (mine / "data.mdb").stat().st_size), (mark, size), "it was touched")
        with changed() as (data, mine, _):
            self.meta(mine, {b"bus.piece": struct.pack(">Q", (1 << 63) + 1)})
            self.refused(data, new, "a part of a batch only", "alone in the group")
        with changed() as (data, mine, _):
            end = int.from_bytes(fold.dump(mine, "meta")[b"bus.history_next"], "big")
            self.meta(mine, {b"bus.history_end": struct.pack(">Q", end + 3)})
            self.refused(data, new, "lacks history", "alone in the group")
        with changed() as (data, mine, _):
            self.meta(mine, {b"bus.changelog_next": struct.pack(">Q", (1 << 63) + 100000)})
            self.refused(data, new, "they do not belong together")

    @staticmethod
    def meta(folder, entries):
        """By LMDB's own tool."""
        lines = "".join(f" {k.hex()}\n {v.hex()}\n" for k, v in entries.items())
        subprocess.run(["mdb_load", "-s", "meta", str(folder)], input=f"VERSION=3\nformat=bytevalue\ndatabase=meta\ntype=btree\nHEADER=END\n{lines}DATA=END\n",
                       text=True, check=True, timeout=30)

    def group_refused(self, d, old, new):
        """Another node, elsewhere, goes on: the folder here is not the last word."""
        other = self.node(old, oracle.ALARM, node="other", **UNHELD)
        other.settings["workflows"] = ""
        other.start().await_history()
        other.stop()
        copy = self.copy_of(other.data)
        other.start()
        running = subprocess.Popen([str(oracle.DUBANCTL), "migrate-bus", "--data", str(copy), "--bootstrap", new.bootstrap, "--prefix", new.prefix],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(running.wait, 60)
        self.addCleanup(running.kill)
        try:  # it waits for the group's members to go
            self.fail(running.communicate(timeout=4))
        except subprocess.TimeoutExpired:
            pass
        other.accept([oracle.asked("office", 3, "o-1", "x", time.time() + 3600)])
        other.applied("office", "asked-3")
        other.kill()
        _, err = running.communicate(timeout=60)
        self.assertEqual(running.returncode, 3)
        self.assertIn(b"was committed last", err)
        self.assertEqual([r for t in ("duban.changelog", "duban.history") for r in new.read(t)], [])
        self.replaced(d, other.data)

    def test_other_brokers_are_told_apart(self):
        """The folder says of which cluster it is."""
        old, new = self.cluster(1), self.cluster(2)
        d = self.node(old, oracle.ALARM, **UNHELD).start()
        d.accept([oracle.asked("office", 1, "o-1", "x", time.time() + 3600)])
        d.applied("office", "asked-1")
        d.stop()
        folder = d.data / "partition-0"
        origin = fold.dump(folder, "meta")[b"bus.origin"]
        self.meta(folder, {b"bus.origin": b"another" + origin[origin.index(b"\0"):]})
        self.refused(d.data, new, "of cluster another, but the brokers asked are of cluster", "--config FILE")
        self.meta(folder, {b"bus.origin": origin})
        config = self.scratch / "duband.yaml"
        config.write_text(f"kafka:\n  properties:\n    bootstrap.servers: {old.bootstrap}\n")
        done = subprocess.run([str(oracle.DUBANCTL), "migrate-bus", "--data", str(d.data), "--config", str(config), "--prefix", new.prefix, "--group", "moved"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"stays on {old.prefix}*", done.stdout)
        k = self.node(new, **{"kafka.group": "moved", **UNHELD})
        k.settings["workflows"] = ""
        k.start()
        self.assertEqual([c["subject"] for c in k.get("/v1/cases").rows], ["x"])
        k.stop()

    # ---- partitions that were added

    def test_partitions_that_were_added_are_noticed_without_a_folder(self):
        old, new = self.cluster(FEW), self.cluster(MANY)
        d = self.node(old, oracle.ALARM, **UNHELD).start()
        d.accept([oracle.asked("office", 1, "o-1", "x", time.time() + 3600)])
        d.applied("office", "asked-1")
        d.stop()
        data = self.copy_of(d.data)
        markers = [contracts.decode("Marker", r.value) for r in old.read("duban.changelog") if r.key == fold.MARKER]
        self.assertEqual({m["partitions"] for m in markers}, {FEW})
        admin.create_partitions(old.bootstrap, [old.name(t) for t in (*oracle.INPUTS, *oracle.OUTPUTS, "duban.rejected", "duban.changelog", "duban.history")], 3)
        self.replaced(d, None)
        d.settings["workflows"] = ""
        d.launch()
        d.serves()
        for p in range(FEW):
            d.await_log(f"partition {p} is halted: its state was made with 2 partitions, now there are 3")
        d.await_unready("is halted")
        d.kill()
        d.settings["node"] = "new"  # so that the group deals out anew; the partition that was added would answer for workflows whose state is in another
        d.launch()
        d.serves()
        d.await_log(f"partition {FEW} is halted: its state was made with 2 partitions, now there are 3")
        d.kill()
        self.assertEqual([r for r in old.read("duban.changelog") if r.partition == FEW], [])
        self.moved(data, new)  # which is the cure
        k = self.node(new, **UNHELD)
        k.settings["workflows"] = ""
        k.start()
        self.assertEqual([c["subject"] for c in k.get("/v1/cases").rows], ["x"])
        k.stop()


if __name__ == "__main__":
    unittest.main()
