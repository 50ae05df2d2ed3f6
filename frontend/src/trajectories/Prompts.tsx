import { lazy, Suspense } from "react";
import type { TrajectoryDetail } from "../api/types";
import { Copy } from "../components/Copy";
import { Skeleton } from "../components/ui";
import { integer } from "../lib/format";
import type { RunSearch } from "../searches";
import type { TrajectoriesProps } from "./TrajectoriesTab";
import { type View, viewsOf } from "./views";

const WordDiff = lazy(() => import("./WordDiff"));

interface PromptsProps {
  item: TrajectoryDetail;
  search: RunSearch;
  onSearch: TrajectoriesProps["onSearch"];
}

/** Every view's prompt as the model got it, special tokens and all, and how any two differ. */
export function Prompts({ item, search, onSearch }: PromptsProps) {
  const views = viewsOf(item).filter((view) => view.prompt !== null);
  const [one, two] = (search.prompts ?? "").split(" ");
  const first = views.find((view) => view.key === one) ?? views[0];
  const second = views.find((view) => view.key === two && view !== first);
  if (!first) return null;
  const choose = (key: string, against: string) =>
    onSearch({ prompts: [key, against].join(" ").trim() });
  return (
    <section aria-label="Prompts" className="panel min-w-0 overflow-hidden" data-testid="prompts">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 border-line border-b bg-sunken py-1.5 pr-1.5 pl-3">
        <h2 className="font-medium">Prompts</h2>
        <Choice
          label="of"
          views={views}
          value={first.key}
          onChange={(key) => choose(key, second?.key ?? "")}
        />
        <Choice
          label="against"
          none="no other"
          views={views.filter((view) => view !== first)}
          value={second?.key ?? ""}
          onChange={(key) => choose(first.key, key)}
        />
        {second && (
          <span className="text-muted text-sm">
            <del className="bg-bad-soft text-bad">only {first.name.toLowerCase()}</del>{" "}
            <ins className="bg-ok-soft text-ok underline">only {second.name.toLowerCase()}</ins>
          </span>
        )}
        <span className="ml-auto flex items-center gap-2 text-faint text-sm">
          {integer(first.prompt?.length)} characters
          <Copy compact text={first.prompt ?? ""} label={`Copy: ${first.name}'s prompt`} />
        </span>
      </div>
      {second ? (
        <Suspense fallback={<Skeleton className="m-3 h-40" />}>
          <WordDiff before={first.prompt ?? ""} after={second.prompt ?? ""} />
        </Suspense>
      ) : (
        <section
          tabIndex={0}
          aria-label={`${first.name}'s prompt`}
          className="max-h-[480px] overflow-y-auto whitespace-pre-wrap break-words p-3 font-mono text-sm"
        >
          {first.prompt}
        </section>
      )}
    </section>
  );
}

interface ChoiceProps {
  label: string;
  views: readonly View[];
  value: string;
  onChange: (key: string) => void;
  none?: string;
}

function Choice({ label, views, value, onChange, none }: ChoiceProps) {
  return (
    <label className="flex items-center gap-2 text-sm">
      <span className="text-muted">{label}</span>
      <select
        value={value}
        onChange={(event) => onChange(event.target.value)}
        className="control h-7!"
      >
        {none && <option value="">{none}</option>}
        {views.map((view) => (
          <option key={view.key} value={view.key}>
            {view.name}
          </option>
        ))}
      </select>
    </label>
  );
}
