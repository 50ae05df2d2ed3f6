import type { ReactNode } from "react";
import type { Loss } from "./loss";
import { S, T, V } from "./symbols";

const CONTEXTS: Record<string, string> = {
  random: "other records' worked examples",
  retrieval: "the worked examples of the most similar records",
  induction: "instructions that the model induced",
};

/** What the symbols of the mechanisms that are on stand for. */
export function Where({ loss }: { loss: Loss }) {
  const { agreement, alpha, ceiling, contrastive, ema, features } = loss;
  const lines: ReactNode[] = [];
  if (alpha !== null && alpha > 0 && alpha < 1) {
    const [a, rest] = [+alpha.toFixed(3), +(1 - alpha).toFixed(3)];
    lines.push(
      <>
        JSD<sub>{a}</sub> = {a} KL(
        <T /> ‖ <V>m</V>) + {rest} KL(
        <S /> ‖ <V>m</V>), <V>m</V> = {rest} <S /> + {a} <T />
      </>,
    );
  }
  if (ceiling?.quantile) {
    lines.push(
      <>
        <V>c</V>: the {ceiling.text} quantile of the batch's divergences
      </>,
    );
  }
  if (agreement) lines.push(<Weight agreement={agreement} />);
  if (contrastive) {
    lines.push(
      <>
        <V>s</V>, <V>t</V>, <V>n</V>: log-probabilities of the sampled token under the student, the
        teacher, and the teacher shown a wrong solution
      </>,
    );
  }
  if (features) {
    lines.push(
      <>
        <V sub="S">h</V>, <V sub="T">h</V>: final hidden states of student and teacher
      </>,
    );
  }
  if (!loss.crossEntropy && loss.teacher === "ema") {
    lines.push(
      <>
        Teacher: <V sub="T">θ</V> ← {ema.decay} <V sub="T">θ</V> + {ema.rest} <V sub="S">θ</V>,
        every {ema.every} steps
      </>,
    );
  }
  if (lines.length === 0) return null;
  return (
    <ul className="mt-2 flex flex-col gap-1 text-muted text-sm">
      {lines.map((line, i) => (
        <li key={i}>{line}</li>
      ))}
    </ul>
  );
}

function Weight({ agreement }: { agreement: NonNullable<Loss["agreement"]> }) {
  const { contexts, gamma, level, normalized, statistic, views } = agreement;
  return (
    <>
      {level === "token" ? (
        <>
          <V sub="t">w</V> = 1 / (1 + {gamma} · min(<V>d</V> / <V sub="95">q</V>(<V>d</V>), 10))
        </>
      ) : (
        <>
          <V>w</V> = exp(−{gamma} · <V>d</V>)
        </>
      )}
      ; <V>d</V>: {statistic} of the log-probabilities of {views} teachers behind{" "}
      {CONTEXTS[contexts] ?? contexts}
      {normalized && (
        <>
          ; <V>w̄</V>: mean weight of the completion
        </>
      )}
    </>
  );
}
