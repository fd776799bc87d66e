#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
airlock-host from the other side of its sockets, without QEMU: the ivshmem handshake, contact by messages in
the shared memory, commands, what a guest does wrong, and the exit codes. Prints "ok ..." and "not ok ..." lines.
Usage: client_test.py AIRLOCK-HOST
"""
import json
import mmap
import os
import select
import socket
import struct
import subprocess
import sys
import tempfile
import time

PAGE = 4096
MAGIC, PEER, PAGES, CPUS, HOST_STATE = 0x000, 0x00C, 0x010, 0x014, 0x020
GUEST_STATE, GUEST_CPUS, EOM, INCARNATION, SYNIC = 0x040, 0x044, 0x048, 0x04C, 0x080
TAIL, HEAD, ENTRIES, POSTS = 0x1000, 0x1040, 0x3000, 16
SIGNALS, STATES = 0x2000, 0x10000
READY, GONE = 1, 2
SLOTS_PAGE, FLAGS_PAGE = 40, 41
OFFER, REQUEST_OFFERS, ALL_OFFERS, CONTACT, RESPONSE, RESCIND = 1, 3, 4, 14, 15, 2
OLD, CONTACT_ID = 1, 4
VERSION = 0x00050003

failed = False


def check(name, good, found=""):
    global failed
    print(("ok " if good else "not ok ") + name + ("" if good else f": {found}"))
    failed = failed or not good


class Host:
    """The process and its command socket."""

    def __init__(self, program, folder, *options):
        self.folder, self.path = folder, os.path.join(folder, "iv.sock")
        self.image, self.report = os.path.join(folder, "disk.img"), os.path.join(folder, "report.json")
        with open(self.image, "wb") as f:
            f.truncate(1 << 20)
        for path in (self.path, self.path + ".control", self.report):
            if os.path.exists(path):
                os.unlink(path)
        self.log = open(os.path.join(folder, "host.log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [program, "--socket", self.path, "--control", self.path + ".control", "--disk", self.image,
             "--file", self.image, "--cpus", "2", "--report", self.report, "--verbose", *options],
            stderr=self.log)
        self.control = self.connect(self.path + ".control").makefile("rw", encoding="utf-8")

    @staticmethod
    def connect(path):
        until = time.monotonic() + 10
        while True:
            s = socket.socket(socket.AF_UNIX)
            try:
                s.connect(path)
                return s
            except OSError:
                s.close()
                if time.monotonic() > until:
                    raise
                time.sleep(0.01)

    def command(self, line):
        self.control.write(line + "\n")
        self.control.flush()
        return self.control.readline().rstrip("\n")

    def end(self, seconds=10):
        return self.process.wait(seconds)

    def read_report(self):
        with open(self.report, encoding="utf-8") as f:
            return json.load(f)


class Guest:
    """QEMU and guest in one: what came by the handshake, and the memory."""

    def __init__(self, host, cpus=2):
        self.socket = host.connect(host.path)
        self.socket.settimeout(10)
        self.hello = [self.message() for _ in range(4 + cpus)]
        self.file = self.hello[2][1]
        self.bell, self.vectors = self.hello[3][1], [m[1] for m in self.hello[4:]]
        self.memory = mmap.mmap(self.file, os.fstat(self.file).st_size)

    def message(self):
        data, files, _, _ = socket.recv_fds(self.socket, 8, 1)
        return struct.unpack("<q", data)[0], files[0] if files else None

    def leave(self):
        self.socket.close()
        self.memory.close()
        for _, file in self.hello:
            if file is not None:
                os.close(file)

    def load(self, at):
        return struct.unpack_from("<I", self.memory, at)[0]

    def store(self, at, value):
        struct.pack_into("<I", self.memory, at, value)

    def share(self, *pages, state=1):
        for page in pages:
            self.memory[STATES + page] = state

    def ring(self):
        os.write(self.bell, struct.pack("<Q", 1))

    def ready(self, slots=SLOTS_PAGE, flags=FLAGS_PAGE):
        self.share(SLOTS_PAGE, FLAGS_PAGE)
        self.store(GUEST_CPUS, 1)
        self.store(SYNIC, slots)
        self.store(SYNIC + 4, flags)
        self.store(TAIL, self.load(HEAD))
        self.store(INCARNATION, self.load(INCARNATION) + 1)
        self.store(GUEST_STATE, READY)
        self.ring()

    def post(self, connection, message):
        tail = self.load(TAIL)
        at = ENTRIES + tail % POSTS * 256
        entry = struct.pack("<IIII", connection, 0, 1, len(message)) + message
        self.memory[at:at + 256] = entry.ljust(256, b"\0")
        self.store(TAIL, tail + 1)
        self.ring()

    def contact(self):
        self.post(CONTACT_ID, struct.pack("<IIIIBBHIQQ", CONTACT, 0, VERSION, 0, 2, 0, 0, 0, 0, 0))

    def interrupted(self, cpu=0, seconds=5):
        if not select.select([self.vectors[cpu]], [], [], seconds)[0]:
            return False
        os.read(self.vectors[cpu], 8)
        return True

    def hear(self, seconds=5):
        """The next message in the slot, which is freed; None if there is none."""
        at, until = SLOTS_PAGE * PAGE + 512, time.monotonic() + seconds
        while self.load(at) == 0:
            if not self.interrupted(0, max(0, until - time.monotonic())) and time.monotonic() > until:
                return None
        size, flags = self.memory[at + 4], self.memory[at + 5]
        message = bytes(self.memory[at + 16:at + 16 + size])
        self.store(at, 0)
        if flags & 1:
            self.store(EOM, self.load(EOM) | 1)
            self.ring()
        return message

    def hear_type(self, wanted):
        while True:
            message = self.hear()
            if message is None or struct.unpack_from("<I", message)[0] == wanted:
                return message


class Disk:
    """A channel to the controller: rings of a page each in pages 50 to 53, data in 60 to 62."""
    RINGS, DATA, SIZE = 50, 60, PAGE
    IN_BAND, GPA_DIRECT, COMPLETION = 6, 9, 11

    def __init__(self, guest, connection, relid):
        self.guest, self.connection, self.relid = guest, connection, relid
        self.write = self.read = self.id = 0
        pages = [self.RINGS + i for i in range(4)]
        for page in pages:
            guest.memory[page * PAGE:(page + 1) * PAGE] = bytes(PAGE)
        guest.share(*pages, *range(self.DATA, self.DATA + 3))
        guest.post(connection, struct.pack("<IIIIHHII4Q", 8, 0, relid, 1, 40, 1, 4 * PAGE, 0, *pages))
        self.named = guest.hear_type(10)
        guest.store(self.RINGS * PAGE + 64, 1)
        guest.post(connection, struct.pack("<IIIIIII120x", 5, 0, relid, 7, 1, 0, 2))
        self.opened = guest.hear_type(6)

    def put(self, at, data):
        base = (self.RINGS + 1) * PAGE
        for i, byte in enumerate(data):
            self.guest.memory[base + (at + i) % self.SIZE] = byte

    def send(self, payload, page=None, size=0):
        self.id += 1
        ranges = b"" if page is None else struct.pack("<IIIIQ", 0, 1, size, 0, page)
        head = 16 + len(ranges)
        kind = self.IN_BAND if page is None else self.GPA_DIRECT
        packet = struct.pack("<HHHHQ", kind, head // 8, (head + len(payload)) // 8, 1, self.id) + ranges + payload
        self.put(self.write, packet + struct.pack("<II", 0, self.write))
        self.write = (self.write + len(packet) + 8) % self.SIZE
        self.guest.store(self.RINGS * PAGE, self.write)
        self.guest.store(SIGNALS, self.guest.load(SIGNALS) | 1 << self.relid)
        self.guest.ring()

    def receive(self):
        """The next packet's type, id and payload; None if there is none."""
        control, data = (self.RINGS + 2) * PAGE, (self.RINGS + 3) * PAGE
        if not wait_for(lambda: self.guest.load(control) != self.read):
            return None
        take = lambda at, n: bytes(self.guest.memory[data + (at + i) % self.SIZE] for i in range(n))
        kind, _, length, _, number = struct.unpack("<HHHHQ", take(self.read, 16))
        payload = take(self.read + 16, length * 8 - 16)
        self.read = (self.read + length * 8 + 8) % self.SIZE
        self.guest.store(control + 4, self.read)
        return kind, number, payload

    def step(self, operation, body=b""):
        self.send((struct.pack("<III", operation, 0, 0) + body).ljust(64, b"\0"))
        kind, number, payload = self.receive()
        return (kind, number) == (self.COMPLETION, self.id) and struct.unpack_from("<III", payload) == (1, 0, 0)

    def command(self, cdb, page=None, size=0, to_guest=False):
        srb = struct.pack("<HBBBBBBBBBBI16s20x", 52, 0, 0, 0, 0, 0, 0, len(cdb), 20, to_guest, 0, size, cdb)
        self.send(struct.pack("<III", 3, 0, 0) + srb, page, size)
        kind, number, payload = self.receive()
        return (kind, number) == (self.COMPLETION, self.id) and payload[14] == 1 and payload[15] == 0

    def page(self, i):
        return bytes(self.guest.memory[i * PAGE:(i + 1) * PAGE])

    def fill(self, i, data):
        self.guest.memory[i * PAGE:i * PAGE + len(data)] = data


