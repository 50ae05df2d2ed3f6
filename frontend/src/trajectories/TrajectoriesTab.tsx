export function TrajectoriesTab(_: object) {
  return null;
}
