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
    release_id integer NOT NULL,
    pseudonym character varying(64) NOT NULL
);
CREATE TABLE public.releases (
    id integer NOT NULL,
    name character varying(64) NOT NULL,
    since character varying(64),
    filters json NOT NULL,
    rows json NOT NULL,
    changes json NOT NULL,
    zones json NOT NULL,
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
ALTER TABLE ONLY public.consents ALTER COLUMN id SET DEFAULT nextval('public.consents_id_seq'::regclass);
ALTER TABLE ONLY public.decisions ALTER COLUMN id SET DEFAULT nextval('public.decisions_id_seq'::regclass);
ALTER TABLE ONLY public.events ALTER COLUMN id SET DEFAULT nextval('public.events_id_seq'::regclass);
ALTER TABLE ONLY public.idempotency_keys ALTER COLUMN id SET DEFAULT nextval('public.idempotency_keys_id_seq'::regclass);
ALTER TABLE ONLY public.monthly_summaries ALTER COLUMN id SET DEFAULT nextval('public.monthly_summaries_id_seq'::regclass);
ALTER TABLE ONLY public.participants ALTER COLUMN id SET DEFAULT nextval('public.participants_id_seq'::regclass);
ALTER TABLE ONLY public.point_entries ALTER COLUMN id SET DEFAULT nextval('public.point_entries_id_seq'::regclass);
ALTER TABLE ONLY public.progress_snapshots ALTER COLUMN id SET DEFAULT nextval('public.progress_snapshots_id_seq'::regclass);
ALTER TABLE ONLY public.pseudonym_keys ALTER COLUMN id SET DEFAULT nextval('public.pseudonym_keys_id_seq'::regclass);
ALTER TABLE ONLY public.reflections ALTER COLUMN id SET DEFAULT nextval('public.reflections_id_seq'::regclass);
ALTER TABLE ONLY public.releases ALTER COLUMN id SET DEFAULT nextval('public.releases_id_seq'::regclass);
ALTER TABLE ONLY public.responses ALTER COLUMN id SET DEFAULT nextval('public.responses_id_seq'::regclass);
ALTER TABLE ONLY public.studies ALTER COLUMN id SET DEFAULT nextval('public.studies_id_seq'::regclass);
ALTER TABLE ONLY public.suggestions ALTER COLUMN id SET DEFAULT nextval('public.suggestions_id_seq'::regclass);
ALTER TABLE ONLY public.user_badges ALTER COLUMN id SET DEFAULT nextval('public.user_badges_id_seq'::regclass);
ALTER TABLE ONLY public.user_challenges ALTER COLUMN id SET DEFAULT nextval('public.user_challenges_id_seq'::regclass);
ALTER TABLE ONLY public.users ALTER COLUMN id SET DEFAULT nextval('public.users_id_seq'::regclass);
ALTER TABLE ONLY public.weekly_summaries ALTER COLUMN id SET DEFAULT nextval('public.weekly_summaries_id_seq'::regclass);
INSERT INTO public.alembic_version VALUES ('0004');
INSERT INTO public.badges VALUES ('First Step', 'You claimed your first challenge. This is how a habit begins.', 0, '{"kind": "challenges_claimed", "at_least": 1}', 1, 'first-step', 'd52f482f78d7ed8d94f28022b1216b6919e550aee0e342962165dbfe1bdd838f');
INSERT INTO public.badges VALUES ('A Good Handful', 'You claimed five challenges. You know by now which ones suit you.', 20, '{"kind": "challenges_claimed", "at_least": 5}', 2, 'handful', 'e2140fb54ac6f92d0267758caf8dbdee8785daad040801c9859a7b8cd97be0f4');
INSERT INTO public.badges VALUES ('In the Swing', 'You claimed 15 challenges. Your kakeibo has become part of your days.', 40, '{"kind": "challenges_claimed", "at_least": 15}', 3, 'in-the-swing', '13fdcafe6ca75235206fe0763c256d134f80fa561d860c349aae8572cdba7a3d');
INSERT INTO public.candidates VALUES ('x', '\x78', '\x78', '2026-11-20 12:00:00.123+00');
INSERT INTO public.challenge_metrics VALUES (1, 1, '2026-06', 'expense_log_days', 1.50, '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00', 1);
INSERT INTO public.challenge_templates VALUES ('Shop with a list', 'Write a list before two shopping trips for needs, in a shop or online. Buying something you forgot to write down is fine; the trip still counts.', 'planning', 'needs', 1, 'needs_list_trips', 2.00, 'count', 20, 'easy', 1, 'shop-with-a-list', '0e5cce5e597c6a358bd7f88e886c51f6496404b909962dcab4a624ac937d6bc6');
INSERT INTO public.challenge_templates VALUES ('A list every week', 'Write a list before at least four shopping trips for needs this month. Looking into your cupboards first makes it a quick one.', 'planning', 'needs', 1, 'needs_list_trips', 4.00, 'count', 50, 'medium', 2, 'a-list-every-week', '9cd837bc1365b41eeb2e571cef176ef4b35483cca86297e13cd460eeff389252');
INSERT INTO public.challenge_templates VALUES ('Listed all month', 'Write a list before 12 shopping trips for needs this month. Short lists count as much as long ones.', 'planning', 'needs', 1, 'needs_list_trips', 12.00, 'count', 100, 'hard', 3, 'listed-all-month', 'ed7367652380178b40fb2795b68de2c6fd6f0f144d5f90dcdb163120880eb50b');
INSERT INTO public.consents VALUES (1, 1, 'recorded-study-v1', true, true, true, 'private', 'P-001', '2026-11-20 12:00:00.123+00');
INSERT INTO public.decisions VALUES (1, 'x', 1, 1, '2026-11-20 12:00:00.123+00', 'budget-rules/1', 'study', NULL, 'explore', 'policy', 0, '[0.5, 0.4, 0.3, 0.2, 0.1, 0.5, 0.5, 0.5, 0.5, 0.5]', '[2, 2, 2]', '[[0.0, 0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0]]', 1, '00000000000000000000000000000000', 'budget-context/1', 'budget-levels/1', 1, '2026-11-20', 1, NULL, '[[], [], []]', false, '[2, 2, 2]', NULL, NULL, NULL);
INSERT INTO public.events VALUES ('x', 'challenge_catalog_viewed', true, '{"source": "tab"}', 1, 1, 1, '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00');
INSERT INTO public.idempotency_keys VALUES (1, 1, 'x', 'x', 'x', 1, '\x78', '2026-11-20 12:00:00.123+00');
INSERT INTO public.income_ranges VALUES ('Well below typical', 'Well below the typical income where I live: around half of it, or less.', 1, 'well-below-typical', 'f78eea2cde3afd45f569209904491aecfb0db2b265546737aa0474c19231e0a0');
INSERT INTO public.income_ranges VALUES ('Somewhat below typical', 'Less than the typical income where I live, but more than around half of it.', 2, 'below-typical', '0e0d39a24bf6bd338618fbf72e5e4085fa5520c7e9aeae8d0de3c86890e57ebf');
INSERT INTO public.income_ranges VALUES ('About typical', 'About as much as most people have where I live.', 3, 'typical', '10eaad6cc010f75250e54859d3a47c829d59f44a596ccbe1968abc0123771e4c');
INSERT INTO public.income_ranges VALUES ('Somewhat above typical', 'More than the typical income where I live, but less than around twice as much.', 4, 'above-typical', 'e674f7563b3c7b761379e16b40b5296fd6232d1e9d1fb1df2aad1e39e2420c6c');
INSERT INTO public.income_ranges VALUES ('Well above typical', 'Well above the typical income where I live: around twice as much, or more.', 5, 'well-above-typical', '93858c32bd95b49bac67f1285b40310133d67215c6c31f858ae6eb8f5aacf3ee');
INSERT INTO public.monthly_summaries VALUES (1, 1, 202606, 3200.50, 900.25, 1800.25, 300.00, 200.00, 24, '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00', 1);
INSERT INTO public.outcomes VALUES (1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, '2026-11-20 12:00:00.123+00', 1, '2026-11-20 12:00:00.123+00');
INSERT INTO public.participants VALUES (1, 1, 'recorded-study-v1', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'train', '2026-11-20 12:00:00.123+00');
INSERT INTO public.point_entries VALUES (1, 1, 1, 'x', 1, '2026-11-20 12:00:00.123+00', 1);
INSERT INTO public.profiles VALUES (1, 1, 'student', true, 12345.67, 1, 'monthly', 1.50, 1, 'Asia/Bangkok', 'THB', '2026-11-20 12:00:00.123+00');
INSERT INTO public.progress_snapshots VALUES ('2026-06', 1, 'x', 1, 1, 1, 1, 1, 1, 1, 1, '{}', '{}', '[]', '[]', 1, 1, 1, '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00');
INSERT INTO public.pseudonym_keys VALUES (1, 'recorded-study-v1', 1, 'gAAAAABrDHBPQ95IFHUFS-ODFFkuE7cOvL4iFRPn29Hs6SoxsdLeslQqtZ4nDL9mzYCIVtix13-Z_7EwF_Cprs3UF0Nro7BYwOwoHmuw9epNxUe-y6mhrgDBlQ4OL38qy_593iRv_TCb', '2026-11-20 12:00:00.123+00');
INSERT INTO public.reflections VALUES ('x', 'weekly', 'wants', 'Snacks.', 'x', 4, 1.50, 'basic', '[]', 1, 1, 1, '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00');
INSERT INTO public.released_participants VALUES (1, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa');
INSERT INTO public.released_participants VALUES (2, 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb');
INSERT INTO public.releases VALUES (1, 'buddy-recorded-1', NULL, '{"kind": "json", "since": null, "study_version": null, "tables": [], "identifiers": false}', '{}', '{}', '[]', 'x', '2026-11-20 12:00:00.123+00');
INSERT INTO public.releases VALUES (2, 'buddy-recorded-2', NULL, '{"kind": "json", "since": null, "study_version": "recorded-study-v1", "tables": [], "identifiers": false}', '{}', '{}', '[]', 'x', '2026-11-20 12:00:00.123+00');
INSERT INTO public.releases VALUES (3, 'buddy-recorded-3', NULL, '{"kind": "json", "since": null, "study_version": "another-study", "tables": [], "identifiers": false}', '{}', '{}', '[]', 'x', '2026-11-20 12:00:00.123+00');
INSERT INTO public.releases VALUES (4, 'buddy-recorded-4', NULL, '{"kind": "json", "since": null, "study_version": null, "tables": [], "identifiers": false}', '{}', '{}', '[]', 'x', '2026-11-20 12:00:00.123+00');
INSERT INTO public.responses VALUES ('x', 'budget_confidence', '1', 'pre', '', '{"q1": 4, "q2": 3}', 0.5, NULL, 1, 1, 1, '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00');
INSERT INTO public.studies VALUES (1, 'recorded-study-v1', 'explore', 'rules', 0.2, 0.5, NULL, '2026-11-20 12:00:00.123+00', NULL, NULL);
INSERT INTO public.suggestions VALUES (1, 1, 'x', 'x', 'x', '2026-11-20 12:00:00.123+00');
INSERT INTO public.user_badges VALUES (1, 1, 1, 'x', '2026-11-20 12:00:00.123+00');
INSERT INTO public.user_challenges VALUES (1, 1, 1, '2026-06', 'in_progress', 1.50, 'user', 'x', '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00', 1);
INSERT INTO public.users VALUES (1, '6f1c2f6e-5d5e-4c8e-9d3b-0a3f3f0c1a01', '2026-11-20 12:00:00.123+00');
INSERT INTO public.users VALUES (2, '9b6b1d52-35a4-4b51-8d3f-1f3f8a3f7c02', '2026-11-20 12:00:00.123+00');
INSERT INTO public.weekly_summaries VALUES (1, 2, 1, 202606, 3200.50, 900.25, 1800.25, 300.00, 200.00, 5, '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00', 1);
SELECT pg_catalog.setval('public.challenge_metrics_id_seq', 1, true);
SELECT pg_catalog.setval('public.consents_id_seq', 1, true);
SELECT pg_catalog.setval('public.decisions_id_seq', 1, true);
SELECT pg_catalog.setval('public.events_id_seq', 1, true);
SELECT pg_catalog.setval('public.idempotency_keys_id_seq', 1, true);
SELECT pg_catalog.setval('public.monthly_summaries_id_seq', 1, true);
SELECT pg_catalog.setval('public.participants_id_seq', 1, true);
SELECT pg_catalog.setval('public.point_entries_id_seq', 1, true);
SELECT pg_catalog.setval('public.progress_snapshots_id_seq', 1, true);
SELECT pg_catalog.setval('public.pseudonym_keys_id_seq', 1, true);
SELECT pg_catalog.setval('public.reflections_id_seq', 1, true);
SELECT pg_catalog.setval('public.releases_id_seq', 4, true);
SELECT pg_catalog.setval('public.responses_id_seq', 1, true);
SELECT pg_catalog.setval('public.studies_id_seq', 1, true);
SELECT pg_catalog.setval('public.suggestions_id_seq', 1, true);
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
ALTER TABLE ONLY public.consents
    ADD CONSTRAINT pk_consents PRIMARY KEY (id);
ALTER TABLE ONLY public.decisions
    ADD CONSTRAINT pk_decisions PRIMARY KEY (id);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT pk_events PRIMARY KEY (id);
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
    ADD CONSTRAINT pk_released_participants PRIMARY KEY (release_id, pseudonym);
ALTER TABLE ONLY public.releases
    ADD CONSTRAINT pk_releases PRIMARY KEY (id);
ALTER TABLE ONLY public.responses
    ADD CONSTRAINT pk_responses PRIMARY KEY (id);
ALTER TABLE ONLY public.studies
    ADD CONSTRAINT pk_studies PRIMARY KEY (id);
ALTER TABLE ONLY public.suggestions
    ADD CONSTRAINT pk_suggestions PRIMARY KEY (id);
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
ALTER TABLE ONLY public.decisions
    ADD CONSTRAINT uq_decisions_decision_id UNIQUE (decision_id);
ALTER TABLE ONLY public.decisions
    ADD CONSTRAINT uq_decisions_user_id_study_id_local_week UNIQUE (user_id, study_id, local_week);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT uq_events_user_id_fingerprint UNIQUE (user_id, fingerprint);
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
CREATE INDEX ix_idempotency_keys_created_at ON public.idempotency_keys USING btree (created_at);
CREATE INDEX ix_monthly_summaries_consent_id ON public.monthly_summaries USING btree (consent_id);
CREATE INDEX ix_outcomes_user_id ON public.outcomes USING btree (user_id);
CREATE INDEX ix_point_entries_consent_id ON public.point_entries USING btree (consent_id);
CREATE INDEX ix_point_entries_user ON public.point_entries USING btree (user_id);
CREATE INDEX ix_progress_snapshots_consent_id ON public.progress_snapshots USING btree (consent_id);
CREATE INDEX ix_reflections_consent_id ON public.reflections USING btree (consent_id);
CREATE INDEX ix_responses_consent_id ON public.responses USING btree (consent_id);
CREATE INDEX ix_suggestions_created_at ON public.suggestions USING btree (created_at);
CREATE INDEX ix_suggestions_user_id_created_at ON public.suggestions USING btree (user_id, created_at);
CREATE INDEX ix_user_challenges_consent_id ON public.user_challenges USING btree (consent_id);
CREATE INDEX ix_weekly_summaries_consent_id ON public.weekly_summaries USING btree (consent_id);
ALTER TABLE ONLY public.challenge_metrics
    ADD CONSTRAINT fk_challenge_metrics_consent_id FOREIGN KEY (consent_id) REFERENCES public.consents(id);
ALTER TABLE ONLY public.challenge_metrics
    ADD CONSTRAINT fk_challenge_metrics_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.consents
    ADD CONSTRAINT fk_consents_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
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
    ADD CONSTRAINT fk_released_participants_release_id FOREIGN KEY (release_id) REFERENCES public.releases(id);
ALTER TABLE ONLY public.responses
    ADD CONSTRAINT fk_responses_consent_id FOREIGN KEY (consent_id) REFERENCES public.consents(id);
ALTER TABLE ONLY public.responses
    ADD CONSTRAINT fk_responses_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.studies
    ADD CONSTRAINT fk_studies_candidate_id FOREIGN KEY (candidate_id) REFERENCES public.candidates(policy_id);
ALTER TABLE ONLY public.suggestions
    ADD CONSTRAINT fk_suggestions_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
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
