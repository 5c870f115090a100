"""How a connection is closed, and how much of an answer waits in the kernel."""

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

from api.http.deadlines import Phase

if TYPE_CHECKING:
    from api.http.protocol import BoundedProtocol

UNSENT_IN_KERNEL = 128 * 1024
"""Bytes that the kernel buffers before a write must wait; small, so that a slow reader's progress is visible."""


class LingeringTransport:
    """A transport that closes only after the client has stopped sending: an immediate close would reset the
    connection, and the client would never see the answer."""

    def __init__(self, real: asyncio.Transport, protocol: "BoundedProtocol") -> None:
        self.real = real
        self._protocol = protocol
        self.write = real.write
        self.abort = real.abort
        self.is_closing = real.is_closing
        self.get_extra_info = real.get_extra_info
        self.get_write_buffer_size = real.get_write_buffer_size
        self.pause_reading = real.pause_reading
        self.resume_reading = real.resume_reading

    def close(self) -> None:
        """Close; immediately if the client has sent all that it announced."""
        if self.real.is_closing() or self._protocol.phase is Phase.LINGER:
            return
        if self._protocol.reading_body:
            self._protocol.linger()
        else:
            self.real.close()
            self._protocol.closing()


def show_progress(transport: asyncio.Transport) -> None:
    """Let `get_write_buffer_size` tell how far the client has read."""
    connection = transport.get_extra_info("socket")
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if connection is not None and option is not None and connection.family in {socket.AF_INET, socket.AF_INET6}:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, option, UNSENT_IN_KERNEL)
