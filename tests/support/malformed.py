"""Malformed requests."""

import gzip
import random

from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from tests.actors.person import EVENT, SNAPSHOT, WEEK

NASTY = [
    *(
        b"\0",
        b"\xff",
        b"\xed\xa0\xbd",
        b"\xf0\x9f\x98",
        b"\r",
        b"\n",
        b"\r\n",
        b"\t",
        b" ",
        b"%",
        b"%00",
        b"%ff",
        b"%0d%0a",
    ),
    *(
        b"%ED%A0%80",
        b"%25%30%30",
        b"../",
        b"..%2f",
        b"//",
        b";",
        b"?",
        b"#",
        b"&",
        b"=",
        b"'",
        b'"',
        b"\\u0000",
        b"\\ud83d",
    ),
    *(b"\xe3\x83\x8f", b"a" * 300, b"9" * 400, b"-1", b"1e999", b"NaN", b"null", b"true", b"[]", b"{}", b"[" * 500),
    *(b"2147483648", b"9223372036854775808", b"1.0", b"0x1", b"2026-02-30", b"9999-12-31T23:59:59Z", b"0000-00-00"),
]
METHODS = [
    b"GET",
    b"HEAD",
    b"POST",
    b"PUT",
    b"PATCH",
    b"DELETE",
    b"OPTIONS",
    b"TRACE",
    b"PROPFIND",
    b"CONNECT",
    b"get",
    b"G\0T",
]
NAMES = [
    *(
        b"X-User-UUID",
        b"Idempotency-Key",
        b"Accept-Language",
        b"If-None-Match",
        b"Cookie",
        b"Authorization",
        b"X-Request-ID",
    ),
    *(
        b"Content-Type",
        b"Content-Encoding",
        b"Transfer-Encoding",
        b"Expect",
        b"Upgrade",
        b"Connection",
        b"Range",
        b"Origin",
    ),
    *(
        b"X-Forwarded-For",
        b"X-Forwarded-Proto",
        b"Host",
        b"Forwarded",
        b"X-Research-Export-Token",
        b"Sec-Fetch-Site",
        b"A",
    ),
]
VALUES = [
    b"gzip",
    b"br",
    b"chunked",
    b"100-continue",
    b"websocket",
    b"close",
    b"keep-alive",
    b"Bearer kb_live_",
    b"*",
    b"en;q=2",
]
PLACES = [
    *(
        "/",
        "/health/live",
        "/health/ready",
        "/metrics",
        "/templates",
        "/badges",
        "/docs",
        "/openapi.json",
        "/coach/model",
    ),
    *(
        "/api/income-ranges",
        "/api/research/instruments",
        "/api/users",
        "/api/users/{uuid}",
        "/api/users/{uuid}/profile",
    ),
    *("/api/users/{uuid}/points", "/api/users/{uuid}/data", "/api/users/{uuid}/challenges", "/api/users/{uuid}/badges"),
    *("/api/users/{uuid}/summaries/weekly", "/api/users/{uuid}/summaries/monthly/202606", "/api/users/{uuid}/events"),
    *("/api/users/{uuid}/research/progress-snapshots", "/api/users/{uuid}/challenges/1/accept", "/coach/suggestions"),
    *(
        "/coach/suggestions/batch",
        "/api/v1/me",
        "/api/v1/todos",
        "/api/v1/todos/1/complete",
        "/api/v1/today",
        "/api/v1/guides",
    ),
    *("/api/v1/history", "/api/v1/stats", "/api/v1/chat", "/family/login", "/family/today", "/family/signup", "/admin"),
    *("/admin/api/sign-in", "/admin/api/list/User", "/family/static/x", "/docs/assets/x", "/templates?challenge_type="),
    *("/api/v1/todos?status=", "/api/users/{uuid}/challenges?cursor=", "/badges?limit="),
]
BODIES = [
    EXAMPLE_CONTEXT,
    EVENT,
    SNAPSHOT,
    WEEK,
    {"title": "Sing"},
    {"message": "Hello"},
    {"uuid": "x"},
    {"contexts": [{}]},
]


class Maker:
    """Malformed requests, reproducible by seed. Half of them start from valid ones."""

    def __init__(self, rng: random.Random, uuid: str, token: str) -> None:
        self.rng = rng
        self.uuid = uuid
        self.token = token

    def request(self) -> bytes:
        """A request with some of it changed, lost, doubled or cut off."""
        sent = self._head() + self._body()
        for _ in range(self.rng.choice([0, 0, 1, 2, 4])):
            sent = self.rng.choice([self._inserted, self._cut, self._flipped, self._doubled])(sent)
        return sent

    def _head(self) -> bytes:
        rng = self.rng
        method = rng.choice(METHODS[:6] if rng.random() < 0.8 else METHODS)
        # A deleted user stays deleted; the others must still exist.
        uuid = f"{rng.getrandbits(128):032x}" if method == b"DELETE" else self.uuid
        place = rng.choice(PLACES).format(uuid=uuid).encode()
        if rng.random() < 0.5:
            place = (
                self._inserted(place)
                if rng.random() < 0.5
                else place + rng.choice([b"/", b"?x=", b"&limit="]) + self._nasty()
            )
        version = rng.choice([b"HTTP/1.1"] * 8 + [b"HTTP/1.0", b"HTTP/9.9", b""])
        lines = [b" ".join([method, place, version])]
        lines += [b"Host: buddy"] if rng.random() < 0.95 else []
        if b"/v1/" in place and rng.random() < 0.7:
            lines.append(b"Authorization: Bearer " + self.token.encode())
        for _ in range(rng.choice([0, 1, 1, 3])):
            value = rng.choice(VALUES) if rng.random() < 0.5 else self._nasty() + self._nasty()
            lines.append(rng.choice(NAMES) + b": " + value)
        return b"\r\n".join(lines)

    def _body(self) -> bytes:
        rng = self.rng
        if rng.random() < 0.3:
            return b"\r\n\r\n"
        body = str(rng.choice(BODIES)).replace("'", '"').replace("False", "false").replace("None", "null").encode()
        for _ in range(rng.choice([0, 1, 2])):
            body = self._inserted(body)
        headers = b"\r\nContent-Type: " + rng.choice(
            [b"application/json", b"text/plain", b"application/x-www-form-urlencoded"]
        )
        if rng.random() < 0.2:
            body, headers = gzip.compress(body), headers + b"\r\nContent-Encoding: gzip"
        if rng.random() < 0.2:
            return headers + b"\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        length = len(body) + rng.choice([0, 0, 0, 0, 1, -1])
        return headers + b"\r\nContent-Length: %d\r\n\r\n%s" % (length, body)

    def _nasty(self) -> bytes:
        return self.rng.choice(NASTY)

    def _inserted(self, sent: bytes) -> bytes:
        at = self.rng.randrange(len(sent) + 1)
        return sent[:at] + self._nasty() + sent[at:]

    def _cut(self, sent: bytes) -> bytes:
        return sent[: self.rng.randrange(len(sent) + 1)]

    def _flipped(self, sent: bytes) -> bytes:
        changed = bytearray(sent)
        if changed:
            changed[self.rng.randrange(len(changed))] = self.rng.randrange(256)
        return bytes(changed)

    def _doubled(self, sent: bytes) -> bytes:
        return sent + sent
