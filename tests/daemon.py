"""A duband for tests: started on a free port with a data folder of its own, talked to over HTTP, stopped and looked after.

The program is $B/duband (B: the build folder, default `build`). A stop that is not clean, and whatever a sanitizer reports, is a failure."""
import http.client
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
SUIFENHE = ROOT / "workflows" / "suifenhe-2024"
SANITIZER = re.compile(r"AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer|runtime error:")
START_S = 60


def program(name="duband"):
    build = pathlib.Path(os.environ.get("B", "build"))
    return str((build if build.is_absolute() else ROOT / build) / name)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def rows(self):
        """A refusal is one line, too, and no row."""
        assert self.status == 200, f"{self.status}: {self.text}"
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def errors(self):
        return self.json["errors"]


def event(id, data, type="duban.v1.Fact", source="office/test", time="2024-03-29T01:00:00Z", **more):
    return {"specversion": "1.0", "id": id, "source": source, "type": type, "time": time, "datacontenttype": "application/json", "data": data,
            **more}


def dispatch(id, **fields):
    """A fact that suifenhe-2024 takes."""
    fields = {"held": "2024-03-29", "of": ["tf-01"], "kind": "优环办调度", "result": "已部署", **fields}
    return event(id, {"workflow": "suifenhe-2024", "fact": {"kind": "dispatch", "reporter": "sfh-yhb", "fields": fields}})


class Daemon:
    """with Daemon(workflows=[SUIFENHE], time="events") as d: d.get("/v1/tasks").rows"""

    def __init__(self, workflows=(), data=None, arguments=(), **settings):
        self.settings = {"listen": "127.0.0.1:0", "workflows": ",".join(map(str, workflows)), **settings}
        self.arguments = list(arguments)
        self.owns_data = data is None
        self.data = pathlib.Path(data or tempfile.mkdtemp(prefix="duband-test-"))
        self.process = self.url = None
        self.log_path = tempfile.mkstemp(prefix="duband-log-")[1]

    # ---- life

    def command(self):
        sets = {**self.settings, "data": str(self.data)}
        return [program(), *(word for k, v in sets.items() for word in ("--set", f"{k}={v}")), *self.arguments]

    def start(self, ready=True):
        """Waits until it serves; with ready, until the workflows are in force, too."""
        reader, writer = os.pipe()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([*self.command(), "--ready-fd", str(writer)], pass_fds=[writer], stdout=log, stderr=log,
                                            cwd=ROOT)
        os.close(writer)
        try:
            if not select.select([reader], [], [], START_S)[0]:
                raise AssertionError(f"duband does not get ready:\n{self.log()}")
            self.url = os.read(reader, 200).decode().strip()
        finally:
            os.close(reader)
        if not self.url:
            self.process.wait(timeout=START_S)
            raise AssertionError(f"duband did not start (status {self.process.returncode}):\n{self.log()}")
        if ready:
            self.await_ready()
        return self

    def await_ready(self):
        end = time.monotonic() + START_S
        while self.get("/readyz").status != 200:
            if time.monotonic() > end:
                raise AssertionError(f"not ready: {self.get('/readyz').text}\n{self.log()}")
            time.sleep(0.005)

    def log(self):
        return pathlib.Path(self.log_path).read_text(encoding="utf-8", errors="replace")

    def check_log(self):
        assert not SANITIZER.search(self.log()), self.log()[-6000:]

    def stop(self, how=signal.SIGTERM):
        if self.process is None or self.process.returncode is not None:
            return
        self.process.send_signal(how)
        status = self.process.wait(timeout=START_S)
        self.check_log()
        assert status == 0, f"exit status {status}:\n{self.log()[-6000:]}"

    def kill(self):
        self.process.kill()
        self.process.wait(timeout=START_S)
        self.check_log()

    def clean(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.owns_data:
            shutil.rmtree(self.data, ignore_errors=True)
        pathlib.Path(self.log_path).unlink(missing_ok=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.stop()
        finally:
            self.clean()

    # ---- requests

    @property
    def address(self):
        at = urllib.parse.urlsplit(self.url)
        return at.hostname, at.port

    def request(self, method, path, body=None, headers=None, timeout=60):
        connection = http.client.HTTPConnection(*self.address, timeout=timeout)
        try:
            connection.request(method, path, body.encode() if isinstance(body, str) else body, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path, headers=None, timeout=60):
        return self.request("GET", path, headers=headers, timeout=timeout)

    def post(self, body, content_type="application/cloudevents+json", headers=None):
        if not isinstance(body, (str, bytes)):
            body = json.dumps(body, ensure_ascii=False)
        return self.request("POST", "/v1/events", body, {"content-type": content_type, **(headers or {})})

    def post_all(self, events):
        return self.post(events, "application/cloudevents-batch+json")

    def outcome(self, source, id, wait="30s"):
        return self.get(f"/v1/events/{urllib.parse.quote(source, safe='')}/{urllib.parse.quote(id, safe='')}?wait={wait}")

    def raw(self, text, timeout=10, shut=False):
        """Bytes to the socket, bytes back until it is closed."""
        with socket.create_connection(self.address, timeout=timeout) as s:
            try:
                s.sendall(text)
                if shut:
                    s.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # refused in the middle: the answer says why
            out = b""
            try:
                while chunk := s.recv(65536):
                    out += chunk
            except ConnectionResetError:
                pass
            return out


class Stream:
    """Server-sent events, one dict each (with id, event, data), as they come."""

    def __init__(self, daemon, path, headers=None, timeout=20):
        self.connection = http.client.HTTPConnection(*daemon.address, timeout=timeout)
        self.connection.request("GET", path, headers={"accept": "text/event-stream", **(headers or {})})
        self.answer = self.connection.getresponse()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def next(self, within=20):
        found, end = {}, time.monotonic() + within
        while True:
            if time.monotonic() > end:
                raise TimeoutError("nothing but heartbeats")
            line = self.answer.readline().decode("utf-8")
            if not line:
                raise EOFError("the stream has ended")
            line = line.rstrip("\n")
            if not line and "data" in found:
                return found
            name, _, value = line.partition(":")
            if line and name:
                found[name] = value.removeprefix(" ")
