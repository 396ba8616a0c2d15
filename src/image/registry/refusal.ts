/** What a registry says no with, in its own words and with what may help. */
import type { Credentials } from './credentials.ts';
import { quoted, RegistryError } from './error.ts';
import type { Answer } from './http.ts';
import { retryAfter } from './retry.ts';

const ERROR_TEXT = 64 * 1024;

/** The body's own words may explain: "errors": [{code, message, detail}]. They are the registry's, so bounded and quoted. */
export async function refusal(
  answer: Answer,
  method = 'GET',
  credentials: Credentials | undefined,
): Promise<RegistryError> {
  const { status, url, headers } = answer;
  const text = await answer.read(ERROR_TEXT).then(String, () => '');
  const [first] = errorsOf(text);
  const words = first?.message ? `: ${quoted(first.message)}` : '';
  const temporary = status === 408 || status === 429 || status >= 500;
  const after = temporary ? retryAfter(headers) : undefined;
  return new RegistryError(
    `${url.host}: ${method} ${url.pathname}: ${status}${words}${advice(status, credentials)}`,
    {
      status,
      temporary,
      ...(first && { code: first.code }),
      ...(after !== undefined && { after }),
    },
  );
}

function advice(status: number, credentials: Credentials | undefined): string {
  const login = '--creds USER, or podman login, or docker login';
  if (status === 401 || status === 403)
    return credentials
      ? `; the user was ${JSON.stringify(credentials.username)}`
      : `; no user is known for it: ${login}`;
  if (status === 429) return `; it limits how often one may ask: wait${credentials ? '' : `, or ${login}`}`;
  return '';
}

function errorsOf(text: string): { code: string; message: string }[] {
  try {
    const { errors } = JSON.parse(text);
    return errors.map(({ code, message }: Record<string, unknown>) => ({
      code: `${code}`,
      message: `${message ?? ''}`,
    }));
  } catch {
    return []; // a proxy's page, say
  }
}
