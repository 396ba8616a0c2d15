/** A plan that can't be: says which step and field, and what is allowed there. */
export class PlanError extends Error {
  override readonly name = 'PlanError';
}
