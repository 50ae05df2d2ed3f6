import { Ellipsis } from "lucide-react";
import { useState } from "react";
import { Popover } from "../components/Popover";
import { IconButton } from "../components/ui";

export interface ChartAction {
  label: string;
  onClick: () => void | Promise<void>;
  disabled?: boolean;
}

interface ChartMenuProps {
  title: string;
  groups: readonly (readonly ChartAction[])[];
}

/** What can be done with a chart. */
export function ChartMenu({ title, groups }: ChartMenuProps) {
  const [problem, setProblem] = useState("");
  const run = async (action: ChartAction, close: () => void) => {
    setProblem("");
    try {
      await action.onClick();
      close();
    } catch (cause) {
      setProblem(cause instanceof Error ? cause.message : String(cause));
    }
  };
  return (
    <Popover
      className="top-full right-0 mt-1 w-44 py-1"
      button={({ open, toggle }) => (
        <IconButton label={`Menu of ${title}`} aria-expanded={open} onClick={toggle}>
          <Ellipsis aria-hidden="true" className="size-4" />
        </IconButton>
      )}
    >
      {(close) => (
        <>
          {groups.map((actions, i) => (
            <ul key={i} className={i > 0 ? "mt-1 border-line border-t pt-1" : ""}>
              {actions.map((action) => (
                <li key={action.label}>
                  <button
                    type="button"
                    disabled={action.disabled}
                    onClick={() => void run(action, close)}
                    className="flex h-7 w-full items-center px-3 text-left text-sm hover:not-disabled:bg-hover focus-visible:outline-offset-[-2px] disabled:opacity-45"
                  >
                    {action.label}
                  </button>
                </li>
              ))}
            </ul>
          ))}
          {problem && (
            <p role="alert" className="px-3 py-1 text-bad text-sm">
              {problem}
            </p>
          )}
        </>
      )}
    </Popover>
  );
}
