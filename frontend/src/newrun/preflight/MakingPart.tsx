import type { Preflight } from "../../api/types";
import { Bar } from "../../components/ui";
import { duration, integer } from "../../lib/format";
import { Part } from "./Part";

type Making = Preflight["making"][number];

const KINDS: Record<Making["kind"], string> = {
  negatives: "Wrong worked examples",
  instructions: "Induced instructions",
  embeddings: "Embeddings of the prompts",
  completions: "The base model's completions",
};

/** What is made once before training: what is there, and how long the rest takes. */
export function MakingPart({ making }: { making: Making[] }) {
  return (
    <Part
      id="making"
      title="Made before training"
      said="Once for this model and these data, then taken from the cache"
    >
      <ul className="grid gap-x-8 gap-y-3 sm:grid-cols-2">
        {making.map((one) => {
          const share = one.looked_at > 0 ? one.present / one.looked_at : 0;
          const whole = share === 1;
          const sampled =
            one.looked_at < one.total ? ` looked at, ${integer(one.total)} in all` : "";
          return (
            <li key={one.kind} className="min-w-0 text-sm">
              <p className="flex items-baseline justify-between gap-3">
                <span className="font-medium">{KINDS[one.kind]}</span>
                <span className="text-muted tabular-nums">
                  {integer(one.present)} of {integer(one.looked_at)}
                  {sampled}
                </span>
              </p>
              <Bar
                share={share}
                label={`${KINDS[one.kind]} in the cache`}
                tone={whole ? "bg-ok" : "bg-accent"}
                className="my-1.5"
              />
              <p className="text-muted">
                {!whole && one.seconds !== null && (
                  <strong className="font-medium text-ink">About {duration(one.seconds)}. </strong>
                )}
                {one.basis}
              </p>
            </li>
          );
        })}
      </ul>
    </Part>
  );
}
