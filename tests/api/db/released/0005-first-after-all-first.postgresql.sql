CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.badges (
    title character varying(100) NOT NULL,
    description text NOT NULL,
    points integer NOT NULL,
    rule json NOT NULL,
    id integer NOT NULL,
    slug character varying(64) NOT NULL,
    seeded character varying(64)
);
CREATE TABLE public.candidates (
    policy_id character varying(64) NOT NULL,
    graph bytea NOT NULL,
    card bytea NOT NULL,
    frozen_at timestamp with time zone NOT NULL
);
CREATE TABLE public.challenge_metrics (
    id integer NOT NULL,
    user_id integer NOT NULL,
    month character varying(7) NOT NULL,
    metric_key character varying(64) NOT NULL,
    value numeric(18,2) NOT NULL,
    client_timestamp timestamp with time zone,
    received_at timestamp with time zone NOT NULL,
    consent_id integer
);
CREATE SEQUENCE public.challenge_metrics_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.challenge_metrics_id_seq OWNED BY public.challenge_metrics.id;
CREATE TABLE public.challenge_templates (
    title character varying(100) NOT NULL,
    description text NOT NULL,
    challenge_type character varying(32) NOT NULL,
    category character varying(32) NOT NULL,
    category_id integer NOT NULL,
    metric_key character varying(64) NOT NULL,
    target_value numeric(18,2) NOT NULL,
    unit character varying(20) NOT NULL,
    reward_points integer NOT NULL,
    difficulty character varying(10) NOT NULL,
    id integer NOT NULL,
    slug character varying(64) NOT NULL,
    seeded character varying(64)
);
CREATE TABLE public.completion_runs (
    id integer NOT NULL,
    household_id integer NOT NULL,
    first_on date NOT NULL,
    last_on date NOT NULL
);
CREATE SEQUENCE public.completion_runs_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.completion_runs_id_seq OWNED BY public.completion_runs.id;
CREATE TABLE public.consents (
    id integer NOT NULL,
    user_id integer NOT NULL,
    study_version character varying(64) NOT NULL,
    consented boolean NOT NULL,
    age_confirmed boolean NOT NULL,
    allow_research_export boolean NOT NULL,
    data_mode character varying(7) NOT NULL,
    participant_code character varying(64),
    received_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.consents_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.consents_id_seq OWNED BY public.consents.id;
CREATE TABLE public.day_items (
    household_id integer NOT NULL,
    day date NOT NULL,
    todo_id integer NOT NULL,
    "position" integer NOT NULL
);
CREATE TABLE public.day_selections (
    id integer NOT NULL,
    household_id integer NOT NULL,
    day date NOT NULL,
    source character varying(10) NOT NULL,
    fallback_reason character varying(32),
    policy_id character varying(64) NOT NULL,
    daily_note text NOT NULL,
    seed character varying(32),
    epsilon double precision NOT NULL,
    logged json,
    created_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.day_selections_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.day_selections_id_seq OWNED BY public.day_selections.id;
CREATE TABLE public.decisions (
    id integer NOT NULL,
    decision_id character varying(36) NOT NULL,
    user_id integer NOT NULL,
    consent_id integer NOT NULL,
    decided_at timestamp with time zone NOT NULL,
    policy_id character varying(64) NOT NULL,
    source character varying(8) NOT NULL,
    fallback_reason character varying(32),
    phase character varying(10) NOT NULL,
    component character varying(10) NOT NULL,
    epsilon double precision NOT NULL,
    context json NOT NULL,
    levels json NOT NULL,
    distributions json NOT NULL,
    propensity double precision NOT NULL,
    seed character varying(32) NOT NULL,
    context_schema character varying(32) NOT NULL,
    action_schema character varying(32) NOT NULL,
    study_id integer,
    local_week date,
    study_week integer,
    candidate_id character varying(64),
    because json,
    prev_disagrees boolean DEFAULT false NOT NULL,
    rules_levels json,
    candidate_levels json,
    shadow_policy_id character varying(64),
    shadow_levels json
);
CREATE SEQUENCE public.decisions_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.decisions_id_seq OWNED BY public.decisions.id;
CREATE TABLE public.events (
    fingerprint character varying(32) NOT NULL,
    event_name character varying(64) NOT NULL,
    known boolean NOT NULL,
    context json NOT NULL,
    id integer NOT NULL,
    user_id integer NOT NULL,
    consent_id integer,
    client_timestamp timestamp with time zone,
    received_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.events_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.events_id_seq OWNED BY public.events.id;
CREATE TABLE public.guide_items (
    id integer NOT NULL,
    stage_id integer NOT NULL,
    item_key character varying(64) NOT NULL,
    "position" integer NOT NULL,
    category character varying(10) NOT NULL,
    title character varying(200) NOT NULL,
    area character varying(20) NOT NULL,
    description text NOT NULL,
    how_to text NOT NULL,
    evidence_summary text NOT NULL,
    frequency character varying(10) NOT NULL,
    minutes integer NOT NULL,
    by_months integer,
    seeded character varying(64)
);
CREATE SEQUENCE public.guide_items_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.guide_items_id_seq OWNED BY public.guide_items.id;
CREATE TABLE public.guide_stages (
    id integer NOT NULL,
    guide_id integer NOT NULL,
    stage_key character varying(64) NOT NULL,
    "position" integer NOT NULL,
    name character varying(80) NOT NULL,
    age_start_months integer,
    age_end_months integer,
    goals text NOT NULL,
    seeded character varying(64)
);
CREATE SEQUENCE public.guide_stages_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.guide_stages_id_seq OWNED BY public.guide_stages.id;
CREATE TABLE public.guides (
    id integer NOT NULL,
    key character varying(64) NOT NULL,
    title character varying(120) NOT NULL,
    short_title character varying(80) NOT NULL,
    description text NOT NULL,
    source_type character varying(10) NOT NULL,
    color character varying(7) NOT NULL,
    for_adults boolean NOT NULL,
    seeded character varying(64)
);
CREATE SEQUENCE public.guides_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.guides_id_seq OWNED BY public.guides.id;
CREATE TABLE public.household_answers (
    token_id integer NOT NULL,
    id integer NOT NULL,
    route character varying(128) NOT NULL,
    key character varying(255) NOT NULL,
    fingerprint character varying(64) NOT NULL,
    status integer NOT NULL,
    body bytea NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.household_answers_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.household_answers_id_seq OWNED BY public.household_answers.id;
CREATE TABLE public.household_participants (
    id integer NOT NULL,
    household_id integer NOT NULL,
    name character varying(80) NOT NULL,
    is_adult boolean NOT NULL,
    birthday date,
    CONSTRAINT ck_household_participants_child_has_birthday CHECK ((is_adult OR (birthday IS NOT NULL)))
);
CREATE SEQUENCE public.household_participants_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.household_participants_id_seq OWNED BY public.household_participants.id;
CREATE TABLE public.household_tokens (
    id integer NOT NULL,
    user_id integer NOT NULL,
    name character varying(80) NOT NULL,
    digest character varying(64) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone
);
CREATE SEQUENCE public.household_tokens_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.household_tokens_id_seq OWNED BY public.household_tokens.id;
CREATE TABLE public.household_users (
    id integer NOT NULL,
    household_id integer NOT NULL,
    participant_id integer NOT NULL,
    display_name character varying(80) NOT NULL,
    email character varying(254) NOT NULL,
    role character varying(10) NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.household_users_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.household_users_id_seq OWNED BY public.household_users.id;
CREATE TABLE public.households (
    id integer NOT NULL,
    name character varying(80) NOT NULL,
    time_zone character varying(64) NOT NULL,
    daily_task_count integer NOT NULL,
    learning_since timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT ck_households_daily_task_count CHECK (((daily_task_count >= 3) AND (daily_task_count <= 15)))
);
CREATE SEQUENCE public.households_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.households_id_seq OWNED BY public.households.id;
CREATE TABLE public.idempotency_keys (
    id integer NOT NULL,
    user_id integer NOT NULL,
    route character varying(128) NOT NULL,
    key character varying(255) NOT NULL,
    fingerprint character varying(64) NOT NULL,
    status integer NOT NULL,
    body bytea NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.idempotency_keys_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.idempotency_keys_id_seq OWNED BY public.idempotency_keys.id;
CREATE TABLE public.income_ranges (
    label character varying(100) NOT NULL,
    description text NOT NULL,
    id integer NOT NULL,
    slug character varying(64) NOT NULL,
    seeded character varying(64)
);
CREATE TABLE public.monthly_summaries (
    user_id integer NOT NULL,
    id integer NOT NULL,
    month_key integer NOT NULL,
    total_spent numeric(18,2) NOT NULL,
    spent_wants numeric(18,2) NOT NULL,
    spent_needs numeric(18,2) NOT NULL,
    spent_culture numeric(18,2) NOT NULL,
    spent_unexpected numeric(18,2) NOT NULL,
    logging_days_count integer NOT NULL,
    client_timestamp timestamp with time zone,
    received_at timestamp with time zone NOT NULL,
    consent_id integer
);
CREATE SEQUENCE public.monthly_summaries_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.monthly_summaries_id_seq OWNED BY public.monthly_summaries.id;
CREATE TABLE public.outcomes (
    decision_key integer NOT NULL,
    user_id integer NOT NULL,
    spent_share double precision,
    saved_share double precision,
    elapsed_share double precision,
    budget_used_up double precision,
    goal_reached double precision,
    next_needs_share double precision,
    context_at timestamp with time zone,
    logging_days integer,
    summary_at timestamp with time zone
);
CREATE TABLE public.participants (
    id integer NOT NULL,
    user_id integer NOT NULL,
    study_version character varying(64) NOT NULL,
    pseudonym character varying(64) NOT NULL,
    split character varying(5) NOT NULL,
    joined_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.participants_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.participants_id_seq OWNED BY public.participants.id;
CREATE TABLE public.plans (
    id integer NOT NULL,
    household_id integer NOT NULL,
    participant_id integer NOT NULL,
    guide_id integer NOT NULL,
    active boolean NOT NULL,
    stage_id integer,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone
);
CREATE SEQUENCE public.plans_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.plans_id_seq OWNED BY public.plans.id;
CREATE TABLE public.point_entries (
    id integer NOT NULL,
    user_id integer NOT NULL,
    points integer NOT NULL,
    cause character varying(20) NOT NULL,
    cause_id integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    consent_id integer
);
CREATE SEQUENCE public.point_entries_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.point_entries_id_seq OWNED BY public.point_entries.id;
CREATE TABLE public.profiles (
    user_id integer NOT NULL,
    income_range_id integer NOT NULL,
    user_profile character varying(20) NOT NULL,
    allow_exact_income boolean NOT NULL,
    exact_income_local numeric(18,2),
    coach_style integer NOT NULL,
    savings_goal_type character varying(10) NOT NULL,
    saving_goal_value numeric(18,2) NOT NULL,
    budget_cycle_start_day integer NOT NULL,
    time_zone character varying(64),
    currency character varying(3),
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT ck_profiles_cycle_start_day CHECK (((budget_cycle_start_day >= 1) AND (budget_cycle_start_day <= 28))),
    CONSTRAINT ck_profiles_exact_income_allowed CHECK ((allow_exact_income OR (exact_income_local IS NULL)))
);
CREATE TABLE public.progress_snapshots (
    month character varying(7) NOT NULL,
    level integer NOT NULL,
    level_title character varying(100) NOT NULL,
    total_points integer NOT NULL,
    streak_days integer NOT NULL,
    active_missions_count integer NOT NULL,
    completed_missions_count integer NOT NULL,
    claimed_rewards_count integer NOT NULL,
    failed_missions_count integer NOT NULL,
    badges_earned_count integer NOT NULL,
    reflection_count integer NOT NULL,
    game_metrics json NOT NULL,
    learning_metrics json NOT NULL,
    badge_ids json NOT NULL,
    mission_summary json NOT NULL,
    id integer NOT NULL,
    user_id integer NOT NULL,
    consent_id integer,
    client_timestamp timestamp with time zone,
    received_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.progress_snapshots_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.progress_snapshots_id_seq OWNED BY public.progress_snapshots.id;
CREATE TABLE public.pseudonym_keys (
    id integer NOT NULL,
    study_version character varying(64) NOT NULL,
    generation integer NOT NULL,
    wrapped text NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.pseudonym_keys_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.pseudonym_keys_id_seq OWNED BY public.pseudonym_keys.id;
CREATE TABLE public.reflections (
    fingerprint character varying(32) NOT NULL,
    phase character varying(10) NOT NULL,
    category character varying(12) NOT NULL,
    reflection_text text NOT NULL,
    intended_action text,
    confidence_rating integer,
    quality_score numeric(18,2) NOT NULL,
    quality_level character varying(10) NOT NULL,
    strengths json NOT NULL,
    id integer NOT NULL,
    user_id integer NOT NULL,
    consent_id integer,
    client_timestamp timestamp with time zone,
    received_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.reflections_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.reflections_id_seq OWNED BY public.reflections.id;
CREATE TABLE public.released_participants (
    pseudonym character varying(64) NOT NULL,
    study_version character varying(64) NOT NULL,
    first_release_id integer NOT NULL,
    last_release_id integer NOT NULL
);
CREATE TABLE public.releases (
    id integer NOT NULL,
    name character varying(64) NOT NULL,
    since character varying(64),
    filters json NOT NULL,
    rows json NOT NULL,
    changes json NOT NULL,
    digest character varying(64) NOT NULL,
    snapshot_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.releases_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.releases_id_seq OWNED BY public.releases.id;
CREATE TABLE public.responses (
    fingerprint character varying(32) NOT NULL,
    instrument_key character varying(64) NOT NULL,
    instrument_version character varying(16) NOT NULL,
    phase character varying(10) NOT NULL,
    period character varying(8) NOT NULL,
    answers json NOT NULL,
    score double precision,
    score_missing character varying(16),
    id integer NOT NULL,
    user_id integer NOT NULL,
    consent_id integer,
    client_timestamp timestamp with time zone,
    received_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.responses_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.responses_id_seq OWNED BY public.responses.id;
CREATE TABLE public.studies (
    id integer NOT NULL,
    study_version character varying(64) NOT NULL,
    phase character varying(10) NOT NULL,
    around character varying(10) NOT NULL,
    explore_epsilon double precision NOT NULL,
    confirm_epsilon double precision NOT NULL,
    candidate_id character varying(64),
    started_at timestamp with time zone NOT NULL,
    confirmed_at timestamp with time zone,
    stopped_at timestamp with time zone
);
CREATE SEQUENCE public.studies_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.studies_id_seq OWNED BY public.studies.id;
CREATE TABLE public.suggestions (
    id integer NOT NULL,
    user_id integer NOT NULL,
    suggestion_id character varying(36) NOT NULL,
    lever character varying(10) NOT NULL,
    challenge_slug character varying(64) NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.suggestions_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.suggestions_id_seq OWNED BY public.suggestions.id;
CREATE TABLE public.todo_actions (
    id integer NOT NULL,
    household_id integer NOT NULL,
    todo_id integer NOT NULL,
    action_type character varying(10) NOT NULL,
    action_date date NOT NULL,
    snoozed_to date,
    reason text,
    notes text,
    performed_by integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    undone_at timestamp with time zone
);
CREATE SEQUENCE public.todo_actions_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.todo_actions_id_seq OWNED BY public.todo_actions.id;
CREATE TABLE public.todos (
    id integer NOT NULL,
    household_id integer NOT NULL,
    participant_id integer NOT NULL,
    plan_id integer,
    guide_item_id integer,
    source_type character varying(10) NOT NULL,
    title character varying(200),
    description text,
    frequency character varying(10),
    last_completed_on date,
    snoozed_until date,
    dismissed boolean NOT NULL,
    deleted boolean NOT NULL,
    created_on date NOT NULL
);
CREATE SEQUENCE public.todos_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.todos_id_seq OWNED BY public.todos.id;
CREATE TABLE public.user_badges (
    id integer NOT NULL,
    user_id integer NOT NULL,
    badge_id integer NOT NULL,
    reason text NOT NULL,
    earned_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.user_badges_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.user_badges_id_seq OWNED BY public.user_badges.id;
CREATE TABLE public.user_challenges (
    id integer NOT NULL,
    user_id integer NOT NULL,
    challenge_template_id integer NOT NULL,
    month character varying(7) NOT NULL,
    status character varying(12) NOT NULL,
    current_progress numeric(18,2) NOT NULL,
    source character varying(4) NOT NULL,
    ai_suggestion_id character varying(36),
    accepted_at timestamp with time zone NOT NULL,
    completed_at timestamp with time zone,
    claimed_at timestamp with time zone,
    changed_at timestamp with time zone NOT NULL,
    consent_id integer
);
CREATE SEQUENCE public.user_challenges_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.user_challenges_id_seq OWNED BY public.user_challenges.id;
CREATE TABLE public.users (
    id integer NOT NULL,
    uuid character varying(64) NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.users_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.users_id_seq OWNED BY public.users.id;
CREATE TABLE public.weekly_summaries (
    user_id integer NOT NULL,
    week_key integer NOT NULL,
    id integer NOT NULL,
    month_key integer NOT NULL,
    total_spent numeric(18,2) NOT NULL,
    spent_wants numeric(18,2) NOT NULL,
    spent_needs numeric(18,2) NOT NULL,
    spent_culture numeric(18,2) NOT NULL,
    spent_unexpected numeric(18,2) NOT NULL,
    logging_days_count integer NOT NULL,
    client_timestamp timestamp with time zone,
    received_at timestamp with time zone NOT NULL,
    consent_id integer
);
CREATE SEQUENCE public.weekly_summaries_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.weekly_summaries_id_seq OWNED BY public.weekly_summaries.id;
ALTER TABLE ONLY public.challenge_metrics ALTER COLUMN id SET DEFAULT nextval('public.challenge_metrics_id_seq'::regclass);
ALTER TABLE ONLY public.completion_runs ALTER COLUMN id SET DEFAULT nextval('public.completion_runs_id_seq'::regclass);
ALTER TABLE ONLY public.consents ALTER COLUMN id SET DEFAULT nextval('public.consents_id_seq'::regclass);
ALTER TABLE ONLY public.day_selections ALTER COLUMN id SET DEFAULT nextval('public.day_selections_id_seq'::regclass);
ALTER TABLE ONLY public.decisions ALTER COLUMN id SET DEFAULT nextval('public.decisions_id_seq'::regclass);
ALTER TABLE ONLY public.events ALTER COLUMN id SET DEFAULT nextval('public.events_id_seq'::regclass);
ALTER TABLE ONLY public.guide_items ALTER COLUMN id SET DEFAULT nextval('public.guide_items_id_seq'::regclass);
ALTER TABLE ONLY public.guide_stages ALTER COLUMN id SET DEFAULT nextval('public.guide_stages_id_seq'::regclass);
ALTER TABLE ONLY public.guides ALTER COLUMN id SET DEFAULT nextval('public.guides_id_seq'::regclass);
ALTER TABLE ONLY public.household_answers ALTER COLUMN id SET DEFAULT nextval('public.household_answers_id_seq'::regclass);
ALTER TABLE ONLY public.household_participants ALTER COLUMN id SET DEFAULT nextval('public.household_participants_id_seq'::regclass);
ALTER TABLE ONLY public.household_tokens ALTER COLUMN id SET DEFAULT nextval('public.household_tokens_id_seq'::regclass);
ALTER TABLE ONLY public.household_users ALTER COLUMN id SET DEFAULT nextval('public.household_users_id_seq'::regclass);
ALTER TABLE ONLY public.households ALTER COLUMN id SET DEFAULT nextval('public.households_id_seq'::regclass);
ALTER TABLE ONLY public.idempotency_keys ALTER COLUMN id SET DEFAULT nextval('public.idempotency_keys_id_seq'::regclass);
ALTER TABLE ONLY public.monthly_summaries ALTER COLUMN id SET DEFAULT nextval('public.monthly_summaries_id_seq'::regclass);
ALTER TABLE ONLY public.participants ALTER COLUMN id SET DEFAULT nextval('public.participants_id_seq'::regclass);
ALTER TABLE ONLY public.plans ALTER COLUMN id SET DEFAULT nextval('public.plans_id_seq'::regclass);
ALTER TABLE ONLY public.point_entries ALTER COLUMN id SET DEFAULT nextval('public.point_entries_id_seq'::regclass);
ALTER TABLE ONLY public.progress_snapshots ALTER COLUMN id SET DEFAULT nextval('public.progress_snapshots_id_seq'::regclass);
ALTER TABLE ONLY public.pseudonym_keys ALTER COLUMN id SET DEFAULT nextval('public.pseudonym_keys_id_seq'::regclass);
ALTER TABLE ONLY public.reflections ALTER COLUMN id SET DEFAULT nextval('public.reflections_id_seq'::regclass);
ALTER TABLE ONLY public.releases ALTER COLUMN id SET DEFAULT nextval('public.releases_id_seq'::regclass);
ALTER TABLE ONLY public.responses ALTER COLUMN id SET DEFAULT nextval('public.responses_id_seq'::regclass);
ALTER TABLE ONLY public.studies ALTER COLUMN id SET DEFAULT nextval('public.studies_id_seq'::regclass);
ALTER TABLE ONLY public.suggestions ALTER COLUMN id SET DEFAULT nextval('public.suggestions_id_seq'::regclass);
ALTER TABLE ONLY public.todo_actions ALTER COLUMN id SET DEFAULT nextval('public.todo_actions_id_seq'::regclass);
ALTER TABLE ONLY public.todos ALTER COLUMN id SET DEFAULT nextval('public.todos_id_seq'::regclass);
ALTER TABLE ONLY public.user_badges ALTER COLUMN id SET DEFAULT nextval('public.user_badges_id_seq'::regclass);
ALTER TABLE ONLY public.user_challenges ALTER COLUMN id SET DEFAULT nextval('public.user_challenges_id_seq'::regclass);
ALTER TABLE ONLY public.users ALTER COLUMN id SET DEFAULT nextval('public.users_id_seq'::regclass);
ALTER TABLE ONLY public.weekly_summaries ALTER COLUMN id SET DEFAULT nextval('public.weekly_summaries_id_seq'::regclass);
INSERT INTO public.alembic_version VALUES ('0005');
INSERT INTO public.badges VALUES ('First Step', 'You claimed your first challenge. This is how a habit begins.', 0, '{"kind": "challenges_claimed", "at_least": 1}', 1, 'first-step', 'd52f482f78d7ed8d94f28022b1216b6919e550aee0e342962165dbfe1bdd838f');
INSERT INTO public.badges VALUES ('A Good Handful', 'You claimed five challenges. You know by now which ones suit you.', 20, '{"kind": "challenges_claimed", "at_least": 5}', 2, 'handful', 'e2140fb54ac6f92d0267758caf8dbdee8785daad040801c9859a7b8cd97be0f4');
INSERT INTO public.badges VALUES ('In the Swing', 'You claimed 15 challenges. Your kakeibo has become part of your days.', 40, '{"kind": "challenges_claimed", "at_least": 15}', 3, 'in-the-swing', '13fdcafe6ca75235206fe0763c256d134f80fa561d860c349aae8572cdba7a3d');
INSERT INTO public.candidates VALUES ('x', '\x78', '\x78', '2026-11-20 12:00:00.123+00');
INSERT INTO public.challenge_metrics VALUES (1, 1, '2026-06', 'expense_log_days', 1.50, '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00', 1);
INSERT INTO public.challenge_templates VALUES ('Shop with a list', 'Write a list before two shopping trips for needs, in a shop or online. Buying something you forgot to write down is fine; the trip still counts.', 'planning', 'needs', 1, 'needs_list_trips', 2.00, 'count', 20, 'easy', 1, 'shop-with-a-list', '0e5cce5e597c6a358bd7f88e886c51f6496404b909962dcab4a624ac937d6bc6');
INSERT INTO public.challenge_templates VALUES ('A list every week', 'Write a list before at least four shopping trips for needs this month. Looking into your cupboards first makes it a quick one.', 'planning', 'needs', 1, 'needs_list_trips', 4.00, 'count', 50, 'medium', 2, 'a-list-every-week', '9cd837bc1365b41eeb2e571cef176ef4b35483cca86297e13cd460eeff389252');
INSERT INTO public.challenge_templates VALUES ('Listed all month', 'Write a list before 12 shopping trips for needs this month. Short lists count as much as long ones.', 'planning', 'needs', 1, 'needs_list_trips', 12.00, 'count', 100, 'hard', 3, 'listed-all-month', 'ed7367652380178b40fb2795b68de2c6fd6f0f144d5f90dcdb163120880eb50b');
INSERT INTO public.completion_runs VALUES (1, 1, '2026-11-20', '2026-11-20');
INSERT INTO public.consents VALUES (1, 1, 'recorded-study-v1', true, true, true, 'private', 'P-001', '2026-11-20 12:00:00.123+00');
INSERT INTO public.day_items VALUES (1, '2026-11-20', 1, 1);
INSERT INTO public.day_selections VALUES (1, 1, '2026-11-20', 'rules', NULL, 'daily-rules/1', 'x', 'x', 0.5, NULL, '2026-11-20 12:00:00.123+00');
INSERT INTO public.decisions VALUES (1, 'x', 1, 1, '2026-11-20 12:00:00.123+00', 'budget-rules/1', 'study', NULL, 'explore', 'policy', 0, '[0.5, 0.4, 0.3, 0.2, 0.1, 0.5, 0.5, 0.5, 0.5, 0.5]', '[2, 2, 2]', '[[0.0, 0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0]]', 1, '00000000000000000000000000000000', 'budget-context/1', 'budget-levels/1', NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL);
INSERT INTO public.events VALUES ('x', 'challenge_catalog_viewed', true, '{"source": "tab"}', 1, 1, 1, '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00');
INSERT INTO public.guide_items VALUES (1, 1, 'tummy_time_on_your_chest', 0, 'activity', 'Tummy Time on Your Chest', 'motor', 'Lean back, lay your awake baby tummy-down on your chest, and let them lift their head to find your face.', 'Sit leaning back while you are wide awake, and lay your baby tummy-down on your chest with their head turned to one side and their nose free. Say their name softly and wait for the small lifts of the head. Start with a minute or two, two or three times a day; as it gets easier, lean further back, or lay your baby on a blanket on the floor and lie down facing them. Stop when they rest their face, fuss or get sleepy. If either of you is drowsy, put your baby on their back in their crib: falling asleep together on a sofa or armchair is dangerous.', 'AAP, 2022 advises short, watched tummy time while awake from the first days at home, building up to at least 15 to 30 minutes in total a day by 7 weeks. It supports development and helps to prevent a flat spot on the head. [Moon, R. Y., Carlin, R. F., Hand, I., & Task Force on Sudden Infant Death Syndrome and Committee on Fetus and Newborn, American Academy of Pediatrics (2022). Sleep-related infant deaths: Updated 2022 recommendations for reducing infant deaths in the sleep environment. Pediatrics, 150(1), e2022057990.]', 'daily', 5, NULL, '800c593663f1512738568569cbf5fa57a9a8b940b1e522f0e23365dc6c928c20');
INSERT INTO public.guide_items VALUES (2, 1, 'meet_face_to_face', 1, 'activity', 'Meet Face to Face', 'social', 'Hold your calm, awake baby close to your face, smile, and give them time to look at you.', 'Choose a calm moment after a feeding, and hold your baby with head and neck supported, about 25 centimeters (10 inches) from your face. Look at them, smile and say a slow hello, then stay still for a few breaths: a newborn needs time to look back. If they squint or look past you, turn so that no bright window or lamp is behind you. If they look for long, slowly open your mouth or raise your eyebrows, and wait again. Turning away, yawning or fussing means they need a rest, so be quiet or stop.', 'In Farroni et al., 2002, newborns looked longer at a face whose eyes met theirs than at one whose eyes looked away. Looking at your face is among the things the CDC lists for 2 months. [Farroni, T., Csibra, G., Simion, F., & Johnson, M. H. (2002). Eye contact detection in humans from birth. Proceedings of the National Academy of Sciences, 99(14), 9602–9605. Centers for Disease Control and Prevention: Learn the Signs. Act Early. Developmental milestone checklists, revised 2022.]', 'daily', 5, NULL, '1655894cfd5b1c002b927dcabd4c6a4542b5d195dd4c1093c1e4260af521df5c');
INSERT INTO public.guide_stages VALUES (1, 1, '0_to_2_months', 0, '0 to 2 Months', 0, 2, 'Feeling safe with you, getting to know your face and voice, and the first small lifts of the head. A minute or two between feeding and sleep is plenty.', 'c027abe29b5d224e93970ebd918bbd53460520e20a82b63829bce1d36df5c85d');
INSERT INTO public.guide_stages VALUES (2, 1, '2_to_4_months', 1, '2 to 4 Months', 2, 4, 'Chatting in coos and smiles, discovering their own hands, and holding the head steadier from week to week.', '739695d347c771b7d3eb1cde542c2fe199bdc109b39962f2f12ffefe392c0df1');
INSERT INTO public.guide_stages VALUES (3, 1, '4_to_6_months', 2, '4 to 6 Months', 4, 6, 'Rolling, reaching, and exploring everything with the mouth; laughing with you and playing with sounds.', '189e166209c856a8627f50bf22f6c3e05060c5c92ff0d3303e0c10ce00b85710');
INSERT INTO public.guide_stages VALUES (4, 1, '6_to_9_months', 3, '6 to 9 Months', 6, 9, 'Sitting up, getting about, banging and passing things from hand to hand; babbling, and looking for what has just gone out of sight.', '930c8cd4b8f11a6987a6cbd06221f7ffee089f6fc2d081135c4c6288aa8bf601');
INSERT INTO public.guide_stages VALUES (5, 1, '9_to_12_months', 4, '9 to 12 Months', 9, 12, 'Your baby is on the move and beginning to act with a plan. Give them safe room, simple things to handle, and an answer to each look, sound and gesture.', 'd3931df1f7d2b58ad566e0e4afe5ea02638339f14d2fe11c0038c2326b433a65');
INSERT INTO public.guide_stages VALUES (6, 1, '12_to_18_months', 5, '12 to 18 Months', 12, 18, 'First steps, first words and a great wish to do what you do. Your child needs room to practice, answers to their pointing, and calm help with what is allowed.', '5fe246d6ba94dbaa1eb9f145c373496a64bb1db5f89ffb596a905a7558ab59b0');
INSERT INTO public.guide_stages VALUES (7, 1, '18_to_24_months', 6, '18 to 24 Months', 18, 24, 'Your child runs, pretends, puts words together and wants to decide. Offer room, real little jobs, and choices that are truly theirs to make.', '329ac61534b19260cd1f7ce10328a34d8340e3e3dd680122ce2bfafaa8a711e9');
INSERT INTO public.guide_stages VALUES (8, 1, '24_to_30_months', 7, '24 to 30 Months', 24, 30, 'Your child wants to do it alone, has big feelings and more and more words for both. Steady routines, calm company and real talk help them along.', 'eb8af12fbb794d5c686372763bd48c8a954aac27c645afd621c36a91c9f47388');
INSERT INTO public.guide_stages VALUES (9, 1, '30_to_36_months', 8, '30 to 36 Months', 30, 36, 'Your child wants to do things alone, talks in short sentences and begins to play with others. They still need a calm grown-up close by when feelings get big.', 'b59a6d4eba6bc4d455c3649e7b14909374960e2e6ec815da0bef994830f30fea');
INSERT INTO public.guide_stages VALUES (10, 1, '36_to_48_months', 9, '3 to 4 Years', 36, 48, 'Your child asks why, pretends to be someone else and learns to wait a little. Hands and words are ready for more: pouring, catching, answering real questions.', '1c9bc361432d5b252fddcfa7b242bd9f710a15707eef7fc3d608d85b831eaebc');
INSERT INTO public.guide_stages VALUES (11, 1, '48_to_60_months', 10, '4 to 5 Years', 48, 60, 'Your child plays by simple rules, tells small stories and talks about yesterday and tomorrow. They can stay with one thing for a few minutes and hop, button and draw on purpose.', '7ba7767f7ee0d4e12bf1d93b5fa9bc1cb6e0094e77d7e88c51c65d1a45a09d2a');
INSERT INTO public.guide_stages VALUES (12, 1, '60_to_72_months', 11, '5 to 6 Years', 60, 72, 'Your child plans, explains and takes on real jobs, and is getting ready for school days. They can calm themselves with a known trick, though not every time.', 'b744696d7b2e0106ec7f51725999203802b2efab54f34b0a078f1914314b7b00');
INSERT INTO public.guide_stages VALUES (13, 2, '0_to_6_months', 0, '0 to 6 Months', 0, 6, 'Your baby gets to know voices, pictures and rhythm, and the comfort of being read to. Nothing has to be learned yet; the closeness is the point.', 'cc2ad2f8ff131291ee65039ed98df567d1a0ac76aa37b2a49614c5fd522920c7');
INSERT INTO public.guide_stages VALUES (14, 2, '6_to_12_months', 1, '6 to 12 Months', 6, 12, 'Books become things to hold, chew, open and share. Your baby listens for familiar voices and words and begins to connect sounds, pictures and things.', '2115284d1ed8a46d802d05d66645a5b5c2320b5be81bf93875d98191549e29aa');
INSERT INTO public.guide_stages VALUES (15, 2, '12_to_18_months', 2, '12 to 18 Months', 12, 18, 'Your child chooses books, handles them and discovers that a picture stands for a real thing. Short, often and on the move is how reading goes at this age.', '741911a5dd6e24e202e561e56563e99eb753e0c942eeb394fa8bdda6509c7e85');
INSERT INTO public.guide_stages VALUES (16, 2, '18_to_24_months', 3, '18 to 24 Months', 18, 24, 'Words come quickly, and favorite books are known almost by heart. Your child finds things on the page, supplies the missing word and meets the idea that a story has an order.', '2bf421fcdf66de136adad068fbaee0a89b8b5c33ce3b1711ffb3e588480aa1b5');
INSERT INTO public.guide_stages VALUES (17, 2, '24_to_36_months', 4, '24 to 36 Months', 24, 36, 'Your child talks about stories, plays with the sound of words and begins to notice that print is everywhere and says something.', '749dc7bf1fa0253b9f726b222fe423a5e73c44c422908d45ea5a58d375277d1a');
INSERT INTO public.guide_stages VALUES (18, 2, '36_to_48_months', 5, '3 to 4 Years', 36, 48, 'Your child follows longer stories, guesses what comes next and begins to hear the beats in words. Their own name becomes the most interesting word in print.', '3f667df93f4d2dab860f0ed317f7ad50fafaf74a1c8f08fe21206cd46ee472bc');
INSERT INTO public.guide_stages VALUES (19, 2, '48_to_60_months', 6, '4 to 5 Years', 48, 60, 'Your child hears first sounds and rhymes, gets to know some letters, writes parts of their name and makes up stories. Play carries all of it; there is no hurry to read.', '72f30e9a364461a39b1a36eb2b754c060ef3a07d90d1a0e83475cfd1f30ac24f');
INSERT INTO public.guide_stages VALUES (20, 2, '60_to_72_months', 7, '5 to 6 Years', 60, 72, 'Sounds, letters and stories come together: your child writes by ear, reads first words with help and enjoys books that last longer than one evening. Some children read now, and many begin later.', 'd66f7f2542914be3712bcfc97918546328eaf7bf80d656d6a34934926fe7bd24');
INSERT INTO public.guide_stages VALUES (21, 3, 'always', 0, 'Always', NULL, NULL, 'A child leans on the people who care for them, so those people need care too. Take what fits this week and leave the rest: enough sleep, some movement, a calmer minute, a fairer load and somebody to talk to.', '31be47eb197bc6796bea328821291a5d05bb114d62fe40f77b058a531feba37b');
INSERT INTO public.guides VALUES (1, 'early_development', 'Early Development: Motor, Sensory, Cognitive & Self-Regulation', 'Early Development', 'A comprehensive guide from birth to six: moving, sensing, thinking, talking and calming down, a few minutes at a time, with the milestones that most children reach at each age.', 'default', '#4F46E5', false, '4fe44ff6ad1052d0f3e0bd9ed9f866da50115615aca01915e013408ed78817e0');
INSERT INTO public.guides VALUES (2, 'early_literacy', 'Early Literacy', 'Early Literacy', 'From the first lullaby to the first written note: books, sounds, stories and print in a few minutes a day, in whatever languages your family speaks.', 'default', '#0F766E', false, '4c6085bc1843db13f61551c517695d946dff5e5edac3ac0a6fc913ffcaf3da4c');
INSERT INTO public.guides VALUES (3, 'grown_ups', 'For the Grown-Ups: Rested, Calm & Connected', 'For the Grown-Ups', 'For whoever does the caring: small things in two to thirty minutes that help you rest, move, keep your calm, share the load and stay close to the people you love.', 'default', '#0F766E', true, '9c9fd26325888273d549bf950a268fd859967f27b727635d1d0c978ef8ed5d8a');
INSERT INTO public.household_answers VALUES (1, 1, 'x', 'x', 'x', 1, '\x78', '2026-11-20 12:00:00.123+00');
INSERT INTO public.household_participants VALUES (1, 1, 'Mia', false, '2024-05-01');
INSERT INTO public.household_participants VALUES (2, 1, 'Ada', true, NULL);
INSERT INTO public.household_tokens VALUES (1, 1, 'x', '18971868a7b621764b9248e2edfa20406d565f43751f3cc2953f9b018b5f71e5', '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00', NULL);
INSERT INTO public.household_users VALUES (1, 1, 1, 'Ada', 'ada@example.org', 'admin', '2026-11-20 12:00:00.123+00');
INSERT INTO public.households VALUES (1, 'Recorded', 'Europe/Berlin', 5, '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00');
INSERT INTO public.idempotency_keys VALUES (1, 1, 'x', 'x', 'x', 1, '\x78', '2026-11-20 12:00:00.123+00');
INSERT INTO public.income_ranges VALUES ('Well below typical', 'Well below the typical income where I live: around half of it, or less.', 1, 'well-below-typical', 'f78eea2cde3afd45f569209904491aecfb0db2b265546737aa0474c19231e0a0');
INSERT INTO public.income_ranges VALUES ('Somewhat below typical', 'Less than the typical income where I live, but more than around half of it.', 2, 'below-typical', '0e0d39a24bf6bd338618fbf72e5e4085fa5520c7e9aeae8d0de3c86890e57ebf');
INSERT INTO public.income_ranges VALUES ('About typical', 'About as much as most people have where I live.', 3, 'typical', '10eaad6cc010f75250e54859d3a47c829d59f44a596ccbe1968abc0123771e4c');
INSERT INTO public.income_ranges VALUES ('Somewhat above typical', 'More than the typical income where I live, but less than around twice as much.', 4, 'above-typical', 'e674f7563b3c7b761379e16b40b5296fd6232d1e9d1fb1df2aad1e39e2420c6c');
INSERT INTO public.income_ranges VALUES ('Well above typical', 'Well above the typical income where I live: around twice as much, or more.', 5, 'well-above-typical', '93858c32bd95b49bac67f1285b40310133d67215c6c31f858ae6eb8f5aacf3ee');
INSERT INTO public.monthly_summaries VALUES (1, 1, 202606, 3200.50, 900.25, 1800.25, 300.00, 200.00, 24, '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00', 1);
INSERT INTO public.outcomes VALUES (1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, '2026-11-20 12:00:00.123+00', 1, '2026-11-20 12:00:00.123+00');
INSERT INTO public.participants VALUES (1, 1, 'recorded-study-v1', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'train', '2026-11-20 12:00:00.123+00');
INSERT INTO public.plans VALUES (1, 1, 1, 1, true, 1, '2026-11-20 12:00:00.123+00', NULL);
INSERT INTO public.point_entries VALUES (1, 1, 1, 'x', 1, '2026-11-20 12:00:00.123+00', 1);
INSERT INTO public.profiles VALUES (1, 1, 'student', true, 12345.67, 1, 'monthly', 1.50, 1, 'Asia/Bangkok', 'THB', '2026-11-20 12:00:00.123+00');
INSERT INTO public.progress_snapshots VALUES ('2026-06', 1, 'x', 1, 1, 1, 1, 1, 1, 1, 1, '{}', '{}', '[]', '[]', 1, 1, 1, '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00');
INSERT INTO public.pseudonym_keys VALUES (1, 'recorded-study-v1', 1, 'gAAAAABrDHBPQ95IFHUFS-ODFFkuE7cOvL4iFRPn29Hs6SoxsdLeslQqtZ4nDL9mzYCIVtix13-Z_7EwF_Cprs3UF0Nro7BYwOwoHmuw9epNxUe-y6mhrgDBlQ4OL38qy_593iRv_TCb', '2026-11-20 12:00:00.123+00');
INSERT INTO public.reflections VALUES ('x', 'weekly', 'wants', 'Snacks.', 'x', 4, 1.50, 'basic', '[]', 1, 1, 1, '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00');
INSERT INTO public.released_participants VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'recorded-study-v1', 1, 3);
INSERT INTO public.released_participants VALUES ('bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 'recorded-study-v1', 2, 4);
INSERT INTO public.releases VALUES (1, 'buddy-recorded-1', NULL, '{"kind": "json", "since": null, "study_version": null, "tables": [], "identifiers": false}', '{}', '{}', 'x', '2026-11-20 12:00:00.123+00');
INSERT INTO public.releases VALUES (2, 'buddy-recorded-2', NULL, '{"kind": "json", "since": null, "study_version": "recorded-study-v1", "tables": [], "identifiers": false}', '{}', '{}', 'x', '2026-11-20 12:00:00.123+00');
INSERT INTO public.releases VALUES (3, 'buddy-recorded-3', NULL, '{"kind": "json", "since": null, "study_version": "another-study", "tables": [], "identifiers": false}', '{}', '{}', 'x', '2026-11-20 12:00:00.123+00');
INSERT INTO public.releases VALUES (4, 'buddy-recorded-4', NULL, '{"kind": "json", "since": null, "study_version": null, "tables": [], "identifiers": false}', '{}', '{}', 'x', '2026-11-20 12:00:00.123+00');
INSERT INTO public.responses VALUES ('x', 'budget_confidence', '1', 'pre', '', '{"q1": 4, "q2": 3}', 0.5, NULL, 1, 1, 1, '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00');
INSERT INTO public.studies VALUES (1, 'recorded-study-v1', 'explore', 'rules', 0.2, 0.5, NULL, '2026-11-20 12:00:00.123+00', NULL, NULL);
INSERT INTO public.suggestions VALUES (1, 1, 'x', 'x', 'x', '2026-11-20 12:00:00.123+00');
INSERT INTO public.todo_actions VALUES (1, 1, 1, 'completed', '2026-11-19', NULL, NULL, 'well done', 1, '2026-11-20 12:00:00.123+00', NULL);
INSERT INTO public.todos VALUES (1, 1, 1, 1, 1, 'guide', NULL, NULL, NULL, '2026-11-19', NULL, false, false, '2026-11-20');
INSERT INTO public.user_badges VALUES (1, 1, 1, 'x', '2026-11-20 12:00:00.123+00');
INSERT INTO public.user_challenges VALUES (1, 1, 1, '2026-06', 'in_progress', 1.50, 'user', 'x', '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00', 1);
INSERT INTO public.users VALUES (1, '6f1c2f6e-5d5e-4c8e-9d3b-0a3f3f0c1a01', '2026-11-20 12:00:00.123+00');
INSERT INTO public.users VALUES (2, '9b6b1d52-35a4-4b51-8d3f-1f3f8a3f7c02', '2026-11-20 12:00:00.123+00');
INSERT INTO public.weekly_summaries VALUES (1, 2, 1, 202606, 3200.50, 900.25, 1800.25, 300.00, 200.00, 5, '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00', 1);
SELECT pg_catalog.setval('public.challenge_metrics_id_seq', 1, true);
SELECT pg_catalog.setval('public.completion_runs_id_seq', 1, true);
SELECT pg_catalog.setval('public.consents_id_seq', 1, true);
SELECT pg_catalog.setval('public.day_selections_id_seq', 1, true);
SELECT pg_catalog.setval('public.decisions_id_seq', 1, true);
SELECT pg_catalog.setval('public.events_id_seq', 1, true);
SELECT pg_catalog.setval('public.guide_items_id_seq', 282, true);
SELECT pg_catalog.setval('public.guide_stages_id_seq', 21, true);
SELECT pg_catalog.setval('public.guides_id_seq', 3, true);
SELECT pg_catalog.setval('public.household_answers_id_seq', 1, true);
SELECT pg_catalog.setval('public.household_participants_id_seq', 2, true);
SELECT pg_catalog.setval('public.household_tokens_id_seq', 1, true);
SELECT pg_catalog.setval('public.household_users_id_seq', 1, true);
SELECT pg_catalog.setval('public.households_id_seq', 1, true);
SELECT pg_catalog.setval('public.idempotency_keys_id_seq', 1, true);
SELECT pg_catalog.setval('public.monthly_summaries_id_seq', 1, true);
SELECT pg_catalog.setval('public.participants_id_seq', 1, true);
SELECT pg_catalog.setval('public.plans_id_seq', 1, true);
SELECT pg_catalog.setval('public.point_entries_id_seq', 1, true);
SELECT pg_catalog.setval('public.progress_snapshots_id_seq', 1, true);
SELECT pg_catalog.setval('public.pseudonym_keys_id_seq', 1, true);
SELECT pg_catalog.setval('public.reflections_id_seq', 1, true);
SELECT pg_catalog.setval('public.releases_id_seq', 4, true);
SELECT pg_catalog.setval('public.responses_id_seq', 1, true);
SELECT pg_catalog.setval('public.studies_id_seq', 1, true);
SELECT pg_catalog.setval('public.suggestions_id_seq', 1, true);
SELECT pg_catalog.setval('public.todo_actions_id_seq', 1, true);
SELECT pg_catalog.setval('public.todos_id_seq', 1, true);
SELECT pg_catalog.setval('public.user_badges_id_seq', 1, true);
SELECT pg_catalog.setval('public.user_challenges_id_seq', 1, true);
SELECT pg_catalog.setval('public.users_id_seq', 2, true);
SELECT pg_catalog.setval('public.weekly_summaries_id_seq', 1, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.badges
    ADD CONSTRAINT pk_badges PRIMARY KEY (id);
ALTER TABLE ONLY public.candidates
    ADD CONSTRAINT pk_candidates PRIMARY KEY (policy_id);
ALTER TABLE ONLY public.challenge_metrics
    ADD CONSTRAINT pk_challenge_metrics PRIMARY KEY (id);
ALTER TABLE ONLY public.challenge_templates
    ADD CONSTRAINT pk_challenge_templates PRIMARY KEY (id);
ALTER TABLE ONLY public.completion_runs
    ADD CONSTRAINT pk_completion_runs PRIMARY KEY (id);
ALTER TABLE ONLY public.consents
    ADD CONSTRAINT pk_consents PRIMARY KEY (id);
ALTER TABLE ONLY public.day_items
    ADD CONSTRAINT pk_day_items PRIMARY KEY (household_id, day, todo_id);
ALTER TABLE ONLY public.day_selections
    ADD CONSTRAINT pk_day_selections PRIMARY KEY (id);
ALTER TABLE ONLY public.decisions
    ADD CONSTRAINT pk_decisions PRIMARY KEY (id);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT pk_events PRIMARY KEY (id);
ALTER TABLE ONLY public.guide_items
    ADD CONSTRAINT pk_guide_items PRIMARY KEY (id);
ALTER TABLE ONLY public.guide_stages
    ADD CONSTRAINT pk_guide_stages PRIMARY KEY (id);
ALTER TABLE ONLY public.guides
    ADD CONSTRAINT pk_guides PRIMARY KEY (id);
ALTER TABLE ONLY public.household_answers
    ADD CONSTRAINT pk_household_answers PRIMARY KEY (id);
ALTER TABLE ONLY public.household_participants
    ADD CONSTRAINT pk_household_participants PRIMARY KEY (id);
ALTER TABLE ONLY public.household_tokens
    ADD CONSTRAINT pk_household_tokens PRIMARY KEY (id);
ALTER TABLE ONLY public.household_users
    ADD CONSTRAINT pk_household_users PRIMARY KEY (id);
ALTER TABLE ONLY public.households
    ADD CONSTRAINT pk_households PRIMARY KEY (id);
ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT pk_idempotency_keys PRIMARY KEY (id);
ALTER TABLE ONLY public.income_ranges
    ADD CONSTRAINT pk_income_ranges PRIMARY KEY (id);
ALTER TABLE ONLY public.monthly_summaries
    ADD CONSTRAINT pk_monthly_summaries PRIMARY KEY (id);
ALTER TABLE ONLY public.outcomes
    ADD CONSTRAINT pk_outcomes PRIMARY KEY (decision_key);
ALTER TABLE ONLY public.participants
    ADD CONSTRAINT pk_participants PRIMARY KEY (id);
ALTER TABLE ONLY public.plans
    ADD CONSTRAINT pk_plans PRIMARY KEY (id);
ALTER TABLE ONLY public.point_entries
    ADD CONSTRAINT pk_point_entries PRIMARY KEY (id);
ALTER TABLE ONLY public.profiles
    ADD CONSTRAINT pk_profiles PRIMARY KEY (user_id);
ALTER TABLE ONLY public.progress_snapshots
    ADD CONSTRAINT pk_progress_snapshots PRIMARY KEY (id);
ALTER TABLE ONLY public.pseudonym_keys
    ADD CONSTRAINT pk_pseudonym_keys PRIMARY KEY (id);
ALTER TABLE ONLY public.reflections
    ADD CONSTRAINT pk_reflections PRIMARY KEY (id);
ALTER TABLE ONLY public.released_participants
    ADD CONSTRAINT pk_released_participants PRIMARY KEY (pseudonym);
ALTER TABLE ONLY public.releases
    ADD CONSTRAINT pk_releases PRIMARY KEY (id);
ALTER TABLE ONLY public.responses
    ADD CONSTRAINT pk_responses PRIMARY KEY (id);
ALTER TABLE ONLY public.studies
    ADD CONSTRAINT pk_studies PRIMARY KEY (id);
ALTER TABLE ONLY public.suggestions
    ADD CONSTRAINT pk_suggestions PRIMARY KEY (id);
ALTER TABLE ONLY public.todo_actions
    ADD CONSTRAINT pk_todo_actions PRIMARY KEY (id);
ALTER TABLE ONLY public.todos
    ADD CONSTRAINT pk_todos PRIMARY KEY (id);
ALTER TABLE ONLY public.user_badges
    ADD CONSTRAINT pk_user_badges PRIMARY KEY (id);
ALTER TABLE ONLY public.user_challenges
    ADD CONSTRAINT pk_user_challenges PRIMARY KEY (id);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT pk_users PRIMARY KEY (id);
ALTER TABLE ONLY public.weekly_summaries
    ADD CONSTRAINT pk_weekly_summaries PRIMARY KEY (id);
ALTER TABLE ONLY public.badges
    ADD CONSTRAINT uq_badges_slug UNIQUE (slug);
ALTER TABLE ONLY public.challenge_metrics
    ADD CONSTRAINT uq_challenge_metrics_user_id_month_metric_key UNIQUE (user_id, month, metric_key);
ALTER TABLE ONLY public.challenge_templates
    ADD CONSTRAINT uq_challenge_templates_slug UNIQUE (slug);
ALTER TABLE ONLY public.completion_runs
    ADD CONSTRAINT uq_completion_runs_household_id_first_on UNIQUE (household_id, first_on);
ALTER TABLE ONLY public.day_selections
    ADD CONSTRAINT uq_day_selections_household_id_day UNIQUE (household_id, day);
ALTER TABLE ONLY public.decisions
    ADD CONSTRAINT uq_decisions_decision_id UNIQUE (decision_id);
ALTER TABLE ONLY public.decisions
    ADD CONSTRAINT uq_decisions_user_id_study_id_local_week UNIQUE (user_id, study_id, local_week);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT uq_events_user_id_fingerprint UNIQUE (user_id, fingerprint);
ALTER TABLE ONLY public.guide_items
    ADD CONSTRAINT uq_guide_items_stage_id_item_key UNIQUE (stage_id, item_key);
ALTER TABLE ONLY public.guide_stages
    ADD CONSTRAINT uq_guide_stages_guide_id_stage_key UNIQUE (guide_id, stage_key);
ALTER TABLE ONLY public.guides
    ADD CONSTRAINT uq_guides_key UNIQUE (key);
ALTER TABLE ONLY public.household_answers
    ADD CONSTRAINT uq_household_answers_token_id_route_key UNIQUE (token_id, route, key);
ALTER TABLE ONLY public.household_tokens
    ADD CONSTRAINT uq_household_tokens_digest UNIQUE (digest);
ALTER TABLE ONLY public.household_users
    ADD CONSTRAINT uq_household_users_email UNIQUE (email);
ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT uq_idempotency_keys_user_id_route_key UNIQUE (user_id, route, key);
ALTER TABLE ONLY public.income_ranges
    ADD CONSTRAINT uq_income_ranges_slug UNIQUE (slug);
ALTER TABLE ONLY public.monthly_summaries
    ADD CONSTRAINT uq_monthly_summaries_user_id_month_key UNIQUE (user_id, month_key);
ALTER TABLE ONLY public.participants
    ADD CONSTRAINT uq_participants_pseudonym UNIQUE (pseudonym);
ALTER TABLE ONLY public.participants
    ADD CONSTRAINT uq_participants_user_id_study_version UNIQUE (user_id, study_version);
ALTER TABLE ONLY public.point_entries
    ADD CONSTRAINT uq_point_entries_user_id_cause_cause_id UNIQUE (user_id, cause, cause_id);
ALTER TABLE ONLY public.progress_snapshots
    ADD CONSTRAINT uq_progress_snapshots_user_id_month UNIQUE (user_id, month);
ALTER TABLE ONLY public.pseudonym_keys
    ADD CONSTRAINT uq_pseudonym_keys_study_version_generation UNIQUE (study_version, generation);
ALTER TABLE ONLY public.reflections
    ADD CONSTRAINT uq_reflections_user_id_fingerprint UNIQUE (user_id, fingerprint);
ALTER TABLE ONLY public.releases
    ADD CONSTRAINT uq_releases_name UNIQUE (name);
ALTER TABLE ONLY public.responses
    ADD CONSTRAINT uq_responses_user_id_fingerprint UNIQUE (user_id, fingerprint);
ALTER TABLE ONLY public.studies
    ADD CONSTRAINT uq_studies_study_version UNIQUE (study_version);
ALTER TABLE ONLY public.todos
    ADD CONSTRAINT uq_todos_participant_id_guide_item_id UNIQUE (participant_id, guide_item_id);
ALTER TABLE ONLY public.user_badges
    ADD CONSTRAINT uq_user_badges_user_id_badge_id UNIQUE (user_id, badge_id);
ALTER TABLE ONLY public.user_challenges
    ADD CONSTRAINT uq_user_challenges_user_id_challenge_template_id_month UNIQUE (user_id, challenge_template_id, month);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT uq_users_uuid UNIQUE (uuid);
ALTER TABLE ONLY public.weekly_summaries
    ADD CONSTRAINT uq_weekly_summaries_user_id_month_key_week_key UNIQUE (user_id, month_key, week_key);
CREATE INDEX ix_challenge_metrics_consent_id ON public.challenge_metrics USING btree (consent_id);
CREATE INDEX ix_challenge_templates_category_id ON public.challenge_templates USING btree (category_id);
CREATE INDEX ix_challenge_templates_challenge_type ON public.challenge_templates USING btree (challenge_type);
CREATE INDEX ix_challenge_templates_difficulty ON public.challenge_templates USING btree (difficulty);
CREATE INDEX ix_challenge_templates_metric_key ON public.challenge_templates USING btree (metric_key);
CREATE INDEX ix_consents_user_id_id ON public.consents USING btree (user_id, id);
CREATE INDEX ix_decisions_consent_id ON public.decisions USING btree (consent_id);
CREATE INDEX ix_decisions_user_id_decided_at ON public.decisions USING btree (user_id, decided_at);
CREATE INDEX ix_events_consent_id ON public.events USING btree (consent_id);
CREATE INDEX ix_household_answers_created_at ON public.household_answers USING btree (created_at);
CREATE INDEX ix_household_participants_household_id ON public.household_participants USING btree (household_id);
CREATE INDEX ix_household_tokens_user_id ON public.household_tokens USING btree (user_id);
CREATE INDEX ix_household_users_household_id ON public.household_users USING btree (household_id);
CREATE INDEX ix_idempotency_keys_created_at ON public.idempotency_keys USING btree (created_at);
CREATE INDEX ix_monthly_summaries_consent_id ON public.monthly_summaries USING btree (consent_id);
CREATE INDEX ix_outcomes_user_id ON public.outcomes USING btree (user_id);
CREATE INDEX ix_plans_household_id ON public.plans USING btree (household_id);
CREATE INDEX ix_point_entries_consent_id ON public.point_entries USING btree (consent_id);
CREATE INDEX ix_point_entries_user ON public.point_entries USING btree (user_id);
CREATE INDEX ix_progress_snapshots_consent_id ON public.progress_snapshots USING btree (consent_id);
CREATE INDEX ix_reflections_consent_id ON public.reflections USING btree (consent_id);
CREATE INDEX ix_released_participants_study_version ON public.released_participants USING btree (study_version);
CREATE INDEX ix_responses_consent_id ON public.responses USING btree (consent_id);
CREATE INDEX ix_suggestions_created_at ON public.suggestions USING btree (created_at);
CREATE INDEX ix_suggestions_user_id_created_at ON public.suggestions USING btree (user_id, created_at);
CREATE INDEX ix_todo_actions_household_id_action_date ON public.todo_actions USING btree (household_id, action_date);
CREATE INDEX ix_todo_actions_todo_id_action_type ON public.todo_actions USING btree (todo_id, action_type, id);
CREATE INDEX ix_todos_household_id_plan_id ON public.todos USING btree (household_id, plan_id);
CREATE INDEX ix_user_challenges_consent_id ON public.user_challenges USING btree (consent_id);
CREATE INDEX ix_weekly_summaries_consent_id ON public.weekly_summaries USING btree (consent_id);
CREATE UNIQUE INDEX uq_plans_active ON public.plans USING btree (participant_id, guide_id) WHERE active;
CREATE UNIQUE INDEX uq_todo_actions_completed ON public.todo_actions USING btree (todo_id, action_date) WHERE (((action_type)::text = 'completed'::text) AND (undone_at IS NULL));
ALTER TABLE ONLY public.challenge_metrics
    ADD CONSTRAINT fk_challenge_metrics_consent_id FOREIGN KEY (consent_id) REFERENCES public.consents(id);
ALTER TABLE ONLY public.challenge_metrics
    ADD CONSTRAINT fk_challenge_metrics_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.completion_runs
    ADD CONSTRAINT fk_completion_runs_household_id FOREIGN KEY (household_id) REFERENCES public.households(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.consents
    ADD CONSTRAINT fk_consents_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.day_items
    ADD CONSTRAINT fk_day_items_household_id FOREIGN KEY (household_id) REFERENCES public.households(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.day_items
    ADD CONSTRAINT fk_day_items_todo_id FOREIGN KEY (todo_id) REFERENCES public.todos(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.day_selections
    ADD CONSTRAINT fk_day_selections_household_id FOREIGN KEY (household_id) REFERENCES public.households(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.decisions
    ADD CONSTRAINT fk_decisions_consent_id FOREIGN KEY (consent_id) REFERENCES public.consents(id);
ALTER TABLE ONLY public.decisions
    ADD CONSTRAINT fk_decisions_study_id FOREIGN KEY (study_id) REFERENCES public.studies(id);
ALTER TABLE ONLY public.decisions
    ADD CONSTRAINT fk_decisions_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.events
    ADD CONSTRAINT fk_events_consent_id FOREIGN KEY (consent_id) REFERENCES public.consents(id);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT fk_events_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.guide_items
    ADD CONSTRAINT fk_guide_items_stage_id FOREIGN KEY (stage_id) REFERENCES public.guide_stages(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.guide_stages
    ADD CONSTRAINT fk_guide_stages_guide_id FOREIGN KEY (guide_id) REFERENCES public.guides(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.household_answers
    ADD CONSTRAINT fk_household_answers_token_id FOREIGN KEY (token_id) REFERENCES public.household_tokens(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.household_participants
    ADD CONSTRAINT fk_household_participants_household_id FOREIGN KEY (household_id) REFERENCES public.households(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.household_tokens
    ADD CONSTRAINT fk_household_tokens_user_id FOREIGN KEY (user_id) REFERENCES public.household_users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.household_users
    ADD CONSTRAINT fk_household_users_household_id FOREIGN KEY (household_id) REFERENCES public.households(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.household_users
    ADD CONSTRAINT fk_household_users_participant_id FOREIGN KEY (participant_id) REFERENCES public.household_participants(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT fk_idempotency_keys_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.monthly_summaries
    ADD CONSTRAINT fk_monthly_summaries_consent_id FOREIGN KEY (consent_id) REFERENCES public.consents(id);
ALTER TABLE ONLY public.monthly_summaries
    ADD CONSTRAINT fk_monthly_summaries_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.outcomes
    ADD CONSTRAINT fk_outcomes_decision_key FOREIGN KEY (decision_key) REFERENCES public.decisions(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.outcomes
    ADD CONSTRAINT fk_outcomes_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.participants
    ADD CONSTRAINT fk_participants_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.plans
    ADD CONSTRAINT fk_plans_guide_id FOREIGN KEY (guide_id) REFERENCES public.guides(id);
ALTER TABLE ONLY public.plans
    ADD CONSTRAINT fk_plans_household_id FOREIGN KEY (household_id) REFERENCES public.households(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.plans
    ADD CONSTRAINT fk_plans_participant_id FOREIGN KEY (participant_id) REFERENCES public.household_participants(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.plans
    ADD CONSTRAINT fk_plans_stage_id FOREIGN KEY (stage_id) REFERENCES public.guide_stages(id);
ALTER TABLE ONLY public.point_entries
    ADD CONSTRAINT fk_point_entries_consent_id FOREIGN KEY (consent_id) REFERENCES public.consents(id);
ALTER TABLE ONLY public.point_entries
    ADD CONSTRAINT fk_point_entries_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.profiles
    ADD CONSTRAINT fk_profiles_income_range_id FOREIGN KEY (income_range_id) REFERENCES public.income_ranges(id);
ALTER TABLE ONLY public.profiles
    ADD CONSTRAINT fk_profiles_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.progress_snapshots
    ADD CONSTRAINT fk_progress_snapshots_consent_id FOREIGN KEY (consent_id) REFERENCES public.consents(id);
ALTER TABLE ONLY public.progress_snapshots
    ADD CONSTRAINT fk_progress_snapshots_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.reflections
    ADD CONSTRAINT fk_reflections_consent_id FOREIGN KEY (consent_id) REFERENCES public.consents(id);
ALTER TABLE ONLY public.reflections
    ADD CONSTRAINT fk_reflections_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.released_participants
    ADD CONSTRAINT fk_released_participants_first_release_id FOREIGN KEY (first_release_id) REFERENCES public.releases(id);
ALTER TABLE ONLY public.released_participants
    ADD CONSTRAINT fk_released_participants_last_release_id FOREIGN KEY (last_release_id) REFERENCES public.releases(id);
ALTER TABLE ONLY public.responses
    ADD CONSTRAINT fk_responses_consent_id FOREIGN KEY (consent_id) REFERENCES public.consents(id);
ALTER TABLE ONLY public.responses
    ADD CONSTRAINT fk_responses_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.studies
    ADD CONSTRAINT fk_studies_candidate_id FOREIGN KEY (candidate_id) REFERENCES public.candidates(policy_id);
ALTER TABLE ONLY public.suggestions
    ADD CONSTRAINT fk_suggestions_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.todo_actions
    ADD CONSTRAINT fk_todo_actions_household_id FOREIGN KEY (household_id) REFERENCES public.households(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.todo_actions
    ADD CONSTRAINT fk_todo_actions_performed_by FOREIGN KEY (performed_by) REFERENCES public.household_users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.todo_actions
    ADD CONSTRAINT fk_todo_actions_todo_id FOREIGN KEY (todo_id) REFERENCES public.todos(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.todos
    ADD CONSTRAINT fk_todos_guide_item_id FOREIGN KEY (guide_item_id) REFERENCES public.guide_items(id);
ALTER TABLE ONLY public.todos
    ADD CONSTRAINT fk_todos_household_id FOREIGN KEY (household_id) REFERENCES public.households(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.todos
    ADD CONSTRAINT fk_todos_participant_id FOREIGN KEY (participant_id) REFERENCES public.household_participants(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.todos
    ADD CONSTRAINT fk_todos_plan_id FOREIGN KEY (plan_id) REFERENCES public.plans(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.user_badges
    ADD CONSTRAINT fk_user_badges_badge_id FOREIGN KEY (badge_id) REFERENCES public.badges(id);
ALTER TABLE ONLY public.user_badges
    ADD CONSTRAINT fk_user_badges_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.user_challenges
    ADD CONSTRAINT fk_user_challenges_challenge_template_id FOREIGN KEY (challenge_template_id) REFERENCES public.challenge_templates(id);
ALTER TABLE ONLY public.user_challenges
    ADD CONSTRAINT fk_user_challenges_consent_id FOREIGN KEY (consent_id) REFERENCES public.consents(id);
ALTER TABLE ONLY public.user_challenges
    ADD CONSTRAINT fk_user_challenges_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.weekly_summaries
    ADD CONSTRAINT fk_weekly_summaries_consent_id FOREIGN KEY (consent_id) REFERENCES public.consents(id);
ALTER TABLE ONLY public.weekly_summaries
    ADD CONSTRAINT fk_weekly_summaries_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
