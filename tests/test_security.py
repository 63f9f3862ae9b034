"""Kafka that trusts nobody (tests/kafka/secure.py): what duband says when it is not let in, and that it works with the rights of deploy/README.md,
each of which is needed, and with no other."""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parent / "kafka"))
import broker as brokers  # noqa: E402
import oracle  # noqa: E402
import secure  # noqa: E402
from daemon import program  # noqa: E402
from node import Node  # noqa: E402
from ports import free_port  # noqa: E402
from test_kafka import stored_jars  # noqa: E402

CEILING_S = 30
TOPICS = ["submissions", "deadlines", "warnings", "supervision", "notifications", "rejected", "changelog", "history"]
READ = ["submissions", "deadlines", "changelog", "history"]
# What duband needs, and nothing else (deploy/README.md says why): resource, name (… *: a prefix), operation.
RIGHTS = [("Topic", "duban.*", "DescribeConfigs"), *[("Topic", f"duban.{t}", "Read") for t in READ], *[("Topic", f"duban.{t}", "Write") for t in TOPICS],
          ("Group", "duband", "Read"), ("TransactionalId", "duband-*", "Write")]
AT_START = {("Topic", "duban.*", "DescribeConfigs"), ("Topic", "duban.changelog", "Read"), ("Topic", "duban.history", "Read")}
# Those who send and who listen.
PORTAL = [("portal", "Topic", "duban.submissions", "Write")]
READER = [("reader", "Topic", "duban.warnings", "Read"), ("reader", "Group", "reader", "Read")]
WORDS = {"Topic": ("topic", "--topic"), "Group": ("group", "--group"), "TransactionalId": ("transactional id", "--transactional-id")}


def until(what, seconds=CEILING_S):
    """Its first answer that is something."""
    end = time.monotonic() + seconds
    while not (answer := what()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s")
        time.sleep(0.02)
    return answer


class OnSecure(unittest.TestCase):
    PASSWORD = "sesame"

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="duban-secure-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.broker = secure.Secure(cls.folder, stored_jars(os.environ.get("KAFKA", brokers.DEFAULT_VERSION)),
                                   {"duband": cls.PASSWORD, "portal": "p-1", "reader": "r-1"})
        cls.addClassCleanup(cls.broker.kill)

    def setUp(self):
        os.environ["KCAT_CONFIG"] = self.broker.kcat_config()
        self.addCleanup(os.environ.pop, "KCAT_CONFIG")

    def node(self, properties, **settings):
        d = Node([oracle.ALARM], **{"bus": "kafka", "node": "n1", **settings, "kafka.properties.session.timeout.ms": 10000,
                                    **{f"kafka.properties.{k}": v for k, v in properties.items()}})
        self.addCleanup(d.close)
        return d

    def config(self, user, **differ):
        """As duband's configuration file has it."""
        path = self.folder / f"{user}.yaml"
        lines = [f"    {k}: {v}" for k, v in {**self.broker.client(user), **differ}.items()]
        path.write_text("\n".join(["bus: kafka", "kafka:", "  properties:", *lines, ""]))
        return path

    def ctl(self, *arguments):
        return subprocess.run([program("dubanctl"), *map(str, arguments)], capture_output=True, stdin=subprocess.DEVNULL, text=True,
                              timeout=CEILING_S, check=False)

    def says(self, d, *words):
        """All of them in one line of /readyz; and it is said once in the log, and by `dubanctl status`."""
        answers = []

        def said():
            answers[:] = [d.get("/readyz")]
            return answers[0].status == 503 and all(w in answers[0].text for w in words)

        try:
            until(said)
        except AssertionError as error:
            self.fail(f"{words}: {error}: {answers and answers[0].text}\n{d.log()[-3000:]}")
        self.assertIsNone(d.process.poll(), "it stays up")
        text = answers[0].json["errors"][0]
        self.assertNotIn("\n", text)
        return text

    def told_once(self, d, text):
        self.assertEqual(d.log().count(text), 1, f"“{text}” is said more than once in\n{d.log()[-3000:]}")


