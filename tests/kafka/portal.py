"""A portal upstream: a producer by librdkafka itself, none of our code between, plain or transactional.

    with Portal(bootstrap) as p: p.send("duban.deadlines", b"workflow", value, {"ce_id": …}); p.flush()
    p = Portal(bootstrap, "portal-1"); p.begin(); p.send(…); p.commit() or p.abort() or p.abandon()
"""
import ctypes
import ctypes.util

RD = ctypes.CDLL(ctypes.util.find_library("rdkafka") or "librdkafka.so.1")
MSGFLAG_COPY = 2
QUEUE_FULL = -184
V_END, V_TOPIC, V_VALUE, V_KEY, V_MSGFLAGS, V_HEADER = 0, 1, 4, 5, 7, 9


class _Memory(ctypes.Structure):
    _fields_ = [("p", ctypes.c_char_p), ("n", ctypes.c_size_t)]


class _Header(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("value", ctypes.c_char_p), ("n", ctypes.c_ssize_t)]


class _Union(ctypes.Union):
    _fields_ = [("text", ctypes.c_char_p), ("memory", _Memory), ("header", _Header), ("i", ctypes.c_int), ("pad", ctypes.c_char * 64)]


class _Argument(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_int), ("u", _Union)]


def _declare():
    p, text, n = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
    for name, result, arguments in [
            ("conf_new", p, []), ("conf_set", ctypes.c_int, [p, text, text, text, n]), ("new", p, [ctypes.c_int, p, text, n]),
            ("produceva", p, [p, p, n]), ("poll", ctypes.c_int, [p, ctypes.c_int]), ("flush", ctypes.c_int, [p, ctypes.c_int]),
            ("outq_len", ctypes.c_int, [p]), ("purge", ctypes.c_int, [p, ctypes.c_int]), ("destroy", None, [p]),
            ("init_transactions", p, [p, ctypes.c_int]), ("begin_transaction", p, [p]), ("commit_transaction", p, [p, ctypes.c_int]),
            ("abort_transaction", p, [p, ctypes.c_int]), ("error_code", ctypes.c_int, [p]), ("error_string", text, [p]),
            ("error_is_retriable", ctypes.c_int, [p]), ("error_is_fatal", ctypes.c_int, [p]), ("error_txn_requires_abort", ctypes.c_int, [p]),
            ("error_destroy", None, [p])]:
        function = getattr(RD, "rd_kafka_" + name)
        function.restype, function.argtypes = result, arguments


_declare()


class Refused(RuntimeError):
    """A transaction that has to be aborted (fatal: by a new producer)."""

    def __init__(self, text, code, fatal):
        super().__init__(text)
        self.code, self.fatal = code, fatal


class Portal:
    def __init__(self, bootstrap, transactional=None, transaction_ms=1500, message_bytes=1000000):
        conf, why = RD.rd_kafka_conf_new(), ctypes.create_string_buffer(512)
        settings = {"bootstrap.servers": bootstrap, "partitioner": "murmur2_random", "linger.ms": "0", "enable.idempotence": "true", "message.max.bytes": str(message_bytes),
                    "log_level": "0", "reconnect.backoff.ms": "50", "reconnect.backoff.max.ms": "500",
                    **({"transactional.id": transactional, "transaction.timeout.ms": str(transaction_ms)} if transactional
                       else {"message.timeout.ms": "180000"})}
        for name, value in settings.items():
            if RD.rd_kafka_conf_set(conf, name.encode(), value.encode(), why, 512) != 0:
                raise RuntimeError(why.value.decode())
        self.rk = RD.rd_kafka_new(0, conf, why, 512)
        if not self.rk:
            raise RuntimeError(why.value.decode())
        if transactional:
            self._call(RD.rd_kafka_init_transactions, 60000)

    def _call(self, function, *arguments):
        """Again while it may be; what stays wrong is raised."""
        while error := function(self.rk, *arguments):
            text, code = RD.rd_kafka_error_string(error).decode(), RD.rd_kafka_error_code(error)
            fatal, again = RD.rd_kafka_error_is_fatal(error), RD.rd_kafka_error_is_retriable(error)
            requires_abort = RD.rd_kafka_error_txn_requires_abort(error)
            RD.rd_kafka_error_destroy(error)
            if fatal or requires_abort or not again:
                raise Refused(text, code, fatal)
            RD.rd_kafka_poll(self.rk, 20)

    def send(self, topic, key, value, headers):
        arguments = (_Argument * (4 + len(headers)))()
        arguments[0].kind, arguments[0].u.text = V_TOPIC, topic.encode()
        arguments[1].kind, arguments[1].u.i = V_MSGFLAGS, MSGFLAG_COPY
        arguments[2].kind, arguments[2].u.memory = V_KEY, _Memory(key, len(key))
        arguments[3].kind, arguments[3].u.memory = V_VALUE, _Memory(value, len(value))
        for i, (name, text) in enumerate(headers.items(), 4):
            data = text.encode()
            arguments[i].kind, arguments[i].u.header = V_HEADER, _Header(name.encode(), data, len(data))
        while error := RD.rd_kafka_produceva(self.rk, arguments, len(arguments)):
            text, code = RD.rd_kafka_error_string(error).decode(), RD.rd_kafka_error_code(error)
            RD.rd_kafka_error_destroy(error)
            if code != QUEUE_FULL:
                raise Refused(text, code, False)
            RD.rd_kafka_poll(self.rk, 20)
        RD.rd_kafka_poll(self.rk, 0)

    def begin(self):
        self._call(RD.rd_kafka_begin_transaction)

    def commit(self):
        self._call(RD.rd_kafka_commit_transaction, -1)

    def abort(self):
        self._call(RD.rd_kafka_abort_transaction, -1)

    def flush(self, seconds=180):
        """Until all of it is on the broker."""
        RD.rd_kafka_flush(self.rk, int(seconds * 1000))
        if left := RD.rd_kafka_outq_len(self.rk):
            raise RuntimeError(f"{left} records of a portal could not be placed within {seconds} s")

    def abandon(self):
        """Gone as if killed: a transaction that is open stays so until its time is up, or its id comes again."""
        if self.rk:
            RD.rd_kafka_purge(self.rk, 3)
            RD.rd_kafka_destroy(self.rk)
            self.rk = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.abandon()
