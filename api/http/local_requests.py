"""Tells requests from this machine apart from requests that a proxy forwards."""

import ipaddress

from starlette.datastructures import Headers
from starlette.requests import Request

FORWARDING = (
    "forwarded",
    "x-forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-",
    "x-proxyuser-ip",
    "x-envoy-",
    "x-azure-",
    "x-appengine-",
    "x-cloud-trace-context",
    "x-amzn-trace-id",
    "true-client-ip",
    "client-ip",
    "cf-",
    "cdn-loop",
    "fastly-",
    "fly-",
    "proxy-",
)
"""Prefixes of the headers that proxies, load balancers and content networks add. One such header, with any value, is
enough: a direct request has no reason to carry it."""
OLD_HTTP = "1.0"
"""The HTTP version that nginx uses towards its upstreams by default; it then adds no header."""


def is_this_machine(request: Request) -> bool:
    """Whether a client on this machine sent the request directly.

    The peer's address must be a loopback address, no header may say that the request was forwarded, and `Host` must
    name this machine: a page of another site can make a local browser send requests under its own name (DNS
    rebinding)."""
    if request.scope.get("http_version") == OLD_HTTP or is_forwarded(request.headers):
        return False
    hosts = request.headers.getlist("host")
    return request.client is not None and _is_loopback(request.client.host) and len(hosts) == 1 and _is_here(hosts[0])


def is_forwarded(headers: Headers) -> bool:
    """Whether any header says that a proxy forwarded the request."""
    return any(name.startswith(FORWARDING) for name in headers)


def _is_here(host: str) -> bool:
    """Whether a `Host` header names this machine."""
    if host.startswith("["):
        return _is_loopback(host[1:].partition("]")[0])
    name = host.rpartition(":")[0] or host
    return name.casefold() == "localhost" or _is_loopback(name)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
