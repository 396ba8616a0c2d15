/** Run as root of an ordinary user's own namespace: performs one task, whose words are the arguments. */
import { perform, type Task } from './own-root.ts';

const [, , task = '', order = ''] = process.argv;
perform(task as Task, order);
