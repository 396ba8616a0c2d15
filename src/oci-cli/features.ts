/** features.md: what this runtime honours, from the tables it works with. */
import { refusedFields } from '../oci/fields.ts';
import { capabilities } from '../plan/flags.ts';
import { cloneFlags } from '../steps/join.ts';
import { mountOptionWords } from '../steps/mount-options.ts';

export function features() {
  return {
    ociVersionMin: '1.0.0',
    ociVersionMax: '1.3.0',
    hooks:
      'hooks' in refusedFields
        ? []
        : ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'],
    mountOptions: mountOptionWords(),
    linux: {
      namespaces: Object.keys(cloneFlags).sort(),
      capabilities: [...capabilities],
    },
  };
}
