"""Request and response models of consent."""

from typing import Annotated

from pydantic import Field, model_validator

from api.http.error_texts import FieldRefused, described
from api.http.types import OF_ID, StrictModel, Timestamp, Words, example
from api.kakei.consent.rules import STUDY_VERSION, DataMode

StudyVersion = Annotated[str, Field(pattern=f"^{STUDY_VERSION}$"), described(OF_ID)]
Mode = Annotated[DataMode, Field(strict=False)]

CONSENT = {
    "consented": True,
    "age_confirmed": True,
    "data_mode": "private",
    "participant_code": "P-001",
    "allow_research_export": True,
    "study_version": "gala-tale-2026-v1",
}
STORED = CONSENT | {"received_at": "2026-06-13T10:30:00.000Z"}


class ConsentCreate(StrictModel):
    """A consent, or its withdrawal (`consented: false`, which needs no other field)."""

    model_config = example(CONSENT)

    consented: bool
    age_confirmed: bool = False
    data_mode: Mode = DataMode.PRIVATE
    participant_code: Annotated[Words, Field(min_length=1, max_length=64)] | None = None
    allow_research_export: bool = False
    study_version: StudyVersion | None = None

    @model_validator(mode="after")
    def _consent_is_complete(self) -> "ConsentCreate":
        if self.consented and not self.age_confirmed:
            raise FieldRefused("age_confirmed", "must be true where consented is true")
        if self.consented and self.study_version is None:
            raise FieldRefused("study_version", "is needed where consented is true")
        return self


class ConsentOut(StrictModel):
    """An entry of the history."""

    model_config = example(STORED)

    consented: bool
    age_confirmed: bool
    data_mode: Mode
    participant_code: str | None
    allow_research_export: bool
    study_version: str
    received_at: Timestamp


class ConsentHistory(StrictModel):
    """Whether research data are collected now, and all changes of consent, newest first."""

    model_config = example({"in_force": True, "history": [STORED]})

    in_force: bool
    history: list[ConsentOut]


class DataModeUpdate(StrictModel):
    """`private`: only numbers leave the service. `sync`: texts that the person writes from now on may leave, too."""

    model_config = example({"data_mode": "sync"})

    data_mode: Mode
