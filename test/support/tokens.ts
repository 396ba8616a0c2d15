/** A token server for a real registry: docker-registry verifies what it signs, as any registry of the distribution project does. */
import { execFileSync } from 'node:child_process';
import { createSign, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Server, startProxy } from './registry.ts';

export interface TokenServer extends Server {
  /** The `auth` section of the registry's configuration. */
  auth: object;
  /** Seconds that a token is good for. */
  life: number;
  /** What it wants; without one it gives tokens to anyone. */
  password: string | undefined;
}

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

export async function startTokenServer(folder: string, user = 'someone'): Promise<TokenServer> {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=tokens', '-days', '1'];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject],
    {
      stdio: 'ignore',
    },
  );
  const x5c = [new X509Certificate(readFileSync(cert)).raw.toString('base64')];
  const server = (await startProxy()) as TokenServer;
  const realm = `http://${server.host}/token`;
  const token = { realm, service: 'test', issuer: 'tests', rootcertbundle: cert };
  Object.assign(server, { auth: { token }, life: 60, password: undefined });

  server.fault = ({ url, headers }, response) => {
    const right = `Basic ${Buffer.from(`${user}:${server.password}`).toString('base64')}`;
    if (server.password !== undefined && headers.authorization !== right) {
      response.writeHead(401).end();
      return 'answered';
    }
    const access = new URL(url, realm).searchParams.getAll('scope').map((scope) => {
      const [type, name, actions = ''] = scope.split(':');
      return { type, name, actions: actions.split(',') };
    });
    const now = Math.floor(Date.now() / 1000);
    // The registry forgives a minute of wrong clocks.
    const claims = {
      iss: 'tests',
      sub: user,
      aud: 'test',
      exp: now + server.life,
      nbf: now - 300,
      iat: now,
      jti: `${now}`,
      access,
    };
    const text = `${base64({ typ: 'JWT', alg: 'RS256', x5c })}.${base64(claims)}`;
    const signature = createSign('RSA-SHA256').update(text).sign(readFileSync(key), 'base64url');
    response.end(JSON.stringify({ token: `${text}.${signature}` }));
    return 'answered';
  };
  return server;
}
