"""A line between a daemon and a broker that can be made bad: a TCP proxy on loopback.

    cut     connections are reset, new ones refused
    drop    bytes of one direction vanish; when it is over the connections that lost some are reset
    delay   every piece waits, a different time each
    halve   of some pieces only a half arrives, then the connection ends
"""
import asyncio
import random
import socket
import struct
import threading

KINDS = ["cut", "drop", "delay", "halve"]
WAYS = ["to the broker", "to the daemon", "both ways"]
PIECE = 65536
HALVED = 0.3  # of the pieces, while it goes on


def reset(writer):
    """RST, not FIN."""
    if sock := writer.get_extra_info("socket"):
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass  # it is gone already
    writer.transport.abort()


class Proxy:
    def __init__(self, target_port):
        self.target_port, self.kind, self.ways, self.most = target_port, None, (), 0.0
        self.open, self.hurt = {}, set()  # connections: their two writers; those that lost bytes
        self.rng, self.count, self.passed, self.harmed = random.Random(0), 0, 0, 0
        self.loop = asyncio.new_event_loop()
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self.thread = threading.Thread(target=self._run, args=(listener,), daemon=True)
        self.thread.start()

    def _run(self, listener):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(asyncio.start_server(self._accept, sock=listener))
        self.loop.run_forever()

    async def _accept(self, reader, writer):
        if self.kind == "cut":
            self.harmed += 1
            reset(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            reset(writer)
            return
        self.count += 1
        number = self.count
        self.open[number] = (writer, far_writer)
        await asyncio.gather(self._pump(number, reader, far_writer, WAYS[0]), self._pump(number, far_reader, writer, WAYS[1]))
        self._end(number)

    def _end(self, number):
        for writer in self.open.pop(number, ()):
            reset(writer)
        self.hurt.discard(number)

    async def _pump(self, number, reader, writer, way):
        try:
            while number in self.open and (data := await reader.read(PIECE)):
                data = await self._treat(number, data, way)
                if number not in self.open:
                    return
                writer.write(data)
                self.passed += len(data)
                await writer.drain()
        except OSError:
            pass
        self._end(number)

    async def _treat(self, number, data, way):
        """What goes on of a piece."""
        if self.kind is None or way not in self.ways:
            return data
        self.harmed += 1
        if self.kind == "delay":
            await asyncio.sleep(self.rng.random() * self.most)
        elif self.kind == "drop":
            self.hurt.add(number)
            return b""
        elif self.kind == "halve" and self.rng.random() < HALVED:
            writer = self.open[number][0 if way == WAYS[1] else 1]
            writer.write(data[:len(data) // 2])
            self.hurt.add(number)
            await writer.drain()
            self._end_softly(number)
            return b""
        return data

    def _end_softly(self, number):
        """The half that was written arrives before the end."""
        for writer in self.open.pop(number, ()):
            writer.close()
        self.hurt.discard(number)

    # ---- from the test's thread

    def _do(self, function):
        done = threading.Event()

        def call():
            function()
            done.set()

        self.loop.call_soon_threadsafe(call)
        done.wait()

    def spoil(self, kind, way, most, seed):
        def begin():
            self.kind, self.ways, self.most, self.rng = kind, (WAYS[:2] if way == WAYS[2] else [way]), most, random.Random(seed)
            if kind == "cut":
                for number in list(self.open):
                    self._end(number)
        self._do(begin)

    def heal(self):
        def end():
            for number in list(self.hurt):
                self._end(number)
            self.kind, self.ways = None, ()
        self._do(end)

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
