"""Tables of participants and their consents."""

from data.schema.columns import Column, Personal, Table, local, participant
from data.schema.missing import Missing

SPLITS = {"learn": "policies may be learned from this participant", "judge": "kept for judging policies"}
INCOME_RANGES = {str(number): f"income range {number} of 5, lowest first" for number in range(1, 6)}
PROFILES = {
    name: name.replace("_", " ") for name in ("student", "employee", "self_employed", "family", "retired", "other")
}
MODES = {"private": "only numbers leave", "sync": "the person's own words may leave, too"}
STUDY = Column("study_version", "string", "Version of the study", pattern="[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_SMALL = (Missing.NOT_UPLOADED, Missing.SUPPRESSED)

PARTICIPANTS = Table(
    "participants",
    "People who consented to take part",
    ("participant_id",),
    (
        participant(),
        STUDY,
        Column("split", "string", "What the participant's data are for, fixed at consent", categories=SPLITS),
        Column(
            "income_range_id",
            "integer",
            "Income range",
            categories=INCOME_RANGES,
            missing=_SMALL,
            personal=Personal.QUASI,
        ),
        Column(
            "user_profile",
            "string",
            "What describes the participant best",
            categories=PROFILES,
            missing=_SMALL,
            personal=Personal.QUASI,
        ),
        Column(
            "start_month",
            "string",
            "Month of the first consent, UTC",
            pattern=r"\d{4}-\d{2}",
            missing=(Missing.SUPPRESSED,),
            personal=Personal.QUASI,
        ),
        Column(
            "budget_cycle_start_day",
            "integer",
            "Day of the month on which the budget begins",
            minimum=1,
            maximum=28,
            missing=(Missing.NOT_UPLOADED,),
        ),
        Column("time_zone", "string", "IANA time zone", missing=_SMALL, personal=Personal.QUASI),
        Column("data_mode", "string", "Whether the participant's own words may leave now", categories=MODES),
        Column(
            "participant_code",
            "string",
            "The code that the study gave the participant",
            missing=(Missing.NOT_UPLOADED,),
            personal=Personal.IDENTIFIER,
        ),
    ),
)

CONSENTS = Table(
    "consents",
    "The consent history of the participants who consent now",
    ("consent_id",),
    (
        Column("consent_id", "string", "Identifier of the entry"),
        participant(),
        STUDY,
        Column("consented", "boolean", "Agreed to take part"),
        Column("age_confirmed", "boolean", "Confirmed to be of age"),
        Column("allow_research_export", "boolean", "Agreed that data leave the service"),
        Column("data_mode", "string", "Whether own words may leave", categories=MODES),
        Column("received_at", "datetime", "When the entry was received, UTC", missing=(Missing.SUPPRESSED,)),
        *local("received_at"),
    ),
    foreign_keys=(("participant_id", "participants"),),
)
