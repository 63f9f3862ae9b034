"""A broker that trusts nobody: TLS with certificates made here, SASL/PLAIN, and an authorizer that denies what was not granted. One principal is above
it, `admin`. Besides the secure listener there is an open one, whose principal (ANONYMOUS) has no right to anything.

    with Secure(folder, lib, users={"duband": "secret"}) as b: b.grant("duband", "Topic", "duban.history", "Write")
"""
import socket
import ssl
import struct
import subprocess

import broker as brokers
from ports import free_port

ADMIN, ADMIN_PASSWORD = "admin", "of-the-broker"
NAME = "127.0.0.1"  # what the certificate vouches for; `localhost` is not in it

PROPERTIES = """\
listeners=PLAINTEXT://127.0.0.1:{open},SECURE://127.0.0.1:{secure},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{open},SECURE://127.0.0.1:{secure}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:SASL_SSL
inter.broker.listener.name=SECURE
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.mechanism.controller.protocol=PLAIN
listener.name.secure.plain.sasl.jaas.config={jaas}
listener.name.controller.plain.sasl.jaas.config={jaas}
ssl.keystore.type=PEM
ssl.keystore.location={folder}/{certificate}.keystore.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/authorities.pem
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{admin}
allow.everyone.if.no.acl.found=false
"""


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, stdin=subprocess.DEVNULL)


def make_authority(folder, name):
    """FOLDER/NAME.pem is an authority's certificate, NAME.keystore.pem the key and chain of a server that it vouches for."""
    key, server, request = folder / f"{name}.key", folder / f"{name}.server.key", folder / f"{name}.csr"
    certificate, extensions = folder / f"{name}.server.pem", folder / f"{name}.ext"
    elliptic = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
    for path in (key, server):
        openssl("genpkey", *elliptic, "-out", path)
    openssl("req", "-x509", "-new", "-key", key, "-days", "2", "-subj", f"/CN={name} of the tests", "-out", folder / f"{name}.pem")
    openssl("req", "-new", "-key", server, "-subj", f"/CN={NAME}", "-out", request)
    extensions.write_text(f"subjectAltName=IP:{NAME}\n")
    openssl("x509", "-req", "-in", request, "-CA", folder / f"{name}.pem", "-CAkey", key, "-CAcreateserial", "-days", "2", "-extfile", extensions,
            "-out", certificate)
    (folder / f"{name}.keystore.pem").write_text(server.read_text() + certificate.read_text() + (folder / f"{name}.pem").read_text())


class Secure(brokers.Broker):
    AUTHORITIES = ["authority", "stranger"]

    def __init__(self, folder, lib, users):
        super().__init__(folder, lib)
        self.users, self.certificate = dict(users), "authority"
        self.secure = free_port()
        self.keys = self.folder / "keys"
        self.keys.mkdir(parents=True, exist_ok=True)
        for name in self.AUTHORITIES:
            make_authority(self.keys, name)
        (self.keys / "authorities.pem").write_text("".join((self.keys / f"{name}.pem").read_text() for name in self.AUTHORITIES))
        self.admin = None

    def launch(self, detached=False):
        """With the users and the certificate of now."""
        users = " ".join(f'user_{name}="{password}"' for name, password in {ADMIN: ADMIN_PASSWORD, **self.users}.items())
        jaas = (f'org.apache.kafka.common.security.plain.PlainLoginModule required username="{ADMIN}" password="{ADMIN_PASSWORD}" {users};')
        self.extra = PROPERTIES.format(open=self.port, secure=self.secure, controller=self.controller, jaas=jaas, folder=self.keys,
                                       certificate=self.certificate, admin=ADMIN)
        super().launch(detached)

    @property
    def address(self):
        return f"{NAME}:{self.secure}"

    def client(self, user=ADMIN, password=None, authority="authority"):
        """librdkafka's settings of a principal."""
        return {"bootstrap.servers": self.address, "security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.username": user,
                "sasl.password": password or {ADMIN: ADMIN_PASSWORD, **self.users}[user], "ssl.ca.location": str(self.keys / f"{authority}.pem")}

    def kcat_config(self, user=ADMIN):
        path = self.folder / f"kcat-{user}.conf"
        path.write_text("".join(f"{k}={v}\n" for k, v in self.client(user).items() if k != "bootstrap.servers"))
        return str(path)

    # ---- rights

    def grant(self, *rights):
        self.administrator().change(CREATE_ACLS, rights)

    def revoke(self, *rights):
        self.administrator().change(DELETE_ACLS, rights)

    def administrator(self):
        self.admin = self.admin or Admin((NAME, self.secure), self.keys / "authority.pem", ADMIN, ADMIN_PASSWORD)
        return self.admin

    def kill(self):
        if self.admin:
            self.admin.close()
        self.admin = None
        super().kill()


