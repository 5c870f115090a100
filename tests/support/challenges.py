"""The challenges of the catalog."""

from data.catalog import catalog

TEMPLATES = {template["slug"]: template for template in catalog("challenge_templates")}
FEW_DAYS = next(t for t in TEMPLATES.values() if t["metric_key"] == "expense_log_days")
