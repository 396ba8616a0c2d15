/** podman with tslab-oci: pods, by hand and from YAML. */
import { readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { cgroupPaths } from '../../../../src/evidence/cgroup.ts';
import { lack, Podman, statusOf } from '../../../support/podman.ts';

let podman: Podman;
beforeAll(async () => {
  if (!lack) podman = await new Podman().import();
}, 30_000);
beforeEach((ctx) => ctx.skip(lack !== undefined, lack));
afterAll(async () => await podman?.[Symbol.asyncDispose]());

const infra = ['--infra-image', 'box', '--infra-command', '/bin/sleep 1000', '--network', 'none'];

test('a pod: shared namespaces, pause, stop', async () => {
  const made = await podman.run('pod', 'create', '--name', 'p', ...infra, '--share', 'net,ipc,uts,pid');
  expect(made).toMatchObject({ status: 0, stderr: '' });
  for (const name of ['a', 'b']) {
    const said = await podman.run('run', '--detach', '--pod', 'p', '--name', name, 'box', 'sleep', '100');
    expect(said).toMatchObject({ status: 0, stderr: '' });
  }
  const [a, b] = [await podman.pid('a'), await podman.pid('b')];
  for (const type of ['net', 'ipc', 'uts', 'pid'])
    expect(readlinkSync(`/proc/${a}/ns/${type}`)).toBe(readlinkSync(`/proc/${b}/ns/${type}`));
  expect(readlinkSync(`/proc/${a}/ns/mnt`)).not.toBe(readlinkSync(`/proc/${b}/ns/mnt`));
  const pod = made.stdout.trim();
  expect(Object.values(cgroupPaths(a)).some((path) => path.startsWith(`/libpod_parent/${pod}/`))).toBe(true);
  expect((await podman.run('exec', 'a', 'ps')).stdout).toMatch(
    /^ +1 root +\/bin\/sleep 1000\n.*sleep 100\n.*sleep 100\n/m,
  );
  expect((await podman.run('pod', 'pause', 'p')).status).toBe(0);
  expect(await podman.inspect('b', '.State.Status')).toBe('paused');
  expect((await podman.run('pod', 'unpause', 'p')).status).toBe(0);
  expect((await podman.run('pod', 'stop', '--time', '0', 'p')).status).toBe(0);
  expect(await podman.inspect('b', '.State.Status')).toBe('exited');
  expect((await podman.run('pod', 'start', 'p')).status).toBe(0);
  expect((await podman.run('pod', 'rm', '--force', '--time', '0', 'p')).status).toBe(0);
  expect((await podman.run('ps', '--all', '--quiet')).stdout).toBe('');
});

const yaml = `
apiVersion: v1
kind: Pod
metadata: { name: small }
spec:
  restartPolicy: Never
  hostNetwork: true
  containers:
  - name: one
    image: localhost/box
    imagePullPolicy: Never
    command: [/bin/sleep, "100"]
    env: [{ name: GREETING, value: hello }]
    resources: { limits: { memory: 64Mi, cpu: 500m } }
    securityContext: { readOnlyRootFilesystem: true, runAsUser: 1000, capabilities: { drop: [ALL] } }
    volumeMounts: [{ name: shared, mountPath: /shared }]
  - name: two
    image: localhost/box
    imagePullPolicy: Never
    command: [/bin/sleep, "100"]
    volumeMounts: [{ name: shared, mountPath: /shared }]
  volumes: [{ name: shared, hostPath: { path: FOLDER, type: Directory } }]
`;

test('kube play and kube down', async () => {
  const file = join(podman.folder, 'pod.yaml');
  writeFileSync(file, yaml.replace('FOLDER', podman.folder));
  const played = await podman.run('kube', 'play', file);
  expect(played, played.stderr).toMatchObject({ status: 0 });
  const [one, two] = [await podman.pid('small-one'), await podman.pid('small-two')];
  expect(statusOf(one, 'Uid')).toMatch(/^1000\t/);
  expect(statusOf(one, 'CapBnd')).toBe('0000000000000000');
  expect(readFileSync(`/proc/${one}/environ`, 'utf8')).toContain('GREETING=hello');
  expect(await podman.inspect('small-one', '.HostConfig.Memory')).toBe(`${64 << 20}`);
  expect(readlinkSync(`/proc/${one}/ns/net`)).toBe(readlinkSync(`/proc/${two}/ns/net`));
  expect(readFileSync(`/proc/${two}/root/shared/pod.yaml`, 'utf8')).toContain('kind: Pod');
  expect((await podman.run('kube', 'down', file)).status).toBe(0);
  expect((await podman.run('ps', '--all', '--quiet')).stdout).toBe('');
}, 60_000);
