/**
 * Writes Codex's `config.toml`. Measured with 0.171.0: by default, Codex also calls chatgpt.com (with the API
 * key as bearer), github.com and ab.chatgpt.com, and hangs forever if it cannot reach the gateway.
 */
type TomlScalar = string | number | boolean | readonly string[];
export interface TomlTable {
  readonly [key: string]: TomlScalar | TomlTable;
}

/** A TOML basic string is a JSON string, except that DEL must be escaped and lone surrogates are excluded. */
const tomlString = (text: string): string =>
  JSON.stringify(text.toWellFormed()).replaceAll('\u007f', '\\u007f');

const isArray = (value: TomlScalar | TomlTable): value is readonly string[] => Array.isArray(value);

function tomlScalar(value: TomlScalar): string {
  if (typeof value === 'string') return tomlString(value);
  if (typeof value === 'object') return `[${value.map(tomlString).join(', ')}]`;
  return String(value);
}

/** Writes a table: its scalars, then its sub-tables under quoted headers. Numbers must be integers. */
export function toToml(table: TomlTable, path: readonly string[] = []): string {
  const scalars: string[] = [];
  const tables: string[] = [];
  for (const [key, value] of Object.entries(table)) {
    if (typeof value === 'object' && !isArray(value)) tables.push(toToml(value, [...path, key]));
    else scalars.push(`${tomlString(key)} = ${tomlScalar(value)}\n`);
  }
  const header = path.length === 0 || scalars.length === 0 ? '' : `\n[${path.map(tomlString).join('.')}]\n`;
  return `${header}${scalars.join('')}${tables.join('')}`;
}

/** The settings of Codex, apart from the turn itself. */
export function codexConfig(settings: {
  /** OpenAI's base URL inside the sandbox, ending in `/v1`. */
  readonly openaiBaseUrl: string;
  readonly model: string;
  /** The clone. Codex must ignore the `.codex/` in it. */
  readonly repository: string;
}): TomlTable {
  return {
    model: settings.model,
    model_provider: 'gateway',
    approval_policy: 'never',
    // Airlock's sandbox takes the place of Codex's own.
    sandbox_mode: 'danger-full-access',
    // The hosted search opens arbitrary addresses from OpenAI's side: an exfiltration channel.
    web_search: 'disabled',
    check_for_update_on_startup: false,
    // A login shell would replace the sandbox's PATH with the distribution's.
    allow_login_shell: false,
    cli_auth_credentials_store: 'file',
    model_providers: {
      gateway: {
        // Must be this name: under any other, Codex summarizes a long thread itself instead of requesting
        // compaction.
        name: 'OpenAI',
        base_url: settings.openaiBaseUrl,
        env_key: 'OPENAI_API_KEY',
        wire_api: 'responses',
        supports_websockets: false,
        // Codex waits 0.2 s before it resumes a turn, and twice as long each time: an outage of up to 100 s
        // does not end it (measured), and one that lasts ends it after that.
        request_max_retries: 2,
        stream_max_retries: 9,
        stream_idle_timeout_ms: 180_000,
      },
    },
    // Set explicitly, because Codex trusts a folder by itself if a client starts a thread there with full
    // access.
    projects: { [settings.repository]: { trust_level: 'untrusted' } },
    tools: { update_plan: { enabled: true } },
    agents: { enabled: false },
    analytics: { enabled: false },
    features: {
      // Each of these calls other hosts, or is useless in a sealed sandbox.
      plugins: false,
      plugin_sharing: false,
      remote_plugin: false,
      apps: false,
      tool_suggest: false,
      api_key_model_discovery: false,
      image_generation: false,
      // Otherwise Codex retries an unreachable gateway forever.
      unbounded_connection_retries: false,
      // The gateway has to read the body to decide.
      enable_request_compression: false,
      goals: false,
      sleep_tool: false,
      guardian_approval: false,
      // Codex does not report the commands of a repository's hooks.
      hooks: false,
      shell_snapshot: false,
      // Off, so that a thread which another version of Codex resumes lists its tools once, at the start.
      incremental_tools_legacy: false,
    },
    skills: { bundled: { enabled: false } },
    shell_environment_policy: { inherit: 'all', exclude: ['OPENAI_API_KEY', 'CODEX_API_KEY'] },
  };
}
