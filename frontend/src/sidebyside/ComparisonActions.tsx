import { useNavigate } from "@tanstack/react-router";
import { CircleStop, Pencil, RotateCw, Save, Trash2 } from "lucide-react";
import { useState } from "react";
import { asApiError } from "../api/client";
import { Confirm, Dialog } from "../components/Dialog";
import { Button, IconButton } from "../components/ui";
import {
  type Comparison,
  isOpen,
  type useChange,
  useCreateComparison,
  useDeleteComparison,
} from "./api";

interface ComparisonActionsProps {
  found: Comparison;
  change: ReturnType<typeof useChange>;
}

/** Cancel, save, ask again, change what is asked, delete. */
export function ComparisonActions({ found, change }: ComparisonActionsProps) {
  const [dialog, setDialog] = useState<"name" | "delete" | null>(null);
  const navigate = useNavigate();
  const create = useCreateComparison();
  const remove = useDeleteComparison();
  const again = () =>
    create.mutate(found.asked, {
      onSuccess: ({ id }) =>
        void navigate({ to: "/side-by-side/$comparisonId", params: { comparisonId: id } }),
    });
  return (
    <>
      {create.error && (
        <span
          role="alert"
          className="max-w-80 truncate text-bad text-sm"
          title={asApiError(create.error).message}
        >
          {asApiError(create.error).message}
        </span>
      )}
      {isOpen(found.status) && (
        <Button
          variant="danger"
          busy={found.cancelling}
          onClick={() => change.mutate({ kind: "cancel" })}
        >
          <CircleStop aria-hidden="true" className="size-4" />
          Cancel
        </Button>
      )}
      <Button onClick={() => setDialog("name")}>
        <Save aria-hidden="true" className="size-4" />
        {found.name ? "Rename…" : "Save…"}
      </Button>
      {!isOpen(found.status) && (
        <Button busy={create.isPending} onClick={again}>
          <RotateCw aria-hidden="true" className="size-4" />
          Ask again
        </Button>
      )}
      <IconButton
        label="Change what is asked"
        className="size-8!"
        onClick={() => void navigate({ to: "/side-by-side", search: { from: found.id } })}
      >
        <Pencil className="size-4" />
      </IconButton>
      <IconButton
        label="Delete the comparison"
        className="size-8!"
        onClick={() => setDialog("delete")}
      >
        <Trash2 className="size-4" />
      </IconButton>
      {dialog === "name" && <Name found={found} change={change} onClose={() => setDialog(null)} />}
      {dialog === "delete" && (
        <Confirm
          title="Delete the comparison?"
          action="Delete"
          busy={remove.isPending}
          error={remove.error ? asApiError(remove.error).message : undefined}
          onConfirm={() =>
            remove.mutate(found.id, { onSuccess: () => void navigate({ to: "/side-by-side" }) })
          }
          onClose={() => setDialog(null)}
        >
          Its answers and votes are removed. Votes on other comparisons stay.
        </Confirm>
      )}
    </>
  );
}

interface NameProps extends ComparisonActionsProps {
  onClose: () => void;
}

function Name({ found, change, onClose }: NameProps) {
  const [name, setName] = useState(found.name ?? "");
  const save = () =>
    change.mutate({ kind: "name", name: name.trim() || null }, { onSuccess: onClose });
  return (
    <Dialog
      title="Save the comparison"
      onClose={onClose}
      footer={
        <Button variant="primary" busy={change.isPending} onClick={save}>
          Save
        </Button>
      }
    >
      <label className="flex flex-col gap-1">
        <span className="text-muted text-sm">Name (empty: not saved)</span>
        <input
          data-autofocus
          value={name}
          maxLength={200}
          onChange={(event) => setName(event.target.value)}
          onKeyDown={(event) => event.key === "Enter" && save()}
          className="control w-full"
        />
      </label>
    </Dialog>
  );
}
