import { LayoutGrid } from "lucide-react";
import { Popover } from "../components/Popover";
import { Button, Segmented } from "../components/ui";
import { type ChartSize, hiddenToggled, PLAIN_LAYOUT, SIZES, setLayout, useLayout } from "./layout";
import type { ChartGroup } from "./specs";

const WORDS: Record<ChartSize, string> = { small: "Small", medium: "Medium", large: "Large" };

/** Size of the charts, and which of them are shown. */
export function LayoutMenu({ groups }: { groups: readonly ChartGroup[] }) {
  const layout = useLayout();
  const count = groups.flatMap((group) => group.charts).filter(hiddenIn(layout.hidden)).length;
  const plain = JSON.stringify(layout) === JSON.stringify(PLAIN_LAYOUT);
  return (
    <Popover
      className="top-full right-0 mt-1 w-72 p-3"
      button={({ open, toggle }) => (
        <Button small aria-expanded={open} onClick={toggle}>
          <LayoutGrid aria-hidden="true" className="size-3.5" />
          Layout
          {count > 0 && <span className="text-faint">{count} hidden</span>}
        </Button>
      )}
    >
      {() => (
        <>
          <div className="flex items-center justify-between gap-3">
            <Segmented
              label="Size of the charts"
              value={layout.size}
              options={SIZES.map((size) => ({ value: size, label: WORDS[size] }))}
              onChange={(size) => setLayout({ ...layout, size })}
              small
            />
            <Button
              small
              variant="ghost"
              disabled={plain}
              onClick={() => setLayout(PLAIN_LAYOUT)}
              title="All charts, in their own order and size"
            >
              Reset
            </Button>
          </div>
          <div className="mt-3 max-h-80 overflow-y-auto">
            {groups.map((group) => (
              <fieldset key={group.title} className="mb-2">
                <legend className="eyebrow">{group.title}</legend>
                {group.charts.map(({ id, title }) => (
                  <label
                    key={id}
                    className="flex h-7 cursor-pointer items-center gap-2.5 rounded-control px-1 hover:bg-hover"
                  >
                    <input
                      type="checkbox"
                      className="accent-(--accent)"
                      checked={!layout.hidden.includes(id)}
                      onChange={() => setLayout(hiddenToggled(layout, id))}
                    />
                    <span className="truncate">{title}</span>
                  </label>
                ))}
              </fieldset>
            ))}
          </div>
        </>
      )}
    </Popover>
  );
}

const hiddenIn =
  (hidden: readonly string[]) =>
  ({ id }: { id: string }) =>
    hidden.includes(id);
