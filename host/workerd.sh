#!/bin/sh
# Runs workerd so that the kernel kills it when the process that started it ends, even by SIGKILL, and that a
# terminal's Ctrl-C does not reach it: tasks continue while the bot waits for them.
#   AIRLOCK_WORKERD    path of workerd
#   AIRLOCK_HOST_PID   pid of that process: it may have ended before the kernel was asked
run='[ "${AIRLOCK_HOST_PID:-$PPID}" = "$PPID" ] && exec "$AIRLOCK_WORKERD" "$@"'
# util-linux has the option; another `setpriv`, or none, leaves workerd to the state folder's lock.
if setpriv --pdeathsig KILL true 2>/dev/null; then
  # In a session of its own; from util-linux as well. It does not fork, because Node starts no group leader.
  exec setsid setpriv --pdeathsig KILL /bin/sh -c "$run" workerd "$@"
fi
exec "$AIRLOCK_WORKERD" "$@"
