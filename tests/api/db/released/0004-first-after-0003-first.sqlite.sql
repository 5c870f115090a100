BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0004');
CREATE TABLE badges (
	title VARCHAR(100) NOT NULL, 
	description TEXT NOT NULL, 
	points INTEGER NOT NULL, 
	rule JSON NOT NULL, 
	id INTEGER NOT NULL, 
	slug VARCHAR(64) NOT NULL, 
	seeded VARCHAR(64), 
	CONSTRAINT pk_badges PRIMARY KEY (id), 
	CONSTRAINT uq_badges_slug UNIQUE (slug)
);
INSERT INTO "badges" VALUES('First Step','You claimed your first challenge. This is how a habit begins.',0,'{"kind": "challenges_claimed", "at_least": 1}',1,'first-step','d52f482f78d7ed8d94f28022b1216b6919e550aee0e342962165dbfe1bdd838f');
INSERT INTO "badges" VALUES('A Good Handful','You claimed five challenges. You know by now which ones suit you.',20,'{"kind": "challenges_claimed", "at_least": 5}',2,'handful','e2140fb54ac6f92d0267758caf8dbdee8785daad040801c9859a7b8cd97be0f4');
INSERT INTO "badges" VALUES('In the Swing','You claimed 15 challenges. Your kakeibo has become part of your days.',40,'{"kind": "challenges_claimed", "at_least": 15}',3,'in-the-swing','13fdcafe6ca75235206fe0763c256d134f80fa561d860c349aae8572cdba7a3d');
CREATE TABLE candidates (
	policy_id VARCHAR(64) NOT NULL, 
	graph BLOB NOT NULL, 
	card BLOB NOT NULL, 
	frozen_at DATETIME NOT NULL, 
	CONSTRAINT pk_candidates PRIMARY KEY (policy_id)
);
INSERT INTO "candidates" VALUES('x',X'78',X'78','2026-11-20 12:00:00.123000');
CREATE TABLE "challenge_metrics" (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	month VARCHAR(7) NOT NULL, 
	metric_key VARCHAR(64) NOT NULL, 
	value BIGINT NOT NULL, 
	client_timestamp DATETIME, 
	received_at DATETIME NOT NULL, 
	consent_id INTEGER, 
	CONSTRAINT pk_challenge_metrics PRIMARY KEY (id), 
	CONSTRAINT uq_challenge_metrics_user_id_month_metric_key UNIQUE (user_id, month, metric_key), 
	CONSTRAINT fk_challenge_metrics_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT fk_challenge_metrics_consent_id FOREIGN KEY(consent_id) REFERENCES consents (id)
);
INSERT INTO "challenge_metrics" VALUES(1,1,'2026-06','expense_log_days',150,'2026-11-20 12:00:00.123000','2026-11-20 12:00:00.123000',1);
CREATE TABLE challenge_templates (
	title VARCHAR(100) NOT NULL, 
	description TEXT NOT NULL, 
	challenge_type VARCHAR(32) NOT NULL, 
	category VARCHAR(32) NOT NULL, 
	category_id INTEGER NOT NULL, 
	metric_key VARCHAR(64) NOT NULL, 
	target_value BIGINT NOT NULL, 
	unit VARCHAR(20) NOT NULL, 
	reward_points INTEGER NOT NULL, 
	difficulty VARCHAR(10) NOT NULL, 
	id INTEGER NOT NULL, 
	slug VARCHAR(64) NOT NULL, 
	seeded VARCHAR(64), 
	CONSTRAINT pk_challenge_templates PRIMARY KEY (id), 
	CONSTRAINT uq_challenge_templates_slug UNIQUE (slug)
);
INSERT INTO "challenge_templates" VALUES('Shop with a list','Write a list before two shopping trips for needs, in a shop or online. Buying something you forgot to write down is fine; the trip still counts.','planning','needs',1,'needs_list_trips',200,'count',20,'easy',1,'shop-with-a-list','0e5cce5e597c6a358bd7f88e886c51f6496404b909962dcab4a624ac937d6bc6');
INSERT INTO "challenge_templates" VALUES('A list every week','Write a list before at least four shopping trips for needs this month. Looking into your cupboards first makes it a quick one.','planning','needs',1,'needs_list_trips',400,'count',50,'medium',2,'a-list-every-week','9cd837bc1365b41eeb2e571cef176ef4b35483cca86297e13cd460eeff389252');
INSERT INTO "challenge_templates" VALUES('Listed all month','Write a list before 12 shopping trips for needs this month. Short lists count as much as long ones.','planning','needs',1,'needs_list_trips',1200,'count',100,'hard',3,'listed-all-month','ed7367652380178b40fb2795b68de2c6fd6f0f144d5f90dcdb163120880eb50b');
CREATE TABLE consents (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	study_version VARCHAR(64) NOT NULL, 
	consented BOOLEAN NOT NULL, 
	age_confirmed BOOLEAN NOT NULL, 
	allow_research_export BOOLEAN NOT NULL, 
	data_mode VARCHAR(7) NOT NULL, 
	participant_code VARCHAR(64), 
	received_at DATETIME NOT NULL, 
	CONSTRAINT pk_consents PRIMARY KEY (id), 
	CONSTRAINT fk_consents_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO "consents" VALUES(1,1,'recorded-study-v1',1,1,1,'private','P-001','2026-11-20 12:00:00.123000');
CREATE TABLE "decisions" (
	id INTEGER NOT NULL, 
	decision_id VARCHAR(36) NOT NULL, 
	user_id INTEGER NOT NULL, 
	consent_id INTEGER NOT NULL, 
	decided_at DATETIME NOT NULL, 
	policy_id VARCHAR(64) NOT NULL, 
	source VARCHAR(8) NOT NULL, 
	fallback_reason VARCHAR(32), 
	phase VARCHAR(10) NOT NULL, 
	component VARCHAR(10) NOT NULL, 
	epsilon DOUBLE NOT NULL, 
	context JSON NOT NULL, 
	levels JSON NOT NULL, 
	distributions JSON NOT NULL, 
	propensity DOUBLE NOT NULL, 
	seed VARCHAR(32) NOT NULL, 
	context_schema VARCHAR(32) NOT NULL, 
	action_schema VARCHAR(32) NOT NULL, 
	study_id INTEGER, 
	local_week DATE, 
	study_week INTEGER, 
	candidate_id VARCHAR(64), 
	because JSON, 
	prev_disagrees BOOLEAN DEFAULT 0 NOT NULL, 
	rules_levels JSON, 
	candidate_levels JSON, 
	shadow_policy_id VARCHAR(64), 
	shadow_levels JSON, 
	CONSTRAINT pk_decisions PRIMARY KEY (id), 
	CONSTRAINT uq_decisions_decision_id UNIQUE (decision_id), 
	CONSTRAINT fk_decisions_consent_id FOREIGN KEY(consent_id) REFERENCES consents (id), 
	CONSTRAINT fk_decisions_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_decisions_user_id_study_id_local_week UNIQUE (user_id, study_id, local_week), 
	CONSTRAINT fk_decisions_study_id FOREIGN KEY(study_id) REFERENCES studies (id)
);
INSERT INTO "decisions" VALUES(1,'x',1,1,'2026-11-20 12:00:00.123000','budget-rules/1','study',NULL,'explore','policy',0.0,'[0.5, 0.4, 0.3, 0.2, 0.1, 0.5, 0.5, 0.5, 0.5, 0.5]','[2, 2, 2]','[[0.0, 0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0]]',1.0,'00000000000000000000000000000000','budget-context/1','budget-levels/1',NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL);
CREATE TABLE events (
	fingerprint VARCHAR(32) NOT NULL, 
	event_name VARCHAR(64) NOT NULL, 
	known BOOLEAN NOT NULL, 
	context JSON NOT NULL, 
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	consent_id INTEGER, 
	client_timestamp DATETIME, 
	received_at DATETIME NOT NULL, 
	CONSTRAINT pk_events PRIMARY KEY (id), 
	CONSTRAINT fk_events_consent_id FOREIGN KEY(consent_id) REFERENCES consents (id), 
	CONSTRAINT fk_events_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_events_user_id_fingerprint UNIQUE (user_id, fingerprint)
);
INSERT INTO "events" VALUES('x','challenge_catalog_viewed',1,'{"source": "tab"}',1,1,1,'2026-11-20 12:00:00.123000','2026-11-20 12:00:00.123000');
CREATE TABLE idempotency_keys (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	route VARCHAR(128) NOT NULL, 
	"key" VARCHAR(255) NOT NULL, 
	fingerprint VARCHAR(64) NOT NULL, 
	status INTEGER NOT NULL, 
	body BLOB NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_idempotency_keys PRIMARY KEY (id), 
	CONSTRAINT fk_idempotency_keys_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_idempotency_keys_user_id_route_key UNIQUE (user_id, route, "key")
);
INSERT INTO "idempotency_keys" VALUES(1,1,'x','x','x',1,X'78','2026-11-20 12:00:00.123000');
CREATE TABLE income_ranges (
	label VARCHAR(100) NOT NULL, 
	description TEXT NOT NULL, 
	id INTEGER NOT NULL, 
	slug VARCHAR(64) NOT NULL, 
	seeded VARCHAR(64), 
	CONSTRAINT pk_income_ranges PRIMARY KEY (id), 
	CONSTRAINT uq_income_ranges_slug UNIQUE (slug)
);
INSERT INTO "income_ranges" VALUES('Well below typical','Well below the typical income where I live: around half of it, or less.',1,'well-below-typical','f78eea2cde3afd45f569209904491aecfb0db2b265546737aa0474c19231e0a0');
INSERT INTO "income_ranges" VALUES('Somewhat below typical','Less than the typical income where I live, but more than around half of it.',2,'below-typical','0e0d39a24bf6bd338618fbf72e5e4085fa5520c7e9aeae8d0de3c86890e57ebf');
INSERT INTO "income_ranges" VALUES('About typical','About as much as most people have where I live.',3,'typical','10eaad6cc010f75250e54859d3a47c829d59f44a596ccbe1968abc0123771e4c');
INSERT INTO "income_ranges" VALUES('Somewhat above typical','More than the typical income where I live, but less than around twice as much.',4,'above-typical','e674f7563b3c7b761379e16b40b5296fd6232d1e9d1fb1df2aad1e39e2420c6c');
INSERT INTO "income_ranges" VALUES('Well above typical','Well above the typical income where I live: around twice as much, or more.',5,'well-above-typical','93858c32bd95b49bac67f1285b40310133d67215c6c31f858ae6eb8f5aacf3ee');
CREATE TABLE "monthly_summaries" (
	user_id INTEGER NOT NULL, 
	id INTEGER NOT NULL, 
	month_key INTEGER NOT NULL, 
	total_spent BIGINT NOT NULL, 
	spent_wants BIGINT NOT NULL, 
	spent_needs BIGINT NOT NULL, 
	spent_culture BIGINT NOT NULL, 
	spent_unexpected BIGINT NOT NULL, 
	logging_days_count INTEGER NOT NULL, 
	client_timestamp DATETIME, 
	received_at DATETIME NOT NULL, 
	consent_id INTEGER, 
	CONSTRAINT pk_monthly_summaries PRIMARY KEY (id), 
	CONSTRAINT uq_monthly_summaries_user_id_month_key UNIQUE (user_id, month_key), 
	CONSTRAINT fk_monthly_summaries_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT fk_monthly_summaries_consent_id FOREIGN KEY(consent_id) REFERENCES consents (id)
);
INSERT INTO "monthly_summaries" VALUES(1,1,202606,320050,90025,180025,30000,20000,24,'2026-11-20 12:00:00.123000','2026-11-20 12:00:00.123000',1);
CREATE TABLE outcomes (
	decision_key INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	spent_share DOUBLE, 
	saved_share DOUBLE, 
	elapsed_share DOUBLE, 
	budget_used_up DOUBLE, 
	goal_reached DOUBLE, 
	next_needs_share DOUBLE, 
	context_at DATETIME, 
	logging_days INTEGER, 
	summary_at DATETIME, 
	CONSTRAINT pk_outcomes PRIMARY KEY (decision_key), 
	CONSTRAINT fk_outcomes_decision_key FOREIGN KEY(decision_key) REFERENCES decisions (id) ON DELETE CASCADE, 
	CONSTRAINT fk_outcomes_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO "outcomes" VALUES(1,1,0.5,0.5,0.5,0.5,0.5,0.5,'2026-11-20 12:00:00.123000',1,'2026-11-20 12:00:00.123000');
CREATE TABLE participants (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	study_version VARCHAR(64) NOT NULL, 
	pseudonym VARCHAR(64) NOT NULL, 
	split VARCHAR(5) NOT NULL, 
	joined_at DATETIME NOT NULL, 
	CONSTRAINT pk_participants PRIMARY KEY (id), 
	CONSTRAINT fk_participants_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_participants_pseudonym UNIQUE (pseudonym), 
	CONSTRAINT uq_participants_user_id_study_version UNIQUE (user_id, study_version)
);
INSERT INTO "participants" VALUES(1,1,'recorded-study-v1','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','train','2026-11-20 12:00:00.123000');
CREATE TABLE "point_entries" (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	points INTEGER NOT NULL, 
	cause VARCHAR(20) NOT NULL, 
	cause_id INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	consent_id INTEGER, 
	CONSTRAINT pk_point_entries PRIMARY KEY (id), 
	CONSTRAINT uq_point_entries_user_id_cause_cause_id UNIQUE (user_id, cause, cause_id), 
	CONSTRAINT fk_point_entries_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT fk_point_entries_consent_id FOREIGN KEY(consent_id) REFERENCES consents (id)
);
INSERT INTO "point_entries" VALUES(1,1,1,'x',1,'2026-11-20 12:00:00.123000',1);
CREATE TABLE profiles (
	user_id INTEGER NOT NULL, 
	income_range_id INTEGER NOT NULL, 
	user_profile VARCHAR(20) NOT NULL, 
	allow_exact_income BOOLEAN NOT NULL, 
	exact_income_local BIGINT, 
	coach_style INTEGER NOT NULL, 
	savings_goal_type VARCHAR(10) NOT NULL, 
	saving_goal_value BIGINT NOT NULL, 
	budget_cycle_start_day INTEGER NOT NULL, 
	time_zone VARCHAR(64), 
	currency VARCHAR(3), 
	updated_at DATETIME NOT NULL, 
	CONSTRAINT pk_profiles PRIMARY KEY (user_id), 
	CONSTRAINT ck_profiles_exact_income_allowed CHECK (allow_exact_income OR exact_income_local IS NULL), 
	CONSTRAINT ck_profiles_cycle_start_day CHECK (budget_cycle_start_day BETWEEN 1 AND 28), 
	CONSTRAINT fk_profiles_income_range_id FOREIGN KEY(income_range_id) REFERENCES income_ranges (id), 
	CONSTRAINT fk_profiles_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO "profiles" VALUES(1,1,'student',1,1234567,1,'monthly',150,1,'Asia/Bangkok','THB','2026-11-20 12:00:00.123000');
CREATE TABLE progress_snapshots (
	month VARCHAR(7) NOT NULL, 
	level INTEGER NOT NULL, 
	level_title VARCHAR(100) NOT NULL, 
	total_points INTEGER NOT NULL, 
	streak_days INTEGER NOT NULL, 
	active_missions_count INTEGER NOT NULL, 
	completed_missions_count INTEGER NOT NULL, 
	claimed_rewards_count INTEGER NOT NULL, 
	failed_missions_count INTEGER NOT NULL, 
	badges_earned_count INTEGER NOT NULL, 
	reflection_count INTEGER NOT NULL, 
	game_metrics JSON NOT NULL, 
	learning_metrics JSON NOT NULL, 
	badge_ids JSON NOT NULL, 
	mission_summary JSON NOT NULL, 
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	consent_id INTEGER, 
	client_timestamp DATETIME, 
	received_at DATETIME NOT NULL, 
	CONSTRAINT pk_progress_snapshots PRIMARY KEY (id), 
	CONSTRAINT fk_progress_snapshots_consent_id FOREIGN KEY(consent_id) REFERENCES consents (id), 
	CONSTRAINT fk_progress_snapshots_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_progress_snapshots_user_id_month UNIQUE (user_id, month)
);
INSERT INTO "progress_snapshots" VALUES('2026-06',1,'x',1,1,1,1,1,1,1,1,'{}','{}','[]','[]',1,1,1,'2026-11-20 12:00:00.123000','2026-11-20 12:00:00.123000');
CREATE TABLE pseudonym_keys (
	id INTEGER NOT NULL, 
	study_version VARCHAR(64) NOT NULL, 
	generation INTEGER NOT NULL, 
	wrapped TEXT NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_pseudonym_keys PRIMARY KEY (id), 
	CONSTRAINT uq_pseudonym_keys_study_version_generation UNIQUE (study_version, generation)
);
INSERT INTO "pseudonym_keys" VALUES(1,'recorded-study-v1',1,'gAAAAABrDHBPQ95IFHUFS-ODFFkuE7cOvL4iFRPn29Hs6SoxsdLeslQqtZ4nDL9mzYCIVtix13-Z_7EwF_Cprs3UF0Nro7BYwOwoHmuw9epNxUe-y6mhrgDBlQ4OL38qy_593iRv_TCb','2026-11-20 12:00:00.123000');
CREATE TABLE reflections (
	fingerprint VARCHAR(32) NOT NULL, 
	phase VARCHAR(10) NOT NULL, 
	category VARCHAR(12) NOT NULL, 
	reflection_text TEXT NOT NULL, 
	intended_action TEXT, 
	confidence_rating INTEGER, 
	quality_score BIGINT NOT NULL, 
	quality_level VARCHAR(10) NOT NULL, 
	strengths JSON NOT NULL, 
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	consent_id INTEGER, 
	client_timestamp DATETIME, 
	received_at DATETIME NOT NULL, 
	CONSTRAINT pk_reflections PRIMARY KEY (id), 
	CONSTRAINT fk_reflections_consent_id FOREIGN KEY(consent_id) REFERENCES consents (id), 
	CONSTRAINT fk_reflections_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_reflections_user_id_fingerprint UNIQUE (user_id, fingerprint)
);
INSERT INTO "reflections" VALUES('x','weekly','wants','Snacks.','x',4,150,'basic','[]',1,1,1,'2026-11-20 12:00:00.123000','2026-11-20 12:00:00.123000');
CREATE TABLE released_participants (
	pseudonym VARCHAR(64) NOT NULL, 
	study_version VARCHAR(64) NOT NULL, 
	first_release_id INTEGER NOT NULL, 
	last_release_id INTEGER NOT NULL, 
	CONSTRAINT pk_released_participants PRIMARY KEY (pseudonym), 
	CONSTRAINT fk_released_participants_first_release_id FOREIGN KEY(first_release_id) REFERENCES releases (id), 
	CONSTRAINT fk_released_participants_last_release_id FOREIGN KEY(last_release_id) REFERENCES releases (id)
);
INSERT INTO "released_participants" VALUES('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','recorded-study-v1',1,3);
INSERT INTO "released_participants" VALUES('bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','recorded-study-v1',2,4);
CREATE TABLE releases (
	id INTEGER NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	since VARCHAR(64), 
	filters JSON NOT NULL, 
	rows JSON NOT NULL, 
	changes JSON NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	snapshot_at DATETIME NOT NULL, 
	CONSTRAINT pk_releases PRIMARY KEY (id), 
	CONSTRAINT uq_releases_name UNIQUE (name)
);
INSERT INTO "releases" VALUES(1,'buddy-recorded-1',NULL,'{"kind": "json", "since": null, "study_version": null, "tables": [], "identifiers": false}','{}','{}','x','2026-11-20 12:00:00.123000');
INSERT INTO "releases" VALUES(2,'buddy-recorded-2',NULL,'{"kind": "json", "since": null, "study_version": "recorded-study-v1", "tables": [], "identifiers": false}','{}','{}','x','2026-11-20 12:00:00.123000');
INSERT INTO "releases" VALUES(3,'buddy-recorded-3',NULL,'{"kind": "json", "since": null, "study_version": "another-study", "tables": [], "identifiers": false}','{}','{}','x','2026-11-20 12:00:00.123000');
INSERT INTO "releases" VALUES(4,'buddy-recorded-4',NULL,'{"kind": "json", "since": null, "study_version": null, "tables": [], "identifiers": false}','{}','{}','x','2026-11-20 12:00:00.123000');
CREATE TABLE responses (
	fingerprint VARCHAR(32) NOT NULL, 
	instrument_key VARCHAR(64) NOT NULL, 
	instrument_version VARCHAR(16) NOT NULL, 
	phase VARCHAR(10) NOT NULL, 
	period VARCHAR(8) NOT NULL, 
	answers JSON NOT NULL, 
	score DOUBLE, 
	score_missing VARCHAR(16), 
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	consent_id INTEGER, 
	client_timestamp DATETIME, 
	received_at DATETIME NOT NULL, 
	CONSTRAINT pk_responses PRIMARY KEY (id), 
	CONSTRAINT fk_responses_consent_id FOREIGN KEY(consent_id) REFERENCES consents (id), 
	CONSTRAINT fk_responses_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_responses_user_id_fingerprint UNIQUE (user_id, fingerprint)
);
INSERT INTO "responses" VALUES('x','budget_confidence','1','pre','','{"q1": 4, "q2": 3}',0.5,NULL,1,1,1,'2026-11-20 12:00:00.123000','2026-11-20 12:00:00.123000');
CREATE TABLE studies (
	id INTEGER NOT NULL, 
	study_version VARCHAR(64) NOT NULL, 
	phase VARCHAR(10) NOT NULL, 
	around VARCHAR(10) NOT NULL, 
	explore_epsilon DOUBLE NOT NULL, 
	confirm_epsilon DOUBLE NOT NULL, 
	candidate_id VARCHAR(64), 
	started_at DATETIME NOT NULL, 
	confirmed_at DATETIME, 
	stopped_at DATETIME, 
	CONSTRAINT pk_studies PRIMARY KEY (id), 
	CONSTRAINT fk_studies_candidate_id FOREIGN KEY(candidate_id) REFERENCES candidates (policy_id), 
	CONSTRAINT uq_studies_study_version UNIQUE (study_version)
);
INSERT INTO "studies" VALUES(1,'recorded-study-v1','explore','rules',0.2,0.5,NULL,'2026-11-20 12:00:00.123000',NULL,NULL);
CREATE TABLE suggestions (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	suggestion_id VARCHAR(36) NOT NULL, 
	lever VARCHAR(10) NOT NULL, 
	challenge_slug VARCHAR(64) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_suggestions PRIMARY KEY (id), 
	CONSTRAINT fk_suggestions_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO "suggestions" VALUES(1,1,'x','x','x','2026-11-20 12:00:00.123000');
CREATE TABLE user_badges (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	badge_id INTEGER NOT NULL, 
	reason TEXT NOT NULL, 
	earned_at DATETIME NOT NULL, 
	CONSTRAINT pk_user_badges PRIMARY KEY (id), 
	CONSTRAINT fk_user_badges_badge_id FOREIGN KEY(badge_id) REFERENCES badges (id), 
	CONSTRAINT fk_user_badges_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_user_badges_user_id_badge_id UNIQUE (user_id, badge_id)
);
INSERT INTO "user_badges" VALUES(1,1,1,'x','2026-11-20 12:00:00.123000');
CREATE TABLE "user_challenges" (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	challenge_template_id INTEGER NOT NULL, 
	month VARCHAR(7) NOT NULL, 
	status VARCHAR(12) NOT NULL, 
	current_progress BIGINT NOT NULL, 
	source VARCHAR(4) NOT NULL, 
	ai_suggestion_id VARCHAR(36), 
	accepted_at DATETIME NOT NULL, 
	completed_at DATETIME, 
	claimed_at DATETIME, 
	changed_at DATETIME NOT NULL, 
	consent_id INTEGER, 
	CONSTRAINT pk_user_challenges PRIMARY KEY (id), 
	CONSTRAINT fk_user_challenges_challenge_template_id FOREIGN KEY(challenge_template_id) REFERENCES challenge_templates (id), 
	CONSTRAINT uq_user_challenges_user_id_challenge_template_id_month UNIQUE (user_id, challenge_template_id, month), 
	CONSTRAINT fk_user_challenges_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT fk_user_challenges_consent_id FOREIGN KEY(consent_id) REFERENCES consents (id)
);
INSERT INTO "user_challenges" VALUES(1,1,1,'2026-06','in_progress',150,'user','x','2026-11-20 12:00:00.123000','2026-11-20 12:00:00.123000','2026-11-20 12:00:00.123000','2026-11-20 12:00:00.123000',1);
CREATE TABLE users (
	id INTEGER NOT NULL, 
	uuid VARCHAR(64) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_users PRIMARY KEY (id), 
	CONSTRAINT uq_users_uuid UNIQUE (uuid)
);
INSERT INTO "users" VALUES(1,'6f1c2f6e-5d5e-4c8e-9d3b-0a3f3f0c1a01','2026-11-20 12:00:00.123000');
INSERT INTO "users" VALUES(2,'9b6b1d52-35a4-4b51-8d3f-1f3f8a3f7c02','2026-11-20 12:00:00.123000');
CREATE TABLE "weekly_summaries" (
	user_id INTEGER NOT NULL, 
	week_key INTEGER NOT NULL, 
	id INTEGER NOT NULL, 
	month_key INTEGER NOT NULL, 
	total_spent BIGINT NOT NULL, 
	spent_wants BIGINT NOT NULL, 
	spent_needs BIGINT NOT NULL, 
	spent_culture BIGINT NOT NULL, 
	spent_unexpected BIGINT NOT NULL, 
	logging_days_count INTEGER NOT NULL, 
	client_timestamp DATETIME, 
	received_at DATETIME NOT NULL, 
	consent_id INTEGER, 
	CONSTRAINT pk_weekly_summaries PRIMARY KEY (id), 
	CONSTRAINT fk_weekly_summaries_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_weekly_summaries_user_id_month_key_week_key UNIQUE (user_id, month_key, week_key), 
	CONSTRAINT fk_weekly_summaries_consent_id FOREIGN KEY(consent_id) REFERENCES consents (id)
);
INSERT INTO "weekly_summaries" VALUES(1,2,1,202606,320050,90025,180025,30000,20000,5,'2026-11-20 12:00:00.123000','2026-11-20 12:00:00.123000',1);
CREATE INDEX ix_challenge_templates_category_id ON challenge_templates (category_id);
CREATE INDEX ix_challenge_templates_challenge_type ON challenge_templates (challenge_type);
CREATE INDEX ix_challenge_templates_difficulty ON challenge_templates (difficulty);
CREATE INDEX ix_challenge_templates_metric_key ON challenge_templates (metric_key);
CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at);
CREATE INDEX ix_suggestions_created_at ON suggestions (created_at);
CREATE INDEX ix_suggestions_user_id_created_at ON suggestions (user_id, created_at);
CREATE INDEX ix_consents_user_id_id ON consents (user_id, id);
CREATE INDEX ix_released_participants_study_version ON released_participants (study_version);
CREATE INDEX ix_events_consent_id ON events (consent_id);
CREATE INDEX ix_progress_snapshots_consent_id ON progress_snapshots (consent_id);
CREATE INDEX ix_reflections_consent_id ON reflections (consent_id);
CREATE INDEX ix_responses_consent_id ON responses (consent_id);
CREATE INDEX ix_challenge_metrics_consent_id ON challenge_metrics (consent_id);
CREATE INDEX ix_monthly_summaries_consent_id ON monthly_summaries (consent_id);
CREATE INDEX ix_point_entries_user ON point_entries (user_id);
CREATE INDEX ix_point_entries_consent_id ON point_entries (consent_id);
CREATE INDEX ix_user_challenges_consent_id ON user_challenges (consent_id);
CREATE INDEX ix_weekly_summaries_consent_id ON weekly_summaries (consent_id);
CREATE INDEX ix_decisions_consent_id ON decisions (consent_id);
CREATE INDEX ix_decisions_user_id_decided_at ON decisions (user_id, decided_at);
CREATE INDEX ix_outcomes_user_id ON outcomes (user_id);
COMMIT;
