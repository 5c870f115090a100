"""Cross-site request forgery: detects requests from another site's page."""

from starlette.requests import Request


def is_cross_site(request: Request) -> bool:
    """Whether the browser says that another site's page sent this. For browsers that say nothing, the form's own token
    must match their cookie.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin not in {None, "null"} and (origin or "").partition("://")[2] != request.headers.get("host")
