import { Pin } from "lucide-react";
import type { TrajectorySummary } from "../api/types";
import { integer, number } from "../lib/format";

interface TrajectoryTableProps {
  items: TrajectorySummary[];
  attempts: number;
  onOpen: (item: TrajectorySummary) => void;
}

const HEAD = "h-9 px-3 font-normal";

export function TrajectoryTable({ items, attempts, onOpen }: TrajectoryTableProps) {
  const most = Math.max(...items.map((item) => item.divergence ?? 0), 1e-9);
  return (
    <div className="overflow-x-auto border-line border-t bg-surface">
      <table className="w-full table-fixed border-collapse text-left">
        <thead>
          <tr className="eyebrow border-line border-b">
            <th scope="col" className={`${HEAD} w-24 pl-4 md:pl-6`}>
              Step
            </th>
            <th scope="col" className={`${HEAD} w-32 text-right`}>
              Divergence
            </th>
            <th scope="col" className={`${HEAD} w-24 text-right`}>
              Tokens
            </th>
            <th scope="col" className={HEAD}>
              Completion
            </th>
            <th scope="col" className={`${HEAD} hidden lg:table-cell`}>
              Prompt
            </th>
            <th scope="col" className={`${HEAD} hidden w-1/5 pr-6 xl:table-cell`}>
              Reference
            </th>
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr
              key={item.id}
              data-testid="trajectory-row"
              onClick={() => onOpen(item)}
              className="cursor-pointer border-line border-b align-top transition-colors focus-within:bg-hover hover:bg-hover"
            >
              <td className="py-2.5 pr-3 pl-4 md:pl-6">
                <button
                  type="button"
                  onClick={(event) => {
                    event.stopPropagation();
                    onOpen(item);
                  }}
                  className="inline-flex items-center gap-1.5 font-medium tabular-nums hover:text-accent-text"
                >
                  {integer(item.step)}
                  {item.pinned && <Pin aria-label="pinned" className="size-3 text-accent-text" />}
                </button>
                {attempts > 1 && <div className="text-faint text-xs">attempt {item.attempt}</div>}
              </td>
              <td className="px-3 py-2.5 text-right tabular-nums">
                {number(item.divergence, 3)}
                <div aria-hidden="true" className="mt-1 ml-auto h-1 w-16 rounded-full bg-line">
                  <div
                    className="h-full rounded-full bg-(--series-2)"
                    style={{ width: `${((item.divergence ?? 0) / most) * 100}%` }}
                  />
                </div>
              </td>
              <td className="px-3 py-2.5 text-right tabular-nums">
                {integer(item.tokens)}
                {item.truncated && <div className="text-warn text-xs">truncated</div>}
              </td>
              <td className="px-3 py-2.5">
                <Excerpt text={item.completion} />
              </td>
              <td className="hidden px-3 py-2.5 text-muted lg:table-cell">
                <Excerpt text={item.prompt} />
              </td>
              <td className="hidden py-2.5 pr-6 pl-3 text-muted xl:table-cell">
                <Excerpt text={item.reference} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const Excerpt = ({ text }: { text: string }) => (
  <span className="line-clamp-2 break-words">
    {text.trim() || <i className="text-faint">empty</i>}
  </span>
);
