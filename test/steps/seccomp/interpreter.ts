/** What the kernel does with a filter: classic BPF, as far as seccomp(2) allows it. Anything else is an error. */

export interface SeccompData {
  nr: number;
  arch: number;
  args: readonly bigint[];
}

export function runFilter(program: Buffer, call: SeccompData): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.nr >>> 0, 0);
  data.writeUInt32LE(call.arch, 4);
  for (const [i, arg] of call.args.entries()) data.writeBigUInt64LE(arg, 16 + 8 * i);

  let accumulator = 0;
  for (let pc = 0; ; pc++) {
    if (8 * pc >= program.length) throw new Error(`the program runs out at ${pc}`);
    const code = program.readUInt16LE(8 * pc);
    const [yes = 0, no = 0] = program.subarray(8 * pc + 2);
    const k = program.readUInt32LE(8 * pc + 4);
    if (code === 0x06) return k;
    if (code === 0x20) accumulator = data.readUInt32LE(k);
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0;
    else if (code === 0x05) pc += k;
    else if (code === 0x15) pc += accumulator === k ? yes : no;
    else if (code === 0x25) pc += accumulator > k ? yes : no;
    else if (code === 0x35) pc += accumulator >= k ? yes : no;
    else throw new Error(`instruction ${pc} has code ${code}`);
  }
}