class Connection(OnSecure):
    """Who is not let in."""

    def wrong(self):
        """What is set wrongly: what is said of it."""
        b, right = self.broker, self.broker.client("duband")
        plain = {"security.protocol": "PLAINTEXT", "bootstrap.servers": b.address}
        token = {"sasl.mechanism": "OAUTHBEARER", "enable.sasl.oauthbearer.unsecure.jwt": "true", "sasl.oauthbearer.config": "principal=duband"}
        return {
            "password": ({**right, "sasl.password": "other"}, ["set sasl.username and sasl.password", "Invalid username or password"]),
            "mechanism": ({**{k: v for k, v in right.items() if not k.startswith("sasl")}, **token},
                          ["set sasl.mechanism to one that it supports", "supported mechanisms: PLAIN"]),
            "authority": ({**right, "ssl.ca.location": str(b.keys / "stranger.pem")}, ["set ssl.ca.location to the file"]),
            "no authority": ({k: v for k, v in right.items() if k != "ssl.ca.location"}, ["set ssl.ca.location to the file"]),
            "host": ({**right, "bootstrap.servers": f"localhost:{b.secure}"}, ["certificate is for another host", "set bootstrap.servers", "localhost"]),
            "plain text to TLS": (plain, ["does not answer to plain text: set security.protocol to SASL_SSL"]),
            "TLS to plain text": ({**right, "bootstrap.servers": b.bootstrap}, ["does not answer to TLS: set security.protocol"]),
            "no SASL": ({**plain, "security.protocol": "SSL", "ssl.ca.location": right["ssl.ca.location"]}, ["wants SASL: set security.protocol"]),
            "port": ({**right, "bootstrap.servers": f"127.0.0.1:{free_port()}"}, ["nobody listens there", "set bootstrap.servers"]),
            "host name": ({**right, "bootstrap.servers": "no-such-host.invalid:9092"}, ["no such host: set bootstrap.servers"]),
        }

    def test_1_comes_in_when_the_broker_is_put_right(self):
        b = self.broker
        b.certificate, b.users["duband"] = "stranger", "not yet"
        b.start()
        d = self.node(b.client("duband", self.PASSWORD))
        d.launch()
        d.serves()
        first = self.says(d, "kafka: broker away: ", "set ssl.ca.location")
        b.stop()
        b.certificate = "authority"
        b.start()
        second = self.says(d, "kafka: broker away: ", "set sasl.username and sasl.password")
        b.stop()
        b.users["duband"] = self.PASSWORD
        b.start()
        self.says(d, "User:duband may not Read and Write topic duban.submissions: kafka-acls.sh")
        for text in (first, second):
            self.told_once(d, text.split(" (")[0])
        d.stop()

    def test_2_what_is_wrong_is_named(self):
        self.broker.start()
        cases = self.wrong()
        nodes = {name: self.node(properties) for name, (properties, _) in cases.items()}
        for d in nodes.values():
            d.launch()
        for name, (_, words) in cases.items():
            with self.subTest(name):
                d = nodes[name]
                d.serves()
                text = self.says(d, "kafka: broker away: ", *words)
                self.told_once(d, text.split(" (")[0])
                status = self.ctl("status", "--url", d.url)
                self.assertIn(text, status.stdout)
                d.stop()

    def test_3_refused_at_once(self):
        right = self.broker.client("duband")
        for differ, words in [({"sasl.mechanism": "SCRAM-SHA-256"}, ["sasl.mechanism = SCRAM-SHA-256", "librdkafka 2.6.1 or newer"]),
                              ({"sasl.mechanism": "SCRAM-SHA-512"}, ["sasl.mechanism = SCRAM-SHA-512", "librdkafka 2.6.1 or newer"]),
                              ({"sasl.mechanism": "NONSENSE"}, ["sasl.mechanism", "NONSENSE"]),
                              ({"ssl.ca.location": "/nowhere/ca.pem"}, ["ssl.ca.location", "/nowhere/ca.pem"]),
                              ({"sasl.password": None}, ["sasl.password must be set"])]:
            with self.subTest(differ):
                d = self.node({k: v for k, v in {**right, **differ}.items() if v is not None})
                status, text = d.run()
                self.assertNotEqual(status, 0)
                lines = [line for line in text.splitlines() if all(w in line for w in words)]
                self.assertEqual(len(lines), 1, text)


