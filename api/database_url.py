"""DATABASE_URL: an SQLite file, or PostgreSQL as libpq reads its connection URIs.

Messages of this module never contain a part of the URL that may be a password. PostgreSQL's parameters are documented
at https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

POSTGRES_SCHEMES = ("postgresql", "postgres")
DEFAULT_PORT = 5432
SHOWN_NAME = re.compile(r"[a-z_]{1,40}\Z")
"""Pattern of a parameter's name that an error may repeat."""
BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
OTHERS = ("mysql", "mariadb", "mssql", "oracle", "mongodb", "redis", "cockroachdb", "http", "https", "file")
"""Schemes that an error may repeat; any other text may be part of a password."""
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
SYSTEM = "system"
"""Value of `sslrootcert` for the authorities that this machine trusts (libpq 16)."""

ENVIRONMENT = {
    "host": "PGHOST",
    "port": "PGPORT",
    "dbname": "PGDATABASE",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "passfile": "PGPASSFILE",
    "options": "PGOPTIONS",
    "application_name": "PGAPPNAME",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslcrl": "PGSSLCRL",
    "sslnegotiation": "PGSSLNEGOTIATION",
    "channel_binding": "PGCHANNELBINDING",
    "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
    "ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "krbsrvname": "PGKRBSRVNAME",
    "gsslib": "PGGSSLIB",
    "gssencmode": "PGGSSENCMODE",
    "load_balance_hosts": "PGLOADBALANCEHOSTS",
}
"""libpq parameters and the matching environment variables of its programs."""


class BadDatabaseUrl(ValueError):
    """DATABASE_URL cannot be used; the message says why, without the URL."""


@dataclass(frozen=True)
class SqliteUrl:
    """An SQLite database in a file."""

    file: Path

    @property
    def shown(self) -> str:
        """The URL to show to people."""
        return f"sqlite:///{self.file}"


@dataclass(frozen=True)
class PostgresUrl:
    """A PostgreSQL database. Values that are None or empty come from libpq's environment variables or defaults."""

    hosts: tuple[tuple[str, int], ...] = ()
    """Host names, addresses, or folders of Unix sockets, with their ports; tried in this order."""
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    database: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    """The checked parameters of `ENVIRONMENT`."""
    is_pooled: bool | None = None
    """Whether a pooler is in front of the server, None if the URL does not say."""

    @property
    def connect_seconds(self) -> float | None:
        """The most seconds to connect to one host, None if the URL does not say."""
        seconds = int(self.parameters.get("connect_timeout", 0))
        return float(seconds) if seconds > 0 else None

    @property
    def shown(self) -> str:
        """The URL to show to people, without the password and the parameters, which may hold secrets too."""
        hosts = ",".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts)
        user = f"{quote(self.user, safe='')}@" if self.user else ""
        return f"postgresql://{user}{hosts}/{self.database or ''}"

    def libpq_environment(self) -> dict[str, str]:
        """The variables with which pg_dump, pg_restore and psql reach this database. They are not on the command line,
        where every user of the machine could read the password."""
        told = dict(self.parameters)
        if self.hosts:
            told |= {"host": ",".join(host for host, _ in self.hosts)}
            told |= {"port": ",".join(str(port) for _, port in self.hosts)}
        whose = {"user": self.user, "password": self.password, "dbname": self.database}
        told |= {name: value for name, value in whose.items() if value is not None}
        return {ENVIRONMENT[name]: value for name, value in told.items()}


def read_url(url: str) -> SqliteUrl | PostgresUrl:
    """Read DATABASE_URL. Raises BadDatabaseUrl."""
    scheme, found, rest = url.strip().partition("://")
    backend = scheme.partition("+")[0].lower()
    if not found or not re.fullmatch(r"[a-z0-9]{1,20}", backend):
        raise BadDatabaseUrl("is no database URL; it begins with sqlite:/// or postgresql://")
    if backend == "sqlite":
        return _sqlite(rest)
    if backend not in POSTGRES_SCHEMES:
        other = backend if backend in OTHERS else "no database that this service knows"
        raise BadDatabaseUrl(f"names {other}; sqlite and postgresql are known")
    return _postgres(rest)


def _sqlite(rest: str) -> SqliteUrl:
    if "?" in rest:
        raise BadDatabaseUrl("takes no parameters for SQLite")
    if not rest.startswith("/"):
        raise BadDatabaseUrl("needs a path for SQLite: sqlite:///folder/file.db, or sqlite:////absolute/file.db")
    name = rest.removeprefix("/")
    if not name or name == ":memory:" or "\0" in name or name.endswith("/"):
        raise BadDatabaseUrl("needs a file for SQLite, such as sqlite:///var/buddy.db")
    return SqliteUrl(Path(name))


def _postgres(rest: str) -> PostgresUrl:
    try:
        authority, query = _split(rest)
        authority, _, database = authority.partition("/")
        credentials, _, hosts = authority.rpartition("@")
        user, _, password = credentials.partition(":")
        parameters = _parameters(query)
        netloc = {"host": hosts, "user": _decoded(user), "password": _decoded(password), "dbname": _decoded(database)}
        told = {name: value for name, value in netloc.items() if value} | parameters
        pooled = _pooled(told)
        for name, check in CHECKS.items():
            if name in told:
                check(name, told[name])
        places = _hosts(told.pop("host", ""), told.pop("port", ""), is_netloc="host" not in parameters)
        _refuse_unknown(told)
    except BadDatabaseUrl as error:
        if "@" in rest[len(re.split(r"[/?]", rest, maxsplit=1)[0]) :]:  # the text after it may be part of a password
            raise BadDatabaseUrl(
                "cannot be read: in a user name or password, write / ? # @ : and % as %2F %3F %23 %40 %3A and %25"
            ) from error
        raise
    return PostgresUrl(
        places,
        told.pop("user", None),
        told.pop("password", None),
        told.pop("dbname", None),
        {name: value for name, value in told.items() if name in ENVIRONMENT},
        pooled,
    )


