"""A mail server small enough to read, which refuses and hangs up where a test asks for it."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default


class Server(socketserver.ThreadingTCPServer):
    """Keeps what it accepted in `mails`; `answers` replaces its answer to a verb.

    Verbs are those of SMTP, and `END` for the dot after the data. An empty answer hangs up.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, answers: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.answers = answers
        self.received: list[bytes] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(raw, policy=default) for raw in self.received]


class _Session(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        if not self._say("CONNECT", "220 hello"):
            return
        while line := self.rfile.readline():
            verb = line[:4].decode().upper().strip()
            if verb == "QUIT":
                self._say(verb, "221 bye")
                return
            if verb == "DATA":
                if not self._take_data():
                    return
            elif not self._say(verb, "250 ok"):
                return

    def _take_data(self) -> bool:
        if not self._say("DATA", "354 go on"):
            return False
        if not self.server.answers.get("DATA", "354").startswith("354"):
            return True
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        if self.server.answers.get("END", "250").startswith("250"):
            self.server.received.append(b"".join(lines))
        return self._say("END", "250 taken")

    def _say(self, verb: str, usual: str) -> bool:
        answer = self.server.answers.get(verb, usual)
        if answer:
            self.wfile.write(f"{answer}\r\n".encode())
        return bool(answer)


@contextmanager
def serving(**answers: str) -> Iterator[Server]:
    with Server(answers) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(timeout=5)
