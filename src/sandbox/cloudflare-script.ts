/**
 * The program that performs our calls inside the container, as text: `start` writes it there. Bash and
 * coreutils, because they are there before anything of ours and start in a millisecond on half a processor;
 * Perl for the one system call that they do not offer. A call's command or content is its standard input.
 *
 * Commands run as the user 1000, without capabilities and unable to gain any. That is hygiene, not the
 * boundary, which is the container. Over the SDK any command can call its server on port 3000, which runs as
 * root without authentication.
 *
 * Every command and run has a shell of root above it that adopts orphans. So no process leaves the tree of
 * its command, whatever it does to its session, name or environment, and root needs no right to look into it
 * (Docker's has no CAP_SYS_PTRACE). When a command or run ends, its tree is killed and no other one.
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
# The machine's boot, and the start time of the first process: a container that is restarted in place keeps its
# files, but not its processes.
boot() {
  local fields
  fields_of 1
  printf '%s %s' "$(</proc/sys/kernel/random/boot_id)" "\${fields[19]}"
}
# Sleeps without starting a process: a reader polls at short intervals.
exec 9<> <(:)
pause() { read -rt "$1" -u 9 || :; }

# Reads a command from the input: words = time limit, output cap, 1 without a limit of processes, 1 for a run
# that keeps its processes, folder, variables…, program, arguments… Their number comes first and “end” last: a
# connection that broke left a part.
load() {
  mapfile -d '' -t words
  if ((\${#words[@]} < 8)) || [[ \${words[0]} != "\${#words[@]}" || \${words[-1]} != end ]]; then
    reply failed
    printf 'the command did not arrive whole' | encoded
    return 1
  fi
  words=("\${words[@]:1:\${#words[@]} - 2}")
}

# Replaces this shell with the command behind a prefix.
become() {
  cd -- "\${words[4]}" 2>/dev/null || { printf 'cannot start: no such folder\\n' >&2; exit 127; }
  ulimit -c 0
  ((words[2])) || ulimit -u "$(<"$root/processes")" 2>/dev/null
  exec 9>&-
  exec "$@" "\${drop[@]}" env HOME=/home/codex USER=codex LOGNAME=codex "\${words[@]:5}"
}

# fields = state, parent, … start time (19) of a process; empty if there is none. They follow its name, which
# can contain anything.
fields_of() {
  local stat=''
  { IFS= read -rd '' stat <"/proc/$1/stat"; } 2>/dev/null
  fields=(\${stat##*) })
}

# Kills every process below this shell, zombies apart. If root: also every process of the agent above which no
# process of root is left but the first, as its command's shell was killed. Repeats, as processes can fork
# meanwhile; bounded because of fork bombs.
kill_tree() {
  local round process pid up kept again live victims fields
  local -A parents
  for round in {1..100}; do
    parents=() live=() victims=() again=''
    for process in /proc/[0-9]*; do
      pid=\${process#/proc/}
      fields_of "$pid"
      ((\${#fields[@]})) || continue
      parents[$pid]=\${fields[1]}
      [[ \${fields[0]} == [ZX] ]] || ((pid == 1 || pid == $$)) || live+=("$pid")
    done
    for pid in "\${live[@]}"; do
      up=$pid kept=''
      until ((up == $$ || up <= 1)); do
        [[ -O /proc/$up ]] && kept=1
        # A parent that ended since.
        [[ -n \${parents[$up]:-} ]] || { kept=1 again=1; break; }
        up=\${parents[$up]}
      done
      if ((up == $$)) || [[ -z $kept ]]; then victims+=("$pid"); fi
    done
    [[ -n $again ]] || ((\${#victims[@]})) || return 0
    kill -KILL "\${victims[@]}" 2>/dev/null
    pause 0.01
  done
}

prepare() {
  local folder
  umask 077
  mkdir -p -- "$root/runs"
  printf '%s' "$1" >"$root/processes"
  boot >"$root/boot"
  for folder in /workspace /run/airlock /home/codex; do
    mkdir -p -- "$folder"
    if ((EUID == 0)); then chown "$agent:$agent" "$folder"; fi
  done
  # Every parent of the agent's folders has to be open to the agent.
  chmod 755 /home /run 2>/dev/null
  # The interceptor's authority can come some time after the first process, and the SDK's server names it to
  # the processes that it starts from then on.
  for _ in {1..10}; do
    [[ -s \${SSL_CERT_FILE:-} ]] && { reply done; return; }
    pause 0.05
  done
  reply waiting
}

run_exec() {
  local id=$1 call=$root/calls/$1 ms started code late=0
  load || return
  ms=\${words[0]}
  started=$(microseconds)
  (become timeout -k 1 -s KILL "$(printf '%d.%03d' "$((ms / 1000))" "$((ms % 1000))")") \\
    </dev/null >"$call.out" 2>"$call.err"
  code=$?
  ((code == 137 && $(microseconds) - started >= ms * 1000)) && late=1
  kill_tree
  reply exec "$code" "$late" "$(stat -c %s "$call.out")" "$(stat -c %s "$call.err")"
  head -c "\${words[1]}" "$call.out" | encoded
  head -c "\${words[1]}" "$call.err" | encoded
  rm -f -- "$call".*
}

start_run() {
  local run=$root/runs/$1
  if [[ ! -d $run ]]; then
    load || return
    printf '%s\\0' "\${words[@]}" >"$root/calls/$2.args"
    setsid "\${adopting[@]}" supervise "$1" "$2" </dev/null >/dev/null 2>&1 9>&- &
    while [[ ! -d $run ]] && kill -0 $! 2>/dev/null; do pause 0.01; done
  fi
  if [[ -d $run ]]; then reply done; else
    reply failed
    printf 'the run cannot be recorded' | encoded
  fi
}

supervise() {
  local run=$root/runs/$1 draft=$root/runs/.$2 id=$2 code fields
  mapfile -d '' -t words <"$root/calls/$id.args"
  fields_of "$$"
  mkdir -- "$draft" && printf '%s %s\\n' "$$" "\${fields[19]}" >"$draft/supervisor"
  # The first supervisor whose folder gets the name performs the run.
  mv -T -- "$draft" "$run" || { rm -rf -- "$draft" "$root/calls/$id.args"; exit; }
  (become setsid) </dev/null >>"$run/output" 2>>"$run/errors"
  code=$?
  rm -f -- "$root/calls/$id.args"
  if ((words[3])); then
    end_run "$run" "$code"
    # Remains above what the run left, which another command would else take for a stray of its own.
    while :; do pause 3600; done
  fi
  # The run ends when none of its processes is left that could write, or touch the workspace while it is
  # collected.
  kill_tree
  end_run "$run" "$code"
}

end_run() {
  printf '%s' "$2" >"$1/exit.$$"
  mv -- "$1/exit.$$" "$1/exit"
}

# True if the supervisor of a run was killed. A zombie counts as ended.
is_abandoned() {
  local pid began fields
  read -r pid began <"$1/supervisor"
  fields_of "$pid"
  [[ \${fields[0]:-Z} == [ZX] || \${fields[19]} != "$began" ]] && [[ ! -f $1/exit ]]
}

read_run() {
  local run=$root/runs/$1 offset=$2 max=$3 until size code
  [[ -d $run ]] || { reply none; return; }
  until=$(($(microseconds) + $4 * 1000))
  while :; do
    # Read before the size: if there is an exit code, the size read after it is final.
    if is_abandoned "$run"; then
      kill_tree
      end_run "$run" 137
    fi
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

# Writes the input, of $2 bytes. Renames: a reader sees the old file or the new one, and a link or FIFO at the
# path is replaced, not followed.
write_file() {
  local problem=$root/calls/$1.err
  local put='set -eC; folder=\${1%/*}; mkdir -p -- "\${folder:-/}"; draft=$1.$2
    trap '\\''rm -f -- "$draft"'\\'' EXIT; cat >"$draft"
    [[ $(stat -c %s -- "$draft") == "$3" ]]; mv -fT -- "$draft" "$1"'
  if LC_ALL=C "\${drop[@]}" bash -c "$put" write "$3" "$1" "$2" 2>"$problem"; then
    reply done
  else
    reply failed
    head -c 1000 "$problem" | encoded
  fi
  rm -f -- "$root/calls/$1".*
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

# Starts this script as a shell that adopts the orphans below it: prctl(PR_SET_CHILD_SUBREAPER, 1).
prctl=157
[[ $HOSTTYPE == aarch64 ]] && prctl=167
adopting=(perl -e 'syscall(shift, 36, 1); exec @ARGV' "$prctl" bash "$root/inside.sh")

if [[ $action != prepare && $(boot) != "$(<"$root/boot")" ]]; then
  reply replaced
  exit
fi
case $action in
  prepare) prepare "$@" ;;
  exec) exec "\${adopting[@]}" exec-adopting "$@" ;;
  exec-adopting) run_exec "$@" ;;
  start-run) start_run "$@" ;;
  supervise) supervise "$@" ;;
  read-run) read_run "$@" ;;
  write-file) write_file "$@" ;;
  read-file) read_file "$@" ;;
esac
`.trimStart();
