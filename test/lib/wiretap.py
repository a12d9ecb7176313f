# SPDX-License-Identifier: Apache-2.0
"""A relay between a client and a server that counts what passes, TLS and all,
and that can be slow, cut, or stop at a given byte."""

import socket
import threading
import time

PIECE = 1 << 16


class Wiretap:
    """Listens on `port` (0: any) and relays to 127.0.0.1:target(); every
    connection asks target anew, so that a server may come back elsewhere."""

    def __init__(self, target, port=0):
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.open = set()
        self.rate = 0      # bytes per second to the server; 0: no limit
        self.refuse = False
        self.reset()
        threading.Thread(target=self._accept, daemon=True).start()

    def reset(self):
        """Counts from here on.  What clients that have ended sent last may not
        have passed yet, so this waits for their connections to end."""
        end = time.monotonic() + 60
        while self.open and time.monotonic() < end:
            time.sleep(0.005)
        with self.lock:
            self.connections = self.sent = self.received = 0

    @property
    def total(self):
        return self.sent + self.received

    def cut(self):
        """Ends all connections as a broken line does."""
        with self.lock:
            ends, self.open = self.open, set()
        for s in ends:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _accept(self):
        while True:
            client, _ = self.listener.accept()
            if self.refuse:
                client.close()
                continue
            try:
                server = socket.create_connection(
                    ("127.0.0.1", self.target()), 10)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            for s in client, server:
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.connections += 1
                self.open |= {client, server}
            ends = [threading.Lock(), 2]
            for args in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._relay, args=(*args, ends),
                                 daemon=True).start()

    def _relay(self, source, sink, up, ends):
        try:
            while True:
                data = source.recv(PIECE)
                if not data:
                    break
                with self.lock:
                    if up:
                        self.sent += len(data)
                    else:
                        self.received += len(data)
                if up and self.rate:
                    time.sleep(len(data) / self.rate)
                sink.sendall(data)
        except OSError:
            pass
        try:
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        with ends[0]:
            ends[1] -= 1
            last = ends[1] == 0
        if last:
            with self.lock:
                self.open -= {source, sink}
            source.close()
            sink.close()