def wait_for(condition, seconds=5):
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)
    return condition()


def test_handshake(host, guest):
    numbers = [m[0] for m in guest.hello]
    check("the handshake is that of ivshmem: QEMU is peer 0, the host 1", numbers == [0, 0, -1, 1, 0, 0], numbers)
    check("files come with memory and vectors", [m[1] is not None for m in guest.hello] == [False] * 2 + [True] * 4)
    check("the memory is 64 MiB", len(guest.memory) == 64 << 20, len(guest.memory))
    check("page 0 says so", (guest.memory[0:8], guest.load(PAGES), guest.load(CPUS), guest.load(PEER)) ==
          (b"airlock\0", 16384, 2, 1) and guest.load(HOST_STATE) == READY)
    try:
        os.ftruncate(guest.file, PAGE)
        shrunk = True
    except OSError:
        shrunk = False
    check("the memory cannot be made smaller", not shrunk)
    status = open(f"/proc/{host.process.pid}/status", encoding="utf-8").read()
    check("the host has no privileges to gain", "NoNewPrivs:\t1" in status)
    check("and is not root", os.geteuid() != 0 or "Uid:\t0" not in status)


def test_contact(host, guest):
    guest.ready()
    guest.contact()
    check("the interrupt of processor 0 comes", guest.interrupted())
    message = guest.hear()
    check("VERSION_RESPONSE is in its slot", message and struct.unpack_from("<IIBB", message) == (RESPONSE, 0, 1, 0), message)
    connection = struct.unpack_from("<I", message, 12)[0]
    guest.post(connection, struct.pack("<II", REQUEST_OFFERS, 0))
    offer = guest.hear()
    check("the disk is offered", offer and struct.unpack_from("<I", offer)[0] == OFFER and len(offer) == 196, offer)
    check("its signals have a connection id by its relid",
          struct.unpack_from("<I", offer, 192)[0] == 0x2000 + struct.unpack_from("<I", offer, 184)[0])
    check("the end of the message is heard, and the next one comes",
          struct.unpack_from("<I", guest.hear() or b"\0\0\0\0")[0] == ALL_OFFERS)
    check("what was posted is taken", guest.load(HEAD) == guest.load(TAIL) == 2)
    status = host.command("status")
    check("no errors of the guest so far", " guest=ready " in status and " guest_errors=0 " in status, status)


    test_disk(host, guest, Disk(guest, connection, struct.unpack_from("<I", offer, 184)[0]))