class Rights(OnSecure):
    """What duband needs, and whoever talks with it."""
    count = 0

    def right(self, *right):
        return ("duband", *right)

    def kick(self, d, refused=False):
        """An answer that is asked for too late, and given: a warning, a notification, a supervision. What the log took, in the order of taking."""
        Rights.count += 1
        n = Rights.count
        events = [oracle.asked("kick", n, "o-1", f"s{n}", time.time() - 1), oracle.answered("kick", n, "o-1", f"s{n}")]
        for event in events:
            answer = d.post(event)
            if refused and answer.status == 503:
                return answer
            if answer.status != 202:
                d.accept([event], CEILING_S)
        return f"answered-{n}"

    def create(self):
        self.broker.grant(("duband", "Topic", "duban.*", "Create"))  # so that it is not said for want of it
        self.broker.revoke(("duband", "Topic", "duban.*", "Create"))
        run = self.ctl("topics", "create", "--config", self.config("duband"))
        self.assertEqual((run.returncode, run.stdout), (3, ""), run.stderr)
        self.assertIn("User:duband may not Create topic duban.…: kafka-acls.sh", run.stderr)
        run = self.ctl("topics", "create", "--config", self.config("admin"), "--partitions", 1)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(run.stdout.splitlines(), [f"duban.{t}: created" for t in sorted(TOPICS, key=self.order)])

    @staticmethod
    def order(topic):
        return ["submissions", "deadlines", "warnings", "supervision", "notifications", "rejected", "changelog", "history"].index(topic)

    def test_rights(self):
        self.broker.start()
        self.create()
        self.broker.grant(*(self.right(*r) for r in RIGHTS), *PORTAL, *READER)
        cluster = oracle.Cluster(self.broker.address)
        d = self.node(self.broker.client("duband"))
        d.start()
        self.kick(d)
        last = self.kick(d)
        d.applied("kick", last)
        d.stop()
        shutil.rmtree(d.data)
        d.start()
        self.assertEqual(len(d.get("/v1/cases").rows), Rights.count, "restored")
        self.portal_and_reader(d)
        for right in RIGHTS:
            began = time.monotonic()
            with self.subTest(right):
                self.without(d, cluster, right)
            print(f"        without {right}: {time.monotonic() - began:.1f} s", flush=True)
        d.applied("kick", self.kick(d))
        d.stop()
        want = oracle.simulate(oracle.ALARM, cluster.inputs(lambda r: r.header("ce_id")))
        with contextlib.suppress(AssertionError):  # a transaction's markers may follow its end by a moment
            until(lambda: not oracle.difference(cluster.outputs(), want))
        oracle.check(self, cluster.outputs(), want, 50)

    def without(self, d, cluster, right):
        resource, name, operation = right
        noun, option = WORDS[resource]
        if right in AT_START:
            d.stop()
            shutil.rmtree(d.data)
        mark = len(d.log())
        self.broker.revoke(self.right(*right))
        asked = None
        if right in AT_START:
            d.launch()
            d.serves()
        elif name == "duban.rejected":
            cluster.produce("duban.submissions", "alarm", b"{}", {"ce_source": "broken"})
        else:
            asked = self.kick(d, refused=True)
        shown = name.replace("*", "…")
        line = f"User:duband may not {operation} {noun} {shown}: kafka-acls.sh --bootstrap-server {self.broker.address} --add --allow-principal User:duband"
        text = self.says(d, line, f" --operation {operation} {option} {name.rstrip('*')}")
        self.broker.grant(self.right(*right))
        if asked and not isinstance(asked, str):
            self.assertIn("authorization failed", asked.text)
            until(lambda: isinstance(self.kick(d, refused=True), str))
            asked = None
        d.await_ready()
        d.applied("kick", asked or self.kick(d))
        self.assertEqual(d.log()[mark:].count(line), 1, f"more than one line of “{text}”:\n{d.log()[mark:]}")

    def kcat(self, user, *arguments, text=b""):
        env = {**os.environ, "KCAT_CONFIG": self.broker.kcat_config(user)}
        return subprocess.run(["kcat", "-b", self.broker.address, *arguments], input=text, capture_output=True, timeout=CEILING_S, env=env, check=False)

    def portal_and_reader(self, d):
        event = oracle.answered("portal", 1, "o-1", "s1")
        send = ["-P", "-k", "alarm", "-X", "partitioner=murmur2_random", "-X", "message.timeout.ms=60000"]
        headers = [a for k, v in oracle.headers_of(event).items() for a in ("-H", f"{k}={v}")]
        body = json.dumps(event["data"], ensure_ascii=False).encode()
        sent = self.kcat("portal", *send, "-t", "duban.submissions", *headers, text=body)
        self.assertEqual(sent.returncode, 0, sent.stderr)
        d.applied("portal", "answered-1")
        for topic in ["deadlines", "changelog", "history", "warnings"]:
            refused = self.kcat("portal", *send, "-t", f"duban.{topic}", *headers, text=body)
            self.assertIn(b"authorization failed", refused.stderr, f"a portal may write duban.{topic}")
        read = self.kcat("reader", "-G", "reader", "-X", "auto.offset.reset=earliest", "-c", "1", "-q", "duban.warnings")
        self.assertEqual((read.returncode, len(read.stdout) > 0), (0, True), read.stderr)
        for topic in ["supervision", "submissions", "history"]:
            refused = self.kcat("reader", "-C", "-t", f"duban.{topic}", "-e", "-q")
            self.assertIn(b"authorization failed", refused.stderr, f"a reader of warnings may read duban.{topic}")


