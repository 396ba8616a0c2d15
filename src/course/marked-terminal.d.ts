/** What of marked-terminal's interface we use; it ships no types of its own. */
declare module 'marked-terminal' {
  export function markedTerminal(options?: Record<string, unknown>): import('marked').MarkedExtension;
}
