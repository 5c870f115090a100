BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0002');
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
CREATE TABLE challenge_metrics (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	month VARCHAR(7) NOT NULL, 
	metric_key VARCHAR(64) NOT NULL, 
	value BIGINT NOT NULL, 
	client_timestamp DATETIME, 
	received_at DATETIME NOT NULL, 
	CONSTRAINT pk_challenge_metrics PRIMARY KEY (id), 
	CONSTRAINT fk_challenge_metrics_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_challenge_metrics_user_id_month_metric_key UNIQUE (user_id, month, metric_key)
);
INSERT INTO "challenge_metrics" VALUES(1,1,'2026-06','expense_log_days',150,'2026-11-20 12:00:00.123000','2026-11-20 12:00:00.123000');
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
CREATE TABLE monthly_summaries (
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
	CONSTRAINT pk_monthly_summaries PRIMARY KEY (id), 
	CONSTRAINT fk_monthly_summaries_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_monthly_summaries_user_id_month_key UNIQUE (user_id, month_key)
);
INSERT INTO "monthly_summaries" VALUES(1,1,202606,320050,90025,180025,30000,20000,24,'2026-11-20 12:00:00.123000','2026-11-20 12:00:00.123000');
CREATE TABLE point_entries (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	points INTEGER NOT NULL, 
	cause VARCHAR(20) NOT NULL, 
	cause_id INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_point_entries PRIMARY KEY (id), 
	CONSTRAINT fk_point_entries_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_point_entries_user_id_cause_cause_id UNIQUE (user_id, cause, cause_id)
);
INSERT INTO "point_entries" VALUES(1,1,1,'x',1,'2026-11-20 12:00:00.123000');
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
CREATE TABLE user_challenges (
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
	CONSTRAINT pk_user_challenges PRIMARY KEY (id), 
	CONSTRAINT fk_user_challenges_challenge_template_id FOREIGN KEY(challenge_template_id) REFERENCES challenge_templates (id), 
	CONSTRAINT fk_user_challenges_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_user_challenges_user_id_challenge_template_id_month UNIQUE (user_id, challenge_template_id, month)
);
INSERT INTO "user_challenges" VALUES(1,1,1,'2026-06','in_progress',150,'user','x','2026-11-20 12:00:00.123000','2026-11-20 12:00:00.123000','2026-11-20 12:00:00.123000');
CREATE TABLE users (
	id INTEGER NOT NULL, 
	uuid VARCHAR(64) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_users PRIMARY KEY (id), 
	CONSTRAINT uq_users_uuid UNIQUE (uuid)
);
INSERT INTO "users" VALUES(1,'6f1c2f6e-5d5e-4c8e-9d3b-0a3f3f0c1a01','2026-11-20 12:00:00.123000');
INSERT INTO "users" VALUES(2,'9b6b1d52-35a4-4b51-8d3f-1f3f8a3f7c02','2026-11-20 12:00:00.123000');
CREATE TABLE weekly_summaries (
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
	CONSTRAINT pk_weekly_summaries PRIMARY KEY (id), 
	CONSTRAINT fk_weekly_summaries_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_weekly_summaries_user_id_month_key_week_key UNIQUE (user_id, month_key, week_key)
);
INSERT INTO "weekly_summaries" VALUES(1,2,1,202606,320050,90025,180025,30000,20000,5,'2026-11-20 12:00:00.123000','2026-11-20 12:00:00.123000');
CREATE INDEX ix_challenge_templates_category_id ON challenge_templates (category_id);
CREATE INDEX ix_challenge_templates_challenge_type ON challenge_templates (challenge_type);
CREATE INDEX ix_challenge_templates_difficulty ON challenge_templates (difficulty);
CREATE INDEX ix_challenge_templates_metric_key ON challenge_templates (metric_key);
CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at);
CREATE INDEX ix_point_entries_user ON point_entries (user_id);
CREATE INDEX ix_suggestions_created_at ON suggestions (created_at);
CREATE INDEX ix_suggestions_user_id_created_at ON suggestions (user_id, created_at);
COMMIT;
