import { Plus } from "lucide-react";
import { useState } from "react";
import { useCreateProject } from "../api/actions";
import { asApiError } from "../api/client";
import type { Problem, Project } from "../api/types";
import { Dialog } from "../components/Dialog";
import { Button, IconButton } from "../components/ui";
import { fieldId, Messages } from "./Field";

interface NameAndProjectProps {
  name: string;
  projectId: string;
  projects: Project[];
  problems: Problem[] | undefined;
  /** How often it runs, each time with another seed. */
  seeds: number;
  onName: (name: string) => void;
  onProject: (projectId: string) => void;
  onSeeds: (count: number) => void;
}

const MOST_SEEDS = 100;

export function NameAndProject(props: NameAndProjectProps) {
  const { name, projectId, projects, problems, seeds, onName, onProject, onSeeds } = props;
  const [adding, setAdding] = useState(false);
  return (
    <section
      aria-label="Name and project"
      className="panel grid gap-4 p-4 sm:grid-cols-[minmax(0,1fr)_minmax(0,1fr)_96px]"
    >
      <div>
        <label htmlFor={fieldId("name")} className="mb-1 block font-medium">
          Name
        </label>
        <input
          id={fieldId("name")}
          data-testid="field-name"
          value={name}
          maxLength={200}
          autoComplete="off"
          placeholder="Left empty: from model and data"
          aria-invalid={problems !== undefined}
          aria-describedby={problems ? "name-error" : undefined}
          onChange={(event) => onName(event.target.value)}
          className="control w-full"
        />
        <Messages id="name-error" path="name" problems={problems} tone="text-bad" />
      </div>
      <div>
        <label htmlFor={fieldId("project_id")} className="mb-1 block font-medium">
          Project
        </label>
        <div className="flex items-center gap-1">
          <select
            id={fieldId("project_id")}
            data-testid="field-project"
            value={projectId}
            onChange={(event) => onProject(event.target.value)}
            className="control min-w-0 flex-1"
          >
            {!projects.some((project) => project.id === projectId) && (
              <option value={projectId}>Default</option>
            )}
            {projects.map((project) => (
              <option key={project.id} value={project.id}>
                {project.name}
              </option>
            ))}
          </select>
          <IconButton label="New project" onClick={() => setAdding(true)} className="size-8!">
            <Plus className="size-4" />
          </IconButton>
        </div>
      </div>
      <div>
        <label htmlFor="seed-count" className="mb-1 block font-medium">
          Seeds
        </label>
        <input
          id="seed-count"
          type="number"
          min={1}
          max={MOST_SEEDS}
          value={seeds}
          title="So many runs, each with a seed of its own"
          onChange={(event) => {
            const count = Math.trunc(Number(event.target.value));
            if (count >= 1) onSeeds(Math.min(MOST_SEEDS, count));
          }}
          className="control w-full tabular-nums"
        />
      </div>
      {adding && (
        <NewProject
          onClose={() => setAdding(false)}
          onDone={(project) => {
            onProject(project.id);
            setAdding(false);
          }}
        />
      )}
    </section>
  );
}

interface NewProjectProps {
  onClose: () => void;
  onDone: (project: Project) => void;
}

function NewProject({ onClose, onDone }: NewProjectProps) {
  const [name, setName] = useState("");
  const create = useCreateProject();
  const problem = create.error ? asApiError(create.error) : null;
  const submit = () => create.mutate(name.trim(), { onSuccess: onDone });
  return (
    <Dialog
      title="New project"
      onClose={onClose}
      footer={
        <Button variant="primary" disabled={!name.trim() || create.isPending} onClick={submit}>
          Create
        </Button>
      }
    >
      <label htmlFor="project-name" className="mb-1 block font-medium">
        Name
      </label>
      <input
        id="project-name"
        data-autofocus
        value={name}
        maxLength={200}
        onChange={(event) => setName(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          if (name.trim()) submit();
        }}
        className="control w-full"
      />
      {problem && (
        <p role="alert" className="mt-2 text-bad text-sm">
          {problem.message} {problem.remedy}
        </p>
      )}
    </Dialog>
  );
}
