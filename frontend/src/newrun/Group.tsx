import type { ReactNode } from "react";
import type { Problem } from "../api/types";
import { Inline } from "../components/Inline";
import { Switch } from "../components/ui";
import { fieldId, Messages } from "./Field";
import type { GroupModel } from "./schema";

interface GroupProps {
  group: GroupModel;
  on: boolean;
  problems: Problem[] | undefined;
  onToggle: (on: boolean) => void;
  children: ReactNode;
}

/** A part within a section; a mechanism has its switch in the header. */
export function Group({ group, on, problems, onToggle, children }: GroupProps) {
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
            <span className="mt-0.5 shrink-0">
              <Switch
                id={id}
                testId={id}
                describedBy={`${id}-help${problems ? ` ${id}-error` : ""}`}
                checked={on}
                onChange={onToggle}
              >
                <span className="w-6">{on ? "On" : "Off"}</span>
              </Switch>
            </span>
          )}
        </div>
        {children}
      </div>
    </fieldset>
  );
}
