#!/usr/bin/env bash
# Checks that a built image meets the Worker's expectations: paths, versions, users, permissions, scripts,
# size. Run it inside the image, as root, without a network:
#   docker run --rm -i --network none --entrypoint bash IMAGE -s -- --codex 1.2.3 --node 1.2.3 --image jvm < container/smoke-test.sh
# --image names one of container/images; --sdk 1.2.3 in its place says that the image is container/Dockerfile's.
# Prints one line per check and exits with 1 if one failed. `npm run image -- --build` runs it with the
# versions of package.json.
set -u

# Uncompressed size of the image. A standard-1 instance has 8 GB of disk for the image and the task together.
max_mib=2500
codex='' node='' sdk='' image=''
while (($# >= 2)); do
  case $1 in
    --codex) codex=$2 ;;
    --node) node=$2 ;;
    --sdk) sdk=$2 ;;
    --image) image=$2 ;;
    *) printf 'unknown option %s\n' "$1" >&2; exit 2 ;;
  esac
  shift 2
done

failed=0
# Arguments: name of the check, expected value (a regular expression for the whole text), actual value.
row() {
  local mark='✓'
  if [[ ! $3 =~ ^($2)$ ]]; then
    mark='✗'
    failed=$((failed + 1))
  fi
  printf '%s %-34s  %s' "$mark" "$1" "${3//$'\n'/ }"
  [[ $mark == '✗' ]] && printf '   (expected %s)' "$2"
  printf '\n'
}
quoted() { sed 's/[.+]/\\&/g' <<<"$1"; }
yes_or_no() { if "$@" >/dev/null 2>&1; then printf yes; else printf no; fi; }

# Runs a command as the Worker does: src/sandbox/cloudflare-script.ts. Below the SDK's server it has the image's
# environment; the platform itself gives a program only what the Worker says.
[[ -z $image || $image == base ]] || max_mib=3500
clean=()
[[ -n $image ]] && clean=(-i LANG=C.UTF-8 PATH=/opt/node/bin:/opt/codex/bin:/opt/codex/path:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin)
agent() {
  setpriv --reuid 1000 --regid 1000 --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all -- \
    env "${clean[@]}" HOME=/home/codex USER=codex LOGNAME=codex "$@" 2>&1
}
first_line_of() { agent "$@" | head -1; }

row 'runs as root'                   0 "$(id -u)"
row 'the user codex'                 'codex:[^:]*:1000:1000:[^:]*:/home/codex:.*' "$(grep -m1 '^codex:' /etc/passwd)"
row 'its group'                      'codex:[^:]*:1000:.*' "$(grep -m1 '^codex:' /etc/group)"
row 'commands run as'                '1000 1000 0+ 0+ 1' "$(agent bash -c \
  'echo $(id -u) $(id -g) $(sed -n "s/^\(CapEff\|CapBnd\|NoNewPrivs\):[[:space:]]*//p" /proc/self/status)')"

row 'node'                           "v$(quoted "${node:-.*}")" "$(agent /opt/node/bin/node --version)"
row 'node is first in PATH'          '/opt/node/bin/node' "$(agent bash -c 'command -v node')"
row 'codex'                          "codex-cli $(quoted "${codex:-.*}")" "$(agent /opt/codex/bin/codex --version)"
row 'ripgrep of codex'               'ripgrep .*' "$(agent /opt/codex/path/rg --version | head -1)"
if [[ -z $image ]]; then
  row 'the SDK’s server'             yes "$(yes_or_no test -x /container-server/sandbox)"
  row 'its version'                  "$(quoted "${sdk:-.*}")" "${SANDBOX_VERSION:-none}"
else
  row 'the first process reaps'      0 "$(tini -s -- bash -c '(: &) ; sleep 0.3; grep -lE "^[0-9]+ \(.*\) Z" /proc/[0-9]*/stat 2>/dev/null | wc -l')"
  row 'programs with more rights'    none "$(find / -xdev -type f -perm /6000 2>/dev/null | grep . || printf none)"
  row 'the folder of our calls'      '700 root' "$(stat -c '%a %U' /var/lib/airlock)"
  row 'the agent cannot read it'     no "$(yes_or_no agent ls /var/lib/airlock)"
