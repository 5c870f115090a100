"""`buddy doctor`: checks that everything is present and consistent."""

import asyncio
import importlib.metadata
import platform
import smtplib
from dataclasses import dataclass

import redis.asyncio
import redis.exceptions

from api.auth import mail
from api.auth.key_rotation import needing_older_keys
from api.auth.keyring import SecretMissing, key_file_of, keyring
from api.database_url import SqliteUrl
from api.db import migrate
from api.db.engine import Database
from api.db.private_files import too_open
from api.observability.metrics import Metrics
from api.policies import ServedPolicy
from api.settings import Settings
from coach_model.budget import coach as budget
from coach_model.daily import coach as daily
from coach_model.onnx_policy import Contract, OnnxPolicy

REDIS_SECONDS = 2.0
"""Time limit for Redis."""


@dataclass(frozen=True)
class Finding:
    """One line of the table. `fine` is False where something must be done."""

    what: str
    fine: bool
    found: str


async def examine(settings: Settings, database: Database) -> list[Finding]:
    """Check everything that the service needs. It changes nothing, and the findings contain no secret."""
    version = importlib.metadata.version("buddy-coach")
    findings = [Finding("version", True, f"buddy-coach {version} on Python {platform.python_version()}")]
    findings.append(
        Finding("settings", True, f"listening on {settings.host}:{settings.port}, log {settings.log_level}")
    )
    findings.append(await _database(settings, database))
    findings += [_model(settings, contract) for contract in (budget.CONTRACT, daily.CONTRACT)]
    findings.append(await _redis(settings))
    findings.append(_secrets(settings))
    findings.append(await _keys(settings, database))
    findings.append(_files(settings))
    findings.append(_ids(settings))
    findings.append(_pages(settings))
    findings.append(_metrics(settings))
    findings.append(await asyncio.to_thread(_mail, settings))
    return findings


async def _database(settings: Settings, database: Database) -> Finding:
    name = settings.database.shown
    try:
        revision = await migrate.current_revision(database)
    except Exception as error:  # noqa: BLE001 - every error becomes a finding
        return Finding("database", False, f"{name}: {str(error).partition(chr(10))[0][:200]}")
    newest = migrate.newest_revision()
    if revision != newest:
        return Finding("database", False, f"{name}: at {revision or 'nothing'}, needs {newest}: buddy db upgrade")
    return Finding("database", True, f"{name}: at {revision}")


def _model(settings: Settings, contract: Contract) -> Finding:
    served = ServedPolicy(contract, settings.coach_model_dir, Metrics())
    served.start()
    if isinstance(served.now, OnnxPolicy):
        return Finding(f"{contract.coach} model", True, f"{served.now.policy_id} from {served.folder()}")
    return Finding(f"{contract.coach} model", False, f"{served.now} in {served.folder()}: the rules answer")


async def _redis(settings: Settings) -> Finding:
    if settings.redis_url is None:
        return Finding("Redis", True, "none: each process counts its rate limits for itself")
    client = redis.asyncio.from_url(settings.redis_url, socket_connect_timeout=REDIS_SECONDS)
    try:
        version = (await client.info("server"))["redis_version"]
    except (redis.exceptions.RedisError, OSError) as error:
        return Finding("Redis", False, f"away ({type(error).__name__}): limits count for each process alone")
    finally:
        await client.aclose()
    return Finding("Redis", True, f"{version}: rate limits are shared")


def _secrets(settings: Settings) -> Finding:
    exports = (
        "exports are on" if settings.research_export_token else "no RESEARCH_EXPORT_TOKEN: exports over HTTP are off"
    )
    if settings.secret_key is not None:
        return Finding("secrets", True, f"SECRET_KEY is set; {exports}")
    if isinstance(settings.database, SqliteUrl):
        return Finding("secrets", True, f"SECRET_KEY is kept beside the database: back up both; {exports}")
    return Finding("secrets", False, "SECRET_KEY must be set on PostgreSQL: `openssl rand -hex 32` makes one")


def _ids(settings: Settings) -> Finding:
    if settings.require_uuids:
        return Finding("ids", True, "only users with a UUID are created")
    told = "apps may choose ids that can be guessed"
    if settings.is_public:
        told += "; the address is public: REQUIRE_UUIDS=true is recommended"
    return Finding("ids", True, told)


def _pages(settings: Settings) -> Finding:
    admin = "admin can log in to /admin" if settings.admin_password else "no ADMIN_PASSWORD: logins to /admin are off"
    ahead = f"Claude chooses days from {settings.curate_at:%H:%M} on" if settings.curate_at else "no CURATE_AT"
    return Finding("pages", True, f"{admin}; families at /family; {ahead}")


def _metrics(settings: Settings) -> Finding:
    if settings.metrics_token is not None:
        return Finding("metrics", True, "/metrics needs METRICS_TOKEN")
    if settings.is_public:
        found = "/metrics is closed: the service is reached from elsewhere and METRICS_TOKEN is not set"
        return Finding("metrics", False, found)
    return Finding("metrics", True, "/metrics answers this machine alone")


def _mail(settings: Settings) -> Finding:
    if settings.smtp_host is None:
        return Finding("mail", True, "no SMTP_HOST: operators hand links over, and signing up says what is taken")
    where = f"{settings.smtp_host}:{settings.smtp_port}"
    try:
        with mail.connected(settings) as server:
            server.noop()
    except (OSError, smtplib.SMTPException) as error:
        return Finding("mail", False, f"{where}: {type(error).__name__}: mails are not sent")
    return Finding("mail", True, f"{where} takes mails from {settings.smtp_from}")


async def _keys(settings: Settings, database: Database) -> Finding:
    """Whether an older key is still needed."""
    if settings.secret_key is None and (
        not isinstance(settings.database, SqliteUrl) or not key_file_of(settings).exists()
    ):
        return Finding("keys", True, "none was made yet")
    try:
        older, lost = await needing_older_keys(database, keyring(settings))
    except SecretMissing as error:
        return Finding("keys", False, str(error))
    except Exception:  # noqa: BLE001 - a database error is reported above
        return Finding("keys", True, "unknown: the database does not answer, or has other tables")
    if lost:
        return Finding("keys", False, f"{lost} values are opened by none of the keys: SECRET_KEY lacks one")
    if older:
        return Finding("keys", True, f"{older} values need an older key: buddy secrets rotate")
    return Finding("keys", True, "the newest key opens everything; older ones may go")


def _files(settings: Settings) -> Finding:
    found = too_open(settings.database)
    if found:
        names = ", ".join(file.name for file in found)
        return Finding("files", False, f"other accounts may read {names}: chmod 600, or restart the service")
    return Finding("files", True, "database, keys and ledger are closed to other accounts")