def test_disk(host, guest, disk):
    check("memory is named, and the channel opens",
          disk.named and disk.opened and struct.unpack_from("<I", disk.named, 16)[0] == 0 ==
          struct.unpack_from("<I", disk.opened, 16)[0])
    check("the handshake of storage is gone through", disk.step(7) and disk.step(9, struct.pack("<H", 0x0600)) and
          disk.step(10) and disk.step(8))
    data = os.urandom(PAGE)
    disk.fill(60, data)
    check("a page is written", disk.command(struct.pack(">BBIBHB", 0x2A, 0, 16, 0, 8, 0), 60, PAGE))
    image = lambda: open(host.image, "rb").read()[8192:8192 + PAGE]
    check("and stands in the image", image() == data)
    check("and is read back", disk.command(struct.pack(">BBIBHB", 0x28, 0, 16, 0, 8, 0), 61, PAGE, True) and
          disk.page(61) == data)
    check("the cache is flushed", disk.command(struct.pack(">BBIBHB", 0x35, 0, 0, 0, 0, 0)))
    check("blocks beyond the end are refused", not disk.command(struct.pack(">BBIBHB", 0x28, 0, 2048, 0, 8, 0), 61, PAGE, True))
    disk.fill(62, struct.pack(">HH4xQI4x", 22, 16, 16, 4))
    check("blocks are unmapped", disk.command(struct.pack(">BB5xHB", 0x42, 0, 24, 0), 62, 24) and
          image() == bytes(2048) + data[2048:])
    check("blocks are made zero", disk.command(struct.pack(">BBQIBB", 0x93, 1, 20, 4, 0, 0)) and image() == bytes(PAGE))
    check("news of a LUN reach the guest", host.command(f"lun add 5 {host.image}") == "ok" and
          struct.unpack_from("<I", disk.receive()[2])[0] == 11)
    check("of its end, too", host.command("lun remove 5") == "ok" and struct.unpack_from("<I", disk.receive()[2])[0] == 2)
    check("an attack is seen", host.command("attack R-092").startswith("ok") and
          disk.command(bytes(6)) and disk.receive()[1] == disk.id)
    status = host.command("status")
    check("and counted, and no error of the guest is", " guest_errors=0 acts=1 " in status, status)
    host.command("script")
    check("the mutator changes things", host.command("mutate data 5") == "ok" and
          wait_for(lambda: " mutations=0 " not in host.command("status")))
    host.command("mutate off")


