#!/bin/sh
# Replaces wrangler, tsc, node and docker on PATH: records the call, prints the planned output (of wrangler
# 4.155.0) and ends with the planned status. A shell, because a test run starts it 150 times.
#
# $STUB_PLAN/NAME holds what was planned for NAME: the files stdout, stderr, code, lines (which `wrangler deploy`
# reports in $WRANGLER_OUTPUT_FILE_PATH) and hangs. A call is a line of $STUB_CALLS, its arguments end with ␟.
program=${0##*/}
{ printf '%s\037' "$program" "$@"; echo; } >>"$STUB_CALLS"
name=$program
if [ "$program" = wrangler ]; then
  name=upload
  [ "$1" = secret ] && name=secrets
  for argument; do [ "$argument" = --dry-run ] && name=bundle; done
fi
plan=$STUB_PLAN/$name
[ -f "$plan/stdout" ] && cat "$plan/stdout"
[ -f "$plan/stderr" ] && cat "$plan/stderr" >&2
if [ -f "$plan/hangs" ]; then
  echo hanging
  exec sleep 3600
fi
[ -f "$plan/lines" ] && cat "$plan/lines" >>"$WRANGLER_OUTPUT_FILE_PATH"
[ -f "$plan/code" ] && exit "$(cat "$plan/code")"
exit 0
