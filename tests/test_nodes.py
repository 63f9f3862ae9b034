"""Nodes and workers: several of each share a group's partitions. Every workflow is answered by the node that holds it, the others say who that is,
or answer from what they follow; partitions change hands between nodes and between workers; outputs stay those of `dubanctl simulate`."""
import contextlib
import http.client
import json
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest
import urllib.parse

import oracle
from node import preloaded
from test_kafka import OnBroker

PARTITIONS, WORKERS, WORKFLOWS = 4, 2, 8
BURST = 1000  # events: their batches are large
SESSION_MS = 4000
HELD = {"kafka.properties.session.timeout.ms": 30000, "kafka.properties.transaction.timeout.ms": 20000}  # where nobody is to take over


def murmur2(key):
    """As Java clients compute it; none of our code."""
    m, h = 0x5bd1e995, (0x9747b28c ^ len(key)) & 0xffffffff
    for i in range(0, len(key) - len(key) % 4, 4):
        k = int.from_bytes(key[i:i + 4], "little") * m & 0xffffffff
        h = (h * m & 0xffffffff) ^ ((k ^ k >> 24) * m & 0xffffffff)
    for i, byte in reversed(list(enumerate(key[len(key) - len(key) % 4:]))):
        h ^= byte << 8 * i
    if len(key) % 4:
        h = h * m & 0xffffffff
    h = (h ^ h >> 13) * m & 0xffffffff
    return (h ^ h >> 15) & 0x7fffffff


def partition_of(workflow):
    return murmur2(workflow.encode()) % PARTITIONS


