"""What an operator asks first: is everything there, and does it fit together?"""

import importlib.metadata
import platform
from dataclasses import dataclass

from api import storage
from api.database import Database, async_url
from api.kakei.coach.serving import ServedPolicy
from api.settings import Settings
from api.telemetry import Metrics
from coach_model.onnx_policy import OnnxPolicy


@dataclass(frozen=True)
class Finding:
    """One line of the table. `fine` is False where something must be done."""

    what: str
    fine: bool
    found: str


async def examine(settings: Settings, database: Database) -> list[Finding]:
    """Look at everything that the service stands on. Nothing is changed, and no secret is in what is found."""
    version = importlib.metadata.version("buddy-coach")
    findings = [Finding("version", True, f"buddy-coach {version} on Python {platform.python_version()}")]
    findings.append(
        Finding("settings", True, f"listening on {settings.host}:{settings.port}, log {settings.log_level}")
    )
    findings.append(await _database(settings, database))
    findings.append(_model(settings))
    return findings


async def _database(settings: Settings, database: Database) -> Finding:
    name = async_url(settings.database_url).render_as_string(hide_password=True)
    try:
        revision = await storage.current_revision(database)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the doctor says so
        return Finding("database", False, f"{name}: {str(error).partition(chr(10))[0][:200]}")
    newest = storage.newest_revision()
    if revision != newest:
        return Finding("database", False, f"{name}: at {revision or 'nothing'}, needs {newest}: buddy db upgrade")
    return Finding("database", True, f"{name}: at {revision}")


def _model(settings: Settings) -> Finding:
    served = ServedPolicy(settings.coach_model_dir, Metrics())
    served.start()
    if isinstance(served.now, OnnxPolicy):
        return Finding("model", True, f"{served.now.policy_id} from {served.folder()}")
    return Finding("model", False, f"{served.now} in {served.folder()}: the rules answer")
