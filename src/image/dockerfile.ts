/** Lines of a Dockerfile that change an image's config alone, as docker's --change takes them. */
import type { ContainerConfig } from './types.ts';

type Change = (config: ContainerConfig, rest: string) => ContainerConfig;

const instructions: Readonly<Record<string, Change>> = {
  CMD: (config, rest) => ({ ...config, Cmd: words(rest) }),
  ENTRYPOINT: (config, rest) => ({ ...config, Entrypoint: words(rest) }),
  ENV: (config, rest) => {
    const [name, value] = pair(rest);
    const others = (config.Env ?? []).filter((one) => !one.startsWith(`${name}=`));
    return { ...config, Env: [...others, `${name}=${value}`] };
  },
  LABEL: (config, rest) => {
    const [name, value] = pair(rest);
    return { ...config, Labels: { ...config.Labels, [name]: value } };
  },
  EXPOSE: (config, rest) => ({
    ...config,
    ExposedPorts: { ...config.ExposedPorts, [rest.includes('/') ? rest : `${rest}/tcp`]: {} },
  }),
  VOLUME: (config, rest) => ({ ...config, Volumes: { ...config.Volumes, [rest]: {} } }),
  USER: (config, rest) => ({ ...config, User: rest }),
  WORKDIR: (config, rest) => ({ ...config, WorkingDir: rest }),
  STOPSIGNAL: (config, rest) => ({ ...config, StopSignal: rest }),
};

/** @throws Error that quotes a line which is none of these. */
export function changedBy(lines: readonly string[], config: ContainerConfig = {}): ContainerConfig {
  return lines.reduce((now, line) => {
    const [, name = '', rest = ''] = /^\s*(\S+)\s+(.+?)\s*$/.exec(line) ?? [];
    const change = instructions[name.toUpperCase()];
    if (change) return change(now, rest);
    const known = Object.keys(instructions).join(', ');
    throw new Error(`--change ${JSON.stringify(line)}: it takes a line that begins with one of ${known}`);
  }, config);
}

/** A JSON list, or a line for the shell. */
function words(rest: string): string[] {
  if (!rest.startsWith('[')) return ['/bin/sh', '-c', rest];
  const list: unknown = JSON.parse(rest);
  if (Array.isArray(list) && list.every((word) => typeof word === 'string')) return list;
  throw new Error(`--change ${rest}: it takes a JSON list of strings`);
}

function pair(rest: string): [string, string] {
  const [, name, value] = /^([^=\s]+)[=\s](.*)$/s.exec(rest) ?? [];
  if (name === undefined || value === undefined) throw new Error(`--change ${rest}: it takes NAME=VALUE`);
  return [name, value.replace(/^"(.*)"$/s, '$1')];
}
