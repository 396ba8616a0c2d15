/** Lesson 7: root inside, an ordinary user outside. */
import { type Draft, type Facts, joinNamespace, namespace, type Spec } from 'tslab';

export default function user(spec: Spec, _facts: Facts): Draft[] {
  const wanted = namespace(spec, 'user');
  if (!wanted) return [];
  // The config names a namespace that is there already: it has its maps. Nothing to do here.
  if (wanted.path !== undefined) return [...joinNamespace('user', wanted.path), ...becomeRoot()];
  return [...birth(), ...maps(spec), ...becomeRoot()];
}

function birth(): Draft[] {
  // TODO 1: Be born into a new user namespace. It is one flag in the clone step.
  return [{ at: 'host', phase: 'clone', kind: 'clone', flags: [], field: 'linux.namespaces' }];
}

/** Whoever asks for a check has the right to map any ids, so the file `setgroups` and newuidmap are not needed here. */
function maps(spec: Spec): Draft[] {
  const { uidMappings = [], gidMappings = [] } = spec.linux ?? {};
  // TODO 2: Write both maps, from outside: the host hand, in phase `identity`. Each takes one step of kind `write`, with
  //         `dir: 'proc'` (the child's folder in /proc), `path` (the file's name in it) and `data` (the text to write).
  //         What a line of that text is, "Why" says. An entry of these two lists is { containerID, hostID, size }.
  void [uidMappings, gidMappings];
  return [];
}

/** With a map there are ids inside, but the child is none of them yet: its own id outside is not in the map. */
function becomeRoot(): Draft[] {
  const common = { at: 'child', phase: 'identity' } as const;
  return [
    // Groups of whoever started this: given up. (Where a namespace around us forbids it, they stay.)
    { ...common, kind: 'setgroups', gids: [], tolerate: ['EPERM'] },
    // TODO 3: Become root inside: two steps, `setgid` with a `gid` and `setuid` with a `uid`.
  ];
}
