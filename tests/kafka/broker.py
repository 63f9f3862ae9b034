#!/usr/bin/env python3
"""A real Kafka broker (KRaft, one node, loopback) for tests and demonstrations. Python's standard library only.

As a command; DIR keeps everything of the broker, and may be deleted when it is stopped:

    broker.py jars  --version V --build B        fetch the jars into B/kafka-V/lib (Maven), print that folder
    broker.py start DIR [--version V] [--build B]  start it (or start it again), print host:port when it answers
    broker.py stop DIR                           end it in good order
    broker.py kill DIR                           kill -9
    broker.py bootstrap DIR                      print host:port

As a module: `with Broker(folder, lib) as b: b.bootstrap …; b.kill(); b.start()`. It dies with the process that started it.
"""
import argparse
import ctypes
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]
from ports import free_ports  # noqa: E402

HERE = Path(__file__).resolve().parent
DEFAULT_VERSION = "4.3.1"
OLD_VERSION = "3.9.1"    # the oldest that is tested
FAULT_VERSION = "4.0.1"  # 4.3.1 can lose a committed transaction's markers when it is killed
CLUSTER_ID = "ZHViYW4tdGVzdC1icm9rZQ"
START_SECONDS = 60

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=1000
broker.heartbeat.interval.ms=200
transaction.abort.timed.out.transaction.cleanup.interval.ms=500
log.cleaner.dedupe.buffer.size=16777216
log.cleaner.backoff.ms=500
auto.create.topics.enable=false
"""


def jars(version=DEFAULT_VERSION, build="build"):
    """The folder of the broker's jars; fetched once."""
    lib = Path(build).resolve() / f"kafka-{version}" / "lib"
    done = lib.parent / ".done"
    if not done.exists():
        shutil.rmtree(lib, ignore_errors=True)
        run = subprocess.run(
            ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies", "-DincludeScope=runtime",
             f"-DoutputDirectory={lib}", f"-Dkafka.version={version}"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL)
        if run.returncode != 0 or not list(lib.glob("kafka_2.13-*.jar")):
            raise RuntimeError(f"Maven could not fetch the broker {version}:\n{run.stdout[-2000:]}")
        done.touch()
    return lib


def answers(port, timeout=1.0):
    """Does a Metadata request name a live broker?"""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout) as s:
            s.settimeout(timeout)
            client = b"broker.py"
            body = struct.pack(">hhih", 3, 4, 1, len(client)) + client + struct.pack(">ib", 0, 0)
            s.sendall(struct.pack(">i", len(body)) + body)
            reply = b""
            while len(reply) < 4 or len(reply) < 4 + struct.unpack(">i", reply[:4])[0]:
                more = s.recv(4096)
                if not more:
                    return False
                reply += more
            return struct.unpack(">i", reply[12:16])[0] > 0  # size, correlation, throttle, count of brokers
    except OSError:
        return False


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Broker:
    def __init__(self, folder, lib=None, extra="", env=None):
        self.folder = Path(folder).resolve()
        self.state = self.folder / "broker.json"
        self.log = self.folder / "broker.log"
        self.process = None
        known = json.loads(self.state.read_text()) if self.state.exists() else {}
        self.lib = Path(lib or known.get("lib") or jars())
        self.port, self.controller = known.get("ports") or free_ports(2)
        self.pid = known.get("pid")
        self.extra, self.env = extra, env

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.port}"

    def java(self, *args):
        """What it unpacks goes to its own folder: a broker that is killed tidies nothing up."""
        return ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Djava.io.tmpdir={self.folder}",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{self.lib}/*", *args]

    def format(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        text = PROPERTIES.format(port=self.port, controller=self.controller, folder=self.folder)
        (self.folder / "server.properties").write_text(text + self.extra)
        if (self.folder / "data" / "meta.properties").exists():
            return
        run = subprocess.run(self.java("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c",
                                       str(self.folder / "server.properties")),
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL)
        if run.returncode != 0:
            raise RuntimeError(f"the broker's folder could not be formatted:\n{run.stdout[-2000:]}")

    def start(self, detached=False):
        """Starts it, or starts it again on the same ports and data; returns when it answers."""
        if not self.alive():
            self.launch(detached)
            self.await_answer()
        return self

    def launch(self, detached=False):
        """Started, and not waited for."""
        self.format()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.java("kafka.Kafka", str(self.folder / "server.properties")),
                                            stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
                                            env={**os.environ, **(self.env or {})},
                                            preexec_fn=None if detached else die_with_parent)
        self.pid = self.process.pid
        self.save()

    def await_answer(self):
        until = time.monotonic() + START_SECONDS
        while not answers(self.port):
            if self.process.poll() is not None or time.monotonic() > until:
                self.kill()
                tail = self.log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"the broker did not start:\n{tail}")
            time.sleep(0.05)

    def save(self):
        self.state.write_text(json.dumps({"pid": self.pid, "ports": [self.port, self.controller], "lib": str(self.lib)}))

    def alive(self):
        if self.process:
            return self.process.poll() is None
        try:  # of an earlier run of this script: make sure that the number still means this broker
            line = Path(f"/proc/{self.pid}/cmdline").read_bytes() if self.pid else b""
            return str(self.folder / "server.properties").encode() in line
        except OSError:
            return False

    def end(self, number, seconds):
        if not self.alive():
            return
        os.kill(self.pid, number)
        until = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > until:
                os.kill(self.pid, signal.SIGKILL)
                until += 10
            time.sleep(0.02)

    def stop(self):
        self.end(signal.SIGTERM, 20)

    def kill(self):
        self.end(signal.SIGKILL, 10)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def main():
    parser = argparse.ArgumentParser(description="A Kafka broker for tests.")
    parser.add_argument("what", choices=["jars", "start", "stop", "kill", "bootstrap"])
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--version", default=DEFAULT_VERSION)
    parser.add_argument("--build", default="build")
    args = parser.parse_args()
    if args.what == "jars":
        print(jars(args.version, args.build))
        return 0
    if not args.folder:
        parser.error("a folder is needed")
    if args.what == "start":
        known = Path(args.folder, "broker.json").exists()
        print(Broker(args.folder, None if known else jars(args.version, args.build)).start(detached=True).bootstrap)
        return 0
    if not Path(args.folder, "broker.json").exists():
        print(f"{args.folder}: no broker was started there", file=sys.stderr)
        return 3
    broker = Broker(args.folder)
    if args.what == "bootstrap":
        print(broker.bootstrap)
    else:
        getattr(broker, args.what)()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as error:
        print(error, file=sys.stderr)
        sys.exit(3)
