"""The schema of the research dataset. It defines each table and column once, for exports, codebooks, descriptors and
readers.

A new column needs one edit here and one edit where its values are made.
"""

from data.schema.app import (
    CHALLENGE_METRICS,
    CHALLENGES,
    EVENTS,
    MONTHLY_SUMMARIES,
    POINTS,
    PROGRESS_SNAPSHOTS,
    REFLECTIONS,
    RESPONSES,
    SCORES,
    WEEKLY_SUMMARIES,
)
from data.schema.columns import Column, ColumnType, Personal, Table
from data.schema.learning import DECISIONS, OUTCOMES
from data.schema.people import CONSENTS, PARTICIPANTS

DATASET_VERSION = "buddy-dataset/3"
CHANGES = Table(
    "changes",
    "Changes since an earlier release: new participants, changed ones, and those whose data must be deleted",
    ("participant_id",),
    (
        Column("participant_id", "string", "Pseudonym of the participant", personal=Personal.PSEUDONYM),
        Column(
            "change",
            "string",
            "What to do with the participant's rows of the earlier release",
            categories={
                "added": "was not in the earlier release; add these rows",
                "changed": "replace all earlier rows of the participant by these rows",
                "removed": "tombstone: delete all rows of the participant",
            },
        ),
    ),
)

TABLES = {
    table.name: table
    for table in (
        PARTICIPANTS,
        CONSENTS,
        RESPONSES,
        SCORES,
        REFLECTIONS,
        EVENTS,
        CHALLENGE_METRICS,
        PROGRESS_SNAPSHOTS,
        WEEKLY_SUMMARIES,
        MONTHLY_SUMMARIES,
        CHALLENGES,
        POINTS,
        DECISIONS,
        OUTCOMES,
        CHANGES,
    )
}

__all__ = ["DATASET_VERSION", "TABLES", "Column", "ColumnType", "Personal", "Table"]
