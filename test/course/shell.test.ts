import { spawn } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Shell, type ShellProcess } from '../../src/course/shell.ts';

let shell: Shell;
beforeEach(() => {
  shell = new Shell(sh());
});
afterEach(() => shell.close());

test('keeps its state from one command to the next', async () => {
  await shell.run('cd /; x=5', 5000);
  expect(await shell.run('pwd; echo $x', 5000)).toEqual({ output: '/\n5', status: 0 });
});

test('hands on the exit status, also as $?', async () => {
  expect(await shell.run('(exit 7)', 5000)).toMatchObject({ status: 7 });
  expect(await shell.run('echo $?', 5000)).toMatchObject({ output: '7', status: 0 });
});

test('gives output and errors in the order in which they were written', async () => {
  const { output } = await shell.run('echo a; echo b >&2; echo c', 5000);
  expect(output).toBe('a\nb\nc');
});

test('output without a last newline is whole, and so is none', async () => {
  expect(await shell.run('printf abc', 5000)).toMatchObject({ output: 'abc' });
  expect(await shell.run('true', 5000)).toMatchObject({ output: '' });
});

test('a command finds its standard input empty', async () => {
  expect(await shell.run('cat; echo $?', 5000)).toMatchObject({ output: '0', status: 0 });
  expect(await shell.run('read line', 5000)).toMatchObject({ status: 1 });
});

test('a command over several lines is one command', async () => {
  expect(await shell.run('echo a \\\n  b', 5000)).toMatchObject({ output: 'a b' });
});

describe('ends', () => {
  test('when the command ends it, with the status of that', async () => {
    expect(await shell.run('echo bye; exit 3', 5000)).toEqual({ output: 'bye', status: 3, over: 'ended' });
    expect(await shell.run('echo more', 5000)).toMatchObject({ over: 'ended' });
  });

  test('by a signal: 128 and its number', async () => {
    expect(await shell.run('kill -9 $$', 5000)).toEqual({ output: '', status: 137, over: 'ended' });
  });

  test('by a syntax error, which it tells', async () => {
    const { output, over } = await shell.run('if then', 5000);
    expect(over).toBe('ended');
    expect(output).toMatch(/[Ss]yntax error/);
  });

  test('when a command hangs, with what it said until then', async () => {
    const result = await shell.run('echo begin; sleep 100', 300);
    expect(result).toEqual({ output: 'begin', status: undefined, over: 'time' });
  });
});

test('a flood of output is cut in the middle, and the next command is not lost in it', async () => {
  const { output, status } = await shell.run('head -c 20000000 /dev/zero | tr "\\0" x', 20_000);
  expect(status).toBe(0);
  expect(output.length).toBeLessThan(3_000_000);
  expect(await shell.run('echo next', 5000)).toMatchObject({ output: 'next' });
});

function sh(): ShellProcess {
  const child = spawn('sh', [], { stdio: ['pipe', 'pipe', 'ignore'], detached: true });
  const exit = new Promise<{ code: number } | { signal: string }>((done) =>
    child.once('exit', (code, signal) => done(signal ? { signal } : { code: code ?? 0 })),
  );
  const kill = () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid ?? 0), 'SIGKILL');
  };
  return { stdin: child.stdin, stdout: child.stdout, exit, kill };
}