class OnNodes(OnBroker):
    """Workflows alarm-0 …, at least one in each partition, on nodes a, b …"""

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="duband-nodes-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.workflows = [f"alarm-{i}" for i in range(WORKFLOWS)]
        self.assertEqual({partition_of(w) for w in self.workflows}, set(range(PARTITIONS)))
        for w in self.workflows:
            shutil.copytree(oracle.ALARM, self.folder / w)
            text = (self.folder / w / "workflow.yaml").read_text()
            (self.folder / w / "workflow.yaml").write_text(text.replace("workflow:  alarm", f"workflow:  {w}", 1))
        self.ours = self.cluster(PARTITIONS)
        self.sent = 0
        self.last_due = 0.0

    def one(self, name, workflows=False, **settings):
        d = self.node(self.ours, self.folder, **{"node": f"{name}-{self.ours.prefix[:-1]}", "workers": WORKERS,
                                                 "kafka.properties.session.timeout.ms": SESSION_MS,
                                                 "kafka.properties.transaction.timeout.ms": SESSION_MS - 1000, **settings})
        d.settings["workflows"] = ",".join(str(self.folder / w) for w in self.workflows) if workflows else ""
        return d

    def start(self, *names, **settings):
        """The first publishes the workflows; returns when each node holds its share."""
        nodes = [self.one(n, workflows=i == 0, **settings) for i, n in enumerate(names)]
        nodes[0].start()
        for w in self.workflows:
            self.until(lambda w=w: any(r["id"] == w for r in nodes[0].get("/v1/workflows").rows), f"{w} in force", nodes)
        for d in nodes[1:]:
            d.settings["workflows"] = ""
            d.start()
        self.shared(nodes)
        return nodes

    def until(self, holds, what, nodes, seconds=40):
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                logs = "\n".join(f"--- {d.settings['node']}\n{d.log()[-3000:]}" for d in nodes)
                self.fail(f"not in time: {what}\n{logs}")
            time.sleep(0.02)

    def status(self, d):
        return d.get("/v1/status").json

    def held(self, d):
        """{partition: worker}"""
        return {p["partition"]: p["worker"] for p in self.status(d)["partitions"] if p["state"] == "serving"}

    def shared(self, nodes):
        """Every partition is held once, and each node has as many as another."""
        def fair():
            held = [self.held(d) for d in nodes]
            return sorted(p for h in held for p in h) == list(range(PARTITIONS)) and all(d.get("/readyz").status == 200 for d in nodes) \
                and max(map(len, held)) <= -(-PARTITIONS // (len(nodes) * WORKERS)) * WORKERS
        self.until(fair, "the partitions are shared out", nodes)

    def owner(self, nodes, workflow):
        return next(d for d in nodes if partition_of(workflow) in self.held(d))

    def asked(self, workflow, subject, by=3600):
        """An event of that workflow, which a client sends where it belongs."""
        self.sent += 1
        due = time.time() + by
        self.last_due = max(self.last_due, due)
        event = oracle.asked("nodes", self.sent, f"o-{self.sent % 3 + 1}", subject, due)
        event["data"]["workflow"] = workflow
        return event

    def answered(self, workflow, unit, subject):
        self.sent += 1
        event = oracle.answered("nodes", self.sent, unit, subject)
        event["data"]["workflow"] = workflow
        return event

    def post(self, d, event, seconds=40):
        """As a portal: goes where it is told to, and comes again when told to wait."""
        end = time.monotonic() + seconds
        url = d.url
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                answer = self.request(url, "POST", "/v1/events", json.dumps(event).encode(), {"content-type": "application/cloudevents+json"})
                if answer[0] == 202:
                    return json.loads(answer[2])
                if answer[0] not in (421, 503):
                    self.fail(f"{answer[0]}: {answer[2]}")
                if answer[0] == 421:
                    url = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(answer[1]["Location"]))
                    continue
            time.sleep(0.05)
            url = d.url
        self.fail(f"{event['id']} was not taken in time")

    @staticmethod
    def request(url, method, path, body=None, headers=None):
        at = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(at.hostname, at.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def applied(self, nodes, event):
        def there():
            for d in nodes:
                with contextlib.suppress(OSError):
                    answer = d.get(f"/v1/events/nodes/{event['id']}?workflow={event['data']['workflow']}")
                    if answer.status == 200 and answer.json["status"] == "applied" and "Age" not in answer.headers:
                        return True
            return False
        self.until(there, f"{event['data']['workflow']} {event['id']} is applied", nodes)

    def settle(self, nodes):
        """All that was asked for has fallen due, and was said (oracle.rung)."""
        by = max(self.last_due - time.time(), 0) + 0.2
        for w in self.workflows:
            self.post(nodes[0], self.asked(w, "the last", by))
        self.until(lambda: oracle.rung(self.ours, "the last") == set(self.workflows), "what fell due was said", nodes)

    def same(self, least=1):
        """Workflow by workflow, what is on the topics is what simulate says of its inputs."""
        def of(records, workflow):
            return {topic: [r for r in rows if r["workflow"] == workflow] for topic, rows in records.items()}
        for w in self.workflows:
            inputs = self.ours.inputs(lambda r, w=w: r.header("ce_type") != "duban.v1.DeadlineReached" and r.key == w.encode() or
                                      r.header("ce_type") == "duban.v1.DeadlineReached" and r.partition == partition_of(w))
            want, end = oracle.simulate(self.folder / w, one_definition(inputs, w)), time.monotonic() + 10
            while oracle.difference(have := of(self.ours.outputs(), w), of(want, w)) and time.monotonic() < end:
                time.sleep(0.05)
            oracle.check(self, have, of(want, w), least)


def one_definition(inputs, workflow):
    """The same published twice is one; a clock record is for the partition, and simulate wants it to name the workflow."""
    seen, out = set(), []
    for received, lane, offset, event in inputs:
        if event["type"] == "duban.v1.Definition":
            if event["id"] in seen:
                continue
            seen.add(event["id"])
        if event["type"] == "duban.v1.DeadlineReached":
            event = {**oracle.clock_record(workflow, ident=event["id"]), "source": event["source"]}
        out.append((received, lane, offset, event))
    return out


class Misdirected(OnNodes):
    def test_each_workflow_is_answered_by_its_own_node(self):
        nodes = self.start("a", "b")
        a, b = nodes
        self.assertEqual(sorted(p for d in nodes for p in self.held(d)), list(range(PARTITIONS)))
        events = {w: self.asked(w, f"of {w}") for w in self.workflows}
        for w in self.workflows:
            self.post(a, events[w])  # from the wrong node, too
        self.applied(nodes, list(events.values())[-1])
        for w in self.workflows:
            with self.subTest(w):
                owner = self.owner(nodes, w)
                other = b if owner is a else a
                self.applied([owner], events[w])
                self.assertEqual([c["subject"] for c in owner.get(f"/v1/cases?workflow={w}").rows], [f"of {w}"])
                for path in (f"/v1/cases?workflow={w}&limit=7", f"/v1/workflows/{w}/scores", f"/v1/events/nodes/{events[w]['id']}?workflow={w}"):
                    answer = other.get(path)
                    self.assertEqual((answer.status, answer.headers["Location"]), (421, owner.url + path), answer.text)
                    self.assertIn(owner.url, answer.errors[0])
        for d in nodes:
            rows = d.get("/v1/cases")
            self.assertEqual(rows.headers["X-Partitions"], f"2/{PARTITIONS}")
            self.assertEqual({c["workflow"] for c in rows.rows}, {w for w in self.workflows if partition_of(w) in self.held(d)})
        for d in nodes:
            d.stop()
        self.same(0)



class Killed(OnNodes):
    def test_kill_9_of_a_node_and_take_over(self):
        rng = oracle.seeded(self)
        nodes = self.start("a", "b")
        first = [self.asked(w, "before", by=rng.uniform(0.5, 3)) for w in self.workflows]
        for event in first:
            self.post(rng.choice(nodes), event)
        victim, other = rng.sample(nodes, 2)
        lost = list(self.held(victim))
        victim.kill()
        events = []
        for w in rng.sample(self.workflows, len(self.workflows)):
            events.append(self.asked(w, "meanwhile", by=rng.uniform(0.5, 3)))
            self.post(other, events[-1])  # at once, or when it is taken over
        self.until(lambda: len(self.held(other)) == PARTITIONS, "the other has them all", [other])
        for event in [*first, *events]:
            self.applied([other], event)
        for w in self.workflows:
            self.assertEqual(other.get(f"/v1/cases?workflow={w}").status, 200)
        self.assertNotIn("X-Partitions", other.get("/v1/cases").headers)
        back = self.one(victim.settings["node"].split("-")[0])
        back.start()
        self.shared([back, other])
        self.assertTrue(lost)
        for w in self.workflows:
            owner = self.owner([back, other], w)
            event = self.answered(w, "o-1", "before")
            self.post(back, event)
            self.applied([owner], event)
        self.settle([back, other])
        for d in (back, other):
            d.stop()
        self.same(2)


class Standby(OnNodes):
    def age(self, d, workflow):
        answer = d.get(f"/v1/cases?workflow={workflow}")
        return int(answer.headers.get("Age", 0)) if answer.status == 200 else None

    def test_any_node_answers_and_takes_over_the_tail(self):
        nodes = self.start("a", "b", standby="all")
        a, b = nodes
        first = [self.asked(w, "first") for w in self.workflows for _ in range(3)]
        for event in first:
            self.post(a, event)
        for d in nodes:
            for w in self.workflows:
                def there(d=d, w=w):
                    answer = d.get(f"/v1/cases?workflow={w}")
                    return answer.status == 200 and len(answer.rows) == 3
                self.until(there, f"{w} is read at either node", nodes)
                age = self.age(d, w)
                self.assertEqual(age > 0, d is not self.owner(nodes, w), "what is followed has an age, what is held has none")
                self.assertLess(age, 10)
            self.assertNotIn("X-Partitions", d.get("/v1/cases").headers)
        states = {p["partition"]: p for p in self.status(a)["partitions"]}
        self.assertEqual({s["state"] for s in states.values()}, {"serving", "standby"})
        for p in states.values():
            self.assertEqual(p["owner"], a.url if p["worker"] is not None else b.url)
        metrics = a.get("/metrics").text
        self.assertIn("duband_partitions_held 2\n", metrics)
        self.assertIn("duband_partitions_standby 2\n", metrics)
        self.assertRegex(metrics, r"duband_standby_age_seconds \d")
        loads = a.log().count("records of its state are in")
        b.kill()
        late = {w: self.asked(w, "late") for w in self.workflows}
        for event in late.values():
            self.post(a, event)
        for event in late.values():
            self.applied([a], event)
        self.assertEqual(a.log().count("records of its state are in"), loads, "it has followed: no changelog is read from its beginning")
        self.assertTrue(all(p["state"] == "serving" for p in self.status(a)["partitions"]))
        a.await_history()
        rows = a.get(f"/v1/history?workflow={self.workflows[0]}&limit=1000").rows
        self.assertEqual([int(r["sequence"]) for r in rows], list(range(1, len(rows) + 1)), "history was followed, too")
        a.stop()
        self.same(0)

    def test_what_is_followed_is_tidied(self):
        """What large batches leave in a store goes at rest, at those who follow, too: the store is opened anew."""
        a, b = self.one("a", workflows=True, standby="all"), self.one("b", standby="all")
        opens = self.folder / "opens"
        b.environment = {"LD_PRELOAD": preloaded("opens", self.folder), "OPENS": str(opens)}
        a.start()
        b.start()
        self.shared([a, b])
        self.until(lambda: {p["state"] for p in self.status(b)["partitions"]} == {"serving", "standby"}, "b follows what a holds", [a, b])
        workflow = next(w for w in self.workflows if self.owner([a, b], w) is a)
        folder = str(b.data / f"partition-{partition_of(workflow)}")

        def opened():
            return opens.read_text().splitlines().count(folder)
        before, burst = opened(), [self.asked(workflow, f"s-{i}") for i in range(BURST)]
        a.accept(burst)
        self.applied([a], burst[-1])
        self.until(lambda: opened() > before, "the store is opened anew", [a, b])
        self.until(lambda: len(b.get(f"/v1/cases?workflow={workflow}&limit=1000").rows) == BURST, "b has followed", [a, b])
        a.stop()
        b.stop()
        self.same(0)


class HandOver(OnNodes):
    def test_workers_and_nodes_hand_partitions_to_one_another(self):
        a = self.start("a", standby="all")[0]
        moves = {p: {w} for p, w in self.held(a).items()}
        sent = []
        for _ in range(2):
            c = self.one("c", standby="all")
            c.start()
            for w in self.workflows:
                sent.append(self.asked(w, f"s{len(sent)}"))
                self.post(c, sent[-1])
            self.shared([a, c])
            for p, w in self.held(a).items():
                moves[p].add(w)
            c.stop()
            self.until(lambda: len(self.held(a)) == PARTITIONS, "a has them all again", [a])
            for p, w in self.held(a).items():
                moves[p].add(w)
        for event in sent:
            self.applied([a], event)
        self.assertTrue(any(len(w) > 1 for w in moves.values()) or WORKERS == 1, f"no partition went from one worker to the other: {moves}")
        a.stop()
        self.same(0)


class Command(OnNodes):
    def dubanctl(self, d, *arguments):
        return subprocess.run([str(oracle.DUBANCTL), *arguments, "--url", d.url], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              timeout=60, check=False)

    def test_follows_to_the_node_that_serves(self):
        nodes = self.start("a", "b", **HELD)
        a, b = nodes
        file = self.folder / "events.jsonl"
        file.write_text("".join(json.dumps(self.asked(w, "by file")) + "\n" for w in self.workflows))
        done = self.dubanctl(a, "send", str(file))
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        for w in self.workflows:
            self.until(lambda w=w: '"by file"' in self.dubanctl(b, "cases", "--workflow", w, "--json").stdout, f"{w} is asked by way of b", nodes)
            done = self.dubanctl(b, "publish", str(self.folder / w))
            self.assertEqual(done.returncode, 0, done.stderr)
        done = self.dubanctl(a, "cases")
        self.assertIn(f"2/{PARTITIONS}", done.stderr)
        done = self.dubanctl(a, "status")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertEqual(len(done.stdout.splitlines()), 2 + PARTITIONS, done.stdout)
        self.assertIn(b.url, done.stdout)
        there = next(w for w in self.workflows if self.owner(nodes, w) is b)
        b.kill()
        done = self.dubanctl(a, "cases", "--workflow", there)
        self.assertEqual(done.returncode, 3)
        self.assertIn(f"{a.url} says that {b.url} serves it: nothing answers", done.stderr)
        a.stop()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        unittest.main()
