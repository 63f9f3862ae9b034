"""Where worlds live: a broker, or three, or one whose disk or line can be spoilt. Renewed after so many worlds, since each leaves its topics."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile

import broker as brokers
from node import preloaded
from ports import free_port
from proxy import Proxy
from three import Three

WORLDS = 15


class Site:
    """One broker."""
    replication = 1

    def __init__(self, lib):
        self.lib, self.worlds, self.broker, self.folder = lib, 0, None, None

    def make(self):
        return brokers.Broker(self.folder / "broker", self.lib)

    @property
    def bootstrap(self):
        return self.broker.bootstrap

    def ready(self):
        """At work, and not worn out."""
        if self.worlds % WORLDS == 0:
            self.close()
            self.folder = pathlib.Path(tempfile.mkdtemp(prefix="duban-site-"))
            self.broker = self.make()
        self.worlds += 1
        self.broker.start()
        return self

    def close(self):
        if self.broker:
            self.broker.kill()
            shutil.rmtree(self.folder, ignore_errors=True)
        self.broker = None


class ThreeBrokers(Site):
    replication = 3

    def make(self):
        return Three(self.folder, self.lib)


class FailingDisk(Site):
    """Its log folder turns read-only when `when` exists."""

    @property
    def when(self):
        return self.folder / "read-only"

    def make(self):
        folder = self.folder / "broker"
        return brokers.Broker(folder, self.lib, env={
            "LD_PRELOAD": preloaded("readonly", self.folder), "READONLY_WHEN": str(self.when), "READONLY_UNDER": str(folder / "data")})


class BadLine(Site):
    """A second listener, behind a proxy."""
    proxy = None

    def make(self):
        port = free_port()
        self.proxy = Proxy(port)
        broker = brokers.Broker(self.folder / "broker", self.lib)
        broker.extra = (f"listeners=PLAINTEXT://127.0.0.1:{broker.port},LINE://127.0.0.1:{port},CONTROLLER://127.0.0.1:{broker.controller}\n"
                        f"advertised.listeners=PLAINTEXT://127.0.0.1:{broker.port},LINE://127.0.0.1:{self.proxy.port}\n"
                        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,LINE:PLAINTEXT,CONTROLLER:PLAINTEXT\n"
                        "inter.broker.listener.name=PLAINTEXT\n")
        return broker

    @property
    def line(self):
        return f"127.0.0.1:{self.proxy.port}"

    def close(self):
        super().close()
        if self.proxy:
            self.proxy.close()
        self.proxy = None


@contextlib.contextmanager
def small_disk(megabytes):
    """A file system of its own, mounted as root or through sudo."""
    as_root = [] if os.getuid() == 0 else ["sudo", "-n"]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="duban-disk-"))
    subprocess.run([*as_root, "mount", "-t", "tmpfs", "-o", f"size={megabytes}m,uid={os.getuid()},mode=700", "tmpfs", str(folder)],
                   check=True, capture_output=True, stdin=subprocess.DEVNULL)
    try:
        yield folder
    finally:
        subprocess.run([*as_root, "umount", "-l", str(folder)], check=False, stdin=subprocess.DEVNULL)
        folder.rmdir()
