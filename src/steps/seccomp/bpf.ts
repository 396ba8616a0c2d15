/**
 * An assembler for classic BPF as seccomp(2) takes it. Jumps go forward only, and conditional ones at most 255
 * instructions far; so a program is written from its end: whatever a jump goes to is there already.
 */

/** struct seccomp_data (seccomp(2)); all machines here are little-endian. */
export const data = {
  nr: 0,
  arch: 4,
  low: (arg: number) => 16 + 8 * arg,
  high: (arg: number) => 20 + 8 * arg,
} as const;

const code = { load: 0x20, and: 0x54, ret: 0x06, goto: 0x05, jeq: 0x15, jgt: 0x25, jge: 0x35 } as const;
export type Test = 'jeq' | 'jgt' | 'jge';

/** BPF_MAXINSNS (linux/bpf_common.h). */
export const MAX_INSTRUCTIONS = 4096;

/** Where an instruction stands, counted from the end: the last one is at 1. */
export type Place = number;

interface Instruction {
  readonly code: number;
  readonly k: number;
  readonly yes: number;
  readonly no: number;
}

export class Program {
  readonly #reversed: Instruction[] = [];
  readonly #returns = new Map<number, Place>();

  /** Ends the filter with this value. One that stands near is used again. */
  ret(value: number): Place {
    const near = this.#returns.get(value);
    if (near !== undefined && this.#reversed.length - near < 200) return near;
    const place = this.#emit(code.ret, value);
    this.#returns.set(value, place);
    return place;
  }

  /** Loads a word of seccomp_data, masked if there is a mask, and goes on at `then`. */
  load(offset: number, then: Place, mask?: number): Place {
    this.#land(then);
    if (mask !== undefined) this.#emit(code.and, mask);
    return this.#emit(code.load, offset);
  }

  /** Compares what was loaded, unsigned. */
  jump(test: Test, k: number, yes: Place, no: Place): Place {
    if (yes === no) return yes;
    const reach = [this.#near(yes), this.#near(no)] as const;
    const here = this.#reversed.length;
    return this.#emit(code[test], k, here - reach[0], here - reach[1]);
  }

  bytes(start: Place): Buffer {
    this.#land(start);
    const bytes = Buffer.alloc(8 * this.#reversed.length);
    for (const [i, instruction] of this.#reversed.toReversed().entries()) {
      bytes.writeUInt16LE(instruction.code, 8 * i);
      bytes[8 * i + 2] = instruction.yes;
      bytes[8 * i + 3] = instruction.no;
      bytes.writeUInt32LE(instruction.k, 8 * i + 4);
    }
    return bytes;
  }

  #emit(code: number, k: number, yes = 0, no = 0): Place {
    return this.#reversed.push({ code, k: k >>> 0, yes, no });
  }

  /** What is written next runs on into `place`. */
  #land(place: Place): void {
    if (place !== this.#reversed.length) this.#emit(code.goto, this.#reversed.length - place);
  }

  /** A place that a conditional jump reaches from here, also when one more instruction comes between. */
  #near(place: Place): Place {
    if (this.#reversed.length + 1 - place <= 255) return place;
    return this.#emit(code.goto, this.#reversed.length - place);
  }
}
