"""The configuration and the command line: what is taken, and how what is wrong is said."""
import pathlib
import re
import socket
import subprocess
import tempfile
import unittest

from daemon import ROOT, SUIFENHE, Daemon, program


def run(*arguments, file=None, timeout=60):
    """duband with these arguments and perhaps a configuration; returns status, stdout, stderr."""
    with tempfile.TemporaryDirectory() as folder:
        if file is not None:
            path = pathlib.Path(folder) / "duband.yaml"
            path.write_bytes(file if isinstance(file, bytes) else file.encode())
            arguments = ("--config", str(path), *arguments)
        done = subprocess.run([program(), *arguments], capture_output=True, timeout=timeout, cwd=ROOT)
        return done.returncode, done.stdout.decode(), done.stderr.decode().replace(folder + "/", "")


class Refused(unittest.TestCase):
    def check(self, file, *said):
        status, _, stderr = run("--check", file=file)
        self.assertEqual(status, 2, stderr)
        for text in said:
            self.assertIn(text, stderr)

    def test_unknown_keys(self):
        self.check("lisen: 127.0.0.1:1\n", "duband.yaml:1:1: error W0030", "“lisen” is not a key", "did you mean “listen”?", "^^^^^")
        self.check("kafka:\n  gruop: x\n", "duband.yaml:2:3: error", "did you mean “group”?")
        self.check("zebra: 1\n", "one of data, listen, bus")

    def test_bad_values(self):
        self.check("bus: pulsar\n", "duband.yaml:1:6: error", "“pulsar” is no value for bus", "expected: one of local kafka")
        self.check("time: now\n", "one of log events")
        self.check("log: loud\n", "one of debug info warn error")
        for batch in ("0", "-1", "100001", "many", "1.5", "''"):
            self.check(f"batch: {batch}\n", "a number from 1 to 100000")
        for workers in ("0", "65", "two"):
            self.check(f"bus: kafka\nworkers: {workers}\n", "a number from 1 to 64")
        self.check("data: ''\n", "a text that is not empty")

    def test_bad_shapes(self):
        self.check("data: [a]\n", "duband.yaml:1:7: error W0032")
        self.check("workflows: here\n", "error W0032", "a list")
        self.check("workflows: [[a]]\n", "error W0032")
        self.check("kafka: here\n", "error W0032")
        self.check("kafka: {properties: {a: [1]}}\n", "error W0032")
        self.check("- data\n", "error W0032", "the configuration is a list")

    def test_broken_yaml(self):
        self.check("data: [\n", "duband.yaml:", "error W0010")
        self.check("data: a\ndata: b\n", "error W0013")
        self.check(b"data: \xff\n", "error")

    def test_all_at_once(self):
        status, _, stderr = run("--check", file="bus: x\ntime: y\nlog: z\n")
        self.assertEqual((status, stderr.count(": error W")), (2, 3))
        self.assertEqual(re.findall(r"duband.yaml:(\d)", stderr), ["1", "2", "3"])

    def test_file_that_is_not_there(self):
        status, _, stderr = run("--check", "--config", "/nowhere/duband.yaml")
        self.assertEqual(status, 2)
        self.assertIn("/nowhere/duband.yaml: error", stderr)

    def test_listen(self):
        for listen in ("0.0.0.0:80", "10.0.0.1:80", "[::]:80", "[2001:db8::1]:80", "example.org:80", "127.0.0.1", "127.0.0.1:99999", ":80", "[::1]"):
            with self.subTest(listen=listen):
                status, _, stderr = run("--check", "--set", "listen=" + listen)
                self.assertEqual(status, 2)
                self.assertTrue(stderr.startswith("duband: listen: "), stderr)

    def test_set(self):
        for setting, said in (("lisen=x", "did you mean “listen”?"), ("zzzzzz=1", "no such key"), ("batch", "expected KEY=VALUE"), ("=1", "expected KEY=VALUE"),
                              ("batch=0", "a number from 1"), ("workflows=a,,b", "the path of a folder"), ("kafka.properties=x", "no such key"),
                              ("kafka=x", "no such key")):
            with self.subTest(setting=setting):
                status, _, stderr = run("--check", "--set", setting)
                self.assertEqual(status, 2)
                self.assertIn(said, stderr)

    def test_what_does_not_go_together(self):
        self.check("sync: close\n", "duband: sync: close cannot be with bus: local", "batch or auto was expected")
        self.check("mapped: much\n", "a number from 0 to 1048576")
        self.check("workers: 2\n", "duband: workers: 2 cannot be with bus: local", "1 was expected, or bus: kafka")

    def test_command_line(self):
        for arguments in (["--wrong"], ["stray"], ["--set"], ["--ready-fd", "x"], ["--ready-fd", "77"], ["--config"]):
            self.assertEqual(run(*arguments)[0], 2, arguments)