# ---- ACLs, by the protocol itself (librdkafka 2.0 knows no transactional ids)

RESOURCES = {"Topic": 2, "Group": 3, "Cluster": 4, "TransactionalId": 5}
OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Delete": 6, "Alter": 7, "Describe": 8, "ClusterAction": 9, "DescribeConfigs": 10,
              "AlterConfigs": 11, "IdempotentWrite": 12}
LITERAL, PREFIXED, ALLOW = 3, 4, 3
SASL_HANDSHAKE, SASL_AUTHENTICATE, CREATE_ACLS, DELETE_ACLS, DELETE_TOPICS, ALTER_CONFIGS = 17, 36, 30, 31, 20, 44


def text(s):
    return struct.pack(">h", len(s)) + s.encode()


def acl(principal, resource, name, operation):
    """A name that ends in * is a prefix."""
    pattern = PREFIXED if name.endswith("*") else LITERAL
    return (struct.pack(">b", RESOURCES[resource]) + text(name.rstrip("*")) + struct.pack(">b", pattern) + text(f"User:{principal}") + text("*")
            + struct.pack(">bb", OPERATIONS[operation], ALLOW))


class Admin:
    """Speaks to the broker as its administrator."""

    def __init__(self, address, authority, user, password):
        context = ssl.create_default_context(cafile=authority)
        self.socket = context.wrap_socket(socket.create_connection(address, 60), server_hostname=address[0])
        self.call(SASL_HANDSHAKE, 1, text("PLAIN"))
        token = f"\0{user}\0{password}".encode()
        answer = self.call(SASL_AUTHENTICATE, 0, struct.pack(">i", len(token)) + token)
        if answer[:2] != b"\0\0":
            raise RuntimeError("the administrator is not let in")

    def close(self):
        self.socket.close()

    def call(self, api, version, body):
        request = struct.pack(">hhi", api, version, 1) + text("secure.py") + body
        self.socket.sendall(struct.pack(">i", len(request)) + request)
        return self.receive(struct.unpack(">i", self.receive(4))[0])[4:]

    def receive(self, n):
        data = b""
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            if not more:
                raise RuntimeError("the broker has closed the administrator's connection")
            data += more
        return data

    def change(self, api, rights):
        """All of them, or it raises."""
        answer = self.call(api, 1, struct.pack(">i", len(rights)) + b"".join(acl(*right) for right in rights))
        at = 8  # behind throttle and count
        for right in rights:
            code, n = struct.unpack(">hh", answer[at:at + 4])
            at += 4 + max(n, 0)
            if code:
                raise RuntimeError(f"{right}: error {code}: {answer[at - max(n, 0):at].decode()}")
            if api == DELETE_ACLS:
                at = self.skip_matching(right, answer, at)

    def delete_topic(self, name):
        answer = self.call(DELETE_TOPICS, 1, struct.pack(">i", 1) + text(name) + struct.pack(">i", 60000))
        if answer[-2:] != b"\0\0":
            raise RuntimeError(f"{name}: not deleted, error {int.from_bytes(answer[-2:], 'big')}")

    def alter_topic(self, name, **settings):
        body = struct.pack(">i", 1) + struct.pack(">b", RESOURCES["Topic"]) + text(name) + struct.pack(">i", len(settings))
        for key, value in settings.items():
            body += text(key.replace("_", ".")) + b"\0" + text(value)
        code, = struct.unpack(">h", self.call(ALTER_CONFIGS, 0, body + b"\0")[8:10])
        if code:
            raise RuntimeError(f"{name}: not altered, error {code}")

    @staticmethod
    def skip_matching(right, answer, at):
        count, = struct.unpack(">i", answer[at:at + 4])
        at += 4
        if count != 1:
            raise RuntimeError(f"{right}: {count} entries were taken away")
        at += 2  # error
        for fixed in (1, 1, 0, 0):  # message and type, name and pattern, principal, host
            n, = struct.unpack(">h", answer[at:at + 2])
            at += 2 + max(n, 0) + fixed
        return at + 2  # operation, permission
