"""Cross-site request forgery: whether the page of another site sent a request."""

from starlette.requests import Request


def is_cross_site(request: Request) -> bool:
    """Whether a browser says that another site's page sent this. Browsers that say nothing are told by the form's own
    token, which must fit their cookie."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin not in {None, "null"} and (origin or "").partition("://")[2] != request.headers.get("host")
