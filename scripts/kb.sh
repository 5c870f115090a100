#!/usr/bin/env bash
# Kinderbud from a shell: kb.sh get|post|put|delete PATH [BODY]
#
#   export KINDERBUD_API_URL=http://localhost:8000 KINDERBUD_API_KEY=kb_live_…
#   kb.sh get "/today?participant_id=2"
#   kb.sh post /todos/42/complete '{"notes": "She loved it today!"}'
#
# Prints the answer as JSON. An error goes to stderr, and the exit code is 1. Needs bash, curl and jq.
set -euo pipefail

fail() { printf 'error: %s\n' "$1" >&2; exit 1; }
usage() { sed -n '2,8s/^# \{0,1\}//p' "$0"; }

case "${1:-}" in
  -h | --help | help) usage; exit 0 ;;
  get) method=GET ;;
  post) method=POST ;;
  put) method=PUT ;;
  delete) method=DELETE ;;
  '') usage >&2; exit 1 ;;
  *) fail "$1: one of get, post, put, delete" ;;
esac
path=${2:-}
[[ $path == /* ]] || fail "a path begins with /, such as /today"
(($# <= 3)) || fail "at most a method, a path and a body"
: "${KINDERBUD_API_URL:?error: set KINDERBUD_API_URL, such as http://localhost:8000}"
for tool in curl jq; do command -v "$tool" >/dev/null || fail "$tool is not installed"; done
[[ -n ${KINDERBUD_API_KEY:-} || $path == /health ]] || fail "set KINDERBUD_API_KEY to a token, kb_live_…"

# The token reaches curl through a pipe, because every user of the machine can read command lines.
request=(--silent --show-error --globoff --max-time 60 --request "$method" --header 'Accept: application/json'
  --write-out '\n%{http_code}')
if (($# == 3)); then request+=(--header 'Content-Type: application/json' --data-binary @-); fi
config() { if [[ -n ${KINDERBUD_API_KEY:-} ]]; then printf 'header = "Authorization: Bearer %s"\n' "$KINDERBUD_API_KEY"; fi; }

answer=$(printf '%s' "${3:-}" | curl "${request[@]}" --config <(config) "${KINDERBUD_API_URL%/}/api/v1$path") || exit 1
status=${answer##*$'\n'} body=${answer%$'\n'*}
if [[ $status == 2* && $(jq '.ok == true' <<<"$body" 2>/dev/null) == true ]]; then
  jq . <<<"$body"
else
  [[ -n $body ]] || body="HTTP $status"
  jq . <<<"$body" >&2 2>/dev/null || printf '%s\n' "$body" >&2
  exit 1
fi
