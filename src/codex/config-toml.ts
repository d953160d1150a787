/**
 * Codex's `config.toml`: the settings under which Codex contacts nothing but `POST <base>/responses`, and a writer for
 * the part of TOML they need. Decides no paths and no environment; `invocation.ts` does.
 *
 * Measured with Codex 0.171.0: with its defaults it also calls chatgpt.com (with the API key as bearer), github.com and
 * ab.chatgpt.com, and hangs for ever on a gateway that cannot be reached.
 */
type TomlScalar = string | number | boolean | readonly string[];
export interface TomlTable {
  readonly [key: string]: TomlScalar | TomlTable;
}

/**
 * A JSON string is a TOML basic string but for two things: DEL must be escaped, and a lone surrogate has no spelling.
 */
const tomlString = (text: string): string =>
  JSON.stringify(text.toWellFormed()).replaceAll('\u007f', '\\u007f');

const isArray = (value: TomlScalar | TomlTable): value is readonly string[] => Array.isArray(value);

function tomlScalar(value: TomlScalar): string {
  if (typeof value === 'string') return tomlString(value);
  if (typeof value === 'object') return `[${value.map(tomlString).join(', ')}]`;
  return String(value);
}

/** Writes a table: its scalars first, then its sub-tables under quoted headers. Numbers must be integers. */
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

/** What Codex is told, apart from the turn itself. */
export function codexConfig(settings: {
  /** As seen from inside the sandbox, ending in `/v1`. */
  readonly openaiBaseUrl: string;
  readonly model: string;
  /** The clone: a folder whose own `.codex/` must not count. */
  readonly repository: string;
}): TomlTable {
  return {
    model: settings.model,
    model_provider: 'gateway',
    approval_policy: 'never',
    // The sandbox around Codex is the sandbox.
    sandbox_mode: 'danger-full-access',
    // The hosted search opens arbitrary addresses on OpenAI's side: a way out for data.
    web_search: 'disabled',
    check_for_update_on_startup: false,
    // A login shell would replace the sandbox's PATH by the distribution's.
    allow_login_shell: false,
    cli_auth_credentials_store: 'file',
    model_providers: {
      gateway: {
        // Exactly this name: under any other, Codex summarises a long thread itself instead of asking for compaction.
        name: 'OpenAI',
        base_url: settings.openaiBaseUrl,
        env_key: 'OPENAI_API_KEY',
        wire_api: 'responses',
        supports_websockets: false,
        request_max_retries: 2,
        stream_max_retries: 3,
        stream_idle_timeout_ms: 180_000,
      },
    },
    // Said outright, as Codex marks a folder as trusted by itself when a client starts a thread there with full access.
    projects: { [settings.repository]: { trust_level: 'untrusted' } },
    tools: { update_plan: { enabled: true } },
    agents: { enabled: false },
    analytics: { enabled: false },
    features: {
      // Each of these would call out, or offers what a sealed sandbox has no use for.
      plugins: false,
      plugin_sharing: false,
      remote_plugin: false,
      apps: false,
      tool_suggest: false,
      api_key_model_discovery: false,
      image_generation: false,
      // Without this an unreachable gateway is retried for ever.
      unbounded_connection_retries: false,
      // The gateway reads the body to decide about it.
      enable_request_compression: false,
      goals: false,
      sleep_tool: false,
      guardian_approval: false,
      // A repository's hooks would run outside of what Codex reports.
      hooks: false,
      shell_snapshot: false,
      // On by default since 0.171.0: a change of the tools within a thread is sent as a second list of tools in the middle
      // of the input. Our tools never change (no MCP servers, plugins or apps), and the requests are the same with it and
      // without it (measured). Off, a thread resumed by another Codex states its tools once, at the start.
      incremental_tools_legacy: false,
    },
    skills: { bundled: { enabled: false } },
    shell_environment_policy: { inherit: 'all', exclude: ['OPENAI_API_KEY', 'CODEX_API_KEY'] },
  };
}
