BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0005');
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
CREATE TABLE completion_runs (
	id INTEGER NOT NULL, 
	household_id INTEGER NOT NULL, 
	first_on DATE NOT NULL, 
	last_on DATE NOT NULL, 
	CONSTRAINT pk_completion_runs PRIMARY KEY (id), 
	CONSTRAINT fk_completion_runs_household_id FOREIGN KEY(household_id) REFERENCES households (id) ON DELETE CASCADE, 
	CONSTRAINT uq_completion_runs_household_id_first_on UNIQUE (household_id, first_on)
);
INSERT INTO "completion_runs" VALUES(1,1,'2026-11-20','2026-11-20');
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
CREATE TABLE day_items (
	household_id INTEGER NOT NULL, 
	day DATE NOT NULL, 
	todo_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	CONSTRAINT pk_day_items PRIMARY KEY (household_id, day, todo_id), 
	CONSTRAINT fk_day_items_household_id FOREIGN KEY(household_id) REFERENCES households (id) ON DELETE CASCADE, 
	CONSTRAINT fk_day_items_todo_id FOREIGN KEY(todo_id) REFERENCES todos (id) ON DELETE CASCADE
);
INSERT INTO "day_items" VALUES(1,'2026-11-20',1,1);
CREATE TABLE day_selections (
	id INTEGER NOT NULL, 
	household_id INTEGER NOT NULL, 
	day DATE NOT NULL, 
	source VARCHAR(10) NOT NULL, 
	fallback_reason VARCHAR(32), 
	policy_id VARCHAR(64) NOT NULL, 
	daily_note TEXT NOT NULL, 
	seed VARCHAR(32), 
	epsilon DOUBLE NOT NULL, 
	logged JSON, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_day_selections PRIMARY KEY (id), 
	CONSTRAINT fk_day_selections_household_id FOREIGN KEY(household_id) REFERENCES households (id) ON DELETE CASCADE, 
	CONSTRAINT uq_day_selections_household_id_day UNIQUE (household_id, day)
);
INSERT INTO "day_selections" VALUES(1,1,'2026-11-20','rules',NULL,'daily-rules/1','x','x',0.5,NULL,'2026-11-20 12:00:00.123000');
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
	eligible JSON, 
	because JSON, 
	prev_disagrees BOOLEAN DEFAULT 0 NOT NULL, 
	rules_levels JSON, 
	candidate_levels JSON, 
	shadow_policy_id VARCHAR(64), 
	shadow_levels JSON, 
	CONSTRAINT pk_decisions PRIMARY KEY (id), 
	CONSTRAINT uq_decisions_decision_id UNIQUE (decision_id), 
	CONSTRAINT fk_decisions_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT fk_decisions_consent_id FOREIGN KEY(consent_id) REFERENCES consents (id), 
	CONSTRAINT uq_decisions_user_id_study_id_local_week UNIQUE (user_id, study_id, local_week), 
	CONSTRAINT fk_decisions_study_id FOREIGN KEY(study_id) REFERENCES studies (id)
);
INSERT INTO "decisions" VALUES(1,'x',1,1,'2026-11-20 12:00:00.123000','budget-rules/1','study',NULL,'explore','policy',0.0,'[0.5, 0.4, 0.3, 0.2, 0.1, 0.5, 0.5, 0.5, 0.5, 0.5]','[2, 2, 2]','[[0.0, 0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0]]',1.0,'00000000000000000000000000000000','budget-context/1','budget-levels/1',NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL);
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
CREATE TABLE guide_items (
	id INTEGER NOT NULL, 
	stage_id INTEGER NOT NULL, 
	item_key VARCHAR(64) NOT NULL, 
	position INTEGER NOT NULL, 
	category VARCHAR(10) NOT NULL, 
	title VARCHAR(200) NOT NULL, 
	area VARCHAR(20) NOT NULL, 
	description TEXT NOT NULL, 
	how_to TEXT NOT NULL, 
	evidence_summary TEXT NOT NULL, 
	frequency VARCHAR(10) NOT NULL, 
	minutes INTEGER NOT NULL, 
	by_months INTEGER, 
	seeded VARCHAR(64), 
	CONSTRAINT pk_guide_items PRIMARY KEY (id), 
	CONSTRAINT fk_guide_items_stage_id FOREIGN KEY(stage_id) REFERENCES guide_stages (id) ON DELETE CASCADE, 
	CONSTRAINT uq_guide_items_stage_id_item_key UNIQUE (stage_id, item_key)
);
INSERT INTO "guide_items" VALUES(1,1,'tummy_time_on_your_chest',0,'activity','Tummy Time on Your Chest','motor','Lean back, lay your awake baby tummy-down on your chest, and let them lift their head to find your face.','Sit leaning back while you are wide awake, and lay your baby tummy-down on your chest with their head turned to one side and their nose free. Say their name softly and wait for the small lifts of the head. Start with a minute or two, two or three times a day; as it gets easier, lean further back, or lay your baby on a blanket on the floor and lie down facing them. Stop when they rest their face, fuss or get sleepy. If either of you is drowsy, put your baby on their back in their crib: falling asleep together on a sofa or armchair is dangerous.','AAP, 2022 advises short, watched tummy time while awake from the first days at home, building up to at least 15 to 30 minutes in total a day by 7 weeks. It supports development and helps to prevent a flat spot on the head. [Moon, R. Y., Carlin, R. F., Hand, I., & Task Force on Sudden Infant Death Syndrome and Committee on Fetus and Newborn, American Academy of Pediatrics (2022). Sleep-related infant deaths: Updated 2022 recommendations for reducing infant deaths in the sleep environment. Pediatrics, 150(1), e2022057990.]','daily',5,NULL,'800c593663f1512738568569cbf5fa57a9a8b940b1e522f0e23365dc6c928c20');
INSERT INTO "guide_items" VALUES(2,1,'meet_face_to_face',1,'activity','Meet Face to Face','social','Hold your calm, awake baby close to your face, smile, and give them time to look at you.','Choose a calm moment after a feeding, and hold your baby with head and neck supported, about 25 centimeters (10 inches) from your face. Look at them, smile and say a slow hello, then stay still for a few breaths: a newborn needs time to look back. If they squint or look past you, turn so that no bright window or lamp is behind you. If they look for long, slowly open your mouth or raise your eyebrows, and wait again. Turning away, yawning or fussing means they need a rest, so be quiet or stop.','In Farroni et al., 2002, newborns looked longer at a face whose eyes met theirs than at one whose eyes looked away. Looking at your face is among the things the CDC lists for 2 months. [Farroni, T., Csibra, G., Simion, F., & Johnson, M. H. (2002). Eye contact detection in humans from birth. Proceedings of the National Academy of Sciences, 99(14), 9602–9605. Centers for Disease Control and Prevention: Learn the Signs. Act Early. Developmental milestone checklists, revised 2022.]','daily',5,NULL,'1655894cfd5b1c002b927dcabd4c6a4542b5d195dd4c1093c1e4260af521df5c');
CREATE TABLE guide_stages (
	id INTEGER NOT NULL, 
	guide_id INTEGER NOT NULL, 
	stage_key VARCHAR(64) NOT NULL, 
	position INTEGER NOT NULL, 
	name VARCHAR(80) NOT NULL, 
	age_start_months INTEGER, 
	age_end_months INTEGER, 
	goals TEXT NOT NULL, 
	seeded VARCHAR(64), 
	CONSTRAINT pk_guide_stages PRIMARY KEY (id), 
	CONSTRAINT fk_guide_stages_guide_id FOREIGN KEY(guide_id) REFERENCES guides (id) ON DELETE CASCADE, 
	CONSTRAINT uq_guide_stages_guide_id_stage_key UNIQUE (guide_id, stage_key)
);
INSERT INTO "guide_stages" VALUES(1,1,'0_to_2_months',0,'0 to 2 Months',0,2,'Feeling safe with you, getting to know your face and voice, and the first small lifts of the head. A minute or two between feeding and sleep is plenty.','c027abe29b5d224e93970ebd918bbd53460520e20a82b63829bce1d36df5c85d');
INSERT INTO "guide_stages" VALUES(2,1,'2_to_4_months',1,'2 to 4 Months',2,4,'Chatting in coos and smiles, discovering their own hands, and holding the head steadier from week to week.','739695d347c771b7d3eb1cde542c2fe199bdc109b39962f2f12ffefe392c0df1');
INSERT INTO "guide_stages" VALUES(3,1,'4_to_6_months',2,'4 to 6 Months',4,6,'Rolling, reaching, and exploring everything with the mouth; laughing with you and playing with sounds.','189e166209c856a8627f50bf22f6c3e05060c5c92ff0d3303e0c10ce00b85710');
INSERT INTO "guide_stages" VALUES(4,1,'6_to_9_months',3,'6 to 9 Months',6,9,'Sitting up, getting about, banging and passing things from hand to hand; babbling, and looking for what has just gone out of sight.','930c8cd4b8f11a6987a6cbd06221f7ffee089f6fc2d081135c4c6288aa8bf601');
INSERT INTO "guide_stages" VALUES(5,1,'9_to_12_months',4,'9 to 12 Months',9,12,'Your baby is on the move and beginning to act with a plan. Give them safe room, simple things to handle, and an answer to each look, sound and gesture.','d3931df1f7d2b58ad566e0e4afe5ea02638339f14d2fe11c0038c2326b433a65');
INSERT INTO "guide_stages" VALUES(6,1,'12_to_18_months',5,'12 to 18 Months',12,18,'First steps, first words and a great wish to do what you do. Your child needs room to practice, answers to their pointing, and calm help with what is allowed.','5fe246d6ba94dbaa1eb9f145c373496a64bb1db5f89ffb596a905a7558ab59b0');
INSERT INTO "guide_stages" VALUES(7,1,'18_to_24_months',6,'18 to 24 Months',18,24,'Your child runs, pretends, puts words together and wants to decide. Offer room, real little jobs, and choices that are truly theirs to make.','329ac61534b19260cd1f7ce10328a34d8340e3e3dd680122ce2bfafaa8a711e9');
INSERT INTO "guide_stages" VALUES(8,1,'24_to_30_months',7,'24 to 30 Months',24,30,'Your child wants to do it alone, has big feelings and more and more words for both. Steady routines, calm company and real talk help them along.','eb8af12fbb794d5c686372763bd48c8a954aac27c645afd621c36a91c9f47388');
INSERT INTO "guide_stages" VALUES(9,1,'30_to_36_months',8,'30 to 36 Months',30,36,'Your child wants to do things alone, talks in short sentences and begins to play with others. They still need a calm grown-up close by when feelings get big.','b59a6d4eba6bc4d455c3649e7b14909374960e2e6ec815da0bef994830f30fea');
INSERT INTO "guide_stages" VALUES(10,1,'36_to_48_months',9,'3 to 4 Years',36,48,'Your child asks why, pretends to be someone else and learns to wait a little. Hands and words are ready for more: pouring, catching, answering real questions.','1c9bc361432d5b252fddcfa7b242bd9f710a15707eef7fc3d608d85b831eaebc');
INSERT INTO "guide_stages" VALUES(11,1,'48_to_60_months',10,'4 to 5 Years',48,60,'Your child plays by simple rules, tells small stories and talks about yesterday and tomorrow. They can stay with one thing for a few minutes and hop, button and draw on purpose.','7ba7767f7ee0d4e12bf1d93b5fa9bc1cb6e0094e77d7e88c51c65d1a45a09d2a');
INSERT INTO "guide_stages" VALUES(12,1,'60_to_72_months',11,'5 to 6 Years',60,72,'Your child plans, explains and takes on real jobs, and is getting ready for school days. They can calm themselves with a known trick, though not every time.','b744696d7b2e0106ec7f51725999203802b2efab54f34b0a078f1914314b7b00');
INSERT INTO "guide_stages" VALUES(13,2,'0_to_6_months',0,'0 to 6 Months',0,6,'Your baby gets to know voices, pictures and rhythm, and the comfort of being read to. Nothing has to be learned yet; the closeness is the point.','cc2ad2f8ff131291ee65039ed98df567d1a0ac76aa37b2a49614c5fd522920c7');
INSERT INTO "guide_stages" VALUES(14,2,'6_to_12_months',1,'6 to 12 Months',6,12,'Books become things to hold, chew, open and share. Your baby listens for familiar voices and words and begins to connect sounds, pictures and things.','2115284d1ed8a46d802d05d66645a5b5c2320b5be81bf93875d98191549e29aa');
INSERT INTO "guide_stages" VALUES(15,2,'12_to_18_months',2,'12 to 18 Months',12,18,'Your child chooses books, handles them and discovers that a picture stands for a real thing. Short, often and on the move is how reading goes at this age.','741911a5dd6e24e202e561e56563e99eb753e0c942eeb394fa8bdda6509c7e85');
INSERT INTO "guide_stages" VALUES(16,2,'18_to_24_months',3,'18 to 24 Months',18,24,'Words come quickly, and favorite books are known almost by heart. Your child finds things on the page, supplies the missing word and meets the idea that a story has an order.','2bf421fcdf66de136adad068fbaee0a89b8b5c33ce3b1711ffb3e588480aa1b5');
INSERT INTO "guide_stages" VALUES(17,2,'24_to_36_months',4,'24 to 36 Months',24,36,'Your child talks about stories, plays with the sound of words and begins to notice that print is everywhere and says something.','749dc7bf1fa0253b9f726b222fe423a5e73c44c422908d45ea5a58d375277d1a');
INSERT INTO "guide_stages" VALUES(18,2,'36_to_48_months',5,'3 to 4 Years',36,48,'Your child follows longer stories, guesses what comes next and begins to hear the beats in words. Their own name becomes the most interesting word in print.','3f667df93f4d2dab860f0ed317f7ad50fafaf74a1c8f08fe21206cd46ee472bc');
INSERT INTO "guide_stages" VALUES(19,2,'48_to_60_months',6,'4 to 5 Years',48,60,'Your child hears first sounds and rhymes, gets to know some letters, writes parts of their name and makes up stories. Play carries all of it; there is no hurry to read.','72f30e9a364461a39b1a36eb2b754c060ef3a07d90d1a0e83475cfd1f30ac24f');
INSERT INTO "guide_stages" VALUES(20,2,'60_to_72_months',7,'5 to 6 Years',60,72,'Sounds, letters and stories come together: your child writes by ear, reads first words with help and enjoys books that last longer than one evening. Some children read now, and many begin later.','d66f7f2542914be3712bcfc97918546328eaf7bf80d656d6a34934926fe7bd24');
INSERT INTO "guide_stages" VALUES(21,3,'always',0,'Always',NULL,NULL,'A child leans on the people who care for them, so those people need care too. Take what fits this week and leave the rest: enough sleep, some movement, a calmer minute, a fairer load and somebody to talk to.','31be47eb197bc6796bea328821291a5d05bb114d62fe40f77b058a531feba37b');
CREATE TABLE guides (
	id INTEGER NOT NULL, 
	"key" VARCHAR(64) NOT NULL, 
	title VARCHAR(120) NOT NULL, 
	short_title VARCHAR(80) NOT NULL, 
	description TEXT NOT NULL, 
	source_type VARCHAR(10) NOT NULL, 
	color VARCHAR(7) NOT NULL, 
	for_adults BOOLEAN NOT NULL, 
	seeded VARCHAR(64), 
	CONSTRAINT pk_guides PRIMARY KEY (id), 
	CONSTRAINT uq_guides_key UNIQUE ("key")
);
INSERT INTO "guides" VALUES(1,'early_development','Early Development: Motor, Sensory, Cognitive & Self-Regulation','Early Development','A comprehensive guide from birth to six: moving, sensing, thinking, talking and calming down, a few minutes at a time, with the milestones that most children reach at each age.','default','#4F46E5',0,'4fe44ff6ad1052d0f3e0bd9ed9f866da50115615aca01915e013408ed78817e0');
INSERT INTO "guides" VALUES(2,'early_literacy','Early Literacy','Early Literacy','From the first lullaby to the first written note: books, sounds, stories and print in a few minutes a day, in whatever languages your family speaks.','default','#0F766E',0,'4c6085bc1843db13f61551c517695d946dff5e5edac3ac0a6fc913ffcaf3da4c');
INSERT INTO "guides" VALUES(3,'grown_ups','For the Grown-Ups: Rested, Calm & Connected','For the Grown-Ups','For whoever does the caring: small things in two to thirty minutes that help you rest, move, keep your calm, share the load and stay close to the people you love.','default','#0F766E',1,'9c9fd26325888273d549bf950a268fd859967f27b727635d1d0c978ef8ed5d8a');
CREATE TABLE household_answers (
	token_id INTEGER NOT NULL, 
	id INTEGER NOT NULL, 
	route VARCHAR(128) NOT NULL, 
	"key" VARCHAR(255) NOT NULL, 
	fingerprint VARCHAR(64) NOT NULL, 
	status INTEGER NOT NULL, 
	body BLOB NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_household_answers PRIMARY KEY (id), 
	CONSTRAINT fk_household_answers_token_id FOREIGN KEY(token_id) REFERENCES household_tokens (id) ON DELETE CASCADE, 
	CONSTRAINT uq_household_answers_token_id_route_key UNIQUE (token_id, route, "key")
);
INSERT INTO "household_answers" VALUES(1,1,'x','x','x',1,X'78','2026-11-20 12:00:00.123000');
CREATE TABLE household_participants (
	id INTEGER NOT NULL, 
	household_id INTEGER NOT NULL, 
	name VARCHAR(80) NOT NULL, 
	is_adult BOOLEAN NOT NULL, 
	birthday DATE, 
	CONSTRAINT pk_household_participants PRIMARY KEY (id), 
	CONSTRAINT ck_household_participants_child_has_birthday CHECK (is_adult OR birthday IS NOT NULL), 
	CONSTRAINT fk_household_participants_household_id FOREIGN KEY(household_id) REFERENCES households (id) ON DELETE CASCADE
);
INSERT INTO "household_participants" VALUES(1,1,'Mia',0,'2024-05-01');
INSERT INTO "household_participants" VALUES(2,1,'Ada',1,NULL);
CREATE TABLE household_tokens (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	name VARCHAR(80) NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	created_at DATETIME NOT NULL, 
	last_used_at DATETIME, 
	revoked_at DATETIME, 
	CONSTRAINT pk_household_tokens PRIMARY KEY (id), 
	CONSTRAINT fk_household_tokens_user_id FOREIGN KEY(user_id) REFERENCES household_users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_household_tokens_digest UNIQUE (digest)
);
INSERT INTO "household_tokens" VALUES(1,1,'x','18971868a7b621764b9248e2edfa20406d565f43751f3cc2953f9b018b5f71e5','2026-11-20 12:00:00.123000','2026-11-20 12:00:00.123000',NULL);
CREATE TABLE household_users (
	id INTEGER NOT NULL, 
	household_id INTEGER NOT NULL, 
	participant_id INTEGER NOT NULL, 
	display_name VARCHAR(80) NOT NULL, 
	email VARCHAR(254) NOT NULL, 
	role VARCHAR(10) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_household_users PRIMARY KEY (id), 
	CONSTRAINT fk_household_users_household_id FOREIGN KEY(household_id) REFERENCES households (id) ON DELETE CASCADE, 
	CONSTRAINT fk_household_users_participant_id FOREIGN KEY(participant_id) REFERENCES household_participants (id) ON DELETE CASCADE, 
	CONSTRAINT uq_household_users_email UNIQUE (email)
);
INSERT INTO "household_users" VALUES(1,1,1,'Ada','ada@example.org','admin','2026-11-20 12:00:00.123000');
CREATE TABLE households (
	id INTEGER NOT NULL, 
	name VARCHAR(80) NOT NULL, 
	time_zone VARCHAR(64) NOT NULL, 
	daily_task_count INTEGER NOT NULL, 
	learning_since DATETIME, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_households PRIMARY KEY (id), 
	CONSTRAINT ck_households_daily_task_count CHECK (daily_task_count BETWEEN 3 AND 15)
);
INSERT INTO "households" VALUES(1,'Recorded','Europe/Berlin',5,'2026-11-20 12:00:00.123000','2026-11-20 12:00:00.123000');
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
CREATE TABLE plans (
	id INTEGER NOT NULL, 
	household_id INTEGER NOT NULL, 
	participant_id INTEGER NOT NULL, 
	guide_id INTEGER NOT NULL, 
	active BOOLEAN NOT NULL, 
	stage_id INTEGER, 
	created_at DATETIME NOT NULL, 
	ended_at DATETIME, 
	CONSTRAINT pk_plans PRIMARY KEY (id), 
	CONSTRAINT fk_plans_guide_id FOREIGN KEY(guide_id) REFERENCES guides (id), 
	CONSTRAINT fk_plans_household_id FOREIGN KEY(household_id) REFERENCES households (id) ON DELETE CASCADE, 
	CONSTRAINT fk_plans_participant_id FOREIGN KEY(participant_id) REFERENCES household_participants (id) ON DELETE CASCADE, 
	CONSTRAINT fk_plans_stage_id FOREIGN KEY(stage_id) REFERENCES guide_stages (id)
);
INSERT INTO "plans" VALUES(1,1,1,1,1,1,'2026-11-20 12:00:00.123000',NULL);
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
CREATE TABLE todo_actions (
	id INTEGER NOT NULL, 
	household_id INTEGER NOT NULL, 
	todo_id INTEGER NOT NULL, 
	action_type VARCHAR(10) NOT NULL, 
	action_date DATE NOT NULL, 
	snoozed_to DATE, 
	reason TEXT, 
	notes TEXT, 
	performed_by INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	undone_at DATETIME, 
	CONSTRAINT pk_todo_actions PRIMARY KEY (id), 
	CONSTRAINT fk_todo_actions_household_id FOREIGN KEY(household_id) REFERENCES households (id) ON DELETE CASCADE, 
	CONSTRAINT fk_todo_actions_performed_by FOREIGN KEY(performed_by) REFERENCES household_users (id) ON DELETE CASCADE, 
	CONSTRAINT fk_todo_actions_todo_id FOREIGN KEY(todo_id) REFERENCES todos (id) ON DELETE CASCADE
);
INSERT INTO "todo_actions" VALUES(1,1,1,'completed','2026-11-19',NULL,NULL,'well done',1,'2026-11-20 12:00:00.123000',NULL);
CREATE TABLE todos (
	id INTEGER NOT NULL, 
	household_id INTEGER NOT NULL, 
	participant_id INTEGER NOT NULL, 
	plan_id INTEGER, 
	guide_item_id INTEGER, 
	source_type VARCHAR(10) NOT NULL, 
	title VARCHAR(200), 
	description TEXT, 
	frequency VARCHAR(10), 
	last_completed_on DATE, 
	snoozed_until DATE, 
	dismissed BOOLEAN NOT NULL, 
	deleted BOOLEAN NOT NULL, 
	created_on DATE NOT NULL, 
	CONSTRAINT pk_todos PRIMARY KEY (id), 
	CONSTRAINT fk_todos_guide_item_id FOREIGN KEY(guide_item_id) REFERENCES guide_items (id), 
	CONSTRAINT fk_todos_household_id FOREIGN KEY(household_id) REFERENCES households (id) ON DELETE CASCADE, 
	CONSTRAINT fk_todos_participant_id FOREIGN KEY(participant_id) REFERENCES household_participants (id) ON DELETE CASCADE, 
	CONSTRAINT fk_todos_plan_id FOREIGN KEY(plan_id) REFERENCES plans (id) ON DELETE CASCADE, 
	CONSTRAINT uq_todos_participant_id_guide_item_id UNIQUE (participant_id, guide_item_id)
);
INSERT INTO "todos" VALUES(1,1,1,1,1,'guide',NULL,NULL,NULL,'2026-11-19',NULL,0,0,'2026-11-20');
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
	CONSTRAINT fk_user_challenges_consent_id FOREIGN KEY(consent_id) REFERENCES consents (id), 
	CONSTRAINT uq_user_challenges_user_id_challenge_template_id_month UNIQUE (user_id, challenge_template_id, month), 
	CONSTRAINT fk_user_challenges_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT fk_user_challenges_challenge_template_id FOREIGN KEY(challenge_template_id) REFERENCES challenge_templates (id)
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
	CONSTRAINT uq_weekly_summaries_user_id_month_key_week_key UNIQUE (user_id, month_key, week_key), 
	CONSTRAINT fk_weekly_summaries_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
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
CREATE INDEX ix_household_participants_household_id ON household_participants (household_id);
CREATE INDEX ix_household_users_household_id ON household_users (household_id);
CREATE INDEX ix_plans_household_id ON plans (household_id);
CREATE UNIQUE INDEX uq_plans_active ON plans (participant_id, guide_id) WHERE active;
CREATE INDEX ix_household_tokens_user_id ON household_tokens (user_id);
CREATE INDEX ix_todos_household_id_plan_id ON todos (household_id, plan_id);
CREATE INDEX ix_household_answers_created_at ON household_answers (created_at);
CREATE INDEX ix_todo_actions_household_id_action_date ON todo_actions (household_id, action_date);
CREATE INDEX ix_todo_actions_todo_id_action_type ON todo_actions (todo_id, action_type, id);
CREATE UNIQUE INDEX uq_todo_actions_completed ON todo_actions (todo_id, action_date) WHERE action_type = 'completed' AND undone_at IS NULL;
COMMIT;
