import { Check } from "lucide-react";
import { asApiError } from "../api/client";
import { Button } from "../components/ui";
import type { Comparison, useChange } from "./api";

interface VoteBarProps {
  found: Comparison;
  sample: number;
  change: ReturnType<typeof useChange>;
  onVote: (winner: number | null) => void;
}

/** Which answer is best; in a blind comparison the columns get their names then. */
export function VoteBar({ found, sample, change, onVote }: VoteBarProps) {
  const votes = found.votes.filter((vote) => vote.sample === sample);
  const mine = votes.find((vote) => vote.actor === "page");
  const hidden = found.blind && !found.revealed;
  return (
    <section aria-label="Vote" className="panel flex flex-wrap items-center gap-2 px-3 py-2.5">
      <h2 className="mr-1 font-medium">Which answer is best?</h2>
      {found.columns.map((column, i) => (
        <Choice
          key={i}
          label={`${i + 1}. ${column.label}`}
          chosen={mine?.winner === i}
          onClick={() => onVote(i)}
        />
      ))}
      <Choice
        label="Tie"
        chosen={mine !== undefined && mine.winner === null}
        onClick={() => onVote(null)}
      />
      {hidden && (
        <Button variant="ghost" onClick={() => change.mutate({ kind: "reveal" })}>
          Show the names without a vote
        </Button>
      )}
      {votes.length > 0 && (
        <ul className="w-full text-muted text-sm">
          {votes.map((vote) => (
            <li key={vote.actor}>
              {vote.actor}: {vote.winner === null ? "tie" : found.columns[vote.winner]?.label}
              {vote.blind && ", blind"}
            </li>
          ))}
        </ul>
      )}
      {change.error && (
        <p role="alert" className="w-full text-bad text-sm">
          {asApiError(change.error).message}
        </p>
      )}
    </section>
  );
}

interface ChoiceProps {
  label: string;
  chosen: boolean;
  onClick: () => void;
}

const Choice = ({ label, chosen, onClick }: ChoiceProps) => (
  <Button
    aria-pressed={chosen}
    onClick={onClick}
    className="max-w-72 aria-pressed:border-accent aria-pressed:bg-accent-soft"
  >
    {chosen && <Check aria-hidden="true" className="size-4 shrink-0" />}
    <span className="truncate">{label}</span>
  </Button>
);
