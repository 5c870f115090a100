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
CREATE TABLE public.challenge_metrics (
    id integer NOT NULL,
    user_id integer NOT NULL,
    month character varying(7) NOT NULL,
    metric_key character varying(64) NOT NULL,
    value numeric(18,2) NOT NULL,
    client_timestamp timestamp with time zone,
    received_at timestamp with time zone NOT NULL
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
    received_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.monthly_summaries_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.monthly_summaries_id_seq OWNED BY public.monthly_summaries.id;
CREATE TABLE public.point_entries (
    id integer NOT NULL,
    user_id integer NOT NULL,
    points integer NOT NULL,
    cause character varying(20) NOT NULL,
    cause_id integer NOT NULL,
    created_at timestamp with time zone NOT NULL
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
    claimed_at timestamp with time zone
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
    received_at timestamp with time zone NOT NULL
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
ALTER TABLE ONLY public.idempotency_keys ALTER COLUMN id SET DEFAULT nextval('public.idempotency_keys_id_seq'::regclass);
ALTER TABLE ONLY public.monthly_summaries ALTER COLUMN id SET DEFAULT nextval('public.monthly_summaries_id_seq'::regclass);
ALTER TABLE ONLY public.point_entries ALTER COLUMN id SET DEFAULT nextval('public.point_entries_id_seq'::regclass);
ALTER TABLE ONLY public.suggestions ALTER COLUMN id SET DEFAULT nextval('public.suggestions_id_seq'::regclass);
ALTER TABLE ONLY public.user_badges ALTER COLUMN id SET DEFAULT nextval('public.user_badges_id_seq'::regclass);
ALTER TABLE ONLY public.user_challenges ALTER COLUMN id SET DEFAULT nextval('public.user_challenges_id_seq'::regclass);
ALTER TABLE ONLY public.users ALTER COLUMN id SET DEFAULT nextval('public.users_id_seq'::regclass);
ALTER TABLE ONLY public.weekly_summaries ALTER COLUMN id SET DEFAULT nextval('public.weekly_summaries_id_seq'::regclass);
INSERT INTO public.alembic_version VALUES ('0002');
INSERT INTO public.badges VALUES ('First Step', 'You claimed your first challenge. This is how a habit begins.', 0, '{"kind": "challenges_claimed", "at_least": 1}', 1, 'first-step', 'd52f482f78d7ed8d94f28022b1216b6919e550aee0e342962165dbfe1bdd838f');
INSERT INTO public.badges VALUES ('A Good Handful', 'You claimed five challenges. You know by now which ones suit you.', 20, '{"kind": "challenges_claimed", "at_least": 5}', 2, 'handful', 'e2140fb54ac6f92d0267758caf8dbdee8785daad040801c9859a7b8cd97be0f4');
INSERT INTO public.badges VALUES ('In the Swing', 'You claimed 15 challenges. Your kakeibo has become part of your days.', 40, '{"kind": "challenges_claimed", "at_least": 15}', 3, 'in-the-swing', '13fdcafe6ca75235206fe0763c256d134f80fa561d860c349aae8572cdba7a3d');
INSERT INTO public.challenge_metrics VALUES (1, 1, '2026-06', 'expense_log_days', 1.50, '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00');
INSERT INTO public.challenge_templates VALUES ('Shop with a list', 'Write a list before two shopping trips for needs, in a shop or online. Buying something you forgot to write down is fine; the trip still counts.', 'planning', 'needs', 1, 'needs_list_trips', 2.00, 'count', 20, 'easy', 1, 'shop-with-a-list', '0e5cce5e597c6a358bd7f88e886c51f6496404b909962dcab4a624ac937d6bc6');
INSERT INTO public.challenge_templates VALUES ('A list every week', 'Write a list before at least four shopping trips for needs this month. Looking into your cupboards first makes it a quick one.', 'planning', 'needs', 1, 'needs_list_trips', 4.00, 'count', 50, 'medium', 2, 'a-list-every-week', '9cd837bc1365b41eeb2e571cef176ef4b35483cca86297e13cd460eeff389252');
INSERT INTO public.challenge_templates VALUES ('Listed all month', 'Write a list before 12 shopping trips for needs this month. Short lists count as much as long ones.', 'planning', 'needs', 1, 'needs_list_trips', 12.00, 'count', 100, 'hard', 3, 'listed-all-month', 'ed7367652380178b40fb2795b68de2c6fd6f0f144d5f90dcdb163120880eb50b');
INSERT INTO public.idempotency_keys VALUES (1, 1, 'x', 'x', 'x', 1, '\x78', '2026-11-20 12:00:00.123+00');
INSERT INTO public.income_ranges VALUES ('Well below typical', 'Well below the typical income where I live: around half of it, or less.', 1, 'well-below-typical', 'f78eea2cde3afd45f569209904491aecfb0db2b265546737aa0474c19231e0a0');
INSERT INTO public.income_ranges VALUES ('Somewhat below typical', 'Less than the typical income where I live, but more than around half of it.', 2, 'below-typical', '0e0d39a24bf6bd338618fbf72e5e4085fa5520c7e9aeae8d0de3c86890e57ebf');
INSERT INTO public.income_ranges VALUES ('About typical', 'About as much as most people have where I live.', 3, 'typical', '10eaad6cc010f75250e54859d3a47c829d59f44a596ccbe1968abc0123771e4c');
INSERT INTO public.income_ranges VALUES ('Somewhat above typical', 'More than the typical income where I live, but less than around twice as much.', 4, 'above-typical', 'e674f7563b3c7b761379e16b40b5296fd6232d1e9d1fb1df2aad1e39e2420c6c');
INSERT INTO public.income_ranges VALUES ('Well above typical', 'Well above the typical income where I live: around twice as much, or more.', 5, 'well-above-typical', '93858c32bd95b49bac67f1285b40310133d67215c6c31f858ae6eb8f5aacf3ee');
INSERT INTO public.monthly_summaries VALUES (1, 1, 202606, 3200.50, 900.25, 1800.25, 300.00, 200.00, 24, '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00');
INSERT INTO public.point_entries VALUES (1, 1, 1, 'x', 1, '2026-11-20 12:00:00.123+00');
INSERT INTO public.profiles VALUES (1, 1, 'student', true, 12345.67, 1, 'monthly', 1.50, 1, 'Asia/Bangkok', 'THB', '2026-11-20 12:00:00.123+00');
INSERT INTO public.suggestions VALUES (1, 1, 'x', 'x', 'x', '2026-11-20 12:00:00.123+00');
INSERT INTO public.user_badges VALUES (1, 1, 1, 'x', '2026-11-20 12:00:00.123+00');
INSERT INTO public.user_challenges VALUES (1, 1, 1, '2026-06', 'in_progress', 1.50, 'user', 'x', '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00');
INSERT INTO public.users VALUES (1, '6f1c2f6e-5d5e-4c8e-9d3b-0a3f3f0c1a01', '2026-11-20 12:00:00.123+00');
INSERT INTO public.users VALUES (2, '9b6b1d52-35a4-4b51-8d3f-1f3f8a3f7c02', '2026-11-20 12:00:00.123+00');
INSERT INTO public.weekly_summaries VALUES (1, 2, 1, 202606, 3200.50, 900.25, 1800.25, 300.00, 200.00, 5, '2026-11-20 12:00:00.123+00', '2026-11-20 12:00:00.123+00');
SELECT pg_catalog.setval('public.challenge_metrics_id_seq', 1, true);
SELECT pg_catalog.setval('public.idempotency_keys_id_seq', 1, true);
SELECT pg_catalog.setval('public.monthly_summaries_id_seq', 1, true);
SELECT pg_catalog.setval('public.point_entries_id_seq', 1, true);
SELECT pg_catalog.setval('public.suggestions_id_seq', 1, true);
SELECT pg_catalog.setval('public.user_badges_id_seq', 1, true);
SELECT pg_catalog.setval('public.user_challenges_id_seq', 1, true);
SELECT pg_catalog.setval('public.users_id_seq', 2, true);
SELECT pg_catalog.setval('public.weekly_summaries_id_seq', 1, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.badges
    ADD CONSTRAINT pk_badges PRIMARY KEY (id);
ALTER TABLE ONLY public.challenge_metrics
    ADD CONSTRAINT pk_challenge_metrics PRIMARY KEY (id);
ALTER TABLE ONLY public.challenge_templates
    ADD CONSTRAINT pk_challenge_templates PRIMARY KEY (id);
ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT pk_idempotency_keys PRIMARY KEY (id);
ALTER TABLE ONLY public.income_ranges
    ADD CONSTRAINT pk_income_ranges PRIMARY KEY (id);
ALTER TABLE ONLY public.monthly_summaries
    ADD CONSTRAINT pk_monthly_summaries PRIMARY KEY (id);
ALTER TABLE ONLY public.point_entries
    ADD CONSTRAINT pk_point_entries PRIMARY KEY (id);
ALTER TABLE ONLY public.profiles
    ADD CONSTRAINT pk_profiles PRIMARY KEY (user_id);
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
ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT uq_idempotency_keys_user_id_route_key UNIQUE (user_id, route, key);
ALTER TABLE ONLY public.income_ranges
    ADD CONSTRAINT uq_income_ranges_slug UNIQUE (slug);
ALTER TABLE ONLY public.monthly_summaries
    ADD CONSTRAINT uq_monthly_summaries_user_id_month_key UNIQUE (user_id, month_key);
ALTER TABLE ONLY public.point_entries
    ADD CONSTRAINT uq_point_entries_user_id_cause_cause_id UNIQUE (user_id, cause, cause_id);
ALTER TABLE ONLY public.user_badges
    ADD CONSTRAINT uq_user_badges_user_id_badge_id UNIQUE (user_id, badge_id);
ALTER TABLE ONLY public.user_challenges
    ADD CONSTRAINT uq_user_challenges_user_id_challenge_template_id_month UNIQUE (user_id, challenge_template_id, month);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT uq_users_uuid UNIQUE (uuid);
ALTER TABLE ONLY public.weekly_summaries
    ADD CONSTRAINT uq_weekly_summaries_user_id_month_key_week_key UNIQUE (user_id, month_key, week_key);
CREATE INDEX ix_challenge_templates_category_id ON public.challenge_templates USING btree (category_id);
CREATE INDEX ix_challenge_templates_challenge_type ON public.challenge_templates USING btree (challenge_type);
CREATE INDEX ix_challenge_templates_difficulty ON public.challenge_templates USING btree (difficulty);
CREATE INDEX ix_challenge_templates_metric_key ON public.challenge_templates USING btree (metric_key);
CREATE INDEX ix_idempotency_keys_created_at ON public.idempotency_keys USING btree (created_at);
CREATE INDEX ix_point_entries_user ON public.point_entries USING btree (user_id);
CREATE INDEX ix_suggestions_created_at ON public.suggestions USING btree (created_at);
CREATE INDEX ix_suggestions_user_id_created_at ON public.suggestions USING btree (user_id, created_at);
ALTER TABLE ONLY public.challenge_metrics
    ADD CONSTRAINT fk_challenge_metrics_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT fk_idempotency_keys_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.monthly_summaries
    ADD CONSTRAINT fk_monthly_summaries_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.point_entries
    ADD CONSTRAINT fk_point_entries_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.profiles
    ADD CONSTRAINT fk_profiles_income_range_id FOREIGN KEY (income_range_id) REFERENCES public.income_ranges(id);
ALTER TABLE ONLY public.profiles
    ADD CONSTRAINT fk_profiles_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.suggestions
    ADD CONSTRAINT fk_suggestions_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.user_badges
    ADD CONSTRAINT fk_user_badges_badge_id FOREIGN KEY (badge_id) REFERENCES public.badges(id);
ALTER TABLE ONLY public.user_badges
    ADD CONSTRAINT fk_user_badges_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.user_challenges
    ADD CONSTRAINT fk_user_challenges_challenge_template_id FOREIGN KEY (challenge_template_id) REFERENCES public.challenge_templates(id);
ALTER TABLE ONLY public.user_challenges
    ADD CONSTRAINT fk_user_challenges_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.weekly_summaries
    ADD CONSTRAINT fk_weekly_summaries_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
