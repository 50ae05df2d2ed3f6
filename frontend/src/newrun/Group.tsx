import type { ReactNode } from "react";
import type { Problem } from "../api/types";
import { Inline } from "../components/Inline";
import { Switch } from "../components/ui";
import { fieldId, Messages } from "./Field";
import { firstValues } from "./grid";
import type { GroupModel } from "./schema";
import { VaryButton } from "./VaryControl";

interface GroupProps {
  group: GroupModel;
  on: boolean;
  problems: Problem[] | undefined;
  /** Set while runs with and without it are wanted. */
  tried: string | undefined;
  onToggle: (on: boolean) => void;
  onVary: (tried: string | null) => void;
  children: ReactNode;
}

/** A part within a section; a mechanism has its switch in the header. */
export function Group(props: GroupProps) {
  const { group, on, problems, tried, onToggle, onVary, children } = props;
  const { toggle } = group;
  const id = toggle ? fieldId(toggle.path) : undefined;
  return (
    <fieldset>
      <legend className="sr-only">{group.title}</legend>
      <div className="divide-y divide-line">
        <div className="flex items-start justify-between gap-6 bg-sunken px-4 py-2">
          <div className="min-w-0">
            <h3 className="font-medium text-sm">
              {toggle ? <label htmlFor={id}>{group.title}</label> : group.title}
            </h3>
            <p id={`${id}-help`} className="text-pretty text-faint text-sm">
              <Inline text={group.description} />
            </p>
            {toggle && (
              <Messages id={`${id}-error`} path={toggle.path} problems={problems} tone="text-bad" />
            )}
          </div>
          {toggle && id && (
            <span className="mt-0.5 flex shrink-0 items-center gap-3">
              {tried === undefined && (
                <VaryButton title={group.title} onClick={() => onVary(firstValues(toggle, on))} />
              )}
              {tried === undefined ? (
                <Switch
                  id={id}
                  testId={id}
                  describedBy={`${id}-help${problems ? ` ${id}-error` : ""}`}
                  checked={on}
                  onChange={onToggle}
                >
                  <span className="w-6">{on ? "On" : "Off"}</span>
                </Switch>
              ) : (
                <button
                  id={id}
                  type="button"
                  aria-label={`${group.title}: one value again`}
                  onClick={() => onVary(null)}
                  className="rounded-control border border-line-strong bg-accent-soft px-2 py-0.5 text-accent-text text-sm hover:bg-hover"
                >
                  off and on <span aria-hidden="true">×</span>
                </button>
              )}
            </span>
          )}
        </div>
        {children}
      </div>
    </fieldset>
  );
}
