"""Ports of the loopback that stay free while whoever listens there is away: none that the kernel gives to outgoing connections (one of those would be
taken now and then between a choice and a start, or a kill and the next start), and none that another process of these tests has chosen."""
import pathlib
import random
import socket

LEAST, MOST = 10240, 65535
OUTGOING = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range")
_random = random.SystemRandom()  # not from a test's seed
_held = {}  # port: a socket whose name says that it is this process's


def _candidates():
    first, last = map(int, OUTGOING.read_text().split())
    left = [port for port in range(LEAST, MOST + 1) if not first <= port <= last]
    return left if len(left) >= 1000 else list(range(LEAST, MOST + 1))


def _hold(port):
    """Until this process ends."""
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0duban-port-{port}")  # abstract: the kernel forgets it with the process
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", port))
    except OSError:
        name.close()
        return False
    _held[port] = name
    return True


def free_ports(n):
    ports = [port for port in _random.sample(_candidates(), 1000) if port not in _held]
    chosen = []
    while len(chosen) < n:
        port = ports.pop()  # an IndexError: 1000 ports are taken
        if _hold(port):
            chosen.append(port)
    return chosen


def free_port():
    return free_ports(1)[0]
