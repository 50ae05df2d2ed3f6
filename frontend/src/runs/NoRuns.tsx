import type { ReactNode } from "react";

const STEPS = [
  { title: "The student answers", words: "The model samples an answer to a prompt of yours." },
  {
    title: "It reads the solution",
    words: "The same model sees the worked solution too, and scores every token of that answer.",
  },
  { title: "It learns the difference", words: "An adapter is trained towards those scores." },
];

export function NoRuns({ action }: { action: ReactNode }) {
  return (
    <div className="mx-auto flex w-full max-w-3xl flex-1 flex-col justify-center px-6 py-16">
      <h2 className="text-balance font-semibold text-2xl">No runs yet</h2>
      <p className="mt-2 max-w-xl text-lg text-muted">
        Self-distillation adapts a model without a stronger one: the same network, shown the worked
        solution, teaches itself token by token.
      </p>
      <ol className="mt-8 grid gap-px overflow-hidden rounded-panel border border-line bg-line sm:grid-cols-3">
        {STEPS.map((step, i) => (
          <li key={step.title} className="bg-surface p-4">
            <span className="eyebrow">{i + 1}</span>
            <h3 className="mt-1 font-medium">{step.title}</h3>
            <p className="mt-1 text-muted text-sm">{step.words}</p>
          </li>
        ))}
      </ol>
      <div className="mt-8">{action}</div>
    </div>
  );
}
