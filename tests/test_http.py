"""Every call of the HTTP server against a running daemon: what it answers, and what it refuses."""
import concurrent.futures
import json
import pathlib
import shutil
import socket
import tempfile
import time
import unittest

from daemon import SUIFENHE, Daemon, Stream, dispatch

ROUTES = ["/v1/workflows/a/documents/b", "/v1/events/a/b", "/v1/topics/duban.history", "/v1/tasks", "/v1/cases", "/v1/measures", "/v1/history", "/v1/workflows", "/v1/workflows/a/scores", "/v1/units",
          "/v1/overview", "/healthz", "/readyz", "/metrics", "/", "/assets/app.js"]


class Shared(unittest.TestCase):
    """One daemon for a class: the year's first months are in."""

    @classmethod
    def setUpClass(cls):
        cls.d = Daemon(workflows=[SUIFENHE], time="events").start()
        try:
            lines = (SUIFENHE / "example" / "2024.jsonl").read_text(encoding="utf-8").splitlines()
            cls.year = [e for e in map(json.loads, lines) if e["time"] < "2024-05-20"]
            answer = cls.d.post_all(cls.year)
            assert answer.status == 202, answer.text
            last = cls.year[-1]
            assert cls.d.outcome(last["source"], last["id"]).json["status"] == "applied"
        except BaseException:
            cls.d.clean()
            raise

    @classmethod
    def tearDownClass(cls):
        try:
            cls.d.stop()
        finally:
            cls.d.clean()


