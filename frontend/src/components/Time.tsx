import { absoluteTime, relativeTime } from "../lib/format";
import { useNow } from "../lib/hooks";

/** Relative to now, absolute on hover. */
export function Time({ iso }: { iso: string | null | undefined }) {
  const now = useNow(15_000);
  if (!iso) return <span>–</span>;
  return (
    <time dateTime={iso} title={absoluteTime(iso)}>
      {relativeTime(iso, now)}
    </time>
  );
}
