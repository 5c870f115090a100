"""KakeiBuddy's screens: catalog texts can be edited and users can be erased. Everything else is read-only."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from api.admin.base import Edit, Screen
from api.http.text import storable
from api.http.user_ids import canonical_id
from api.kakei.accounts import erasure
from api.kakei.accounts.schemas import UserProfile
from api.models import (
    AppEvent,
    Badge,
    ChallengeTemplate,
    Consent,
    Decision,
    PointEntry,
    Profile,
    Release,
    User,
    UserChallenge,
)

PEOPLE, CATALOGUE, RECORDS = "People", "Catalog", "Records"
LARGEST_REWARD = 1000
LARGEST_BONUS = 100

Title = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(storable)]
Description = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(storable)]


class Users(Screen):
    """Users, by the beginning of their id, which is a capability. Deletion erases all their data."""

    verbose_name = "User"
    verbose_name_plural = "Users"
    menu_section = PEOPLE
    list_display = ("id", "uuid", "created_at")
    shortened = ("uuid",)
    list_filter = ("id",)
    search_fields = ("uuid",)
    search_help_text = "The whole id"

    may_delete = True

    def _build_search_condition(self, field_path: str, search: str) -> Any:
        """Only a whole id finds a user: with searches for parts, an operator could reconstruct it."""
        return User.uuid.in_({search, canonical_id(search)})

    async def remove(self, key: int) -> bool:
        async with self.database.write() as session:
            user = await session.get(User, key)
            if user is not None:
                await erasure.erase(session, user, self.services.clock())
            return user is not None


class ProfileEdit(Edit):
    user_profile: Annotated[UserProfile, Field(strict=False)]
    coach_style: Annotated[int, Field(ge=0, le=2)]
    savings_goal_type: Literal["weekly", "monthly", "yearly"]
    budget_cycle_start_day: Annotated[int, Field(ge=1, le=28)]


class Profiles(Screen):
    """Budget profiles, without the exact income."""

    verbose_name_plural = "Profiles"
    menu_section = PEOPLE
    list_display = ("user_id", "user_profile", "income_range_id", "coach_style", "savings_goal_type", "updated_at")
    list_filter = ("user_profile",)
    hidden = ("exact_income_local", "saving_goal_value")
    edits = ProfileEdit
    ordering = ("-user_id",)


class TemplateEdit(Edit):
    title: Title
    description: Description
    reward_points: Annotated[int, Field(ge=0, le=LARGEST_REWARD)]
    difficulty: Literal["easy", "medium", "hard"]


class Templates(Screen):
    """Challenge templates. An upgrade keeps the texts that an operator edited."""

    verbose_name_plural = "Challenge templates"
    menu_section = CATALOGUE
    list_display = ("id", "title", "category", "challenge_type", "difficulty", "reward_points")
    list_display_links = ("title",)
    list_filter = ("category", "challenge_type", "difficulty")
    search_fields = ("title", "slug")
    hidden = ("seeded",)
    edits = TemplateEdit
    ordering = ("id",)


class BadgeEdit(Edit):
    title: Title
    description: Description
    points: Annotated[int, Field(ge=0, le=LARGEST_BONUS)]


class Badges(Screen):
    """Badges. The catalog defines their rules."""

    verbose_name_plural = "Badges"
    menu_section = CATALOGUE
    list_display = ("id", "title", "description", "points")
    list_display_links = ("title",)
    search_fields = ("title", "slug")
    hidden = ("seeded",)
    edits = BadgeEdit
    ordering = ("id",)


class Challenges(Screen):
    """Challenges that users accepted. Only the rules change progress, completion and claims, since points depend on
    them.
    """

    verbose_name = "Challenge"
    verbose_name_plural = "Challenges"
    menu_section = PEOPLE
    list_display = ("id", "user_id", "challenge_template_id", "month", "status", "current_progress", "source")
    list_filter = ("month", "status", "source")


class Decisions(Screen):
    """Decisions of the coach for users who consented. Contexts are people's own amounts."""

    verbose_name_plural = "Decisions"
    menu_section = RECORDS
    list_display = ("id", "user_id", "decided_at", "source", "fallback_reason", "policy_id", "phase", "component")
    list_filter = ("source", "fallback_reason", "phase")
    hidden = ("context", "seed")


class Consents(Screen):
    """All consent changes, newest first. The participant code is hidden."""

    verbose_name_plural = "Consents"
    menu_section = RECORDS
    list_display = ("id", "user_id", "study_version", "consented", "allow_research_export", "data_mode", "received_at")
    list_filter = ("study_version", "consented", "data_mode")
    hidden = ("participant_code",)


class Events(Screen):
    """Events of the app, without their data."""

    verbose_name = "Event"
    verbose_name_plural = "Events"
    menu_section = RECORDS
    list_display = ("id", "user_id", "event_name", "known", "received_at")
    list_filter = ("event_name", "known")
    hidden = ("context", "fingerprint")


class Ledger(Screen):
    """The points ledger. Rows are only added."""

    verbose_name = "Points ledger"
    verbose_name_plural = "Points ledger"
    menu_section = RECORDS
    list_display = ("id", "user_id", "points", "cause", "cause_id", "created_at")
    list_filter = ("cause",)


class Releases(Screen):
    """Exports for researchers."""

    verbose_name_plural = "Releases"
    menu_section = RECORDS
    list_display = ("id", "name", "since", "snapshot_at", "digest")


SCREENS = {
    User: Users,
    Profile: Profiles,
    UserChallenge: Challenges,
    ChallengeTemplate: Templates,
    Badge: Badges,
    Decision: Decisions,
    Consent: Consents,
    AppEvent: Events,
    PointEntry: Ledger,
    Release: Releases,
}
