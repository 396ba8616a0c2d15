/** An operation that this container, in this status, does not allow. */
export class LifecycleError extends Error {}
