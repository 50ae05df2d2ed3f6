export function WorkersPage() {
  return <div>w</div>;
}