def _split(rest: str) -> tuple[str, str]:
    before, _, query = rest.partition("?")
    if "#" in rest:
        raise BadDatabaseUrl("holds a #, which is written %23")
    return before, query


def _decoded(text: str) -> str:
    """Percent-decode like libpq: a plus stays a plus."""
    if BAD_PERCENT.search(text):
        raise BadDatabaseUrl("holds a % that begins no %XX; a plain % is written %25")
    try:
        decoded = unquote_to_bytes(text).decode()
    except UnicodeError:
        raise BadDatabaseUrl("is not UTF-8") from None
    if "\0" in decoded:
        raise BadDatabaseUrl("holds a NUL")
    return decoded


def _parameters(query: str) -> dict[str, str]:
    found = {}
    for part in query.split("&") if query else ():
        name, equals, value = part.partition("=")
        if not equals:
            raise BadDatabaseUrl("has a parameter without a value")
        found[_decoded(name)] = _decoded(value)
    return {name: value for name, value in found.items() if value}


def _hosts(hosts: str, ports: str, *, is_netloc: bool) -> tuple[tuple[str, int], ...]:
    """`a:1,b:2` of the URL itself, where hosts are still encoded, or the parameters `host` and `port`."""
    given = ports.split(",") if ports else []
    names = hosts.split(",") if hosts else []
    if len(given) > 1 and len(given) != len(names):
        raise BadDatabaseUrl("needs as many ports as hosts, or one")
    found = []
    for place, name in enumerate(names):
        host, port = _host_and_port(name) if is_netloc else (name, "")
        port = (given[place] if len(given) > 1 else given[0]) if given else port
        if port and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) <= 65535):  # noqa: PLR2004
            raise BadDatabaseUrl("has a port that is no number from 1 to 65535")
        found.append((host or "localhost", int(port or DEFAULT_PORT)))
    if given and not names:
        return (("localhost", int(given[0])),) if given[0].isdigit() else _hosts("localhost", ports, is_netloc=False)
    return tuple(found)


def _host_and_port(name: str) -> tuple[str, str]:
    if name.startswith("["):
        host, closed, after = name.removeprefix("[").partition("]")
        if not closed or (after and not after.startswith(":")):
            raise BadDatabaseUrl("has an IPv6 address that is not in brackets, as in [::1]:5432")
        return host, after.removeprefix(":")
    host, _, port = name.partition(":")
    if ":" in port:
        raise BadDatabaseUrl("has an IPv6 address that is not in brackets, as in [::1]:5432")
    return _decoded(host), port


def _pooled(told: dict[str, str]) -> bool | None:
    """Remove the parameters with which other libraries configure a pooler, and return what they say."""
    pooled: bool | None = None
    for name in ("statement_cache_size", "prepared_statement_cache_size"):
        size = told.pop(name, None)
        if size is not None:
            _whole_number(name, size)
            pooled = True if int(size) == 0 else pooled
    flag = told.pop("pgbouncer", None)
    if flag is not None:
        _one_of("true", "false")("pgbouncer", flag)
        pooled = pooled or flag == "true"
    return pooled


def _refuse_unknown(told: Mapping[str, str]) -> None:
    for name in told:
        if name not in ENVIRONMENT and name not in WITHOUT_EFFECT:
            said = name if SHOWN_NAME.match(name) else "that is no name"
            raise BadDatabaseUrl(f"has a parameter that this service does not know: {said}")


type Check = Callable[[str, str], None]


def _one_of(*values: str) -> Check:
    def check(name: str, value: str) -> None:
        if value not in values:
            raise BadDatabaseUrl(f"has a {name} that is none of {', '.join(values)}")

    return check


def _whole_number(name: str, value: str) -> None:
    if not re.fullmatch(r"-?[0-9]{1,9}", value):
        raise BadDatabaseUrl(f"has a {name} that is no whole number")


def _client_encoding(_: str, value: str) -> None:
    if value.lower().replace("-", "") not in {"utf8", "auto", "unicode"}:
        raise BadDatabaseUrl("has a client_encoding other than UTF8")


WITHOUT_EFFECT = {
    *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"),
    *("fallback_application_name", "client_encoding", "sslcompression", "sslsni"),
}
"""Accepted and ignored: requests have their own time limit (`api.db.budget`), and the rest always applies."""
CHECKS: dict[str, Check] = {
    "sslmode": _one_of(*SSL_MODES),
    "channel_binding": _one_of("disable", "prefer", "require"),
    "sslnegotiation": _one_of("postgres", "direct"),
    "target_session_attrs": _one_of("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
    "load_balance_hosts": _one_of("disable", "random"),
    "gssencmode": _one_of("disable", "prefer"),
    "gsslib": _one_of("gssapi", "sspi"),
    "sslcompression": _one_of("0", "1"),
    "sslsni": _one_of("1"),
    "client_encoding": _client_encoding,
    **dict.fromkeys(("ssl_min_protocol_version", "ssl_max_protocol_version"), _one_of("TLSv1.2", "TLSv1.3")),
    **dict.fromkeys(("connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval"), _whole_number),
    **dict.fromkeys(("keepalives_count", "tcp_user_timeout"), _whole_number),
}
