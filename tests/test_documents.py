"""Documents: what tests/language/documents issues looks as its golden pages do, on paper, over HTTP and after any number of kills.

UPDATE=1 writes the pages anew."""
import html.parser
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from daemon import ROOT, Daemon, event, program

WORKFLOW = ROOT / "tests" / "language" / "documents"
GOLDEN = WORKFLOW / "golden"
BROWSER = ROOT / "tests" / "browser"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
LONG = 45  # rows of a circular that takes several sheets
STYLE = re.compile(r"<style>.*</style>", re.DOTALL)
POLICY = re.compile(r"sha256-[A-Za-z0-9+/]{43}=")
KILLS = 8


def staged(test, source=WORKFLOW):
    """The workflow beside the fragments and calendars that all share."""
    where = pathlib.Path(tempfile.mkdtemp(prefix="duband-documents-"))
    test.addCleanup(shutil.rmtree, where)
    for shared in ("common", "calendar"):
        shutil.copytree(ROOT / "workflows" / shared, where / shared)
    shutil.copytree(source, where / source.name)
    return where / source.name


def ctl(*arguments):
    return subprocess.run([program("dubanctl"), *map(str, arguments)], capture_output=True, text=True, timeout=120)


def pages(test, workflow, events):
    """Every document of a run: name → page."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="duband-pages-"))
    test.addCleanup(shutil.rmtree, folder)
    done = ctl("simulate", workflow, "--events", events, "--documents", folder / "out")
    test.assertEqual(done.returncode, 0, done.stderr)
    return {p.stem: p.read_text(encoding="utf-8") for p in (folder / "out").iterdir()}


def delayed(n):
    return event(f"d-{n}", {"workflow": "documents", "fact": {"kind": "delayed", "reporter": "sys-dc", "fields": {
        "unit": "sys-fg", "subject": f"事项{n}", "days": n}}}, time="2024-05-06T02:00:00Z", source="dc")


def annul(id, record, time="2024-05-08T02:00:00Z", reason="查明<不实>"):
    return event(id, {"workflow": "documents", "reason": reason, "annul": {"reporter": "sys-dc", "record": {"source": "dc", "id": record}}},
                 type="duban.v1.Annul", time=time, source="dc")


def review(id, month="2024-05", time="2024-05-07T02:00:00Z"):
    return event(id, {"workflow": "documents", "fact": {"kind": "review", "reporter": "sys-dc", "fields": {"month": month}}}, time=time, source="dc")


def documents(d):
    return {m["id"]: m for m in d.get("/v1/measures?workflow=documents&limit=1000").rows if m["document_text"]}


class Elements(html.parser.HTMLParser):
    """What a page is made of, and whether its tags fit together."""

    def __init__(self, page):
        super().__init__()
        self.open, self.seen, self.attributes, self.fits = [], set(), set(), True
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        self.fits = self.fits and bool(self.open) and self.open.pop() == tag


class Golden(unittest.TestCase):
    def test_pages(self):
        made = pages(self, staged(self), WORKFLOW / "events.jsonl")
        made = {name: STYLE.sub("<style></style>", POLICY.sub("sha256-", page)) for name, page in made.items()}
        if os.environ.get("UPDATE") == "1":
            shutil.rmtree(GOLDEN, ignore_errors=True)
            GOLDEN.mkdir()
            for name, page in made.items():
                (GOLDEN / f"{name}.html").write_text(page, encoding="utf-8")
        self.assertEqual(set(made), {p.stem for p in GOLDEN.iterdir()})
        for name, page in made.items():
            self.assertEqual(page, (GOLDEN / f"{name}.html").read_text(encoding="utf-8"), name)

    def test_stand_alone(self):
        """No script and nothing from outside, whatever an event says."""
        for name, page in pages(self, staged(self), WORKFLOW / "events.jsonl").items():
            with self.subTest(name):
                made = Elements(page)
                self.assertTrue(made.fits and not made.open, made.open)
                self.assertFalse(made.seen & {"script", "img", "link", "b", "a", "iframe"})
                self.assertLessEqual(made.attributes, {"lang", "charset", "http-equiv", "content", "class"})
                self.assertNotRegex(page, r"url\(|https?://|@import")

    def test_a_year_is_numbered_without_gaps(self):
        for events in sorted((ROOT / "workflows").glob("*/example/[0-9]*.jsonl")):
            workflow = events.parent.parent
            names = pages(self, workflow, events)
            numbers = {}
            for name in names:
                if given := re.fullmatch(r"(.+〔\d+〕)(\d+)号", name):
                    numbers.setdefault(given[1], []).append(int(given[2]))
            self.assertTrue(numbers, workflow.name)
            for series, given in numbers.items():
                self.assertEqual(sorted(given), list(range(1, len(given) + 1)), f"{workflow.name}: {series}")
            self.assertGreater(len(names), 50, workflow.name)

    def test_too_long(self):
        """A document that would be without end is refused with the place, and nothing is issued."""
        folder = staged(self)
        long = "<p>{each units}" + "{each units}" * 3 + "长" * 3000 + "{end}" * 4 + "</p>"
        (folder / "templates" / "slip.html").write_text(long, encoding="utf-8")
        done = ctl("simulate", folder, "--events", WORKFLOW / "events.jsonl")
        self.assertIn("slip.html:1: the document is longer than 256 KiB", done.stderr)
        self.assertNotIn("挂牌督办  市发改局", done.stdout)


class Served(unittest.TestCase):
    def test_page_over_http(self):
        with Daemon(workflows=[staged(self)], time="events") as d:
            self.assertEqual(d.post(delayed(1)).status, 202)
            self.assertEqual(d.outcome("dc", "d-1").json["status"], "applied")
            (id, measure), = documents(d).items()
            answer = d.get(f"/v1/workflows/documents/documents/{id}")
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "text/html; charset=utf-8"))
            policy = answer.headers.get_all("Content-Security-Policy")
            self.assertEqual(len(policy), 1)
            self.assertRegex(policy[0], r"^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$")
            self.assertIn(measure["document_text"]["main"], answer.text)
            self.assertIn("事项1", answer.text)
            self.assertEqual(d.request("HEAD", f"/v1/workflows/documents/documents/{id}").status, 200)
            for path in (f"/v1/workflows/other/documents/{id}", "/v1/workflows/documents/documents/0", f"/v1/workflows/documents/documents/{id[:-1]}"):
                self.assertEqual(d.get(path).status, 404, path)
            self.assertEqual(d.get(f"/v1/workflows/documents/documents/{id}?x=1").status, 400)
            self.assertEqual(d.get(f"/v1/workflows/documents/documents/{id}", {"host": "evil.example"}).status, 403)
            notice, = (n for n in d.get("/v1/topics/notifications").rows if n["measure"] == "notice")  # no supervision tells of it
            self.assertIn("工作提示单", d.get(f"/v1/workflows/documents/documents/{notice['id']}").text)

            file = pathlib.Path(tempfile.mkdtemp(prefix="duband-page-")) / "page.html"
            self.addCleanup(shutil.rmtree, file.parent)
            done = ctl("document", id, "--output", file, "--url", d.url)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
            self.assertEqual(file.read_text(encoding="utf-8"), answer.text)
            self.assertEqual(ctl("document", id, "--workflow", "documents", "--url", d.url).stdout, answer.text)
            done = ctl("document", "0", "--url", d.url)
            self.assertEqual(done.returncode, 1)
            self.assertIn("no measure 0 with a document", done.stderr)

    def test_withdrawn(self):
        """It says so from then on, whatever is killed; what was issued stays to be had, byte by byte."""
        d = Daemon(workflows=[staged(self)], time="events").start()
        self.addCleanup(d.clean)
        self.assertEqual(d.post(delayed(1)).status, 202)
        self.assertEqual(d.outcome("dc", "d-1").json["status"], "applied")
        (id, measure), = documents(d).items()
        notice, = (n for n in d.get("/v1/topics/notifications").rows if n["measure"] == "notice")
        paths = [f"/v1/workflows/documents/documents/{i}" for i in (id, notice["id"])]
        before = [d.get(p).text for p in paths]
        self.assertTrue(all("withdrawn\"" not in page for page in before))
        self.assertEqual([d.get(f"{p}?original=yes").text for p in paths], before)

        self.assertEqual(d.post(annul("a-1", "d-1")).status, 202)
        self.assertEqual(d.outcome("dc", "a-1").json["status"], "applied")
        told, = (m for m in d.get("/v1/measures?workflow=documents&measure=withdrawal").rows)
        self.assertEqual(told["withdrawn"], {"reason": "查明<不实>", "date": "2024-05-08", "document": "督办单", "number": measure["number"]})
        after = [d.get(p).text for p in paths]
        for page in after:
            self.assertIn('<article class="page void">', page)
            self.assertIn('<p class="stamp">已撤销</p>\n<p class="since">撤销日期：2024年5月8日</p>\n<p class="reason">撤销原因：查明&lt;不实&gt;</p>', page)
            self.assertTrue(Elements(page).fits)
        self.assertIn(f'<p class="notice">撤销通知编号：{told["id"]}</p>', after[0])
        self.assertIn(f"<title>已撤销：督办单 {measure['number']}</title>", after[0])
        self.assertEqual([d.get(f"{p}?original=yes").text for p in paths], before)
        self.assertEqual(ctl("document", id, "--url", d.url).stdout, after[0])
        self.assertEqual(ctl("document", id, "--original", "--url", d.url).stdout, before[0])
        wrong = d.get(f"{paths[0]}?original=perhaps")
        self.assertEqual(wrong.status, 400)
        self.assertIn("yes or no", wrong.text)
        d.kill()
        d.start()
        self.assertEqual([d.get(p).text for p in paths], after)
        self.assertEqual([d.get(f"{p}?original=yes").text for p in paths], before)
        d.stop()

    def test_numbers_and_pages_over_kills(self):
        d, before = Daemon(workflows=[staged(self)], time="events").start(), {}
        self.addCleanup(d.clean)
        for n in range(1, KILLS + 1):
            self.assertEqual(d.post(delayed(n)).status, 202)
            if n % 2:  # else it is killed in the middle of things
                self.assertEqual(d.outcome("dc", f"d-{n}").json["status"], "applied")
            d.kill()
            d.start()
            self.assertEqual(d.outcome("dc", f"d-{n}").json["status"], "applied")
            given = documents(d)
            self.assertEqual(sorted(int(re.search(r"〕(\d+)号", m["number"])[1]) for m in given.values()), list(range(1, n + 1)))
            for id, page in before.items():
                self.assertEqual(d.get(f"/v1/workflows/documents/documents/{id}").text, page)
            before = {id: d.get(f"/v1/workflows/documents/documents/{id}").text for id in given}
        d.stop()

    def test_issued_later(self):
        """What waits for an operator is numbered and dated when it goes out."""
        folder = staged(self)
        text = (folder / "workflow.yaml").read_text(encoding="utf-8")
        (folder / "workflow.yaml").write_text(text.replace("issuer:    office\n", "issuer:    office\nhold:      yes\n"), encoding="utf-8")
        with Daemon(workflows=[folder], time="events") as d:
            self.assertEqual(d.post(delayed(1)).status, 202)
            self.assertEqual(d.outcome("dc", "d-1").json["status"], "applied")
            proposed, = (p for p in d.get("/v1/workflows/documents/proposals").rows if p["measure"] == "listing")
            self.assertEqual((proposed["number"], proposed["document_text"]["date"]), ("", "2024-05-06"))
            self.assertNotIn("5月20日", proposed["document_text"]["main"])
            self.assertEqual(d.get(f"/v1/workflows/documents/documents/{proposed['id']}").status, 404)
            decide = event("decide-1", {"workflow": "documents", "decide": {"measure_id": proposed["id"], "answer": "ISSUE", "reporter": "sys-dc"}},
                           type="duban.v1.Decide", time="2024-05-07T02:00:00Z", source="dc")
            self.assertEqual(d.post(decide).status, 202)
            self.assertEqual(d.outcome("dc", "decide-1").json["status"], "applied")
            page = d.get(f"/v1/workflows/documents/documents/{proposed['id']}").text
            self.assertIn("市督查〔2024〕1号", page)
            self.assertIn('<p class="date">2024年5月7日</p>', page)
            self.assertIn("2024年5月20日", page)  # ten workdays from then


@unittest.skipUnless(CHROMIUM, "no Chromium")
@unittest.skipUnless(shutil.which("pdftotext"), "no pdftotext")
@unittest.skipUnless((BROWSER / "node_modules" / "playwright-core").is_dir(), "tests/browser: not installed (make browser)")
class Printed(unittest.TestCase):
    def long(self):
        """A circular of several sheets, as issued and withdrawn, and a slip whose copies take two lines."""
        folder, out = staged(self), {}
        file = folder.parent / "long.jsonl"
        for name, more in (("long", []), ("long-withdrawn", [annul("a-1", "r-1")])):
            events = [*map(delayed, range(LONG)), review("r-1"), *more]
            file.write_text("".join(json.dumps(e) + "\n" for e in events), encoding="utf-8")
            out[name], = (page for page in pages(self, folder, file).values() if "进展情况通报</h1>" in page)
        slip = next(page for page in pages(self, folder, file).values() if "督办单</h1>" in page)
        out["copies"] = slip.replace("分管副市长", "，".join(["分管副市长"] * 9))
        return out

    def test_paper(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="duband-paper-"))
        self.addCleanup(shutil.rmtree, folder)
        for name, page in {**pages(self, staged(self), WORKFLOW / "events.jsonl"), **self.long()}.items():
            (folder / f"{name}.html").write_text(page, encoding="utf-8")
        done = subprocess.run(["node", "paper.mjs", folder, *filter(None, [os.environ.get("SHOTS")])], cwd=BROWSER, capture_output=True, text=True,
                              timeout=300)
        lines = done.stdout.splitlines()
        for line in lines:
            with self.subTest(line):
                self.assertTrue(line.startswith("ok"), line)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(len(lines), 20)


if __name__ == "__main__":
    unittest.main()
