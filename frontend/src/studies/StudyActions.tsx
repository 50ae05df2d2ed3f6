import { useNavigate } from "@tanstack/react-router";
import { CircleStop, Download, Printer, RotateCcw, Trash2 } from "lucide-react";
import { useState } from "react";
import { Popover } from "../components/Popover";
import { Button, IconButton } from "../components/ui";
import type { StudySearch } from "../searches";
import { fileUrl, type StudyDetail, type StudyFile } from "./api";
import { CancelStudy, DeleteStudy, ResumeStudy } from "./StudyDialogs";
import { viewOf } from "./view";
import { openRuns, unfinishedRuns } from "./words";

const FILES: [StudyFile, string, string][] = [
  ["report.md", "Report, Markdown", "What `unisd study show` prints"],
  ["cells.csv", "Cells, CSV", "A line per cell and metric"],
  ["effects.csv", "Effects, CSV", "Main effects and interactions"],
  ["runs.csv", "Runs, CSV", "A line per run, with last values"],
];

interface StudyActionsProps {
  study: StudyDetail;
  search: StudySearch;
}

/** What can be done with the whole study. */
export function StudyActions({ study, search }: StudyActionsProps) {
  const navigate = useNavigate();
  const [asking, setAsking] = useState<"cancel" | "resume" | "delete" | null>(null);
  const close = () => setAsking(null);
  return (
    <div className="flex items-center gap-2 print:hidden">
      {openRuns(study.runs) > 0 && (
        <Button onClick={() => setAsking("cancel")}>
          <CircleStop aria-hidden="true" className="size-4" />
          Cancel
        </Button>
      )}
      {unfinishedRuns(study) > 0 && (
        <Button onClick={() => setAsking("resume")}>
          <RotateCcw aria-hidden="true" className="size-4" />
          Resume
        </Button>
      )}
      <Files study={study} search={search} />
      <IconButton label="Print the report" onClick={() => window.print()}>
        <Printer aria-hidden="true" className="size-4" />
      </IconButton>
      <IconButton label="Delete the study" onClick={() => setAsking("delete")}>
        <Trash2 aria-hidden="true" className="size-4" />
      </IconButton>
      {asking === "cancel" && <CancelStudy study={study} onClose={close} />}
      {asking === "resume" && <ResumeStudy study={study} onClose={close} />}
      {asking === "delete" && (
        <DeleteStudy
          study={study}
          onClose={close}
          onGone={() => void navigate({ to: "/studies" })}
        />
      )}
    </div>
  );
}

function Files({ study, search }: StudyActionsProps) {
  return (
    <Popover
      className="top-full right-0 mt-1 w-64 p-1"
      button={({ open, toggle }) => (
        <Button aria-expanded={open} onClick={toggle}>
          <Download aria-hidden="true" className="size-4" />
          Files
        </Button>
      )}
    >
      {(close) => (
        <ul>
          {FILES.map(([file, title, words]) => (
            <li key={file}>
              <a
                href={fileUrl(study.id, file, viewOf(search))}
                download
                onClick={close}
                className="block rounded-control px-2.5 py-1.5 hover:bg-hover"
              >
                <span className="block">{title}</span>
                <span className="block text-faint text-xs">{words.replaceAll("`", "")}</span>
              </a>
            </li>
          ))}
        </ul>
      )}
    </Popover>
  );
}