fi
case $image in
  '' | base) ;;
  jvm)
    row 'java'                       'openjdk version "21\..*' "$(first_line_of java -version)"
    row 'javac compiles'             42 "$(agent bash -c 'cd "$(mktemp -d)" && printf "class A { public static void main(String[] a) { System.exit(42); } }" >A.java && javac A.java && java A; echo $?')"
    row 'mvn'                        'Apache Maven 3\..*' "$(first_line_of mvn --batch-mode --version)"
    row 'gradle'                     'Gradle [0-9.]+' "$(agent gradle --version | grep '^Gradle ')" ;;
  go)
    row 'go'                         'go version go1\..*' "$(first_line_of go version)"
    row 'go builds'                  42 "$(agent bash -c 'cd "$(mktemp -d)" && printf "package main\nimport \"os\"\nfunc main() { os.Exit(42) }" >a.go && go build -o a a.go && ./a; echo $?')" ;;
  rust)
    row 'cargo'                      'cargo 1\..*' "$(first_line_of cargo --version)"
    row 'cargo builds'               42 "$(agent bash -c 'cd "$(mktemp -d)" && cargo init -q --name a && echo "fn main() { std::process::exit(42) }" >src/main.rs && cargo build -q --offline && target/debug/a; echo $?')"
    row 'clippy and rustfmt'         'clippy .* rustfmt .*' "$(first_line_of cargo clippy --version) $(first_line_of rustfmt --version)" ;;
  ruby)
    row 'ruby'                       'ruby 3\..*' "$(first_line_of ruby --version)"
    row 'bundler'                    '.*[0-9]\..*' "$(first_line_of bundle --version)"
    row 'headers for gems with C'    yes "$(yes_or_no agent ruby -rrbconfig -e 'exit File.exist?(RbConfig::CONFIG["rubyhdrdir"] + "/ruby.h")')" ;;
  dotnet)
    row 'dotnet'                     '10\..*' "$(first_line_of dotnet --version)"
    row 'dotnet builds'              42 "$(agent bash -c 'cd "$(mktemp -d)" && dotnet new console -o . --no-restore >/dev/null && echo "return 42;" >Program.cs && dotnet run; echo $?' | tail -1)" ;;
  services)
    row 'PostgreSQL and Redis answer' '1 PONG' "$(agent bash -c 'start-services /tmp/smoke-services >/dev/null && echo $(psql -h 127.0.0.1 -U postgres -Atc "select 1") $(redis-cli ping); redis-cli shutdown nosave; pg_ctl -D /tmp/smoke-services/postgres -m immediate stop >/dev/null')" ;;
  *) row "an image called $image"    known unknown ;;
esac

row 'bash, 5 or newer'               '[5-9]\..*' "$(agent bash -c 'echo $BASH_VERSION')"
row 'git'                            'git version 2\..*' "$(agent git --version)"
row 'python'                         'Python 3\.(9|[1-9][0-9])\..*' "$(agent python3 --version)"
row 'python’s venv'                  yes "$(yes_or_no agent python3 -m ensurepip --version)"
row 'npm'                            '[0-9.]+' "$(agent npm --version | tail -1)"
row 'make'                           'GNU Make .*' "$(agent make --version | head -1)"
row 'the C compiler compiles'        42 "$(agent bash -c '
  cd "$(mktemp -d)" && printf "int main(void){return 42;}" >a.c && cc -o a a.c && ./a; echo $?')"

# The options of coreutils and util-linux, and the system call, that src/sandbox/cloudflare-script.ts uses.
row 'setsid, timeout, base64'        'b2s=' "$(setsid --wait timeout -k 1 -s KILL 5 printf ok | base64 -w0)"
row 'dd reads a part'                'b' "$(printf abc >/tmp/smoke && dd if=/tmp/smoke bs=64K status=none \
  iflag=nonblock,skip_bytes,count_bytes,fullblock skip=1 count=1; rm -f /tmp/smoke)"
row 'perl adopts orphans'            0 "$(perl -e 'print syscall(shift, 36, 1)' "$([[ $HOSTTYPE == aarch64 ]] && echo 167 || echo 157)")"

for script in canary clone codex-driver collect setup unpack-setup; do
  row "script $script.js"            yes "$(yes_or_no agent /opt/node/bin/node --check "/opt/airlock/$script.js")"
done
row 'all scripts, with their imports' 'fine' "$(agent bash -c '
  for file in /opt/airlock/*.js; do /opt/node/bin/node --check "$file" >/dev/null 2>&1 || echo "$file"; done
  grep -hoE "from .\./[a-z-]+\.js" /opt/airlock/*.js | sed "s/.*\.\///" | sort -u |
    while read -r name; do [[ -e /opt/airlock/$name ]] || echo "$name"; done' | grep . || printf fine)"

row 'the agent cannot write'         'nothing' "$(agent bash -c '
  for path in /opt/airlock /opt/codex/bin /opt/node/bin /opt/packages /container-server /var/lib/airlock /etc /usr/bin /usr/local/bin /root; do
    [[ -w $path ]] && echo "$path"; done; true' | grep . || printf nothing)"
row 'the agent has no sudo'          no "$(yes_or_no command -v sudo)"
if [[ -z $image ]]; then for pair in GIT_TERMINAL_PROMPT=0 GIT_CONFIG_NOSYSTEM=1 LANG=C.UTF-8 TZ=UTC \
  CODEX_CA_CERTIFICATE=/etc/cloudflare/certs/cloudflare-containers-ca.crt; do
  name=${pair%%=*}
  row "environment $name"            "$(quoted "${pair#*=}")" "$(agent printenv "$name")"
done; fi
row 'no secret in the environment'   'none' "$(agent env | grep -iE '(_KEY|_TOKEN|_SECRET|PASSWORD)=' | cut -d= -f1 | grep . || printf none)"

size=$(du -xsm / 2>/dev/null | cut -f1)
row "size, at most $max_mib MiB"     fits "$( ((size <= max_mib)) && printf fits || printf '%s MiB' "$size")"

if ((failed > 0)); then
  printf '%s failed\n' "$failed"
  exit 1
fi