class Intake(Shared):
    def test_structured(self):
        answer = self.d.post(dispatch("in-1"))
        self.assertEqual(answer.status, 202)
        self.assertEqual(answer.json["topic"], "duban.submissions")
        self.assertEqual(answer.json["partition"], 0)
        self.assertGreaterEqual(answer.json["offset"], 0)
        self.assertRegex(answer.json["received"], r"^\d{4}-.*Z$")
        self.assertEqual(self.d.outcome("office/test", "in-1").json["status"], "applied")

    def test_batch_answers_each(self):
        answer = self.d.post_all([dispatch("b-1"), dispatch("b-2")])
        self.assertEqual((answer.status, len(answer.json)), (202, 2))
        self.assertEqual(answer.json[1]["offset"], answer.json[0]["offset"] + 1)
        self.assertEqual(self.d.post_all([]).json, [])

    def test_batch_is_all_or_nothing(self):
        before = self.d.get("/v1/topics/submissions?from=end").headers["X-Next"]
        bad = dispatch("b-4")
        bad["data"]["fact"]["kind"] = "disptach"
        answer = self.d.post_all([dispatch("b-3"), bad])
        self.assertEqual(answer.status, 400)
        self.assertTrue(answer.errors[0].startswith("event 2:"), answer.errors)
        self.assertEqual(self.d.get("/v1/topics/submissions?from=end").headers["X-Next"], before)
        self.assertEqual(self.d.outcome("office/test", "b-3", "0s").status, 404)

    def test_binary_json(self):
        e = dispatch("bin-1")
        headers = {"ce-specversion": "1.0", "ce-id": "bin-1", "ce-source": "office%2Ftest", "ce-type": e["type"], "ce-time": e["time"]}
        answer = self.d.post(json.dumps(e["data"]), "application/json; charset=utf-8", headers)
        self.assertEqual(answer.status, 202, answer.text)
        self.assertEqual(self.d.outcome("office/test", "bin-1").json["status"], "applied")

    def test_binary_needs_its_headers(self):
        answer = self.d.post(json.dumps(dispatch("x")["data"]), "application/json")
        self.assertEqual(answer.status, 400)
        self.assertTrue(any("id" in e for e in answer.errors) and any("source" in e for e in answer.errors), answer.errors)
        answer = self.d.post("{}", "application/json", {"ce-id": "%zz"})
        self.assertIn("ce-id: not percent-encoded UTF-8 text", answer.errors)

    def test_binary_body_is_one_value(self):
        """What follows the data must not become part of the event around it."""
        headers = {"ce-specversion": "1.0", "ce-id": "bin-2", "ce-source": "s", "ce-type": "duban.v1.Fact"}
        answer = self.d.post('{"workflow":"suifenhe-2024"},"id":"other"', "application/json", headers)
        self.assertEqual(answer.status, 400)

    def test_protobuf_garbage(self):
        headers = {"ce-specversion": "1.0", "ce-id": "p-1", "ce-source": "s", "ce-type": "duban.v1.Fact"}
        answer = self.d.post(b"\xff\xff\xff", "application/protobuf", headers)
        self.assertEqual(answer.status, 400)

    def test_every_reason_at_once(self):
        e = dispatch("many", held="yesterday", extra=1)
        del e["data"]["fact"]["fields"]["result"]
        answer = self.d.post(e)
        self.assertEqual(answer.status, 400)
        self.assertGreaterEqual(len(answer.errors), 3, answer.errors)

    def test_not_json(self):
        for body in ("", "{", "[1]", '"x"', "\x00", '{"specversion":"1.0","specversion":"1.0"}'):
            with self.subTest(body=body):
                self.assertEqual(self.d.post(body).status, 400)

    def test_unknown_workflow(self):
        e = dispatch("wf")
        e["data"]["workflow"] = "nowhere"
        answer = self.d.post(e)
        self.assertEqual(answer.status, 400)
        self.assertIn("nowhere", answer.errors[0])

    def test_content_types(self):
        for kind in ("text/plain", "", "application/cloudevents+xml"):
            self.assertEqual(self.d.post(dispatch("ct"), kind).status, 415)
        self.assertEqual(self.d.post(dispatch("ct"), "Application/CloudEvents+JSON; charset=UTF-8").status, 202)

    def test_same_event_again(self):
        for expected in ("applied", "applied"):
            self.assertEqual(self.d.post(dispatch("again")).status, 202)
            self.assertEqual(self.d.outcome("office/test", "again").json["status"], expected)

    def test_rejected_says_why(self):
        future = dispatch("future", held="2031-01-01")
        answer = self.d.post(future)
        if answer.status == 202:  # what only the state can tell is told afterwards
            answer = self.d.outcome("office/test", "future")
            self.assertEqual(answer.json["status"], "rejected")
            self.assertTrue(answer.json["reasons"])
        else:
            self.assertEqual(answer.status, 400)
            self.assertIn("晚于", answer.text)

    def test_too_large(self):
        big = b"x" * ((1 << 20) + 1)
        answer = self.d.post(big)
        self.assertEqual(answer.status, 413)
        self.assertTrue(answer.errors)
        said = self.d.raw(b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/cloudevents+json\r\n"
                          b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n" % len(big) + big + b"\r\n0\r\n\r\n")
        self.assertTrue(said.startswith(b"HTTP/1.1 413 "), said[:100])

    def test_chunked_and_continue(self):
        body = json.dumps(dispatch("chunked")).encode()
        head = (b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/cloudevents+json\r\nConnection: close\r\n")
        pieces = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(p), p) for p in (body[:7], body[7:8], body[8:])) + b"0\r\nTrailer: x\r\n\r\n"
        said = self.d.raw(head + b"Transfer-Encoding: chunked\r\n\r\n" + pieces)
        self.assertTrue(said.startswith(b"HTTP/1.1 202 "), said)
        said = self.d.raw(head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        self.assertTrue(said.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 "), said)

    def test_bad_chunks(self):
        head = b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        for chunks in (b"zz\r\n", b"-1\r\n", b"3\r\nabcd\r\n", b"fffffffffffffffff\r\n", b"x" * 2000):
            with self.subTest(chunks=chunks[:20]):
                self.assertRegex(self.d.raw(head + chunks), rb"^HTTP/1.1 4(00|13) ")

    def test_other_origins_may_not_write(self):
        at = self.d.url.removeprefix("http://")
        own = {"origin": self.d.url, "host": at}
        self.assertEqual(self.d.post(dispatch("own"), headers=own).status, 202)
        for origin in ("http://evil.example", "null", "https://" + at, self.d.url + "0"):
            self.assertEqual(self.d.post(dispatch("evil"), headers={"origin": origin}).status, 403, origin)
        self.assertEqual(self.d.post(dispatch("evil"), headers={"sec-fetch-site": "cross-site"}).status, 403)
        self.assertEqual(self.d.outcome("office/test", "evil", "0s").status, 404)


class Outcome(Shared):
    def test_waits_for_the_commit(self):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            waiting = pool.submit(self.d.outcome, "office/test", "wait-1")
            while b"duband_http_waiting 1" not in self.d.get("/metrics").body:
                self.assertFalse(waiting.done())
            self.assertEqual(self.d.post(dispatch("wait-1")).status, 202)
            answer = waiting.result(timeout=20)
        self.assertEqual((answer.status, answer.json["status"]), (200, "applied"))
        self.assertEqual(answer.json["history"]["workflow"], "suifenhe-2024")

    def test_unknown(self):
        started = time.monotonic()
        answer = self.d.outcome("nobody", "nothing", "300ms")
        self.assertEqual((answer.status, answer.json["status"]), (404, "unknown"))
        self.assertGreaterEqual(time.monotonic() - started, 0.3)
        self.assertEqual(self.d.outcome("nobody", "nothing", "0").status, 404)

    def test_parts_are_decoded(self):
        e = dispatch("编号 1/2")
        e["source"] = "来源/甲?x=1"
        self.assertEqual(self.d.post(e).status, 202)
        self.assertEqual(self.d.outcome("来源/甲?x=1", "编号 1/2").json["status"], "applied")

    def test_bad_parts(self):
        self.assertEqual(self.d.get("/v1/events/%ff/x").status, 400)
        self.assertEqual(self.d.get("/v1/events/%2/x").status, 400)
        self.assertEqual(self.d.get("/v1/events/a%00/x").status, 400)
        self.assertEqual(self.d.get("/v1/events//x").status, 404)
        self.assertEqual(self.d.get("/v1/events/a/b?wait=soon").status, 400)
        self.assertEqual(self.d.get("/v1/events/a/b?why=1").status, 400)


class Topics(Shared):
    def test_lines_and_next(self):
        first = self.d.get("/v1/topics/warnings?from=0&limit=2")
        self.assertEqual(first.headers["Content-Type"], "application/x-ndjson")
        self.assertEqual([r["offset"] for r in first.rows], [0, 1])
        self.assertEqual(first.headers["X-Next"], "2")
        self.assertIn("from=2", first.headers["Link"])
        for key in ("topic", "id", "type", "measure", "level", "basis", "workflow", "unit", "time", "caused_by", "rule", "recipients"):
            self.assertIn(key, first.rows[0])
        second = self.d.get("/v1/topics/duban.warnings?from=2&limit=1").rows
        self.assertEqual([r["offset"] for r in second], [2])

    def test_every_topic(self):
        for name in ("submissions", "deadlines", "warnings", "supervision", "notifications", "rejected", "changelog", "history"):
            self.assertEqual(self.d.get(f"/v1/topics/{name}?limit=3").status, 200, name)
        self.assertEqual(self.d.get("/v1/topics/gossip").status, 404)

    def test_long_poll(self):
        after = self.d.get("/v1/topics/submissions?from=end").headers["X-Next"]
        started = time.monotonic()
        answer = self.d.get(f"/v1/topics/submissions?from={after}&wait=200ms")
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertGreaterEqual(time.monotonic() - started, 0.2)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            waiting = pool.submit(self.d.get, f"/v1/topics/submissions?from={after}&wait=30s")
            while b"duband_http_waiting 1" not in self.d.get("/metrics").body:
                self.assertFalse(waiting.done())
            self.d.post(dispatch("poll-1"))
            self.assertEqual([r["id"] for r in waiting.result(timeout=20).rows], ["poll-1"])

    def test_server_sent_events(self):
        with Stream(self.d, "/v1/topics/warnings?from=1") as s:
            self.assertEqual(s.answer.headers["Content-Type"], "text/event-stream")
            one = s.next()
            self.assertEqual((one["id"], json.loads(one["data"])["offset"]), ("1", 1))
        with Stream(self.d, "/v1/topics/warnings?from=0", {"last-event-id": "3"}) as s:
            self.assertEqual(s.next()["id"], "4")
        with Stream(self.d, "/v1/topics/submissions?from=end") as s:
            self.d.post(dispatch("sse-1"))
            self.assertEqual(json.loads(s.next()["data"])["id"], "sse-1")

    def test_all_of_a_log_is_streamed(self):
        end = int(self.d.get("/v1/topics/history?from=end").headers["X-Next"])
        with Stream(self.d, "/v1/topics/history?from=0") as s:
            self.assertEqual([int(s.next()["id"]) for _ in range(end)], list(range(end)))

    def test_bad_questions(self):
        for query in ("from=x", "from=-1", "limit=0", "limit=x", "wait=-1", "wait=1h", "fron=1", "from=%zz"):
            with self.subTest(query=query):
                self.assertEqual(self.d.get("/v1/topics/warnings?" + query).status, 400)


class Rows(Shared):
    def test_tasks(self):
        rows = self.d.get("/v1/tasks?open=yes&limit=1000").rows
        self.assertTrue(rows)
        for row in rows:
            self.assertFalse(row["final"])
            self.assertTrue(row["unit_title"] and row["title"] and row["state_title"])
        self.assertTrue(all(r["unit"] == "sfh-yhb" for r in self.d.get("/v1/tasks?unit=sfh-yhb").rows))
        self.assertEqual(self.d.get("/v1/tasks?unit=nobody").body, b"")
        self.assertTrue(any(r.get("about_title") for r in self.d.get("/v1/tasks?unit=sfh-yhb").rows))

    def test_cases(self):
        rows = self.d.get("/v1/cases?state=yellow").rows
        self.assertTrue(rows)
        for row in rows:
            self.assertEqual((row["state"], row["state_title"], row["level"]), ("yellow", "黄牌", "YELLOW"))
            self.assertTrue(row["unit_title"] and row["limit"])
        self.assertTrue(all("level" in r and "subject_title" in r for r in self.d.get("/v1/cases?state=warned").rows))

    def test_measures_newest_first(self):
        times = [r["time"] for r in self.d.get("/v1/measures?limit=1000").rows]
        self.assertTrue(times)
        self.assertEqual(times, sorted(times, reverse=True))
        self.assertTrue(all(r["measure"] == "yellow-card" for r in self.d.get("/v1/measures?measure=yellow-card").rows))

    def test_pages_join_up(self):
        for call in ("tasks", "cases", "measures", "history"):
            whole = self.d.get(f"/v1/{call}?workflow=suifenhe-2024&limit=1000").rows
            path, pages = f"/v1/{call}?workflow=suifenhe-2024&limit=7", []
            while path:
                answer = self.d.get(path)
                pages += answer.rows
                self.assertLessEqual(len(answer.rows), 7)
                link = answer.headers.get("Link")
                path = link[1:link.index(">")] if link else None
                self.assertEqual(link is None, "X-Next" not in answer.headers)
            if len(whole) < 1000:
                self.assertEqual(pages, whole, call)
            else:
                self.assertEqual(pages[:1000], whole, call)

    def test_bad_cursors_and_filters(self):
        for query in ("after=zz", "after=0-zz", "after=99999999999-00", "after=0-0", "limit=-1", "open=perhaps", "colour=red", "unit=%ff"):
            with self.subTest(query=query):
                answer = self.d.get("/v1/tasks?" + query)
                self.assertEqual(answer.status, 400, answer.text)
                self.assertTrue(answer.errors)

    def test_workflows_and_units(self):
        workflow, = self.d.get("/v1/workflows").rows
        self.assertEqual((workflow["id"], len(workflow["hash"])), ("suifenhe-2024", 64))
        self.assertIn("2024", workflow["title"])
        self.assertEqual(workflow["since"], "2023-12-31T16:00:00Z")
        units = {u["id"]: u for u in self.d.get("/v1/units?workflow=suifenhe-2024").rows}
        self.assertEqual(units["sfh-yhb"]["title"], "市优环办")
        self.assertIn("office", units["sfh-yhb"]["roles"])
        self.assertEqual(self.d.get("/v1/workflows?workflow=nowhere").body, b"")

    def test_overview(self):
        o = self.d.get("/v1/overview").json
        self.assertTrue(o["events_time"] and o["ready"])
        self.assertEqual(o["workflows"][0]["id"], "suifenhe-2024")
        due = [r["due"] for r in o["due"]]
        self.assertEqual(due, sorted(due))
        self.assertTrue(all(d > o["now"] for d in due))
        self.assertLessEqual(len(o["measures"]), 30)
        self.assertEqual(o["counts"]["cases"], len(o["cases"]))
        rank = [["RED", "YELLOW"].index(c["level"]) if c["level"] in ("RED", "YELLOW") else 2 for c in o["cases"]]
        self.assertEqual(rank, sorted(rank))

    def test_live(self):
        with Stream(self.d, "/v1/live") as s:
            self.assertEqual(s.next()["event"], "changed")
            started = time.monotonic()
            for i in range(20):
                self.d.post(dispatch(f"live-{i}"))
            ticks = [int(s.next()["data"]), 0]
            self.d.post(dispatch("live-last"))
            ticks[1] = int(s.next()["data"])
            self.assertGreater(ticks[1], ticks[0])
            self.assertGreaterEqual(time.monotonic() - started, 0.4)


class Plain(Shared):
    """What holds for every call."""

    def test_head_is_get_without_a_body(self):
        for path in ROUTES:
            get, head = self.d.get(path), self.d.request("HEAD", path)
            self.assertEqual((head.status, head.body), (get.status, b""), path)
            self.assertEqual(head.headers["Content-Type"], get.headers["Content-Type"])

    def test_headers(self):
        for path in ROUTES:
            headers = self.d.get(path).headers
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(headers["Cache-Control"], "no-store")
            self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
            self.assertNotIn("unsafe", headers["Content-Security-Policy"])

    def test_unknown_and_wrong_method(self):
        for path in ("/v2", "/v1", "/v1/tasks/", "//", "/v1/tasks/x", "/assets/", "/assets/..%2fmain.c", "/assets/none", "/%2e%2e/"):
            answer = self.d.get(path)
            self.assertEqual(answer.status, 404, path)
            self.assertTrue(answer.errors)
        for method, path, allow in (("GET", "/v1/events", "POST"), ("POST", "/v1/tasks", "GET, HEAD"), ("DELETE", "/", "GET, HEAD"),
                                    ("OPTIONS", "/v1/events", "POST")):
            answer = self.d.request(method, path)
            self.assertEqual((answer.status, answer.headers["Allow"]), (405, allow))

    def test_host(self):
        for host in ("127.0.0.1", "localhost", "LOCALHOST:99", "127.8.9.1:80", "[::1]:80", "duband.localhost"):
            self.assertEqual(self.d.get("/healthz", {"host": host}).status, 200, host)
        for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "[::2]", "0.0.0.0", "10.0.0.1", "xlocalhost", "127.x"):
            self.assertEqual(self.d.get("/healthz", {"host": host}).status, 403, host)

    def test_metrics(self):
        text = self.d.get("/metrics").text
        families = {}
        for line in text.splitlines():
            if line.startswith("# "):
                _, what, name, rest = line.split(" ", 3)
                families.setdefault(name, {})[what] = rest
            else:
                name = line.split("{")[0].split(" ")[0]
                self.assertEqual(set(families[name]), {"HELP", "TYPE"}, name)
                float(line.rsplit(" ", 1)[1])
        self.assertTrue(all(name.startswith(("duband_", "process_")) for name in families))
        self.assertTrue(all(name.endswith("_total") for name, f in families.items() if f["TYPE"] == "counter"))
        for unbounded in ("tf-0", "u-0", "i-0", "suifenhe"):
            self.assertNotIn(unbounded, text)
        self.assertRegex(text, r'duband_events_total\{outcome="applied"\} [1-9]')

    def test_malformed_requests(self):
        good = b"Host: localhost\r\n\r\n"
        cases = {b"GET\r\n" + good: 400, b"GET / HTTP/9.9\r\n" + good: 505, b"GET / http/1.1\r\n" + good: 400, b"GET nowhere HTTP/1.1\r\n" + good: 400,
                 b"GET /\x01 HTTP/1.1\r\n" + good: 400, b"G@T / HTTP/1.1\r\n" + good: 400, b"GET / HTTP/1.1\r\n\r\n": 400,
                 b"GET /  HTTP/1.1\r\n" + good: 400, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n": 400,
                 b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n": 400, b"GET / HTTP/1.1\r\nno colon\r\n" + good: 400,
                 b"GET / HTTP/1.1\r\n folded: x\r\n" + good: 400, b"GET / HTTP/1.1\r\nX: a\x00b\r\n" + good: 400,
                 b"POST /v1/events HTTP/1.1\r\nContent-Length: -1\r\n" + good: 400,
                 b"POST /v1/events HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n" + good: 400,
                 b"POST /v1/events HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n" + good: 400,
                 b"POST /v1/events HTTP/1.1\r\nTransfer-Encoding: gzip\r\n" + good: 501, b"GET / HTTP/1.1\r\nExpect: tea\r\n" + good: 417,
                 b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\n" + good: 431, b"GET / HTTP/1.1\r\nX: " + b"a" * 20000 + b"\r\n" + good: 431,
                 b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 101 + good: 431, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n": 400}
        for text, status in cases.items():
            with self.subTest(text=text[:60]):
                said = self.d.raw(text)
                head, _, body = said.partition(b"\r\n\r\n")
                self.assertTrue(head.startswith(b"HTTP/1.1 %d " % status), said[:200])
                self.assertTrue(json.loads(body)["errors"])
        self.assertEqual(self.d.get("/healthz").status, 200)

    def test_keep_alive_and_pipelining(self):
        one = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        last = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        said = self.d.raw(one * 20 + last)
        self.assertEqual(said.count(b"HTTP/1.1 200 OK"), 21)
        waited = b"GET /v1/events/a/b?wait=100ms HTTP/1.1\r\nHost: localhost\r\n\r\n"
        said = self.d.raw(waited + last)  # the second waits for the first
        self.assertLess(said.index(b"404 Not Found"), said.index(b"200 OK"))
        self.assertIn(b"Connection: close", self.d.raw(b"GET /healthz HTTP/1.0\r\n\r\n"))

    def test_pipelining_without_reading(self):
        one = b"GET /assets/app.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
        size, n = len(self.d.get("/assets/app.js").body), 2000
        self.assertGreater(size * n, 24 << 20, "more than the sockets' buffers hold")

        def replied():
            return float(next(line for line in self.d.get("/metrics").text.splitlines() if 'code="2xx"' in line).split()[1])

        before = replied()
        with socket.create_connection(self.d.address, timeout=20) as s:
            s.sendall(one * n)
            time.sleep(0.5)
            self.assertLess(replied() - before, n * 0.9)
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            said = bytearray()
            while chunk := s.recv(1 << 20):
                said += chunk
        self.assertEqual(said.count(b"HTTP/1.1 200 OK\r\n"), n + 1)

    def test_half_closed(self):
        said = self.d.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", shut=True)
        self.assertTrue(said.startswith(b"HTTP/1.1 200 "), said)

    def test_byte_by_byte(self):
        with socket.create_connection(self.d.address, timeout=10) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n":
                s.sendall(bytes([byte]))
            self.assertTrue(s.recv(100).startswith(b"HTTP/1.1 200 "))

    def test_who_leaves_is_forgotten(self):
        waiting = [socket.create_connection(self.d.address) for _ in range(20)]
        for s in waiting:
            s.sendall(b"GET /v1/events/a/b?wait=60s HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.await_metric("duband_http_waiting 20")
        for s in waiting:
            s.close()
        self.await_metric("duband_http_waiting 0")

    def await_metric(self, line):
        end = time.monotonic() + 10
        while line not in self.d.get("/metrics").text.splitlines():
            self.assertLess(time.monotonic(), end, line)

    def test_connections_are_limited(self):
        held = []
        try:
            for _ in range(256):
                held.append(socket.create_connection(self.d.address, timeout=5))
            end = time.monotonic() + 10
            said = b""
            while b" 503 " not in said:
                self.assertLess(time.monotonic(), end)
                said = self.d.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            head, _, body = said.partition(b"\r\n\r\n")
            self.assertTrue(json.loads(body)["errors"])
            self.assertIn(b"Content-Length: %d\r\n" % len(body), head + b"\r\n")
        finally:
            for s in held:
                s.close()
        end = time.monotonic() + 10
        while not self.d.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200 "):
            self.assertLess(time.monotonic(), end)

    def test_page(self):
        page = self.d.get("/")
        self.assertEqual(page.headers["Content-Type"], "text/html; charset=utf-8")
        for path in ("/assets/app.js", "/assets/style.css", "/assets/icon.svg"):
            self.assertIn(path, page.text)
            self.assertEqual(self.d.get(path).status, 200)
        web = pathlib.Path(__file__).resolve().parent.parent / "daemon" / "web"
        self.assertEqual(self.d.get("/assets/app.js").body, (web / "app.js").read_bytes())
        self.assertEqual(page.body, (web / "index.html").read_bytes())


class Life(unittest.TestCase):
    def test_without_a_workflow(self):
        with Daemon() as d:
            self.assertIn("no workflow is in force", d.log())
            self.assertEqual(d.get("/v1/workflows").body, b"")
            self.assertEqual(d.get("/v1/tasks").body, b"")
            answer = d.post(dispatch("x"))
            self.assertEqual(answer.status, 400)
            self.assertIn("no workflow", answer.errors[0])
            self.assertEqual(d.get("/v1/overview").json["workflows"], [])

    def test_restart_keeps_everything(self):
        first = Daemon(workflows=[SUIFENHE], time="events").start()
        try:
            self.assertEqual(first.post(dispatch("kept")).status, 202)
            before = first.outcome("office/test", "kept").json
            url_file = first.data / "http.url"
            self.assertEqual(url_file.read_text().strip(), first.url)
            first.kill()
            with Daemon(workflows=[SUIFENHE], time="events", data=first.data) as second:
                self.assertEqual(second.outcome("office/test", "kept").json, before)
                self.assertIn("is in force as it is", second.log())
            self.assertFalse(url_file.exists())
        finally:
            first.clean()

    def test_a_faulty_workflow_leaves_the_running_one(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(SUIFENHE.parent, folder, dirs_exist_ok=True)
            mine = pathlib.Path(folder) / SUIFENHE.name
            with Daemon(workflows=[mine], time="events") as d:
                before = d.get("/v1/workflows").rows[0]["hash"]
                text = (mine / "workflow.yaml").read_text(encoding="utf-8")
                (mine / "workflow.yaml").write_text(text.replace("go:   yellow", "go:   yelow", 1), encoding="utf-8")
                d.process.send_signal(1)
                self.await_log(d, "not published")
                self.assertIn("yelow", d.log())
                self.assertIn("^", d.log())
                self.assertEqual(d.get("/v1/workflows").rows[0]["hash"], before)
                (mine / "workflow.yaml").write_text(text.replace("title:   黄牌", "title:   黄　牌", 1), encoding="utf-8")
                d.process.send_signal(1)
                end = time.monotonic() + 20
                while d.get("/v1/workflows").rows[0]["hash"] == before:
                    self.assertLess(time.monotonic(), end, d.log())

    def await_log(self, d, text):
        end = time.monotonic() + 20
        while text not in d.log():
            self.assertLess(time.monotonic(), end, d.log())

    def test_accept_clock(self):
        with Daemon() as d:
            self.assertEqual(d.request("POST", "/v1/clock/accept").status, 202)
            self.assertEqual(d.get("/v1/clock/accept").status, 405)
            self.assertEqual(d.request("POST", "/v1/clock/accept", headers={"origin": "http://evil.example"}).status, 403)
            self.assertEqual(d.get("/readyz").status, 200)

    def test_stops_while_others_wait(self):
        d = Daemon(workflows=[SUIFENHE], time="events").start()
        try:
            with Stream(d, "/v1/live") as live, Stream(d, "/v1/topics/warnings") as topic:
                live.next()
                d.stop()
                self.assertRaises((EOFError, ConnectionError), topic.next)
        finally:
            d.clean()


if __name__ == "__main__":
    unittest.main()