def test_commands(host, guest):
    check("a rescind reaches the guest", host.command("rescind") == "ok" and guest.hear_type(RESCIND) is not None)
    check("what is gone cannot go", host.command("rescind").startswith("error"))
    check("an offer is accepted again", host.command("offer") == "ok")
    check("a LUN is added from a file that is open", host.command(f"lun add 3 {host.image}").startswith("ok"))
    check("and no second time", host.command(f"lun add 3 {host.image}").startswith("error"))
    check("and removed", host.command("lun remove 3").startswith("ok"))
    check("numbers are looked at", host.command("lun remove x").startswith("error \"x\""))
    secret = os.urandom(16)
    check("a secret that is not shared is not found", host.command("secret " + secret.hex()) == "ok found 0")
    guest.memory[77 * PAGE:77 * PAGE + 16] = secret
    found = host.command("secret " + secret.hex())
    check("one that is shared is", found == f"ok found 1 first {77 * PAGE:#x}", found)
    check("there is a list of attacks", len(host.command("attack list").split()) > 50)
    names = host.command("attack list").split()[1:]
    answers = [host.command("attack " + name) for name in names]
    check("all of them are scripts", all(a.startswith("ok ") for a in answers), answers)
    check("a script that is none is refused, with the place", host.command("script at 0: dance").startswith("error script:1:7"))
    check("scripts end", host.command("script") == "ok")
    check("the mutator starts and stops", host.command("mutate on 1") == "ok" and host.command("mutate off") == "ok")
    check("unknown commands are errors", host.command("dance").startswith("error"))


