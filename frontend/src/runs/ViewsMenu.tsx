import { useQuery } from "@tanstack/react-query";
import { Bookmark, ChevronDown, Trash2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { refusal } from "../api/steering";
import { Copy } from "../components/Copy";
import { Popover } from "../components/Popover";
import { Failure } from "../components/states";
import { Button, IconButton } from "../components/ui";
import { useTellViews, type View, viewsQuery } from "./views";

interface ViewsMenuProps {
  projectId: string | undefined;
  /** What a view would keep of the list as it is. */
  current: Record<string, string>;
  viewId: string | undefined;
  /** Shows a view, or without one the list as it is at first. */
  onShow: (view: View | null) => void;
}

const same = (a: Record<string, string>, b: Record<string, string>): boolean =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => a[key] === b[key]);

/** Arrangements of the list under names, for everybody: show, keep, share, forget. */
export function ViewsMenu({ projectId, current, viewId, onShow }: ViewsMenuProps) {
  const views = useQuery(viewsQuery(projectId));
  const shown = views.data?.items.find((view) => view.id === viewId);
  const changed = shown !== undefined && !same(shown.search, current);
  return (
    <Popover
      className="top-full left-0 mt-1 w-80 p-2"
      button={({ open, toggle }) => (
        <Button aria-expanded={open} onClick={toggle} className="max-w-56">
          <Bookmark aria-hidden="true" className="size-3.5 shrink-0 text-muted" />
          <span className="truncate">{shown ? shown.name : "Views"}</span>
          {changed && <span className="text-faint text-xs">changed</span>}
          <ChevronDown aria-hidden="true" className="size-3.5 shrink-0 text-muted" />
        </Button>
      )}
    >
      {(close) => (
        <>
          {views.error && <Failure error={views.error} />}
          <ul aria-label="Saved views" className="max-h-64 overflow-y-auto">
            <li>
              <Choice
                words="All runs, as at first"
                current={!shown}
                onClick={() => {
                  onShow(null);
                  close();
                }}
              />
            </li>
            {views.data?.items.map((view) => (
              <ViewEntry
                key={view.id}
                view={view}
                current={view.id === viewId}
                onShow={() => {
                  onShow(view);
                  close();
                }}
                onGone={() => view.id === viewId && onShow(null)}
              />
            ))}
          </ul>
          {shown && changed && <Update view={shown} current={current} onDone={close} />}
          <SaveAs projectId={projectId} current={current} onSaved={onShow} close={close} />
        </>
      )}
    </Popover>
  );
}

function Choice(props: { words: string; current: boolean; note?: string; onClick: () => void }) {
  return (
    <button
      type="button"
      aria-current={props.current ? "true" : undefined}
      onClick={props.onClick}
      className="flex h-8 w-full min-w-0 items-center gap-2 rounded-control px-2 text-left text-sm hover:bg-hover aria-[current=true]:font-medium aria-[current=true]:text-accent-text"
    >
      <span className="min-w-0 flex-1 truncate">{props.words}</span>
      {props.note && <span className="text-faint text-xs">{props.note}</span>}
    </button>
  );
}

interface ViewEntryProps {
  view: View;
  current: boolean;
  onShow: () => void;
  onGone: () => void;
}

function ViewEntry({ view, current, onShow, onGone }: ViewEntryProps) {
  const tell = useTellViews();
  const [asked, setAsked] = useState(false);
  const link = `${window.location.origin}/views/${view.id}`;
  return (
    <li>
      <div className="flex items-center">
        <div className="min-w-0 flex-1">
          <Choice
            words={view.name}
            current={current}
            {...(view.project_id ? {} : { note: "all projects" })}
            onClick={onShow}
          />
        </div>
        <Copy text={link} label={`Copy the link to ${view.name}`} compact />
        <IconButton label={`Delete the view ${view.name}`} onClick={() => setAsked(!asked)}>
          <Trash2 className="size-3.5" />
        </IconButton>
      </div>
      {asked && (
        <div className="flex items-center justify-between gap-2 rounded-control bg-sunken px-2 py-1.5 text-sm">
          For everybody? Its runs stay.
          <Button
            small
            variant="danger"
            disabled={tell.isPending}
            onClick={() => tell.mutate({ do: "delete", id: view.id }, { onSuccess: onGone })}
          >
            Delete the view
          </Button>
        </div>
      )}
      <Refusal error={tell.error} />
    </li>
  );
}

interface UpdateProps {
  view: View;
  current: Record<string, string>;
  onDone: () => void;
}

function Update({ view, current, onDone }: UpdateProps) {
  const tell = useTellViews();
  return (
    <div className="mt-2 border-line border-t pt-2">
      <Button
        small
        className="w-full"
        disabled={tell.isPending}
        onClick={() =>
          tell.mutate({ do: "change", id: view.id, search: current }, { onSuccess: onDone })
        }
      >
        <span className="truncate">Keep the changes in “{view.name}”</span>
      </Button>
      <Refusal error={tell.error} />
    </div>
  );
}

interface SaveAsProps {
  projectId: string | undefined;
  current: Record<string, string>;
  onSaved: (view: View) => void;
  close: () => void;
}

function SaveAs({ projectId, current, onSaved, close }: SaveAsProps) {
  const tell = useTellViews();
  const [name, setName] = useState("");
  const [everywhere, setEverywhere] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!name.trim()) return;
    const place = everywhere || !projectId ? null : projectId;
    tell.mutate(
      { do: "create", name: name.trim(), project_id: place, search: current },
      {
        onSuccess: (view) => {
          if (view) onSaved(view);
          close();
        },
      },
    );
  };
  return (
    <form onSubmit={submit} className="mt-2 border-line border-t pt-2">
      <div className="flex gap-1.5">
        <input
          aria-label="Name of a new view"
          placeholder="Keep this list as…"
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.target.value)}
          className="control min-w-0 flex-1 text-sm"
        />
        <Button type="submit" disabled={!name.trim() || tell.isPending}>
          Save
        </Button>
      </div>
      {projectId && (
        <label className="mt-1.5 flex items-center gap-2 px-1 text-muted text-sm">
          <input
            type="checkbox"
            className="accent-(--accent)"
            checked={everywhere}
            onChange={(event) => setEverywhere(event.target.checked)}
          />
          For all projects
        </label>
      )}
      <Refusal error={tell.error} />
    </form>
  );
}

function Refusal({ error }: { error: unknown }) {
  const words = refusal(error);
  return words ? (
    <p role="alert" className="px-1 pt-1 text-bad text-sm">
      {words}
    </p>
  ) : null;
}
