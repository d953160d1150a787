/**
 * The program that performs our calls inside the container, as text: `start` writes it there. Bash and
 * coreutils only, because they are there before anything of ours and start in a millisecond on half a
 * processor.
 *
 * Commands run as the user 1000, without capabilities and unable to gain any. That is hygiene, not the
 * boundary: any command can call the SDK's server on port 3000, which runs as root without authentication.
 * The boundary is the container.
 *
 * If the script itself is not root (a test on an ordinary machine), commands run as its own user.
 */

export const insideScript = `
set -u
root=\${BASH_SOURCE[0]%/*}
agent=1000
action=$1
shift

drop=()
if ((EUID == 0)); then
  drop=(setpriv --reuid "$agent" --regid "$agent" --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all --)
fi

reply() { printf 'airlock %s\\n' "$*"; }
encoded() { base64 -w0; printf '\\n'; }
microseconds() { printf '%s' "\${EPOCHREALTIME//[.,]/}"; }
boot() { cat /proc/sys/kernel/random/boot_id; }
# Sleeps without starting a process: a reader polls at short intervals.
exec 9<> <(:)
pause() { read -rt "$1" -u 9 || :; }

# words = time limit, output cap, folder, number of variables, variables…, program, arguments…
load() { mapfile -d '' -t words <"$root/calls/$1.args"; }

# Replaces this shell with the command. Arguments: the call's id, then a prefix. The mark comes last, so that
# no variable replaces it.
become() {
  local id=$1 count=\${words[3]}
  shift
  cd -- "\${words[2]}" 2>/dev/null || { printf 'cannot start: no such folder\\n' >&2; exit 127; }
  ulimit -c 0 -u "$(<"$root/processes")" 2>/dev/null
  exec 9>&-
  exec "$@" "\${drop[@]}" env HOME=/home/codex USER=codex LOGNAME=codex "\${words[@]:4:count}" \\
    "AIRLOCK_COMMAND=$id" "\${words[@]:4+count}"
}

# Sends SIGKILL to every process with the mark of a command. Repeats, as processes can fork meanwhile; bounded
# because of fork bombs.
kill_marked() {
  local round files
  for round in {1..50}; do
    mapfile -t files < <(grep -slzxF -- "AIRLOCK_COMMAND=$1" /proc/[0-9]*/environ)
    ((\${#files[@]})) || return 0
    files=("\${files[@]#/proc/}")
    kill -KILL "\${files[@]%/environ}" 2>/dev/null
  done
}

# True for a process of the agent that belongs to no running command. One that cleared its environment is
# recognized by its user.
is_stray() {
  local key value rest state='' uid='' entries=() entry mark=''
  { while read -r key value rest; do
      case $key in State:) state=$value ;; Uid:) uid=$value; break ;; esac
    done <"/proc/$1/status"; } 2>/dev/null
  [[ -z $uid || $state == [ZX] ]] && return 1
  { mapfile -d '' -t entries <"/proc/$1/environ"; } 2>/dev/null
  for entry in "\${entries[@]}"; do
    [[ $entry =~ ^AIRLOCK_COMMAND=([0-9a-f]+)$ ]] && mark=\${BASH_REMATCH[1]}
  done
  if [[ -n $mark ]]; then [[ ! -e $root/live/$mark ]]; else ((EUID == 0)) && [[ $uid == "$agent" ]]; fi
}

kill_strays() {
  local round process victims
  for round in {1..50}; do
    victims=()
    for process in /proc/[0-9]*; do
      if is_stray "\${process#/proc/}"; then victims+=("\${process#/proc/}"); fi
    done
    ((\${#victims[@]})) || return 0
    kill -KILL "\${victims[@]}" 2>/dev/null
  done
}

prepare() {
  local folder
  umask 077
  mkdir -p -- "$root/runs" "$root/live"
  printf '%s' "$1" >"$root/processes"
  boot >"$root/boot"
  for folder in /workspace /run/airlock /home/codex; do
    mkdir -p -- "$folder"
    if ((EUID == 0)); then chown "$agent:$agent" "$folder"; fi
  done
  # Every parent of the agent's folders has to be open to the agent.
  chmod 755 /home /run 2>/dev/null
  # The SDK's server passes the interceptor's authority to the processes it starts, but only some time after
  # it listens.
  if [[ -s \${SSL_CERT_FILE:-} ]]; then reply done; else reply waiting; fi
}

run_exec() {
  local id=$1 call=$root/calls/$1 ms started code late=0
  load "$id"
  ms=\${words[0]}
  : >"$root/live/$id"
  started=$(microseconds)
  (become "$id" timeout -k 1 -s KILL "$(printf '%d.%03d' "$((ms / 1000))" "$((ms % 1000))")") \\
    </dev/null >"$call.out" 2>"$call.err"
  code=$?
  if ((code == 137 && $(microseconds) - started >= ms * 1000)); then
    late=1
    kill_marked "$id"
  fi
  reply exec "$code" "$late" "$(stat -c %s "$call.out")" "$(stat -c %s "$call.err")"
  head -c "\${words[1]}" "$call.out" | encoded
  head -c "\${words[1]}" "$call.err" | encoded
  rm -f -- "$root/live/$id" "$call".*
}

start_run() {
  # The caller that creates the folder starts the run.
  if mkdir -- "$root/runs/$1" 2>/dev/null; then
    setsid bash "$root/inside.sh" supervise "$1" "$2" </dev/null >/dev/null 2>&1 9>&- &
  elif [[ ! -d $root/runs/$1 ]]; then
    reply failed
    printf 'the run cannot be recorded' | encoded
    return
  else
    rm -f -- "$root/calls/$2.args"
  fi
  reply done
}

supervise() {
  local run=$root/runs/$1 id=$2 code
  load "$id"
  : >"$root/live/$id"
  (become "$id" setsid) </dev/null >>"$run/output" 2>>"$run/errors"
  code=$?
  rm -f -- "$root/live/$id" "$root/calls/$id.args"
  # The run ends when none of its processes is left that could write, or touch the workspace while it is
  # collected.
  kill_strays
  printf '%s' "$code" >"$run/exit.new"
  mv -- "$run/exit.new" "$run/exit"
}

read_run() {
  local run=$root/runs/$1 offset=$2 max=$3 until size code
  [[ -d $run ]] || { reply none; return; }
  until=$(($(microseconds) + $4 * 1000))
  while :; do
    # Read before the size: if there is an exit code, the size read after it is final.
    code=-
    [[ -f $run/exit ]] && code=$(<"$run/exit")
    size=0
    [[ -f $run/output ]] && size=$(stat -c %s "$run/output")
    if ((size > offset)) || [[ $code != - ]] || (($(microseconds) >= until)); then break; fi
    pause 0.05
  done
  reply run "$size" "$code"
  if ((size > offset && max > 0)); then tail -c "+$((offset + 1))" "$run/output" | head -c "$max"; fi | encoded
}

# Renames: a reader sees the old file or the new one, and a link or FIFO at the path is replaced, not
# followed.
write_file() {
  local data=$root/calls/$1.data problem=$root/calls/$1.err
  local put='set -eC; folder=\${1%/*}; mkdir -p -- "\${folder:-/}"; draft=$1.$2
    trap '\\''rm -f -- "$draft"'\\'' EXIT; cat >"$draft"; mv -fT -- "$draft" "$1"'
  if LC_ALL=C "\${drop[@]}" bash -c "$put" write "$2" "$1" <"$data" 2>"$problem"; then
    reply done
  else
    reply failed
    head -c 1000 "$problem" | encoded
  fi
  rm -f -- "$data" "$problem"
}

# Opens without blocking and with a deadline: a file can become a FIFO before it is opened.
read_file() {
  local offset=$1 max=$2 path=$3 size data
  local get='[[ -f $1 ]] || exit 3; stat -Lc %s -- "$1"'
  local part=(dd if="$path" iflag=nonblock,skip_bytes,count_bytes,fullblock bs=64K status=none)
  size=$(timeout -s KILL 10 "\${drop[@]}" bash -c "$get" size "$path" 2>/dev/null)
  case $? in 0) ;; 3) reply none; return ;; *) reply failed; printf EIO | encoded; return ;; esac
  data=''
  if ((offset < size && max > 0)); then
    set -o pipefail
    data=$(timeout -s KILL 10 "\${drop[@]}" "\${part[@]}" skip="$offset" count="$max" 2>/dev/null | base64 -w0) ||
      { reply failed; printf 'EACCES' | encoded; return; }
  fi
  reply file "$size"
  printf '%s\\n' "$data"
}

if [[ $action != prepare && $(boot) != "$(<"$root/boot")" ]]; then
  reply replaced
  exit
fi
case $action in
  prepare) prepare "$@" ;;
  exec) run_exec "$@" ;;
  start-run) start_run "$@" ;;
  supervise) supervise "$@" ;;
  read-run) read_run "$@" ;;
  write-file) write_file "$@" ;;
  read-file) read_file "$@" ;;
esac
`.trimStart();