class Taken(unittest.TestCase):
    def test_the_file_we_ship(self):
        status, stdout, stderr = run("--check", "--config", "config/duband.yaml")
        self.assertEqual((status, stderr), (0, ""))
        self.assertIn("fine", stdout)

    def test_every_key(self):
        status, _, stderr = run("--check", file="data: d\nlisten: '[::1]:0'\nbus: kafka\ntime: events\nbatch: 7\nsync: close\nmapped: 0\nlog: debug\nworkers: 3\nstandby: all\nworkflows: [a, b]\n"
                                "node: n\nkafka:\n  group: g\n  prefix: p.\n  properties: {bootstrap.servers: 'x:1', acks: 1}\n")
        self.assertEqual((status, stderr), (0, ""))

    def test_empty(self):
        for file in ("", "# nothing\n"):
            self.assertEqual(run("--check", file=file)[0], 0)

    def test_set_has_the_last_word(self):
        self.assertEqual(run("--set", "batch=5", "--set", "kafka.properties.bootstrap.servers=x", "--check", file="data: x\n")[0], 0)
        self.assertEqual(run("--set", "listen=0.0.0.0:1", "--check", file="listen: 127.0.0.1:0\n")[0], 2)

    def test_help_and_version(self):
        status, stdout, _ = run("--help")
        self.assertEqual(status, 0)
        shipped = (ROOT / "config" / "duband.yaml").read_text(encoding="utf-8")
        for key in ("data", "listen", "bus", "time", "batch", "sync", "mapped", "workers", "standby", "log", "workflows", "node", "group", "prefix", "properties"):
            self.assertRegex(stdout, rf"(?m)^  (kafka\.)?{key} ")
            self.assertRegex(shipped, rf"(?m)^#?\s*{key}:")
        for default in re.findall(r"(?m)^(\w+): +(\S+)", shipped):
            self.assertIn(f"default: {default[1]}", stdout)
        self.assertRegex(run("--version")[1], r"^duband \d+\.\d+\.\d+\n$")


class CannotStart(unittest.TestCase):
    """One clear line, status 3."""

    def check(self, said, **settings):
        sets = {"listen": "127.0.0.1:0", **settings}
        status, _, stderr = run(*(w for k, v in sets.items() for w in ("--set", f"{k}={v}")))
        lines = [line for line in stderr.splitlines() if line.startswith("duband: ")]
        self.assertEqual((status, len(lines)), (3, 1), stderr)
        self.assertIn(said, lines[0])

    def test_port_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as taken, tempfile.TemporaryDirectory() as data:
            self.check("Address already in use", listen=f"127.0.0.1:{taken.getsockname()[1]}", data=data)

    def test_folder_in_use(self):
        with Daemon() as d:
            self.check(str(d.data), data=d.data)
            self.assertEqual(d.get("/healthz").status, 200)

    def test_folder_that_cannot_be(self):
        with tempfile.NamedTemporaryFile() as file:
            self.check(file.name, data=file.name + "/below")


class Ready(unittest.TestCase):
    def test_url_and_file(self):
        with Daemon(arguments=["--set", "listen=localhost:0"]) as d:
            self.assertRegex(d.url, r"^http://127\.0\.0\.1:\d+$")
            self.assertEqual((d.data / "http.url").read_text(), d.url + "\n")
        with Daemon(listen="[::1]:0") as d:
            self.assertRegex(d.url, r"^http://\[::1\]:\d+$")
            self.assertEqual(d.get("/healthz").status, 200)

    def test_interrupt_stops_it_too(self):
        d = Daemon(workflows=[SUIFENHE]).start()
        try:
            d.stop(how=2)
        finally:
            d.clean()


if __name__ == "__main__":
    unittest.main()
