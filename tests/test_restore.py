"""A partition's state, on a real broker: deleted, older, another's, killed while it comes back; corrections and queries while history is
behind; memory while a million records wait."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parent / "kafka"))
import fold  # noqa: E402
import oracle  # noqa: E402
from node import preloaded  # noqa: E402
from test_kafka import OnBroker, send  # noqa: E402

WAITING = 1_000_000
RSS_MOST = 150_000  # kB
RESTORE_KILLS = 10


def files(folder):
    return sorted(p for p in folder.glob("partition-*"))


class OnState(OnBroker):
    """One node; what becomes of its folders while it is away."""

    def asked(self, n, first=0, soon=3600.0, more=""):
        return [oracle.asked("office/test", i, f"o-{i % 3 + 1}", f"s{i}{more}", time.time() + soon) for i in range(first, first + n)]

    @staticmethod
    def annul(event):
        return {"specversion": "1.0", "id": "annul", "source": "office/test", "type": "duban.v1.Annul",
                "data": {"workflow": "alarm", "reason": "误报", "annul": {"reporter": "office", "record": {"source": event["source"], "id": event["id"]}}}}

    def fill(self, d, events):
        for at in range(0, len(events), 1000):
            d.accept(events[at:at + 1000])
        d.applied(events[-1]["source"], events[-1]["id"])

    @staticmethod
    def whole(d):
        """Everything that can be asked, once history is there."""
        d.await_history()
        answer = d.get("/v1/history?limit=1000")
        cases, after = [], ""
        while True:
            page = d.get(f"/v1/cases?limit=1000{after}")
            cases += page.rows
            if "X-Next" not in page.headers:
                return cases, answer.rows
            after = f"&after={page.headers['X-Next']}"


class State(OnState):
    def forget_deletions_soon(self, cluster):
        driver = oracle.BUILD / "kafka" / "bus_kafka_test"
        subprocess.run([str(driver), "topic", self.broker.bootstrap, "alter", cluster.name("duban.changelog"), "0",
                        "cleanup.policy=compact delete.retention.ms=100"], check=True, timeout=60, stdin=subprocess.DEVNULL)

    def test_deleted_and_older_and_killed(self):
        rng = oracle.seeded(self)
        events, want = oracle.year_with_sentinel(times=3)
        cluster = self.cluster()
        d = self.node(cluster, time="events").start()
        half = len(events) // 2
        send(d, events[:half], rng)
        d.applied(events[half - 1]["source"], events[half - 1]["id"])
        d.kill()
        older = self.folder / "older"
        shutil.copytree(files(d.data)[0], older)
        d.start()
        send(d, events[half:], rng)
        d.applied("test", "sentinel")
        whole = self.whole(d)
        d.kill()
        shutil.rmtree(files(d.data)[0])
        shutil.copytree(older, d.data / "partition-0")
        d.start()
        self.assertEqual(self.whole(d), whole, "an older copy is caught up")
        d.kill()
        mark, rebuilt = files(d.data)[0] / "unsettled", "records of its state are in after"
        d.start()
        self.assertEqual(self.whole(d), whole)
        self.assertNotIn(rebuilt, d.log(), "what a killed process left is good")
        d.kill()
        mark.write_text("of another start of the machine\n", encoding="ascii")
        d.start()
        d.await_log(rebuilt)
        self.assertEqual(self.whole(d), whole, "what may not have reached the disk is thrown away, and restored")
        d.stop()
        self.assertFalse(mark.exists(), "closing waits for the disk")
        d.start()
        d.kill()
        took = 1.0
        for i in range(RESTORE_KILLS):
            if i % 3 == 0:
                shutil.rmtree(d.data / "partition-0", ignore_errors=True)
            began = time.monotonic()
            d.launch()
            if i == 0:
                d.serves()
                d.await_ready()
                took = time.monotonic() - began
            else:
                time.sleep(rng.random() * took * 1.3)
            d.kill()
        d.start()
        self.assertEqual(self.whole(d), whole, "killed while its state came back")
        d.stop()
        self.forget_deletions_soon(cluster)
        shutil.rmtree(d.data / "partition-0")
        shutil.copytree(older, d.data / "partition-0")
        d.start()
        d.await_log("the state was too old to be caught up; rebuilding it")
        self.assertEqual(self.whole(d), whole, "what is too old is rebuilt")
        self.same(cluster, want, 500)
        self.chain(cluster)
        d.stop()

    def test_gone_is_gone(self):
        """What one event alone has deleted does not come back with the state."""
        d = self.node(self.cluster(), oracle.ALARM).start()
        events = self.asked(2)
        self.fill(d, events)
        self.assertEqual(len(self.whole(d)[0]), 2)
        self.fill(d, [self.annul(events[0])])
        whole = self.whole(d)
        self.assertEqual(len(whole[0]), 1)
        d.stop()
        shutil.rmtree(d.data / "partition-0")
        d.start()
        self.assertEqual(self.whole(d), whole)

    def halted(self, d, *words):
        before = d.log().count("is halted")
        d.launch()
        d.serves()
        end = time.monotonic() + 30
        while d.log().count("is halted") == before and time.monotonic() < end:
            time.sleep(0.02)
        self.assertGreater(d.log().count("is halted"), before, d.log()[-3000:])
        line = next(line for line in d.log().splitlines()[::-1] if "is halted" in line)
        for word in words:
            self.assertIn(word, line)

    def test_anothers_state_is_not_put_to_work(self):
        cluster = self.cluster(partitions=2)
        d = self.node(cluster, oracle.ALARM).start()
        self.fill(d, self.asked(20))
        d.stop()
        have = {p.name: p for p in files(d.data)}
        self.assertEqual(set(have), {"partition-0", "partition-1"})
        aside = self.folder / "aside"
        have["partition-0"].rename(aside)
        shutil.copytree(have["partition-1"], have["partition-0"])
        self.halted(d, "partition 0 is halted", "holds the state of another partition (partition 1; partition 0 was expected)", "rebuilt")
        d.await_log("partition 1: serves")
        d.kill()
        shutil.rmtree(have["partition-0"])  # what the line says
        d.start()
        self.assertEqual(len(d.get("/v1/cases?limit=100").rows), 20)
        d.stop()
        other = self.cluster(partitions=2)
        d.settings.update({"kafka.prefix": other.prefix, "kafka.group": "g-other"})
        self.halted(d, "holds the state of other topics", cluster.prefix, other.prefix)
        d.kill()
        self.assertEqual(other.outputs(), {topic: [] for topic in oracle.OUTPUTS})

    def test_correction_waits_for_history(self):
        cluster = self.cluster()
        d = self.node(cluster, oracle.ALARM).start()
        more = "x" * 190  # history is taken in by the megabyte, and batches are made between
        events = self.asked(20000, more=more)
        self.fill(d, events)
        d.stop()
        shutil.rmtree(d.data / "partition-0")
        cluster.portal(self.annul(events[7]), "duban.deadlines")
        cluster.portal(oracle.asked("office/test", 99999, "o-1", "behind", time.time() + 3600), "duban.deadlines")
        d.environment = {"LD_PRELOAD": preloaded("slow", self.folder), "SLOW_PUT_US": "50"}  # history takes longer than librdkafka waits for an empty topic
        d.launch()
        d.serves()
        said, cases = set(), []
        while (answer := d.get("/v1/history?limit=1")).status == 503:
            said.add(answer.text)
            if "history is being taken in" in answer.text:
                cases.append(len(d.get("/v1/cases?limit=1").rows))
        self.assertEqual(answer.status, 200, answer.text)
        self.assertTrue(cases, f"history was never behind: {said}")
        self.assertEqual(set(cases), {1}, "the state is served meanwhile")
        d.await_log("needs the history, of which")
        d.kill()  # and once more from there
        d.environment = {}
        d.start()
        d.applied("office/test", "annul")
        d.applied("office/test", "asked-99999")
        subjects = [c["subject"] for c in self.whole(d)[0]]
        self.assertEqual(len(subjects), 20000)
        self.assertNotIn("s7" + more, subjects)
        self.same(cluster, oracle.simulate(oracle.ALARM, cluster.inputs()), 0)
        d.stop()
        self.assertEqual(len(fold.stored_history(d.data / "partition-0")), self.chain(cluster))


class Backlog(OnBroker):
    def test_a_million_records_wait(self):
        load = oracle.BUILD / "bench" / "kafka_load"
        subprocess.run(["make", "-s", f"B={oracle.BUILD.relative_to(oracle.ROOT)}", str(load.relative_to(oracle.ROOT))], cwd=oracle.ROOT, check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env={k: v for k, v in os.environ.items() if k != "MAKEFLAGS"})
        subprocess.run([str(load), "topics", self.broker.bootstrap], check=True, timeout=60)
        cluster = oracle.Cluster(self.broker.bootstrap, "duban.")
        d = self.node(cluster, oracle.ROOT / "tests" / "bench" / "load").start()
        d.stop()
        subprocess.run([str(load), "produce", self.broker.bootstrap, "wait", str(WAITING), "50000"], check=True, timeout=120, stdout=subprocess.DEVNULL)
        d.start()
        end, peak, of_it = time.monotonic() + 12, 0, 0
        while time.monotonic() < end:
            status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{d.process.pid}/status").read_text(encoding="ascii").splitlines())
            if int(status["VmHWM"].split()[0]) > peak:
                peak, of_it = int(status["VmHWM"].split()[0]), status["RssAnon"].split()[0]
            time.sleep(0.05)
        print(f"        {WAITING} records waiting: at most {peak // 1000} MB RSS, then {int(of_it) // 1000} of it anonymous", flush=True)
        self.assertLess(peak, RSS_MOST)
        self.assertIn(d.get("/v1/cases?limit=1").status, (200,))
        d.signal(signal.SIGTERM)
        d.process.wait(30)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        unittest.main()