class Topics(OnSecure):
    """`dubanctl topics create`: what is missing is made, what is there is compared. By the configuration's way in."""

    def create(self, *arguments, prefix="made."):
        run = self.ctl("topics", "create", "--config", self.config("admin"), "--prefix", prefix, *arguments)
        return run.returncode, [line.split(": ", 1) for line in run.stdout.splitlines()], run.stderr

    def test_create(self):
        self.broker.start()
        made = {f"made.{t}": "created" for t in TOPICS}
        status, lines, _ = self.create("--partitions", "2")
        self.assertEqual((status, dict(lines)), (0, made))
        status, lines, _ = self.create("--partitions", "2")
        self.assertEqual((status, dict(lines)), (0, {name: "was there" for name in made}))
        admin = self.broker.administrator()
        admin.delete_topic("made.rejected")
        admin.alter_topic("made.submissions", message_timestamp_type="CreateTime", retention_ms="5000")
        admin.alter_topic("made.changelog", cleanup_policy="delete")
        status, lines, _ = self.create("--partitions", "3")
        said = dict(lines)
        self.assertEqual(status, 1)
        self.assertEqual(said["made.rejected"], "created")
        for name in set(made) - {"made.rejected"}:
            self.assertIn(f"was there; differs: 2 partitions, not 3 (before their first use: kafka-topics.sh --alter --topic {name} --partitions 3; "
                          "after it: dubanctl migrate-bus)", said[name])
        for name, words in {"made.submissions": ["message.timestamp.type is CreateTime, not LogAppendTime (kafka-configs.sh --alter", "retention.ms is 5000, not"],
                            "made.changelog": ["cleanup.policy is delete, not compact (kafka-configs.sh --alter"]}.items():
            for word in words:
                self.assertIn(word, said[name])
        self.assertNotIn("message.timestamp.type", said["made.deadlines"])
        status, lines, error = self.create("--replication", "3", prefix="more.")
        self.assertEqual((status, lines), (3, []))
        self.assertIn("more.submissions", error)

    def test_not_let_in(self):
        self.broker.start()
        for differ, words in [({"sasl.password": "other"}, "set sasl.username and sasl.password"), ({"bootstrap.servers": "127.0.0.1:1"}, "set bootstrap.servers"),
                              ({"sasl.mechanism": "SCRAM-SHA-256"}, "librdkafka 2.6.1 or newer")]:
            with self.subTest(words):
                run = self.ctl("topics", "create", "--config", self.config("admin", **differ))
                self.assertEqual((run.returncode, run.stdout, len(run.stderr.splitlines())), (3, "", 1), run.stderr)
                self.assertIn(words, run.stderr)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        unittest.main()
