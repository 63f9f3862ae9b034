"""A daemon that is killed, held back and talked to while it is away."""
import http.client
import os
import pathlib
import select
import subprocess
import time

from daemon import ROOT, START_S, Daemon
from ports import free_port


def preloaded(name, folder):
    """The library that tests/kafka/NAME.c makes, for LD_PRELOAD; built into the folder."""
    library = pathlib.Path(folder) / f"{name}.so"
    subprocess.run([os.environ.get("CC", "gcc"), "-O2", "-shared", "-fPIC", "-o", library, ROOT / "tests" / "kafka" / f"{name}.c", "-ldl"],
                   check=True, timeout=60)
    return str(library)


class Node(Daemon):
    """Keeps its address over restarts."""

    def __init__(self, workflows=(), data=None, **settings):
        super().__init__(workflows, data, **{"listen": f"127.0.0.1:{free_port()}", **settings})
        self.url = "http://" + self.settings["listen"]
        self.waiting = None
        self.environment = {}

    def launch(self):
        """Started, and not waited for."""
        self.waiting, writer = os.pipe()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([*self.command(), "--ready-fd", str(writer)], pass_fds=[writer], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, cwd=ROOT, env={**os.environ, **self.environment})
        os.close(writer)

    def serves(self):
        """Until it answers HTTP."""
        if not select.select([self.waiting], [], [], START_S)[0] or not os.read(self.waiting, 200):
            raise AssertionError(f"duband did not start (status {self.process.poll()}):\n{self.log()[-4000:]}")
        self.forget_waiting()

    def forget_waiting(self):
        if self.waiting is not None:
            os.close(self.waiting)
            self.waiting = None

    def start(self, ready=True):
        self.launch()
        self.serves()
        if ready:
            self.await_ready()
        return self

    def kill(self):
        super().kill()
        self.forget_waiting()

    def close(self):
        self.clean()
        self.forget_waiting()

    def signal(self, number):
        self.process.send_signal(number)

    def run(self):
        """One that cannot start: its exit status and what it said."""
        done = subprocess.run(self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT,
                              timeout=START_S, check=False)
        return done.returncode, done.stdout.decode()

    def await_log(self, what):
        end = time.monotonic() + START_S
        while what not in self.log():
            if time.monotonic() > end:
                raise AssertionError(f"“{what}” was not said:\n{self.log()[-4000:]}")
            time.sleep(0.01)

    def await_unready(self, *words, seconds=START_S):
        """Until /readyz says all of them; what it says. (In the log a line may stand a moment before.)"""
        end = time.monotonic() + seconds
        while (answer := self.get("/readyz")).status != 503 or not all(word in answer.text for word in words):
            if time.monotonic() > end:
                raise AssertionError(f"/readyz does not say {words}: {answer.status} {answer.text}\n{self.log()[-4000:]}")
            time.sleep(0.02)
        return answer.text

    def await_history(self):
        """Until all of it is there: it comes behind serving."""
        end = time.monotonic() + START_S
        while (answer := self.get("/v1/history?limit=1")).status != 200:
            if answer.status != 503 or time.monotonic() > end:
                raise AssertionError(f"the history does not come back: {answer.status} {answer.text}\n{self.log()[-4000:]}")
            time.sleep(0.02)

    # ---- requests: whatever goes wrong because it is gone is an OSError

    def request(self, *args, **more):
        try:
            return super().request(*args, **more)
        except http.client.HTTPException as error:
            raise ConnectionError(repr(error)) from error

    def accept(self, events, seconds=60):
        """Until they are taken. What was refused for now is sent again."""
        end = time.monotonic() + seconds
        while True:
            answer = self.post_all(events)
            if answer.status == 202:
                return answer.json
            if answer.status != 503 or time.monotonic() > end:
                raise AssertionError(f"{answer.status}: {answer.text}")
            time.sleep(0.02)

    def applied(self, source, ident):
        """Until it is."""
        answer = self.outcome(source, ident)
        if answer.status != 200 or answer.json["status"] != "applied":
            raise AssertionError(f"{source} {ident}: {answer.text}\n{self.log()[-4000:]}")
        return answer.json

    def topic(self, name, from_=0, limit=1000, wait="0s"):
        answer = self.get(f"/v1/topics/{name}?from={from_}&limit={limit}&wait={wait}", timeout=90)
        if answer.status != 200:
            raise AssertionError(f"{name}: {answer.status} {answer.text}")
        return answer.rows
