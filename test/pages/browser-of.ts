/**
 * A browser without a screen, over the routes of pages or over `fetchPages`: keeps cookies, follows no
 * redirect, sends forms as browsers do.
 */
export interface Visit {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Where a redirect leads. */
  readonly to: string;
}

export interface Pages {
  request(url: string, init: RequestInit): Response | Promise<Response>;
}
export const fetchPages: Pages = {
  request: async (url, init) =>
    await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(120_000) }),
};

export function browserOf(routes: Pages, origin = 'https://airlock.example') {
  const cookies = new Map<string, string>();
  const visit = async (path: string, init: RequestInit = {}): Promise<Visit> => {
    const headers = new Headers(init.headers);
    headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    const answer = await routes.request(new URL(path, origin).href, { ...init, headers });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '' || /max-age=0/i.test(line)) cookies.delete(name);
      else cookies.set(name, value);
    }
    const { status } = answer;
    return {
      status,
      headers: answer.headers,
      text: await answer.text(),
      to: answer.headers.get('location') ?? '',
    };
  };
  return {
    cookies,
    visit,
    submit: async (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
      await visit(path, {
        method: 'POST',
        body: new URLSearchParams(fields).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      }),
  };
}

/** The token in the forms of a page. */
export const tokenIn = ({ text }: Visit): string => /name="token" value="([^"]+)"/.exec(text)?.[1] ?? '';
