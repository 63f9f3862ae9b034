"""The two that are compared: duband, and tests/bench/streams. Each with topics, state and a process of its own; the same broker, loader and work.

    side.start(); side.pid; side.stop(); side.kill(); side.wipe(); side.close()"""
import functools
import glob
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "kafka")]

from broker import die_with_parent  # noqa: E402
from node import Node  # noqa: E402

BUILD = HERE.parent.parent / os.environ.get("B", "build")
WORKFLOW = HERE / "rounds"
READY_S = 300
# A heap that is enough and no more, and the collector that Kafka's handbook names. See streams/README.md.
JAVA = ["java", "-Xms256m", "-Xmx512m", "-XX:+UseG1GC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"]


class Duband:
    name, work = "duband", "same"
    link = staticmethod(functools.partial(hashlib.blake2b, digest_size=32))  # of its history

    def __init__(self, broker, folder, prefix):
        self.prefix, self.data = prefix, folder / prefix.strip(".")
        group = prefix.strip(".")
        log = folder / f"{group}.log"
        self.node = Node([WORKFLOW], data=self.data, bus="kafka", node=group,
                         mapped=0, **{"kafka.prefix": prefix, "kafka.group": group, "kafka.properties.bootstrap.servers": broker.bootstrap})
        os.unlink(self.node.log_path)
        self.node.log_path = str(log)

    @property
    def pid(self):
        return self.node.process.pid

    def launch(self):
        self.node.launch()

    def ready(self):
        self.node.serves()
        end = time.monotonic() + READY_S
        while self.node.get("/readyz").status != 200:
            if time.monotonic() > end:
                raise RuntimeError(f"duband is not ready: {self.node.log()[-2000:]}")
            time.sleep(0.02)

    def stop(self):
        self.node.forget_waiting()
        self.node.stop()

    def kill(self):
        self.node.kill()

    def wipe(self):
        shutil.rmtree(self.data)

    def close(self):
        self.node.forget_waiting()
        if self.node.process and self.node.process.poll() is None:
            self.node.kill()


class Streams:
    name = "peer"
    link = staticmethod(hashlib.sha256)  # of its history

    def __init__(self, broker, folder, prefix, work="same", settings=()):
        self.broker, self.prefix, self.work, self.settings = broker, prefix, work, list(settings)
        self.data = folder / prefix.strip(".")
        self.log_path = folder / f"{self.data.name}.log"
        self.process = None

    @property
    def pid(self):
        return self.process.pid

    def launch(self):
        jemalloc = glob.glob("/usr/lib/*/libjemalloc.so.2")
        environment = {**os.environ, **({"LD_PRELOAD": jemalloc[0]} if jemalloc else {})}
        command = [*JAVA, f"-Djava.io.tmpdir={self.data.parent}", "-cp", f"{BUILD}/streams/rounds-1.jar:{BUILD}/streams/lib/*", "duban.bench.Rounds", self.work, self.broker.bootstrap,
                   self.prefix, str(self.data), *self.settings]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True, env=environment,
                                            preexec_fn=die_with_parent)

    def ready(self):
        if self.process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"the peer did not start: {self.log_path.read_text()[-2000:]}")

    def end(self, number):
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait()
        if self.process:
            self.process.stdout.close()

    def stop(self):
        self.end(signal.SIGTERM)

    def kill(self):
        self.end(signal.SIGKILL)

    def wipe(self):
        shutil.rmtree(self.data)

    def close(self):
        self.kill()