def test_wrong_guest(host, guest):
    """Nothing that a guest leaves in the memory ends the host."""
    guest.store(TAIL, guest.load(HEAD) + 1000)
    guest.ring()
    check("an index of posts far ahead is an error", wait_for(lambda: guest.load(HEAD) == guest.load(TAIL)))
    guest.memory[SIGNALS:SIGNALS + 512] = b"\xff" * 512
    guest.store(EOM, 0xFFFFFFFF)
    guest.ring()
    check("signals and ends of messages of nobody are taken",
          wait_for(lambda: not any(guest.memory[SIGNALS:SIGNALS + 512]) and guest.load(EOM) == 0))
    guest.post(CONTACT_ID, b"\xff" * 240)
    guest.store(TAIL, guest.load(TAIL) + 3)
    guest.ring()
    check("messages of noise are errors", wait_for(lambda: " guest_errors=0 " not in host.command("status")))
    guest.store(GUEST_STATE, GONE)
    guest.ring()
    check("a guest that is gone is forgotten", wait_for(lambda: "guest=absent" in host.command("status")))
    guest.ready(slots=0x7FFFFFFF, flags=5)
    check("SynIC pages outside of the memory are an error",
          wait_for(lambda: "SynIC pages" in host.command("status")), host.command("status"))
    guest.contact()
    check("and a message to them is lost", wait_for(lambda: guest.load(HEAD) == guest.load(TAIL)))
    guest.ready()
    guest.contact()
    check("another guest is known by its incarnation", guest.hear_type(RESPONSE) is not None)


def test_next_qemu(host):
    guest = Guest(host)
    check("the next QEMU finds cleared memory", not any(guest.memory[PAGE:3 * PAGE]) and guest.load(GUEST_STATE) == 0)
    guest.ready()
    guest.contact()
    check("and an answer", (guest.hear() or b"\0")[0] == RESPONSE)
    guest.memory[0:8] = bytes(8)
    guest.store(GUEST_STATE, GONE)
    guest.ring()
    check("the host's words of page 0 are written again when a restored machine has spoilt them",
          wait_for(lambda: guest.memory[0:8] == b"airlock\0"))
    guest.leave()


def test_end(host):
    check("quit is the end, with status 0", host.command("quit") == "ok" and host.end() == 0)
    report = host.read_report()
    check("the report counts", report["qemus"] == 2 and report["guests"] == 4 and report["messages_in"] > 2 and
          report["guest_errors"] > 3, report)


def test_bad_page(program, folder):
    host = Host(program, folder)
    guest = Guest(host)
    guest.ready()
    guest.contact()
    guest.hear()
    guest.share(SLOTS_PAGE, state=0)
    guest.contact()
    check("an honest host that is led to a page that is not shared ends with status 3", host.end() == 3)
    check("and says which", f"page {SLOTS_PAGE:#x}" in host.read_report()["last_error"], host.read_report())
    guest.leave()


def test_hostile_page(program, folder):
    script = os.path.join(folder, "script")
    with open(script, "w", encoding="utf-8") as f:
        f.write("on version_response 2: flags 1\n")
    host = Host(program, folder, "--script", script, "--once", "--mutate", "1")
    guest = Guest(host)
    guest.ready()
    guest.contact()
    check("with a script and the mutator, contact is made", guest.hear() is not None)
    guest.share(SLOTS_PAGE, state=0)
    guest.contact()
    check("a hostile host skips acts on pages that are not there",
          wait_for(lambda: " skipped=0 " not in host.command("status")), host.command("status"))
    guest.leave()
    check("--once: QEMU's end is the end, with status 0", host.end() == 0)
    check("acts are counted", host.read_report()["acts"] == 1, host.read_report())


def test_options(program):
    for options, word in ((["--pages", "12"], "--pages"), (["--disk", "/nowhere"], "/nowhere"), (["--dance"], "dance"),
                          (["--cpus", "x"], "--cpus"), ([], "--socket")):
        extra = ["--socket", "/tmp/airlock-host-unused"] if "--disk" in options else []
        ended = subprocess.run([program, *extra, *options], capture_output=True, text=True, timeout=10, check=False)
        check(f"wrong options are named: {word}", ended.returncode == 2 and word in ended.stderr, ended.stderr)


def main():
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        test_options(program)
        host = Host(program, folder)
        guest = Guest(host)
        test_handshake(host, guest)
        test_contact(host, guest)
        test_commands(host, guest)
        test_wrong_guest(host, guest)
        guest.leave()
        test_next_qemu(host)
        test_end(host)
        test_bad_page(program, folder)
        test_hostile_page(program, folder)
    sys.exit(1 if failed else 0)


main()
