export function NewRunPage() {
  return <div>new</div>;
}
