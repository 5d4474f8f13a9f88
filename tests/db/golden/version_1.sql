-- A database of layout version 1, as the sample rows of tests/db/sample_rows.h fill it.
PRAGMA foreign_keys = OFF;
PRAGMA application_id = 1265200238;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE artifact (
  hash TEXT PRIMARY KEY,
  size INTEGER NOT NULL,
  target_kind TEXT NOT NULL,
  architecture TEXT NOT NULL,
  code_identity TEXT NOT NULL,
  toolchain TEXT NOT NULL,
  used INTEGER NOT NULL,             -- order of last use, no time
  checksum INTEGER NOT NULL          -- of everything but used
) STRICT;
INSERT INTO "artifact" VALUES('cfc2e05f1bb56fbb136fdb6344968a25',1006,'host','avx2','identity','clang 19.1.7',1,-2120440378780250246);
CREATE TABLE device (
  id INTEGER PRIMARY KEY,
  fingerprint TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO "device" VALUES(1,'host/x86_64/avx2/2/model');
CREATE TABLE job (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  request_id TEXT UNIQUE,            -- null: none
  problem_id INTEGER NOT NULL REFERENCES problem,
  device_id INTEGER NOT NULL REFERENCES device,
  device TEXT NOT NULL,
  options TEXT NOT NULL,
  background INTEGER NOT NULL,
  state TEXT NOT NULL,
  error TEXT NOT NULL,
  winner_id INTEGER NOT NULL,        -- 0: none
  evaluations INTEGER NOT NULL,
  created_unix_ns INTEGER NOT NULL,
  started_unix_ns INTEGER NOT NULL,
  finished_unix_ns INTEGER NOT NULL,
  checksum INTEGER NOT NULL
) STRICT;
INSERT INTO "job" VALUES(1,'request',1,1,'host','{}',0,'succeeded','',2,9,1700000000000000001,0,0,6096783596559894011);
INSERT INTO "job" VALUES(2,NULL,2,1,'host','{}',0,'queued','',0,0,1700000000000000002,0,0,9037018333395809719);
CREATE TABLE measurement (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id INTEGER NOT NULL,           -- 0: none
  problem_id INTEGER NOT NULL REFERENCES problem,
  device_id INTEGER NOT NULL REFERENCES device,
  artifact_hash TEXT NOT NULL,
  body TEXT NOT NULL,                -- measurement_json.h
  checksum INTEGER NOT NULL
) STRICT;
INSERT INTO "measurement" VALUES(1,7,1,1,'f04c9c986abdf4010915eb78807b6a25','{"artifact_hash":"f04c9c986abdf4010915eb78807b6a25","code_identity":"identity","compile_ms":165.5,"config":[["block",0],["alpha",-1]],"diagnostics":"line one\nline \"two\" é","timing":{"median_high_ns":1010000.0,"median_low_ns":990000.0,"median_ns":1000000.0,"minimum_ns":900000.0,"noisy":true,"p10_ns":950000.0,"p90_ns":1100000.0,"peak_fraction":0.8333333333333333,"probe_ratio":0.93,"samples":17},"toolchain":"clang 19.1.7","unix_ns":1700000000000000000,"verdict":"ok","verification":{"problem":"addition n=8","seeds":2,"units":10,"units_total":100,"worst_absolute":1e-07,"worst_error":0.25},"warm":false}',-6393830678189040337);
INSERT INTO "measurement" VALUES(2,7,1,1,'cfc2e05f1bb56fbb136fdb6344968a25','{"artifact_hash":"cfc2e05f1bb56fbb136fdb6344968a25","code_identity":"identity","compile_ms":165.5,"config":[["block",1],["alpha",-1]],"diagnostics":"line one\nline \"two\" é","timing":{"median_high_ns":1010000.0,"median_low_ns":990000.0,"median_ns":1000001.0,"minimum_ns":900000.0,"noisy":true,"p10_ns":950000.0,"p90_ns":1100000.0,"peak_fraction":0.8333333333333333,"probe_ratio":0.93,"samples":17},"toolchain":"clang 19.1.7","unix_ns":1700000000000000001,"verdict":"ok","verification":{"problem":"addition n=8","seeds":2,"units":10,"units_total":100,"worst_absolute":1e-07,"worst_error":0.25},"warm":true}',989588297024960423);
INSERT INTO "measurement" VALUES(3,7,1,1,'fbf1f988f163f8c2214abe3971f93001','{"artifact_hash":"fbf1f988f163f8c2214abe3971f93001","code_identity":"identity","compile_ms":165.5,"config":[["block",2],["alpha",-1]],"diagnostics":"line one\nline \"two\" é","timing":{"median_high_ns":1010000.0,"median_low_ns":990000.0,"median_ns":1000002.0,"minimum_ns":900000.0,"noisy":true,"p10_ns":950000.0,"p90_ns":1100000.0,"peak_fraction":0.8333333333333333,"probe_ratio":0.93,"samples":17},"toolchain":"clang 19.1.7","unix_ns":1700000000000000002,"verdict":"ok","verification":{"problem":"addition n=8","seeds":2,"units":10,"units_total":100,"worst_absolute":1e-07,"worst_error":0.25},"warm":false}',-5837489795314124495);
CREATE TABLE problem (
  id INTEGER PRIMARY KEY,
  family TEXT NOT NULL,
  problem_key BLOB NOT NULL,
  exact_key BLOB NOT NULL UNIQUE,
  statics_key BLOB NOT NULL,
  text TEXT NOT NULL
) STRICT;
INSERT INTO "problem" VALUES(1,'addition',X'6B65790031',X'657861637431',X'73746174696373','addition n=1');
INSERT INTO "problem" VALUES(2,'addition',X'6B65790032',X'657861637432',X'73746174696373','addition n=2');
CREATE TABLE winner (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  replaced_by INTEGER NOT NULL DEFAULT 0,
  problem_id INTEGER NOT NULL REFERENCES problem,
  device_id INTEGER NOT NULL REFERENCES device,
  family TEXT NOT NULL,
  problem_key BLOB NOT NULL,
  statics_key BLOB NOT NULL,
  artifact_hash TEXT NOT NULL,
  body TEXT NOT NULL,
  baseline TEXT,
  plan TEXT NOT NULL,
  space_version INTEGER NOT NULL,
  schema_version INTEGER NOT NULL,
  evaluations INTEGER NOT NULL,
  created_unix_ns INTEGER NOT NULL,
  checksum INTEGER NOT NULL          -- of everything but replaced_by
) STRICT;
INSERT INTO "winner" VALUES(1,2,1,1,'addition',X'6B65790031',X'73746174696373','cfc2e05f1bb56fbb136fdb6344968a25','{"artifact_hash":"cfc2e05f1bb56fbb136fdb6344968a25","code_identity":"identity","compile_ms":165.5,"config":[["block",1],["alpha",-1]],"diagnostics":"line one\nline \"two\" é","timing":{"median_high_ns":1010000.0,"median_low_ns":990000.0,"median_ns":1000001.0,"minimum_ns":900000.0,"noisy":true,"p10_ns":950000.0,"p90_ns":1100000.0,"peak_fraction":0.8333333333333333,"probe_ratio":0.93,"samples":17},"toolchain":"clang 19.1.7","unix_ns":1700000000000000001,"verdict":"ok","verification":{"problem":"addition n=8","seeds":2,"units":10,"units_total":100,"worst_absolute":1e-07,"worst_error":0.25},"warm":true}','{"artifact_hash":"fbf1f988f163f8c2214abe3971f93001","code_identity":"identity","compile_ms":165.5,"config":[["block",2],["alpha",-1]],"diagnostics":"line one\nline \"two\" é","timing":{"median_high_ns":1010000.0,"median_low_ns":990000.0,"median_ns":1000002.0,"minimum_ns":900000.0,"noisy":true,"p10_ns":950000.0,"p90_ns":1100000.0,"peak_fraction":0.8333333333333333,"probe_ratio":0.93,"samples":17},"toolchain":"clang 19.1.7","unix_ns":1700000000000000002,"verdict":"ok","verification":{"problem":"addition n=8","seeds":2,"units":10,"units_total":100,"worst_absolute":1e-07,"worst_error":0.25},"warm":false}','{"version":1}',3,1,42,1700000000000000001,8473281090566533394);
INSERT INTO "winner" VALUES(2,0,1,1,'addition',X'6B65790031',X'73746174696373','cfc2e05f1bb56fbb136fdb6344968a25','{"artifact_hash":"cfc2e05f1bb56fbb136fdb6344968a25","code_identity":"identity","compile_ms":165.5,"config":[["block",1],["alpha",-1]],"diagnostics":"line one\nline \"two\" é","timing":{"median_high_ns":1010000.0,"median_low_ns":990000.0,"median_ns":1000001.0,"minimum_ns":900000.0,"noisy":true,"p10_ns":950000.0,"p90_ns":1100000.0,"peak_fraction":0.8333333333333333,"probe_ratio":0.93,"samples":17},"toolchain":"clang 19.1.7","unix_ns":1700000000000000001,"verdict":"ok","verification":{"problem":"addition n=8","seeds":2,"units":10,"units_total":100,"worst_absolute":1e-07,"worst_error":0.25},"warm":true}','{"artifact_hash":"fbf1f988f163f8c2214abe3971f93001","code_identity":"identity","compile_ms":165.5,"config":[["block",2],["alpha",-1]],"diagnostics":"line one\nline \"two\" é","timing":{"median_high_ns":1010000.0,"median_low_ns":990000.0,"median_ns":1000002.0,"minimum_ns":900000.0,"noisy":true,"p10_ns":950000.0,"p90_ns":1100000.0,"peak_fraction":0.8333333333333333,"probe_ratio":0.93,"samples":17},"toolchain":"clang 19.1.7","unix_ns":1700000000000000002,"verdict":"ok","verification":{"problem":"addition n=8","seeds":2,"units":10,"units_total":100,"worst_absolute":1e-07,"worst_error":0.25},"warm":false}','{"version":1}',3,1,42,1700000000000000001,-1107755366634393936);
INSERT INTO "winner" VALUES(3,0,2,1,'addition',X'6B65790032',X'73746174696373','fbf1f988f163f8c2214abe3971f93001','{"artifact_hash":"fbf1f988f163f8c2214abe3971f93001","code_identity":"identity","compile_ms":165.5,"config":[["block",2],["alpha",-1]],"diagnostics":"line one\nline \"two\" é","timing":{"median_high_ns":1010000.0,"median_low_ns":990000.0,"median_ns":1000002.0,"minimum_ns":900000.0,"noisy":true,"p10_ns":950000.0,"p90_ns":1100000.0,"peak_fraction":0.8333333333333333,"probe_ratio":0.93,"samples":17},"toolchain":"clang 19.1.7","unix_ns":1700000000000000002,"verdict":"ok","verification":{"problem":"addition n=8","seeds":2,"units":10,"units_total":100,"worst_absolute":1e-07,"worst_error":0.25},"warm":false}','{"artifact_hash":"84a2935c2134382d5ae45255e93023f4","code_identity":"identity","compile_ms":165.5,"config":[["block",3],["alpha",-1]],"diagnostics":"line one\nline \"two\" é","timing":{"median_high_ns":1010000.0,"median_low_ns":990000.0,"median_ns":1000003.0,"minimum_ns":900000.0,"noisy":true,"p10_ns":950000.0,"p90_ns":1100000.0,"peak_fraction":0.8333333333333333,"probe_ratio":0.93,"samples":17},"toolchain":"clang 19.1.7","unix_ns":1700000000000000003,"verdict":"ok","verification":{"problem":"addition n=8","seeds":2,"units":10,"units_total":100,"worst_absolute":1e-07,"worst_error":0.25},"warm":true}','{"version":1}',3,1,42,1700000000000000002,8874981519935528731);
CREATE INDEX problem_by_key ON problem (problem_key);
CREATE INDEX measurement_by_problem ON measurement (problem_id, device_id);
CREATE UNIQUE INDEX winner_by_key ON winner (problem_key, device_id) WHERE replaced_by = 0;
CREATE INDEX winner_by_statics ON winner (statics_key) WHERE replaced_by = 0;
CREATE INDEX job_by_state ON job (state);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('measurement',3);
INSERT INTO "sqlite_sequence" VALUES('winner',3);
INSERT INTO "sqlite_sequence" VALUES('job',2);
COMMIT;
