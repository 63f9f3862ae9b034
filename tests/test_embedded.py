"""The embedded log, end to end: what comes out is what `dubanctl simulate` says of what went in, whatever is killed, refused or full meanwhile."""
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

import contracts
import oracle
from node import Node

KILLS = 100
def chain(case, records):
    """History: no gaps, each record linked to the one before."""
    before = "A" * 43 + "="  # 32 zero bytes
    for i, r in enumerate(records, 1):
        case.assertEqual(int(r["sequence"]), i)
        case.assertEqual(r["prev_hash"], before, f"history record {i} is not linked to the one before")
        before = r["hash"]
    case.assertGreater(len(records), 0)


class Year(unittest.TestCase):
    def test_outputs_are_those_of_simulate(self):
        rng = oracle.seeded(self)
        events, want = oracle.year_with_sentinel()
        with Node([oracle.SUIFENHE], time="events") as d:
            at = 0
            while at < len(events):
                n = rng.choice([1, 2, 5, 50])
                d.accept(events[at:at + n])
                at += n
            d.applied("test", "sentinel")
            oracle.check(self, oracle.http_outputs(d), want, 500)
            chain(self, oracle.http_topic(d, "duban.history"))
            self.assertEqual(oracle.http_topic(d, "duban.rejected"), [])
        plain = oracle.simulate_year()  # the end that was added calls for nothing by itself
        oracle.check(self, plain, want, 500)

    def test_kill_9_while_events_stream_in(self):
        rng = oracle.seeded(self)
        events, want = oracle.year_with_sentinel(times=6)
        d, sent, cut = Node([oracle.SUIFENHE], time="events"), 0, 0
        took, start = 0.02, 0.2  # to send what is sent in one life; to be ready
        with contextlib.closing(d):
            for i in range(KILLS):
                quota = len(events) * (i + 1) // (KILLS + 1)
                d.settings["batch"] = rng.choice([1, 7, 10000])
                began = time.monotonic()
                d.launch()
                if rng.random() < 0.2:  # while it starts
                    time.sleep(rng.random() * start)
                    d.kill()
                    continue
                d.serves()
                d.await_ready()
                start = time.monotonic() - began
                killer = threading.Timer(rng.random() * took, d.kill)
                killer.start()
                try:
                    began = time.monotonic()
                    while sent < quota:
                        n = min(rng.choice([1, 1, 1, 3]), quota - sent)
                        d.accept(events[sent:sent + n])
                        sent += n
                    took = time.monotonic() - began + 0.002
                except OSError:
                    cut += 1
                killer.join()
            d.settings["batch"] = 10000
            d.start()
            d.accept(events[sent:])
            d.applied("test", "sentinel")
            oracle.check(self, oracle.http_outputs(d), want, 500)
            chain(self, oracle.http_topic(d, "duban.history"))
            again = sum(len(oracle.http_topic(d, topic)) for topic in oracle.INPUTS) - len(events) - 1
            d.stop()
        print(f"        killed {KILLS} times, {cut} of them in the middle of a request; {again} events came again after they had been taken",
              flush=True)
        self.assertGreater(cut, KILLS // 5)


class Clock(unittest.TestCase):
    """By the log's own time: nobody can say beforehand what comes first, but the log has it on record."""
    AHEAD = 1.0  # seconds that an answer is given, at most

    def test_outputs_follow_the_receipts(self):
        rng = oracle.seeded(self)
        d = Node([oracle.ALARM])
        until = time.time() + 4
        ahead = []
        with contextlib.closing(d):
            d.start()
            talkers = [threading.Thread(target=self.talk, args=(d, name, until, random.Random(rng.random()), ahead)) for name in "abc"]
            for t in talkers:
                t.start()
            time.sleep(1 + rng.random())
            d.kill()
            d.start()
            time.sleep(rng.random())
            d.stop()
            time.sleep(0.3)  # alarms fall due meanwhile
            d.start()
            for t in talkers:
                t.join()
            self.silence(d)
            d.accept([oracle.asked("z", 1, "o-1", "end", time.time() + 3600)])
            d.applied("z", "asked-1")
            inputs, have = oracle.inputs_of_http(d), oracle.http_outputs(d)
            clocks = sum(1 for i in inputs if i[3]["type"] == "duban.v1.DeadlineReached" and i[3]["source"].startswith("duband"))
            d.stop()
        oracle.check(self, have, oracle.simulate(oracle.ALARM, inputs), 50)
        oracle.on_time(self, inputs, have)
        self.assertGreater(clocks, 1, "the clock's own records")
        self.assertLess(max(ahead), 2, "milliseconds by which a receipt time had not come yet when it was given")

    def silence(self, d):
        """Nobody says anything any more: the clock alone makes what is left fall due."""
        n = len(oracle.http_topic(d, "duban.warnings"))
        d.accept([oracle.asked("z", 0, "o-2", "silence", time.time() + self.AHEAD + 0.2)])
        while not any(r["subject"] == "silence" for r in d.topic("duban.warnings", from_=n, wait="10s") or self.fail("the clock is silent")):
            n += 1

    @staticmethod
    def talk(d, name, until, rng, ahead):
        """Asks, answers and reads the clock out, at random; whatever was not taken is sent again."""
        n = 0
        while time.time() < until:
            events = []
            for _ in range(rng.choice([1, 1, 2, 5])):
                n += 1
                unit, subject, what = f"o-{rng.randrange(1, 4)}", f"s{rng.randrange(30)}", rng.random()
                if what < 0.4:
                    events.append(oracle.asked(name, n, unit, subject, time.time() + rng.uniform(-0.1, Clock.AHEAD)))
                elif what < 0.85:
                    events.append(oracle.answered(name, n, unit, subject))
                else:  # early, or late, or once more
                    events.append(oracle.clock_record("alarm", ident=f"{name}-{n}"))
                    if rng.random() < 0.5:
                        events.append(events[-1])
            while True:
                try:
                    results = d.accept(events)
                    ahead.append(max(contracts.milliseconds(r["received"]) for r in results) - time.time() * 1000)
                    break
                except (OSError, EOFError):
                    time.sleep(0.02)  # it is down just now


class Refused(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = Node([oracle.ALARM]).start()
        cls.addClassCleanup(cls.d.close)

    @classmethod
    def tearDownClass(cls):
        cls.d.stop()

    def ends(self):
        return [len(oracle.http_topic(self.d, t)) for t in oracle.INPUTS + ["duban.rejected"]]

    def test_all_reasons_at_once_and_nothing_appended(self):
        good = oracle.answered("bad", 1, "o-1", "x")

        def fact(**change):
            e = json.loads(json.dumps(good))
            e["data"]["fact"].update(change)
            return e

        cases = [  # the event, and a word of every reason
            ({**good, "data": {**good["data"], "workflow": "nowhere"}}, ["nowhere"]),
            (fact(kind="unheard"), ["unheard"]),
            (fact(reporter="o-9"), ["o-9"]),
            (fact(reporter="office"), ["office"]),
            (fact(fields={"subject": "x"}), ["n"]),
            (fact(fields={"subject": "x", "n": "seven"}), ["seven"]),
            (fact(fields={"subject": "x", "n": 1, "colour": "red"}), ["colour"]),
            (fact(fields={"n": "seven", "colour": "red"}, reporter="o-9"), ["o-9", "seven", "colour", "subject"]),
            (fact(fields={"subject": "x", "n": 101}), ["答复号超过一百（三）"]),
            ({**good, "type": "duban.v1.Nonsense"}, ["Nonsense"]),
            ({**good, "type": "duban.v1.Review"}, ["Review"]),
            ({**good, "specversion": "0.3", "time": "yesterday"}, ["specversion", "yesterday"]),
            ({k: v for k, v in good.items() if k not in ("id", "source")}, ["id", "source"]),
            ({**good, "datacontenttype": "application/protobuf", "data": None, "data_base64": "//8="}, ["data"]),
        ]
        before = self.ends()
        for event, words in cases:
            with self.subTest(words=words):
                answer = self.d.post(event)
                self.assertEqual(answer.status, 400, answer.text)
                for word in words:
                    self.assertTrue(any(word in reason for reason in answer.errors), f"{word} is in none of {answer.errors}")
                self.assertGreaterEqual(len(answer.errors), len(words) if len(words) > 2 else 1)
        self.assertEqual(self.ends(), before)

    def test_undecodable_and_oversized(self):
        before = self.ends()
        for body, want in [(b"\xff\xfe{", 400), (b"{", 400), (b"[1,2]", 400), (b'{"id":"a","id":"b"}', 400), (b"x" * (5 << 20), 413)]:
            with self.subTest(body=body[:20]):
                try:
                    answer = self.d.post(body)
                except (BrokenPipeError, ConnectionResetError):
                    self.assertEqual(want, 413)  # it need not read all of it
                    continue
                self.assertEqual(answer.status, want)
                self.assertTrue(answer.errors)
        self.assertEqual(self.ends(), before)

    def test_a_batch_with_one_bad_event_is_refused_whole(self):
        before = self.ends()
        answer = self.d.post_all([oracle.answered("batch", 1, "o-1", "x"), oracle.answered("batch", 2, "o-9", "x")])
        self.assertEqual(answer.status, 400)
        self.assertTrue(all("event 2" in reason for reason in answer.errors), answer.text)
        self.assertEqual(self.ends(), before)

    def test_what_only_the_turn_can_know(self):
        first, other = oracle.asked("twice", 1, "o-1", "twice", time.time() + 3600), oracle.asked("twice", 1, "o-2", "twice", time.time() + 3600)
        self.d.accept([first, first])
        self.d.applied("twice", "asked-1")
        self.d.accept([other])
        letters = self.d.topic("duban.rejected", wait="10s")
        self.assertEqual(len(letters), 1)
        self.assertEqual(letters[0]["input_source"], "twice")
        self.assertIn("another event under the id asked-1", letters[0]["reasons"][0])
        self.assertEqual(letters[0]["event"]["fact"], other["data"]["fact"])
        self.assertEqual(letters[0]["input_topic"], "duban.deadlines")
        self.assertEqual(self.d.applied("twice", "asked-1")["status"], "applied")  # the first one stands


class Definitions(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="duban-definition-"))
        self.addCleanup(shutil.rmtree, self.folder)
        shutil.copytree(oracle.ALARM, self.folder / "alarm")
        self.file = self.folder / "alarm" / "workflow.yaml"
        self.good = self.file.read_text()

    def test_a_faulty_one_leaves_the_old_in_force(self):
        d = Node([self.folder / "alarm"])
        with contextlib.closing(d):
            d.start()
            self.file.write_text(self.good.replace("go: late", "go: laet"))
            d.signal(signal.SIGHUP)
            d.await_log("laet")
            self.assertRegex(d.log(), r"workflow\.yaml:\d+:\d+")
            self.works(d, 1)
            d.stop()
            d.start()  # the folder is faulty still; what is in force is in the store
            self.works(d, 2)
            self.file.write_text(self.good.replace("title:   答复", "title:   答复二"))
            d.signal(signal.SIGHUP)
            records = oracle.http_topic(d, "duban.deadlines")
            while sum(r["type"] == "duban.v1.Definition" for r in records) < 2:
                more = d.topic("duban.deadlines", from_=len(records), wait="10s")
                self.assertTrue(more, d.log())
                records += more
            self.works(d, 3)
            d.stop()

    def works(self, d, n):
        d.accept([oracle.asked("works", n, "o-1", f"works-{n}", time.time() + 3600)])
        self.assertEqual(d.applied("works", f"asked-{n}")["status"], "applied")

    def test_without_any_it_serves_and_says_so(self):
        self.file.write_text(self.good.replace("go: late", "go: laet"))
        d = Node([self.folder / "alarm"])
        with contextlib.closing(d):
            d.start()
            self.assertIn("laet", d.log())
            answer = d.post(oracle.asked("early", 1, "o-1", "x", time.time()))
            self.assertEqual(answer.status, 400)
            self.assertIn("no workflow", answer.errors[0])
            self.assertEqual(d.get("/v1/workflows").status, 200)
            d.stop()


class CouldNot(unittest.TestCase):
    """One clear line, and exit status 3."""

    def setUp(self):
        self.d = Node([oracle.ALARM]).start()
        self.addCleanup(self.d.close)

    def refused(self, *words, **changes):
        other = Node([oracle.ALARM], **changes)
        with contextlib.closing(other):
            status, text = other.run()
        self.assertEqual(status, 3, text)
        lines = [line for line in text.splitlines() if line.strip()]
        self.assertEqual(len(lines), 1, text)
        for word in words:
            self.assertIn(word, lines[0])

    def test_port_taken(self):
        self.refused(self.d.settings["listen"], listen=self.d.settings["listen"])

    def test_data_folder_in_use(self):
        self.refused("use", data=self.d.data)

    def test_format_from_the_future(self):
        self.d.stop()
        file = self.d.data / "partition-0" / "data.mdb"
        text = file.read_bytes()
        self.assertIn(b"format\0\0\0\0\0\0\0\x04", text)
        file.write_bytes(text.replace(b"format\0\0\0\0\0\0\0\x04", b"format\0\0\0\0\0\0\0\x63"))
        self.refused("newer", "99", data=self.d.data)

    @unittest.skipUnless(os.getuid() == 0, "mounting needs root")
    def test_folder_that_cannot_be_written(self):
        with tmpfs("ro,size=1m") as folder:
            self.refused(str(folder), "ead-only", data=folder / "data")


@contextlib.contextmanager
def tmpfs(options):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="duban-tmpfs-"))
    run = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        folder.rmdir()
        raise unittest.SkipTest(f"a small file system cannot be mounted here: {run.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)
        folder.rmdir()


@unittest.skipUnless(os.getuid() == 0, "mounting needs root")
class DiskFull(unittest.TestCase):
    def test_intake_stops_and_goes_on_with_nothing_lost(self):
        with tmpfs("size=6m") as folder:
            d = Node([oracle.ALARM], data=folder / "data")
            with contextlib.closing(d):
                d.start()
                taken, refusal = self.fill(d)
                self.assertIn("full", refusal)
                self.assertEqual(d.get("/v1/cases?limit=1").status, 200, "reads are served")
                subprocess.run(["mount", "-o", "remount,size=64m", str(folder)], check=True)
                d.accept([oracle.asked("end", 1, "o-1", "end", time.time() + 3600)], seconds=40)
                d.applied("end", "asked-1")
                d.await_ready()
                inputs, have = oracle.inputs_of_http(d), oracle.http_outputs(d)
                d.stop()
            there = {i[3]["id"] for i in inputs}
            self.assertEqual([i for i in taken if i not in there], [], "acknowledged and lost")
            oracle.check(self, have, oracle.simulate(oracle.ALARM, inputs), 50)

    def fill(self, d):
        """Until it is full and says so: what one write has no room for, a smaller one may have."""
        taken = []
        for n in range(0, 100000, 20):
            events = []
            for i in range(n, n + 20, 2):
                unit, subject = f"o-{i % 3 + 1}", f"full-{i}"
                events += [oracle.asked("full", i, unit, subject, time.time() + 3600), oracle.answered("full", i + 1, unit, subject)]
            answer = d.post_all(events)
            if answer.status == 202:
                taken += [e["id"] for e in events]
                continue
            self.assertEqual(answer.status, 503)
            ready = d.get("/readyz")
            if ready.status == 503 and "full" in ready.text:
                return taken, answer.text
        return self.fail("the disk never filled up")


if __name__ == "__main__":
    unittest.main()
