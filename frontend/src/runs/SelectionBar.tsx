import { useRouter } from "@tanstack/react-router";
import { CircleStop, CopyPlus, GitCompareArrows, RotateCcw, Tag, Trash2, X } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Button, IconButton } from "../components/ui";
import { plural } from "../lib/format";
import { useKeys } from "../lib/hooks";
import { BulkDialog } from "./BulkDialog";
import type { BulkAction } from "./bulk";
import type { Selection } from "./selection";

interface SelectionBarProps {
  selection: Selection;
  /** How many runs the list has. */
  total: number;
  onAll: () => void;
  onSelection: (selection: Selection) => void;
}

/** What can be done with the runs that are picked. */
export function SelectionBar({ selection, total, onAll, onSelection }: SelectionBarProps) {
  const router = useRouter();
  const [action, setAction] = useState<BulkAction | null>(null);
  const ids = [...selection.keys()];
  const [baseline] = ids;
  const compare = () =>
    router.history.push(`/compare?runs=${ids.join(",")}&baseline=${baseline ?? ""}`);
  useKeys({
    c: () => ids.length > 1 && compare(),
    "#": () => setAction("delete"),
    Escape: () => onSelection(new Map()),
  });
  const entry = (wanted: BulkAction, words: string, icon: ReactNode) => (
    <Button small onClick={() => setAction(wanted)}>
      {icon}
      {words}
    </Button>
  );
  return (
    <section
      aria-label="Selected runs"
      className="flex flex-wrap items-center gap-2 border-line border-b bg-accent-soft px-4 py-1.5 md:px-6"
    >
      <IconButton label="Clear the selection" onClick={() => onSelection(new Map())}>
        <X className="size-4" />
      </IconButton>
      <span className="font-medium text-sm tabular-nums" aria-live="polite">
        {plural(selection.size, "run")} selected
      </span>
      {selection.size < total && (
        <Button small variant="ghost" onClick={onAll}>
          Select all {plural(total, "run")}
        </Button>
      )}
      <span className="ml-auto flex flex-wrap gap-1.5">
        <Button
          small
          disabled={ids.length < 2}
          title={
            ids.length < 2 ? "Select two runs or more" : "Curves, settings and figures side by side"
          }
          onClick={compare}
        >
          <GitCompareArrows aria-hidden="true" className="size-3.5" />
          Compare
        </Button>
        {entry("tag", "Tag…", <Tag aria-hidden="true" className="size-3.5" />)}
        {entry("clone", "Clone…", <CopyPlus aria-hidden="true" className="size-3.5" />)}
        {entry("stop", "Stop…", <CircleStop aria-hidden="true" className="size-3.5" />)}
        {entry("resume", "Resume…", <RotateCcw aria-hidden="true" className="size-3.5" />)}
        {entry("delete", "Delete…", <Trash2 aria-hidden="true" className="size-3.5" />)}
      </span>
      {action && (
        <BulkDialog
          action={action}
          selection={selection}
          onSelection={onSelection}
          onClose={() => setAction(null)}
        />
      )}
    </section>
  );
}
